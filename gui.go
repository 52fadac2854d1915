//go:build !headless

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"github.com/cryptexq/cryptexq/cli"
	"github.com/cryptexq/cryptexq/ui"
)

// appID is the name under which the desktop knows the program.
const appID = "org.cryptexq.CryptexQ"

// withWindow adds the window.
func withWindow(p cli.Program) cli.Program {
	p.Screen, p.Window = func() error { return ui.Screen(os.Getenv) }, window
	return p
}

// window shows the window until it is closed or ctx ends.
func window(ctx context.Context, w cli.Window) (err error) {
	defer func() { err = errors.Join(err, noDriver(recover())) }()
	a := fyneapp.NewWithID(appID)
	defer context.AfterFunc(ctx, func() { fyne.Do(a.Quit) })()
	ui.Main(a, ui.Desk{Profile: w.Profile, Join: w.Join, Show: w.Show, Name: w.Name})
	return nil
}

// noDriver makes an error of the panic of a driver that could not begin: there is a screen, and it lets nobody in, as that of
// another user does. That cannot be asked before. Every other panic goes on.
func noDriver(p any) error {
	if p == nil {
		return nil
	}
	if !strings.HasPrefix(fmt.Sprint(p), "NotInitialized:") {
		panic(p)
	}
	return &cli.NoScreenError{Cause: errors.New("it does not let this program in")}
}
