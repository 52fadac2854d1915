// Package docs_test holds the documentation true: what these pages say of the code is read out of them and compared with it.
//
// The tests look at the syntax of every Go file of the module, whatever its build tags, so that no platform and no
// headless build hides anything. They need no network and build nothing.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the import path of the repository's root.
const module = "github.com/cryptexq/cryptexq"

// source is one Go file.
type source struct {
	path   string // from the root of the repository, with slashes
	syntax *ast.File
	test   bool
}

// folder is one directory with Go files: a package, perhaps with an external test package beside it.
type folder struct {
	dir   string // from the root; the root itself is "."
	files []source
}

// code returns the files that are no tests.
func (f folder) code() []source {
	var out []source
	for _, s := range f.files {
		if !s.test {
			out = append(out, s)
		}
	}
	return out
}

// house is the whole module as read from disk.
type house struct {
	fset    *token.FileSet
	folders []folder // sorted by dir
}

// at names the place of a node in a complaint.
func (h *house) at(p token.Pos) string {
	at := h.fset.Position(p)
	rel, err := filepath.Rel("..", at.Filename)
	if err != nil {
		rel = at.Filename
	}
	return filepath.ToSlash(rel) + ":" + strconv.Itoa(at.Line)
}

var read = sync.OnceValues(readHouse)

func open(t *testing.T) *house {
	t.Helper()
	h, err := read()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.folders) == 0 {
		t.Fatal("found no Go file at all: are these tests in docs/ of the repository?")
	}
	return h
}

func readHouse() (*house, error) {
	h := &house{fset: token.NewFileSet()}
	byDir := map[string]*folder{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != ".." && skipped(d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		syntax, err := parser.ParseFile(h.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(name), "../")
		dir := path.Dir(rel)
		if byDir[dir] == nil {
			byDir[dir] = &folder{dir: dir}
		}
		byDir[dir].files = append(byDir[dir].files, source{rel, syntax, strings.HasSuffix(rel, "_test.go")})
		return nil
	})
	for _, f := range byDir {
		h.folders = append(h.folders, *f)
	}
	sort.Slice(h.folders, func(i, j int) bool { return h.folders[i].dir < h.folders[j].dir })
	return h, err
}

// skipped folders hold no package: what go itself leaves out, and builds.
func skipped(name string) bool {
	return name == "testdata" || name == "build" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// page reads one of the pages beside this file.
func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// block returns the lines of the fenced block of a page that is marked with the word.
func block(t *testing.T, name, word string) []string {
	t.Helper()
	_, rest, found := strings.Cut(page(t, name), "\n```"+word+"\n")
	body, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		t.Fatalf("docs/%s has no block ```%s", name, word)
	}
	return strings.Split(body, "\n")
}

// imports calls f for each import of a file with the path it names.
func imports(s source, f func(path string, pos token.Pos)) {
	for _, spec := range s.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			f(p, spec.Pos())
		}
	}
}
