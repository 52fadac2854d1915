//go:build !headless

package main

import (
	"context"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"github.com/cryptexq/cryptexq/cli"
	"github.com/cryptexq/cryptexq/ui"
)

// appID is the name under which the desktop knows the program.
const appID = "org.cryptexq.CryptexQ"

// withWindow adds the window.
func withWindow(p cli.Program) cli.Program {
	p.Window = window
	return p
}

// window shows the window until it is closed or ctx ends.
func window(ctx context.Context, w cli.Window) error {
	a := fyneapp.NewWithID(appID)
	defer context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })()
	ui.Main(a, ui.Desk{Profile: w.Profile, Join: w.Join, Show: w.Show, Name: w.Name})
	return nil
}
