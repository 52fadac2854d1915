// Command cryptexq is a messenger without a server: the window, or with a subcommand the command line, in one binary.
//
// This package joins what must not know each other, the messenger (app) and the node (p2p), and settles the order in which
// they end: window, local API, node, service, store. Everything else is in cli, ui, app and p2p.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/libp2p/go-libp2p/gologshim"
	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/cli"
	"github.com/cryptexq/cryptexq/p2p"
)

// The messenger and the node know nothing of each other; here it shows that they fit.
var (
	_ app.Network       = (*p2p.Node)(nil)
	_ app.NearbyNetwork = (*p2p.Node)(nil)
	_ p2p.Handler       = (*app.Service)(nil)
)

// Stamped by scripts/build.sh.
var version, commit string

func main() { os.Exit(run(os.Args[1:])) }

// run is the program between its first step, which closes its memory to others, and its exit code. An interrupt ends it in
// good order; a second one at once.
func run(args []string) int {
	if err := app.Harden(); err != nil {
		fmt.Fprintln(os.Stderr, "cryptexq: other programs of yours can look into this process:", err)
	}
	os.Unsetenv("GOLOG_LOG_LEVEL") // libp2p's own logging says more than a log may hold
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return cli.Main(ctx, withWindow(cli.Program{Version: version, Commit: commit, Join: join, Logs: logs}), args)
}

// logs has the libraries log where we do. All of it goes through a handler that takes out addresses and whole IDs.
func logs(h slog.Handler) slog.Handler {
	h = p2p.LogHandler(h)
	gologshim.SetDefaultHandler(p2p.LibraryHandler(h))
	return h
}

// join runs a node for an unlocked account, and the account's service on it, until ctx ends and both have returned. The node
// ends first: what it still brings is stored by a service that still runs.
func join(ctx context.Context, s *app.Service, n cli.Network) error {
	c := p2p.Config{Self: s.Self(), Logger: n.Log}
	c.Services.Listen, c.Services.MDNS, c.Services.NearbyName = n.Listen, n.MDNS, n.Name
	node, err := p2p.Open(c)
	if err != nil {
		return err
	}
	outer, stopService := context.WithCancel(context.WithoutCancel(ctx))
	inner, stopNode := context.WithCancel(ctx)
	var g errgroup.Group
	g.Go(func() error {
		defer stopService()
		return node.Run(inner, s)
	})
	g.Go(func() error {
		defer stopNode()
		return s.Run(outer, node)
	})
	return g.Wait()
}
