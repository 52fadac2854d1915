package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// wishes are the flags of node. What was not said is as the settings in the store say.
type wishes struct {
	listen       []string
	nearby       bool
	noMDNS       bool
	readReceipts bool
	clockOff     time.Duration // for tests: how far the clock is ahead
	said         func(flag string) bool
}

var errNoAccount = &api.Error{Code: "no_account", Message: "there is no vault here"}

// laterServices are switches of node that this version does not have: it says so instead of running without them.
var laterServices = []string{"relay", "rendezvous", "mailbox", "verifier"}

func (c *console) nodeCommand() *cobra.Command {
	var w wishes
	cmd := &cobra.Command{
		Use: "node", Short: "run without a window until interrupted", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range laterServices {
				if cmd.Flags().Changed(name) {
					return fmt.Errorf("--%s is not in this version yet; leave it out", name)
				}
			}
			for _, a := range w.listen {
				if !strings.HasPrefix(a, "/") {
					return usagef("--listen takes an address like /ip4/0.0.0.0/tcp/4001, not %q", a)
				}
			}
			w.said = func(flag string) bool { return cmd.Flags().Changed(flag) }
			return c.node(cmd.Context(), w)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&w.listen, "listen", nil, "an `ADDR` to listen on like /ip4/0.0.0.0/tcp/4001; repeats (default every interface, TCP and QUIC)")
	f.BoolVar(&w.nearby, "nearby", false, "show one's name on the LAN, and see who else does")
	f.BoolVar(&w.noMDNS, "no-mdns", false, "neither look for others on the LAN nor be found")
	f.BoolVar(&w.readReceipts, "read-receipts", false, "tell, and be told, what was read; kept until it is set otherwise")
	f.DurationVar(&w.clockOff, "clock-off", 0, "for tests: run as if the clock were ahead by so much")
	_ = f.MarkHidden("clock-off")
	for _, name := range laterServices {
		f.Bool(name, false, "not in this version yet")
		_ = f.MarkHidden(name) // the flag is there: it was made one line above
	}
	return cmd
}

// node runs an account without a window.
func (c *console) node(ctx context.Context, w wishes) (err error) {
	if !c.place.exists() {
		return errNoAccount // and none of the folders is made for a slip of the finger
	}
	defer func() { err = c.blameDisk(err) }()
	log, level, endLog, err := c.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endLog()) }()
	now := func() time.Time { return time.Now().Add(w.clockOff) }
	p, err := app.OpenProfile(c.place.data, app.Config{Logger: log, Now: now})
	if err != nil {
		return unwritable(err)
	}
	defer p.Close()
	if err := c.greetLog(log); err != nil {
		return err
	}
	if !p.Exists() {
		return errNoAccount
	}
	s, err := c.unlock(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	log.Info("vault open")
	n, err := c.settle(ctx, s, w, level)
	if err != nil {
		return err
	}
	n.Log = log
	return c.serve(ctx, s, n)
}

// greetLog begins a log with what runs here, once it is known to work.
func (c *console) greetLog(log *slog.Logger) error {
	if err := selfTest(); err != nil {
		return err
	}
	log.Info("starting", "version", c.program.Version, "commit", c.program.Commit, "suite", identity.Suite, "self_test", "passed", "pid", os.Getpid())
	return nil
}

// settle joins what was said with what the settings say.
func (c *console) settle(ctx context.Context, s *app.Service, w wishes, level *slog.LevelVar) (n Network, err error) {
	setting := func(key, otherwise string) string {
		value, readErr := s.Owner.Setting(ctx, key, otherwise)
		err = errors.Join(err, readErr)
		return value
	}
	n = Network{Listen: w.listen, MDNS: !w.noMDNS}
	if !w.said("listen") {
		n.Listen = strings.Fields(setting("listen", ""))
	}
	if len(n.Listen) == 0 {
		n.Listen = nil // empty would mean nowhere
	}
	if !w.said("no-mdns") {
		n.MDNS = setting("mdns", "yes") == "yes"
	}
	if !w.said("nearby") {
		w.nearby = setting("nearby", "no") == "yes"
	}
	if w.nearby {
		n.Name = s.People.Name()
	}
	if w.said("read-receipts") {
		err = errors.Join(err, s.Owner.SetReadReceipts(ctx, w.readReceipts))
	}
	if stored, levelErr := parseLevel(setting("log_level", c.logLevel)); levelErr == nil && !w.said("log-level") {
		level.Set(stored)
	}
	return n, err
}

// serve runs network, service and socket until ctx ends, and says when they are ready. The socket goes first: what came in
// by it is answered while everything else still stands.
func (c *console) serve(ctx context.Context, s *app.Service, n Network) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	server := api.New(api.Host{Profile: c.place.name, Version: c.program.Version, Stop: stop, Log: n.Log})
	l, err := api.Listen(c.place.socket)
	if err != nil {
		return unwritable(err)
	}
	server.Attach(s)
	inner, stopInner := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInner()
	var g errgroup.Group
	g.Go(func() error {
		defer stopInner()
		defer server.Detach()
		return server.Serve(ctx, l)
	})
	g.Go(func() error {
		defer stop()
		return c.program.Join(inner, s, n)
	})
	g.Go(func() error {
		defer n.Log.Info("stopping")
		return c.announce(ctx, s, n.Log)
	})
	return g.Wait()
}

// firstListen is how long a node waits for addresses before it says that it is ready: without a network there are none.
const firstListen = 3 * time.Second

// announce prints one line when the node can be reached, and returns when ctx ends.
func (c *console) announce(ctx context.Context, s *app.Service, log *slog.Logger) error {
	w := s.Watch()
	defer w.Close()
	soon, enough := context.WithTimeout(ctx, firstListen)
	defer enough()
	next := soon
	for {
		id, err := s.Owner.Identity(ctx)
		if err != nil {
			return ignoreEnd(ctx, err)
		}
		st, err := s.Owner.Status(ctx)
		if err != nil {
			return ignoreEnd(ctx, err)
		}
		if st.Ready && (len(id.Addresses) > 0 || soon.Err() != nil) {
			if err := c.ready(id, log); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}
		if _, err := w.Next(next); ctx.Err() != nil {
			return nil
		} else if err != nil {
			next = ctx // time is up: what there is will do
		}
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// started is what a node prints when it is ready.
type started struct {
	Ready     bool     `json:"ready"`
	Profile   string   `json:"profile"`
	PID       int      `json:"pid"`
	Socket    string   `json:"socket"`
	Addresses []string `json:"addresses"`
}

func (c *console) ready(id app.Identity, log *slog.Logger) error {
	log.Info("ready", "listening_on", len(id.Addresses))
	o := started{true, c.place.name, os.Getpid(), c.place.socket, append([]string{}, id.Addresses...)}
	return show(c, o, func(o started) error {
		return c.say("Ready: %s, process %d, %d addresses. End it with Ctrl+C or: %s stop", clean(id.Name), o.PID, len(o.Addresses), c.command())
	})
}

// NoScreenError says that a window cannot be shown where the program was started.
type NoScreenError struct{ Cause error }

// Error says why.
func (e *NoScreenError) Error() string { return "there is no screen here: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *NoScreenError) Unwrap() error { return e.Cause }

// offerNode adds to a missing screen what can be done about it.
func offerNode(err error, command string) error {
	if none := (*NoScreenError)(nil); errors.As(err, &none) {
		return advise(api.CodeNoWindow, "There is no screen here: %v. Log in to a desktop, or without a window run: %s node", none.Cause, command)
	}
	return err
}

// window shows the window, or has the one that is open already come to the front.
func (c *console) window(ctx context.Context) (err error) {
	if c.program.Window == nil {
		return advise(api.CodeNoWindow, "This build has no window. Without one, run: %s node", c.command())
	}
	defer func() { err = offerNode(err, c.command()) }()
	if c.program.Screen != nil {
		if err := c.program.Screen(); err != nil {
			return &NoScreenError{err}
		}
	}
	log, _, endLog, err := c.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endLog()) }()
	p, err := app.OpenProfile(c.place.data, app.Config{Logger: log})
	if e := (*api.Error)(nil); err != nil && errors.As(api.Describe(err), &e) && e.Code == api.CodeInUse {
		return c.client.Post(ctx, "/v1/show", nil, nil)
	}
	if err != nil {
		return err
	}
	defer p.Close()
	if err := c.greetLog(log); err != nil {
		return err
	}
	return c.showWindow(ctx, p, log)
}

// showWindow runs the window with a socket that answers from the start, and lets it join an account once it is unlocked.
func (c *console) showWindow(ctx context.Context, p *app.Profile, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	show := make(chan struct{}, 1)
	server := api.New(api.Host{Profile: c.place.name, Version: c.program.Version, Stop: stop, Log: log, Show: func() {
		select {
		case show <- struct{}{}:
		default:
		}
	}})
	l, err := api.Listen(c.place.socket)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.Go(func() error { return server.Serve(ctx, l) })
	err = c.program.Window(ctx, Window{Profile: p, Name: c.place.name, Show: show, Join: func(ctx context.Context, s *app.Service) error {
		return c.join(ctx, s, server, log)
	}})
	stop()
	return errors.Join(err, g.Wait())
}

// join runs an account for the window: as the settings say, reachable through the socket, until ctx ends.
func (c *console) join(ctx context.Context, s *app.Service, server *api.Server, log *slog.Logger) error {
	level := new(slog.LevelVar)
	n, err := c.settle(ctx, s, wishes{said: func(string) bool { return false }}, level)
	if err != nil {
		return err
	}
	n.Log = log
	server.Attach(s)
	inner, stopInner := context.WithCancel(context.WithoutCancel(ctx))
	defer stopInner()
	defer context.AfterFunc(ctx, func() {
		server.Detach()
		stopInner()
	})()
	defer server.Detach()
	return c.program.Join(inner, s, n)
}
