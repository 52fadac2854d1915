// Command cryptexq is a messenger without a server: the window, or with a subcommand the command line, in one binary.
//
// This package joins what must not know each other, the messenger (app) and the network (p2p), and settles the order in
// which they end: window, local API, node, service, store. Everything else is in cli, ui, app and p2p.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/cli"
	"github.com/cryptexq/cryptexq/p2p"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Stamped by the build.
var version, commit string

func main() {
	if err := store.Harden(); err != nil {
		os.Stderr.WriteString("cryptexq: closing this process's memory to others: " + err.Error() + "\n")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Main(ctx, cli.Program{Version: version, Commit: commit, Join: join}, os.Args[1:]))
}

// The two halves fit: who changes one of them is told here.
var (
	_ app.Network = (*p2p.Node)(nil)
	_ p2p.Handler = (*app.Service)(nil)
)

// join runs messenger and node, each calling the other, until ctx ends and both have returned.
func join(ctx context.Context, s *app.Service, n cli.Network) error {
	node, err := p2p.Open(p2p.Config{
		Self: s.Self(), Services: peer.Services{MDNS: n.MDNS, NearbyName: n.Name, Listen: n.Listen}, Logger: n.Log,
	})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return node.Run(ctx, s) })
	g.Go(func() error { return s.Run(ctx, node) })
	return g.Wait()
}
