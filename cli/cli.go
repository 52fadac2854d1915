// Package cli is the command line. Almost every command is a question to the running program of a profile over its local
// socket (package api); only the window, node, init, version, bench and sim do anything by themselves.
//
// A command prints its answer for a person, or with --json one object a line for a script, and ends with one of the exit
// codes of docs/deploy.md. What went wrong is put into a sentence in one place, problem.go. Flags, variables and their
// defaults are read in flags.go, where profiles lie is settled in place.go, and where passwords come from in password.go.
package cli

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
)

// Program is the rest of the program: what only main can join, because it knows both the messenger and the network.
type Program struct {
	Version, Commit string

	// Join opens the network for an unlocked account and runs both, until ctx ends and everything has returned.
	Join func(ctx context.Context, s *app.Service, n Network) error
	// Logs puts around a log handler what keeps addresses and whole IDs out, and has libraries log there too.
	Logs func(slog.Handler) slog.Handler
	// Window shows the window until it is closed or ctx ends; nil in a build that has none.
	Window func(ctx context.Context, w Window) error
}

// Network is what somebody wants the node to do. Empty fields mean the documented default.
type Network struct {
	Listen []string // multiaddresses; nil: every interface, TCP and QUIC
	Name   string   // shown on the LAN; empty: not shown
	MDNS   bool     // look for others on the LAN
	Log    *slog.Logger
}

// Window is what the window gets.
type Window struct {
	Profile *app.Profile // locked by this process, not unlocked yet
	Name    string       // of the profile
	Show    <-chan struct{}
	// Join runs network and service and lets the command line reach them, until ctx ends and everything has returned.
	Join func(ctx context.Context, s *app.Service) error
}

// console is one run of the command line.
type console struct {
	program Program
	in      *os.File
	out     io.Writer
	err     io.Writer
	look    func(name string) (string, bool) // the environment

	common
	place  place // of the profile; set before a command runs
	client *api.Client
	began  bool // arguments and flags were understood
}

// Main runs the command line and returns the exit code of the process.
func Main(ctx context.Context, p Program, args []string) int {
	c := &console{program: p, in: os.Stdin, out: os.Stdout, err: os.Stderr, look: os.LookupEnv}
	return c.run(ctx, args)
}

func (c *console) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(c.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !c.began {
		err = usage(err)
		c.json = c.json || asksForJSON(args, c.look)
	}
	return c.complain(ctx, err)
}

// root is the whole tree of commands; without a subcommand it opens the window.
func (c *console) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "cryptexq",
		Short:             "A messenger without a server. Without a command it opens the window.",
		Args:              none,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: c.begin,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.window(cmd.Context()) },
	}
	c.commonFlags(root)
	root.AddCommand(
		c.initCommand(), c.nodeCommand(), c.kitCommand(), c.passwdCommand(), c.lockCommand(), c.stopCommand(),
		c.idCommand(), c.inviteCommand(), c.nearbyCommand(), c.addCommand(), c.requestsCommand(), c.acceptCommand(), c.declineCommand(),
		c.contactsCommand(), c.verifyContactCommand(), c.blockCommand(),
		c.roomsCommand(), c.roomCommand(), c.sendCommand(), c.readCommand(),
		c.statusCommand(), c.doctorCommand(), c.simCommand(), c.benchCommand(), c.versionCommand(),
	)
	return root
}

// begin is run before every command, once its flags and arguments were understood.
func (c *console) begin(cmd *cobra.Command, _ []string) (err error) {
	if err := c.fromEnvironment(cmd); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	c.began = true
	switch cmd.Name() {
	case "version", "bench", "sim", "help", "completion", "bash", "zsh", "fish", "powershell":
		return nil // these concern no profile
	}
	if c.place, err = c.findPlace(); err != nil {
		return err
	}
	c.client = api.NewClient(c.place.socket)
	return nil
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Args: none, RunE: func(cmd *cobra.Command, _ []string) error {
		return usagef("%s needs to be told what: see cryptexq %s --help", cmd.Name(), cmd.Name())
	}}
	g.AddCommand(commands...)
	return g
}

// none refuses arguments. What looks like a command that does not exist is called that.
func none(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		near := cmd.SuggestionsFor(args[0])
		if len(near) > 0 {
			return usagef("there is no command %q; did you mean %q?", args[0], near[0])
		}
		return usagef("there is no command %q; cryptexq --help lists them", args[0])
	}
	return usagef("%s takes no argument, and was given %q", cmd.Name(), args[0])
}

// exactly asks for as many arguments as are named.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usagef("%s needs %s", cmd.Name(), names[len(args)])
		}
		if len(args) > len(names) {
			return usagef("%s does not know what to do with %q; a text of several words wants quotes", cmd.Name(), args[len(names)])
		}
		return nil
	}
}
