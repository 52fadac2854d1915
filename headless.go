//go:build headless

package main

import "github.com/cryptexq/cryptexq/cli"

// withWindow adds nothing: this is the build for machines without a screen.
func withWindow(p cli.Program) cli.Program { return p }
