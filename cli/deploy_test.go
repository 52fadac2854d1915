package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// deployRows are the rows of the tables of a section of docs/deploy.md, cell by cell.
func deployRows(t *testing.T, section string) (rows [][]string) {
	t.Helper()
	page, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## "+section+"\n")
	if !found {
		t.Fatalf("docs/deploy.md has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| `") && !strings.HasPrefix(line, "| 0") && !regexp.MustCompile(`^\| \d`).MatchString(line) {
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	if len(rows) == 0 {
		t.Fatalf("the section %q has no table", section)
	}
	return rows
}

var (
	ticked  = regexp.MustCompile("`([^`]+)`")
	flagRow = regexp.MustCompile("`--([a-z-]+)")
)

// takers are the commands that take a flag themselves, and the flag. Without a command it is one of every command.
func takers(name string) (commands []string, f *pflag.Flag) {
	root := (&console{}).root()
	if f = root.PersistentFlags().Lookup(name); f != nil {
		return nil, f
	}
	visit(root, func(c *cobra.Command) {
		if own := c.LocalNonPersistentFlags().Lookup(name); own != nil && !own.Hidden {
			commands, f = append(commands, called(c)), own
		}
	})
	return commands, f
}

// TestTheTableOfDeploymentIsTrue compares each row about a flag with the program: its variable, the commands that take it, and its
// default.
func TestTheTableOfDeploymentIsTrue(t *testing.T) {
	listed := map[string]bool{}
	for _, row := range deployRows(t, "Flags and variables") {
		names := flagRow.FindAllStringSubmatch(row[0], -1)
		if names == nil {
			continue // of the other table
		}
		if len(row) != 5 {
			t.Fatalf("%q has %d cells", row, len(row))
		}
		defaults := strings.Split(row[3], ", ")
		for i, m := range names {
			name := m[1]
			listed[name] = true
			commands, f := takers(name)
			if f == nil {
				t.Errorf("docs/deploy.md lists --%s, which no command takes", name)
				continue
			}
			if !strings.Contains(row[1], "`"+variable(name)+"`") {
				t.Errorf("the row of --%s does not name %s", name, variable(name))
			}
			checkTakers(t, name, commands, row[2])
			checkDefault(t, f, defaults[min(i, len(defaults)-1)])
		}
	}
	for _, name := range flags {
		if !listed[name] {
			t.Errorf("docs/deploy.md does not list --%s", name)
		}
	}
}

func checkTakers(t *testing.T, name string, commands []string, cell string) {
	t.Helper()
	if commands == nil {
		if !strings.HasPrefix(cell, "all") {
			t.Errorf("--%s is taken by all commands, the table says %q", name, cell)
		}
		return
	}
	var said []string
	for _, m := range ticked.FindAllStringSubmatch(cell, -1) {
		said = append(said, m[1])
	}
	slices.Sort(said)
	slices.Sort(commands)
	if !slices.Equal(said, commands) {
		t.Errorf("--%s is taken by %q, the table says %q", name, commands, cell)
	}
}

// checkDefault compares a cell with a default: a value between backticks, off, or words about what an empty one means.
func checkDefault(t *testing.T, f *pflag.Flag, cell string) {
	t.Helper()
	want := ""
	switch m := ticked.FindStringSubmatch(cell); {
	case m != nil && m[0] == cell:
		want = m[1]
	case f.Value.Type() == "bool":
		want = map[bool]string{true: "false"}[strings.Contains(cell, "off")]
	}
	if got := strings.Trim(f.DefValue, "[]"); got != want {
		t.Errorf("--%s is %q by default, the table says %q", f.Name, got, cell)
	}
}

// TestTheExitCodesOfDeploymentAreThoseOfTheProgram compares the table of exit codes.
func TestTheExitCodesOfDeploymentAreThoseOfTheProgram(t *testing.T) {
	have := []int{exitDone, exitFailed, exitUsage, exitNotRunning, exitLocked, exitNotFound, exitTimeout}
	var said []int
	for _, row := range deployRows(t, "Exit codes") {
		code, err := strconv.Atoi(row[0])
		if err != nil || len(row) != 2 {
			t.Fatalf("%q is no row of an exit code", row)
		}
		said = append(said, code)
	}
	if !slices.Equal(said, have) {
		t.Errorf("docs/deploy.md lists exit codes %v, the program has %v", said, have)
	}
}

// TestTheCodesOfErrorsAreListed finds the codes that the command line makes itself: each stands in api.md, or in deploy.md.
func TestTheCodesOfErrorsAreListed(t *testing.T) {
	var pages string
	for _, name := range []string{"../docs/deploy.md", "../docs/api.md"} {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages += string(page)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:advise\(|Code: )"([a-z_]+)"`)
	found := 0
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(pages, "`"+m[1]+"`") {
				t.Errorf("%s: the code %s stands in neither page", name, m[1])
			}
		}
	}
	if found < 6 {
		t.Fatalf("found only %d codes", found)
	}
}
