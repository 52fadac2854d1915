package docs_test

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// arrow allows the packages that match from to import those that match to. "x/*" matches the direct children of x.
type arrow struct{ from, to string }

func matches(pattern, dir string) bool {
	if parent, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(dir) == parent
	}
	return pattern == dir
}

// parseArrows reads lines of the form "a, b -> c d"; several may stand on one line, a source is the word before its "->".
func parseArrows(lines []string) []arrow {
	var all []arrow
	for _, line := range lines {
		words := strings.Fields(line)
		var sources []string
		for i := 0; i < len(words); i++ {
			end := i // a run of words with commas and the word after it, if "->" follows, are sources
			for end < len(words) && strings.HasSuffix(words[end], ",") {
				end++
			}
			if end+1 < len(words) && words[end+1] == "->" {
				sources = nil
				for _, w := range words[i : end+1] {
					sources = append(sources, strings.TrimSuffix(w, ","))
				}
				i = end + 1
				continue
			}
			for _, from := range sources {
				all = append(all, arrow{from, words[i]})
			}
		}
	}
	return all
}

func TestArrowsAreReadAsDrawn(t *testing.T) {
	got := parseArrows([]string{"a      -> b c/*      d/*, e -> f", "", "g -> h"})
	want := []arrow{{"a", "b"}, {"a", "c/*"}, {"d/*", "f"}, {"e", "f"}, {"g", "h"}}
	if !slices.Equal(got, want) {
		t.Errorf("parseArrows = %v, want %v", got, want)
	}
	if !matches("p2p/*", "p2p/peer") || matches("p2p/*", "p2p") || matches("crypto/*", "crypto/internal/simd") {
		t.Error("x/* must match the direct children of x and nothing else")
	}
}

func TestEveryImportOfOursHasAnArrow(t *testing.T) {
	arrows := parseArrows(block(t, "architecture.md", "arrows"))
	used, told := map[arrow]bool{}, map[arrow]bool{}
	h := open(t)
	for _, f := range h.folders {
		for _, s := range f.code() {
			imports(s, func(p string, pos token.Pos) {
				to, ours := strings.CutPrefix(p, module+"/")
				if !ours {
					return
				}
				allowed := false
				for _, a := range arrows {
					if matches(a.from, f.dir) && matches(a.to, to) {
						allowed, used[a] = true, true
					}
				}
				if !allowed && !told[arrow{f.dir, to}] {
					told[arrow{f.dir, to}] = true
					t.Errorf("%s: no arrow %s -> %s in docs/architecture.md", h.at(pos), f.dir, to)
				}
			})
		}
	}
	for _, a := range arrows {
		if !used[a] {
			t.Errorf("docs/architecture.md draws %s -> %s, which no import uses", a.from, a.to)
		}
	}
}

// homes says where a module of others may be imported: a folder with all below it, or a single file. The first row that
// fits an import decides.
var homes = []struct {
	prefix string
	places []string
	why    string
}{
	{"github.com/libp2p/go-libp2p/gologshim", []string{"main.go", "p2p"}, "its logger is set before the first host"},
	{"github.com/libp2p/", []string{"p2p"}, "only the node knows libp2p"},
	{"github.com/multiformats/", []string{"p2p"}, "only the node knows libp2p"},
	{"github.com/quic-go/", []string{"p2p"}, "only the node knows the transports"},
	{"fyne.io/fyne/v2/app", []string{"gui.go"}, "it needs a screen; the window's packages must build without"},
	{"fyne.io/", []string{"ui", "gui.go"}, "only the window knows Fyne"},
	{"github.com/cloudflare/circl/", []string{"crypto/composite", "crypto/hybrid"}, "its assembly slows SHA-256 down unless simd.Clear follows"},
	{"github.com/ncruces/", []string{"app/store"}, "one package speaks SQL"},
	{"github.com/spf13/", []string{"cli"}, "one package reads the command line"},
}

func TestModulesOfOthersStayWhereTheyBelong(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		for _, s := range f.code() {
			imports(s, func(p string, pos token.Pos) {
				for _, home := range homes {
					if !strings.HasPrefix(p+"/", strings.TrimSuffix(home.prefix, "/")+"/") {
						continue
					}
					if !slices.ContainsFunc(home.places, func(place string) bool {
						return s.path == place || strings.HasPrefix(s.path, place+"/")
					}) {
						t.Errorf("%s imports %s; its place is %s: %s", h.at(pos), p, strings.Join(home.places, ", "), home.why)
					}
					return
				}
			})
		}
	}
}

// impure is what crypto/ does without: formats and key schedules have no clock, no disk, no network and no locks. Randomness
// comes from crypto/rand only. net/netip is allowed: addresses as plain values, no network.
var impure = []string{"os", "net", "log", "sync", "context", "time", "math/rand", "runtime/debug", "syscall", "golang.org/x/sync", "golang.org/x/sys/unix"}

func TestCryptoIsPure(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		if !strings.HasPrefix(f.dir+"/", "crypto/") {
			continue
		}
		for _, s := range f.code() {
			imports(s, func(p string, pos token.Pos) {
				for _, bad := range impure {
					if p != "net/netip" && (p == bad || strings.HasPrefix(p, bad+"/")) {
						t.Errorf("%s: crypto/ imports %s", h.at(pos), p)
					}
				}
			})
			ast.Inspect(s.syntax, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s: crypto/ starts a goroutine", h.at(g.Pos()))
				}
				return true
			})
		}
	}
}

func TestWordsOfBothSidesNeedNoModuleOfOthers(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		if f.dir != "p2p/peer" {
			continue
		}
		for _, s := range f.code() {
			imports(s, func(p string, pos token.Pos) {
				if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") && !strings.HasPrefix(p, module+"/") {
					t.Errorf("%s: p2p/peer imports %s, and app with it", h.at(pos), p)
				}
			})
		}
	}
}
