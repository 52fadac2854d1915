package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the scenarios in testdata/script, which are lists of what people do.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: commands(), Setup: setUp, RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// commands that scenarios are written in, beside those of testscript. NAME is a profile in the scenario's folder.
func commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"profile": atLeast(1, makeProfiles),
		"node":    atLeast(1, runNode),
		"meet":    atLeast(2, makeContacts),
		"crash":   atLeast(1, crashNode),
		"panic":   atLeast(1, panicNode),
		"quit":    atLeast(1, quitNode),
		"copy":    atLeast(2, copyProfile),
		"on":      doOn,
		"exits":   atLeast(3, exitsWith),
		"until":   atLeast(3, doUntil),
		"holds":   atLeast(2, waitForFile),
		"keep":    atLeast(1, keepOutput),
		"id":      atLeast(2, keepID),
		"cut":     atLeast(2, cutLink),
		"fields":  atLeast(1, haveFields),
		"nowhere": atLeast(2, holdNone),
		"closed":  atLeast(1, ownersAlone),
	}
}

// profile NAME... makes profiles, of people called so with a capital letter.
func makeProfiles(ts *testscript.TestScript, names []string) {
	for _, name := range names {
		p, err := newPerson(ts.MkAbs("."), name, environment(ts)...)
		ts.Check(err)
		people(ts)[name] = p
		ts.Defer(p.end)
	}
}

// node NAME [FLAG...] runs a node that is found by invitation only, and returns when it is ready.
func runNode(ts *testscript.TestScript, args []string) {
	ts.Check(who(ts, args[0]).start(append(slices.Clone(quietly), args[1:]...)...))
}

// meet NAME NAME makes them contacts by an invitation of the second.
func makeContacts(ts *testscript.TestScript, args []string) {
	ts.Check(meet(who(ts, args[0]), who(ts, args[1])))
}

// crash NAME is a kill -9.
func crashNode(ts *testscript.TestScript, args []string) { ts.Check(who(ts, args[0]).crash()) }

// panic NAME ends a node as a fault of its own would: with a report of what every goroutine was doing.
func panicNode(ts *testscript.TestScript, args []string) {
	p := who(ts, args[0])
	ts.Check(p.cmd.Process.Signal(syscall.SIGQUIT))
	if p.wait() == nil {
		ts.Fatalf("it ended as if all were well")
	}
}

// quit NAME is an interrupt, after which the node must end well.
func quitNode(ts *testscript.TestScript, args []string) { ts.Check(who(ts, args[0]).stop()) }

// copy NAME NAME copies a profile's folder, and makes somebody of it who has the same password.
func copyProfile(ts *testscript.TestScript, args []string) {
	from := who(ts, args[0])
	p := *from
	port, err := freePort() // both may run
	ts.Check(err)
	p.name, p.cmd, p.port = args[1], nil, port
	ts.Check(os.CopyFS(p.profile(), os.DirFS(from.profile())))
	ts.Check(os.WriteFile(p.secret(), []byte(password+"\n"), 0o600))
	people(ts)[p.name] = &p
	ts.Defer(p.end)
}

// [!] on NAME COMMAND... is a command about a profile; stdout and stderr look at what it said.
func doOn(ts *testscript.TestScript, neg bool, args []string) {
	if code := on(ts, args); (code != 0) != neg {
		ts.Fatalf("exit %d", code)
	}
}

// exits CODE NAME COMMAND... is one that must end with this exit code.
func exitsWith(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if code := on(ts, args[1:]); code != want {
		ts.Fatalf("exit %d, want %d", code, want)
	}
}

// until PATTERN NAME COMMAND... repeats one until it prints what matches.
func doUntil(ts *testscript.TestScript, args []string) {
	out, err := who(ts, args[1]).until(args[0], args[2:]...)
	ts.Check(err)
	ts.Logf("%s", out)
}

// holds FILE PATTERN waits until a file that something in the background writes to holds what matches.
func waitForFile(ts *testscript.TestScript, args []string) {
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	var b []byte
	if !await(func() bool { b, _ = os.ReadFile(ts.MkAbs(args[0])); return want.Match(b) }) { // not there yet: asked again
		ts.Fatalf("%s never held %q; last: %s", args[0], args[1], b)
	}
}

// keep VARIABLE puts what the last command printed into the environment.
func keepOutput(ts *testscript.TestScript, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// id NAME VARIABLE puts the account, the device and the peer of somebody into VARIABLE, VARIABLE_DEVICE and VARIABLE_PEER.
func keepID(ts *testscript.TestScript, args []string) {
	out, err := who(ts, args[0]).do("id", "--json")
	ts.Check(err)
	var o struct{ Account, Device, Peer string }
	ts.Check(json.Unmarshal([]byte(out), &o))
	ts.Setenv(args[1], o.Account)
	ts.Setenv(args[1]+"_DEVICE", o.Device)
	ts.Setenv(args[1]+"_PEER", o.Peer)
}

// cut LINK N puts LINK without its last N characters into CUT.
func cutLink(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Setenv("CUT", args[0][:len(args[0])-n])
}

// fields NAME... looks whether each line that the last command printed is an object with these fields.
func haveFields(ts *testscript.TestScript, names []string) {
	out := strings.TrimSpace(ts.ReadFile("stdout"))
	if out == "" {
		ts.Fatalf("nothing was printed")
	}
	for line := range strings.Lines(out) {
		var o map[string]json.RawMessage
		ts.Check(json.Unmarshal([]byte(line), &o))
		for _, name := range names {
			if _, ok := o[name]; !ok {
				ts.Fatalf("no field %s in %s", name, line)
			}
		}
	}
}

// nowhere PATH WORD... looks whether none of the files under PATH holds one of the words.
func holdNone(ts *testscript.TestScript, args []string) {
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(name)
		for _, word := range args[1:] {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(word))) {
				ts.Fatalf("%s holds %q in clear", name, word)
			}
		}
		return err
	}))
}

// closed PATH looks whether everything under PATH is its owner's alone.
func ownersAlone(ts *testscript.TestScript, args []string) {
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			ts.Fatalf("others can look into %s: %v", name, info.Mode())
		}
		return err
	}))
}

// atLeast refuses a command that is called wrongly.
func atLeast(least int, run func(ts *testscript.TestScript, args []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least {
			ts.Fatalf("this command wants %d arguments or more, and no !", least)
		}
		run(ts, args)
	}
}

// castKey is where a scenario keeps its people.
type castKey struct{}

func setUp(env *testscript.Env) error {
	env.Values[castKey{}] = map[string]*person{}
	return nil
}

func people(ts *testscript.TestScript) map[string]*person {
	return ts.Value(castKey{}).(map[string]*person)
}

func who(ts *testscript.TestScript, name string) *person {
	p := people(ts)[name]
	if p == nil {
		ts.Fatalf("there is no profile %s", name)
	}
	return p
}

// environment is what of a scenario's variables a node has to know, so that its clients in the scenario find it.
func environment(ts *testscript.TestScript) (set []string) {
	for _, name := range []string{"HOME", "TMPDIR", "XDG_RUNTIME_DIR"} {
		set = append(set, name+"="+ts.Getenv(name))
	}
	return set
}

// on runs a command about a profile and returns its exit code.
func on(ts *testscript.TestScript, args []string) int {
	if len(args) < 2 {
		ts.Fatalf("on whom, and what?")
	}
	err := ts.Exec("cryptexq", append([]string{"--profile", who(ts, args[0]).profile()}, args[1:]...)...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}
