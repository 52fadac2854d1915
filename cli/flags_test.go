package cli

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

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

func TestEveryFlagStandsInTheTableOfDeployment(t *testing.T) {
	page, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range flags {
		if !strings.Contains(string(page), "`--"+name) || !strings.Contains(string(page), "`"+variable(name)+"`") {
			t.Errorf("docs/deploy.md does not list --%s and %s", name, variable(name))
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
