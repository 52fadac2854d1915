package cli

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// talk runs a command line in an environment of its own and returns what it said.
func talk(t *testing.T, p Program, vars map[string]string, args ...string) (exit int, out, err string) {
	t.Helper()
	in, openErr := os.Open(os.DevNull)
	if openErr != nil {
		t.Fatal(openErr)
	}
	defer in.Close()
	var o, e bytes.Buffer
	look := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	c := &console{program: p, in: in, out: &o, err: &e, look: look}
	exit = c.run(context.Background(), args)
	return exit, o.String(), e.String()
}

// visit calls f for every command of the tree.
func visit(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		visit(sub, f)
	}
}

var flagLine = regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`)

func TestEveryFlagIsAVariableToo(t *testing.T) {
	have := map[string]bool{}
	visit((&console{}).root(), func(c *cobra.Command) {
		for _, m := range flagLine.FindAllStringSubmatch(c.LocalFlags().FlagUsages(), -1) {
			have[m[1]] = true
		}
	})
	for name := range have {
		if name != "help" && !slices.Contains(flags, name) {
			t.Errorf("--%s cannot be set by %s", name, variable(name))
		}
	}
	for _, name := range flags {
		if !have[name] {
			t.Errorf("flags has %s, which no command takes", name)
		}
	}
}

func TestAFlagBeatsItsVariable(t *testing.T) {
	vars := map[string]string{"CRYPTEXQ_JSON": "true"}
	if _, out, _ := talk(t, Program{Version: "1"}, vars, "version"); !strings.HasPrefix(out, `{"version":"1"`) {
		t.Errorf("CRYPTEXQ_JSON=true: version printed %q", out)
	}
	if _, out, _ := talk(t, Program{Version: "1"}, vars, "version", "--json=false"); !strings.HasPrefix(out, "CryptexQ 1") {
		t.Errorf("--json=false beside CRYPTEXQ_JSON=true: version printed %q", out)
	}
}

func TestAVariableThatMeansNothingIsWrongUsage(t *testing.T) {
	for name, value := range map[string]string{"CRYPTEXQ_JSON": "perhaps", "CRYPTEXQ_LOG_LEVEL": "loud", "CRYPTEXQ_LOG_FORMAT": "xml"} {
		if exit, _, err := talk(t, Program{}, map[string]string{name: value}, "version"); exit != exitUsage || !strings.Contains(err, value) {
			t.Errorf("%s=%s: exit %d, %q", name, value, exit, err)
		}
	}
}

func TestATimeMayBeInDays(t *testing.T) {
	for in, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "24h": 24 * time.Hour, "90s": 90 * time.Second, "0s": 0, "1h30m": 90 * time.Minute} {
		var p period
		if err := p.Set(in); err != nil || time.Duration(p) != want {
			t.Errorf("Set(%q) = %v, %v, want %v", in, time.Duration(p), err, want)
		}
		var again period
		if err := again.Set(p.String()); err != nil || again != p {
			t.Errorf("%v shows as %q, which reads as %v, %v", want, p.String(), time.Duration(again), err)
		}
	}
	for _, in := range []string{"", "d", "-1d", "1.5d", "tomorrow", "7", "200000d"} {
		if err := new(period).Set(in); err == nil {
			t.Errorf("Set(%q) took it", in)
		}
	}
	for _, p := range []period{period(24 * time.Hour), period(30 * time.Second)} {
		if s := p.String(); s != "24h" && s != "30s" {
			t.Errorf("%v shows as %q", time.Duration(p), s)
		}
	}
}

func TestListenTakesSeveralFromItsVariable(t *testing.T) {
	c := &console{look: func(name string) (string, bool) {
		return map[string]string{"CRYPTEXQ_LISTEN": "/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2"}[name], true
	}}
	cmd := c.nodeCommand()
	if err := c.fromEnvironment(cmd); err != nil {
		t.Fatal(err)
	}
	got, err := cmd.Flags().GetStringArray("listen")
	if err != nil || !slices.Equal(got, []string{"/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2"}) {
		t.Errorf("listen = %q, %v", got, err)
	}
}
