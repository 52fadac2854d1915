package docs_test

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// mostModules is how many modules of others the program may be built on; tests and tools are not counted.
const mostModules = 25

// moduleRow finds the first cell of a row of the table of dependencies: a module's path between backticks.
var moduleRow = regexp.MustCompile("(?m)^\\| `([a-z0-9]+\\.[^`]+)` \\| ([^|]+) \\|")

func TestEveryDependencyHasItsReason(t *testing.T) {
	b, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, row := range moduleRow.FindAllStringSubmatch(page(t, "decisions.md"), -1) {
		reasons[row[1]] = strings.TrimSpace(row[2])
	}
	linked := 0
	for _, r := range mod.Require {
		reason, found := reasons[r.Mod.Path]
		delete(reasons, r.Mod.Path)
		switch {
		case r.Indirect:
		case !found || reason == "":
			t.Errorf("docs/decisions.md gives no reason for %s", r.Mod.Path)
		case !strings.HasPrefix(reason, "Tests: "):
			linked++
		}
	}
	for gone := range reasons {
		t.Errorf("docs/decisions.md gives a reason for %s, which go.mod does not name", gone)
	}
	if linked > mostModules {
		t.Errorf("%d modules of others, at most %d", linked, mostModules)
	}
}

// namedTest finds a test that a page refers to: `crypto/ratchet.TestLosesNothing`, `main.TestX` for the root.
var namedTest = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`")

func TestTheTestsThatPagesNameExist(t *testing.T) {
	have := map[string]bool{}
	h := open(t)
	for _, f := range h.folders {
		dir := f.dir
		if dir == "." {
			dir = "main"
		}
		for _, s := range f.files {
			for _, d := range s.syntax.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && s.test && fn.Recv == nil {
					have[dir+"."+fn.Name.Name] = true
				}
			}
		}
	}
	for _, name := range pages(t) {
		for _, m := range namedTest.FindAllStringSubmatch(page(t, name), -1) {
			if !have[m[1]+"."+m[2]] {
				t.Errorf("%s refers to %s.%s, which is not there", path.Clean(name), m[1], m[2])
			}
		}
	}
}

func TestEveryRowOfTheThreatModelIsShownOrSaysThatItIsNot(t *testing.T) {
	rows := 0
	for _, line := range strings.Split(page(t, "threat-model.md"), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| attacker") || strings.HasPrefix(line, "| risk") {
			continue
		}
		rows++
		if shown := cells[len(cells)-1]; !namedTest.MatchString(shown) && !strings.Contains(shown, "not yet: ") {
			t.Errorf("docs/threat-model.md: this row names no test, nor says that there is none yet: %s", line)
		}
	}
	if rows < 20 {
		t.Errorf("docs/threat-model.md has %d rows; the attackers and OWASP's ten are at least 20", rows)
	}
}

// link finds the target of a Markdown link.
var link = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)

func TestLinksBetweenPagesLead(t *testing.T) {
	for _, name := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page(t, name), -1) {
			if strings.Contains(m[1], ":") {
				continue // to the web
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

// pageName finds the name of a page in a comment.
var pageName = regexp.MustCompile(`\b([a-zA-Z-]+)\.md\b`)

func TestThePagesThatCommentsNameExist(t *testing.T) {
	have := map[string]bool{}
	for _, name := range pages(t) {
		have[filepath.Base(name)] = true
	}
	h := open(t)
	for _, f := range h.folders {
		for _, s := range f.files {
			if f.dir == "docs" {
				continue
			}
			for _, group := range s.syntax.Comments {
				for _, name := range pageName.FindAllString(group.Text(), -1) {
					if !have[name] {
						t.Errorf("%s: a comment names %s, which is not in docs/", h.at(group.Pos()), name)
					}
				}
			}
		}
	}
}

// pages returns every page of documentation, from this folder.
func pages(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("found no page: %v", err)
	}
	return append(names, "../README.md", "../CHANGELOG.md")
}
