package docs_test

import (
	"bytes"
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// size is a row "package.Name = number  # remark" of the table of sizes.
type size struct{ pkg, name, value string }

func sizes(t *testing.T) []size {
	t.Helper()
	var all []size
	for _, line := range block(t, "protocol.md", "sizes") {
		row, _, _ := strings.Cut(line, "#")
		if strings.TrimSpace(row) == "" {
			continue
		}
		left, right, found := strings.Cut(row, "=")
		left = strings.TrimSpace(left)
		dot := strings.LastIndex(left, ".")
		if !found || dot < 0 {
			t.Fatalf("docs/protocol.md: cannot read %q; want: package.Name = number", line)
		}
		all = append(all, size{path.Join(module, left[:dot]), left[dot+1:], strings.TrimSpace(right)})
	}
	if len(all) == 0 {
		t.Fatal("docs/protocol.md has an empty table of sizes")
	}
	return all
}

func TestSizesInTheProtocolAreThoseOfTheCode(t *testing.T) {
	all := sizes(t)
	compiled := compiledPackages(t, all)
	for _, s := range all {
		pkg, err := compiled.Import(s.pkg)
		if err != nil {
			t.Errorf("docs/protocol.md names %s.%s: %v", s.pkg, s.name, err)
			continue
		}
		object, ok := pkg.Scope().Lookup(s.name).(*types.Const)
		if !ok {
			t.Errorf("docs/protocol.md names %s.%s, which is no exported constant", s.pkg, s.name)
			continue
		}
		if got := constant.ToInt(object.Val()).ExactString(); got != s.value {
			t.Errorf("docs/protocol.md says %s.%s = %s, the code says %s", s.pkg, s.name, s.value, got)
		}
	}
}

// compiledPackages lets the compiler work out the constants: it gives what the packages export, compiled or from the cache.
func compiledPackages(t *testing.T, all []size) types.Importer {
	t.Helper()
	args := []string{"list", "-e", "-export", "-tags", "headless", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, s := range all {
		args = append(args, s.pkg)
	}
	var stderr bytes.Buffer
	list := exec.Command("go", args...)
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	files := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		p, file, _ := strings.Cut(line, "\t")
		files[p] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(p string) (io.ReadCloser, error) { return os.Open(files[p]) })
}
