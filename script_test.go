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

	"github.com/rogpeppe/go-internal/testscript"
)

// commands that scenarios are written in, beside those of testscript. NAME is a profile in the scenario's folder.
//
//	profile NAME...             makes profiles, of people called so with a capital letter
//	node NAME [FLAG...]         runs a node that is found by invitation only, and returns when it is ready
//	meet NAME NAME              makes them contacts by an invitation of the second
//	[!] on NAME COMMAND...      a command about a profile; stdout and stderr look at what it said
//	exits CODE NAME COMMAND...  one that must end with this exit code
//	until PATTERN NAME COMMAND...  one again and again, until it prints what matches
//	holds FILE PATTERN          waits until a file that something in the background writes to holds what matches
//	crash NAME, quit NAME       kill -9; an interrupt, after which the node must end well
//	keep VARIABLE               puts what the last command printed into the environment
//	fields NAME...              each line that the last command printed is an object with these fields
//	nowhere PATH WORD...        none of the files under PATH holds one of the words
//	closed PATH                 everything under PATH is its owner's alone
//	copy NAME NAME              copies a profile's folder
//	id NAME VARIABLE            puts the account, the device and the peer of somebody into VARIABLE, VARIABLE_DEVICE, VARIABLE_PEER
//	cut LINK N                  puts LINK without its last N characters into CUT
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"profile": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 1)
		for _, name := range args {
			p, err := newPerson(ts.MkAbs("."), name)
			ts.Check(err)
			people(ts)[name] = p
			ts.Defer(p.end)
		}
	},
	"node": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 1)
		ts.Check(who(ts, args[0]).start(append(slices.Clone(quietly), args[1:]...)...))
	},
	"meet": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 2)
		ts.Check(meet(who(ts, args[0]), who(ts, args[1])))
	},
	"on": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, false, args, 2)
		if code := on(ts, args); (code != 0) != neg {
			ts.Fatalf("exit %d", code)
		}
	},
	"exits": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 3)
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		if code := on(ts, args[1:]); code != want {
			ts.Fatalf("exit %d, want %d", code, want)
		}
	},
	"until": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 3)
		out, err := who(ts, args[1]).until(args[0], args[2:]...)
		ts.Check(err)
		ts.Logf("%s", out)
	},
	"holds": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 2)
		want, err := regexp.Compile(args[1])
		ts.Check(err)
		var b []byte
		if !await(func() bool { b, _ = os.ReadFile(ts.MkAbs(args[0])); return want.Match(b) }) { // not there yet: asked again
			ts.Fatalf("%s never held %q; last: %s", args[0], args[1], b)
		}
	},
	"crash": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 1)
		ts.Check(who(ts, args[0]).crash())
	},
	"quit": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 1)
		ts.Check(who(ts, args[0]).stop())
	},
	"keep": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 1)
		ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
	},
	"fields": fields,
	"nowhere": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 2)
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
	},
	"closed": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 1)
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
	},
	"id": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 2)
		out, err := who(ts, args[0]).do("id", "--json")
		ts.Check(err)
		var o struct{ Account, Device, Peer string }
		ts.Check(json.Unmarshal([]byte(out), &o))
		ts.Setenv(args[1], o.Account)
		ts.Setenv(args[1]+"_DEVICE", o.Device)
		ts.Setenv(args[1]+"_PEER", o.Peer)
	},
	"cut": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 2)
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		ts.Setenv("CUT", args[0][:len(args[0])-n])
	},
	"copy": func(ts *testscript.TestScript, neg bool, args []string) {
		plain(ts, neg, args, 2)
		from := who(ts, args[0])
		p := *from
		p.name, p.cmd = args[1], nil
		port, err := freePort() // both may run
		ts.Check(err)
		p.port = port
		ts.Check(os.CopyFS(p.profile(), os.DirFS(from.profile())))
		ts.Check(os.WriteFile(p.secret(), []byte(password+"\n"), 0o600))
		people(ts)[p.name] = &p
		ts.Defer(p.end)
	},
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

// plain refuses a command that is called wrongly.
func plain(ts *testscript.TestScript, neg bool, args []string, least int) {
	if neg || len(args) < least {
		ts.Fatalf("this command wants %d arguments or more, and no !", least)
	}
}

// on runs a command about a profile and returns its exit code.
func on(ts *testscript.TestScript, args []string) int {
	err := ts.Exec("cryptexq", append([]string{"--profile", who(ts, args[0]).profile()}, args[1:]...)...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// fields looks at each object that the last command printed.
func fields(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg, args, 1)
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	for _, line := range lines {
		var o map[string]json.RawMessage
		ts.Check(json.Unmarshal([]byte(line), &o))
		for _, name := range args {
			if _, ok := o[name]; !ok {
				ts.Fatalf("no field %s in %s", name, line)
			}
		}
	}
	if slices.Equal(lines, []string{""}) {
		ts.Fatalf("nothing was printed")
	}
}
