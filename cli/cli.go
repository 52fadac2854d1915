// Package cli is the command line. Almost every command is a question to the running program of a profile over its local
// socket (package api); only the window, node, init, version, bench and sim do anything by themselves.
//
// A command prints its answer for a person, or with --json one object a line for a script, and ends with one of the exit
// codes of docs/deploy.md. What went wrong is put into a sentence in one place, problem.go. Flags, variables and their
// defaults are read in flags.go, where profiles lie is settled in place.go, and where passwords come from in password.go.
package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

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
	// Screen says why no window can be shown here, nil when one can. May be nil.
	Screen func() error
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
	name    string // by which the program was called; empty: cryptexq
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
	c := &console{program: p, name: calledAs(os.Args[0]), in: os.Stdin, out: outlet{os.Stdout}, err: os.Stderr, look: os.LookupEnv}
	return c.run(ctx, args)
}

// calledAs is what a person types to call the program again: the name alone where the shell finds it by that.
func calledAs(arg string) string {
	name := filepath.Base(arg)
	found, err := exec.LookPath(name)
	if err != nil {
		return arg
	}
	one, err := os.Stat(found)
	other, otherErr := os.Stat(arg)
	if err != nil || otherErr != nil || !os.SameFile(one, other) {
		return arg
	}
	return name
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
	without := "Without a command it opens the window."
	if c.program.Window == nil {
		without = "This build has no window."
	}
	root := &cobra.Command{
		Use:               "cryptexq",
		Short:             "A messenger without a server.",
		Long:              "A messenger without a server. " + without,
		Example:           firstSteps,
		Args:              none,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: c.begin,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.window(cmd.Context()) },
	}
	c.commonFlags(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())
	})
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	c.gather(root)
	return root
}

// firstSteps stands in the help, for whoever has no window.
const firstSteps = `  cryptexq init --name Ada       make an account
  cryptexq node                  run it; then in another terminal:
  cryptexq invite                a link for somebody; they say: add LINK
  cryptexq requests              who asks you; say yes with: accept NAME
  cryptexq send Bob 'hello'      write to a contact
  cryptexq read Bob --follow     read, and wait for more
  cryptexq doctor                what is in the way of it`

// gather adds the subcommands, by what they are about.
func (c *console) gather(root *cobra.Command) {
	for _, g := range []struct {
		about    string
		commands []*cobra.Command
	}{
		{"Account:", []*cobra.Command{c.initCommand(), c.idCommand(), c.kitCommand(), c.passwdCommand()}},
		{"The running program:", []*cobra.Command{c.nodeCommand(), c.statusCommand(), doctor{c}.doctorCommand(), c.lockCommand(), c.stopCommand()}},
		{"People:", people{c}.commands()},
		{"Messages:", threads{c}.commands()},
	} {
		root.AddGroup(&cobra.Group{ID: g.about, Title: g.about})
		for _, cmd := range g.commands {
			cmd.GroupID = g.about
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(c.simCommand(), c.benchCommand(), c.versionCommand())
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
	case "version", "bench", "sim", "help", "completion", "bash", "zsh", "fish", "powershell", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
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
		return usagef("%s needs to be told what; see: %s --help", cmd.Name(), cmd.CommandPath())
	}}
	g.AddCommand(commands...)
	return g
}

// laterCommands are those of later versions: whoever reads about them elsewhere is told so.
var laterCommands = []string{
	"search", "proof", "verify", "react", "edit", "delete", "pin", "mailbox", "backup", "restore", "token", "kme",
	"room new", "room add", "room remove", "room role", "room verify", "room leave",
}

// none refuses arguments. What looks like a command that does not exist is called that.
func none(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return usage(noCommand(cmd, args[0]))
	}
	return usagef("%s takes no argument, and was given %q", called(cmd), args[0])
}

// noCommand says that a command has no such subcommand, and which was meant.
func noCommand(cmd *cobra.Command, name string) error {
	path := strings.TrimSpace(called(cmd) + " " + name)
	if slices.Contains(laterCommands, path) {
		return fmt.Errorf("%s is not in this version yet; %s --help lists what is", path, cmd.CommandPath())
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %q?", path, strings.TrimSpace(called(cmd)+" "+near[0]))
	}
	return fmt.Errorf("there is no command %q; %s --help lists them", path, cmd.CommandPath())
}

// called is a command as it is typed behind the program's name.
func called(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return path
}

// exactly asks for as many arguments as are named. None of them may be empty but a text.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usagef("%s needs %s", called(cmd), names[len(args)])
		}
		if len(args) > len(names) {
			return usagef("%s does not know what to do with %q; a text of several words wants quotes", called(cmd), args[len(names)])
		}
		if strings.TrimSpace(args[0]) == "" {
			return usagef("%s needs %s, and was given nothing", called(cmd), names[0])
		}
		return nil
	}
}
