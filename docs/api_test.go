package docs_test

import (
	"go/ast"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// apiSources are the files of the package that answers the local API.
func apiSources(t *testing.T) []source {
	t.Helper()
	for _, f := range open(t).folders {
		if f.dir == "app/api" {
			return f.code()
		}
	}
	t.Fatal("there is no package app/api")
	return nil
}

// literals calls f for every string in the files.
func literals(files []source, f func(text string)) {
	for _, s := range files {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if text, err := strconv.Unquote(l.Value); err == nil {
					f(text)
				}
			}
			return true
		})
	}
}

// differ complains of what is only on one side.
func differ(t *testing.T, what string, code, page map[string]bool) {
	t.Helper()
	if len(code) == 0 {
		t.Fatalf("found no %s in the code", what)
	}
	for _, x := range slices.Sorted(maps.Keys(code)) {
		if !page[x] {
			t.Errorf("docs/api.md does not list the %s %s", what, x)
		}
	}
	for _, x := range slices.Sorted(maps.Keys(page)) {
		if !code[x] {
			t.Errorf("docs/api.md lists the %s %s, which the code does not have", what, x)
		}
	}
}

// firstCells are the first cells of a table's rows that hold nothing but a match between backticks.
func firstCells(t *testing.T, pattern string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `("+pattern+")` \\|").FindAllStringSubmatch(page(t, "api.md"), -1) {
		found[m[1]] = true
	}
	return found
}

func TestTheAPIPageListsEveryRoute(t *testing.T) {
	routes := map[string]bool{}
	route := regexp.MustCompile(`^(GET|POST|PUT|DELETE|PATCH) /`)
	literals(apiSources(t), func(text string) {
		if route.MatchString(text) {
			routes[text] = true
		}
	})
	differ(t, "route", routes, firstCells(t, "[A-Z]+ /[^`]*"))
}

func TestTheAPIPageListsEveryField(t *testing.T) {
	code, page := map[string]bool{}, map[string]bool{}
	for _, s := range apiSources(t) {
		for _, d := range s.syntax.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				ts, ok := spec.(*ast.TypeSpec)
				if !ok || !ts.Name.IsExported() {
					continue
				}
				if fields := jsonFields(ts); fields != "" {
					code[ts.Name.Name+" "+fields] = true
				}
			}
		}
	}
	for _, line := range block(t, "api.md", "objects") {
		page[strings.Join(strings.Fields(line), " ")] = true
	}
	differ(t, "object", code, page)
}

// jsonFields are the names of a struct's fields in JSON, in their order.
func jsonFields(ts *ast.TypeSpec) string {
	st, ok := ts.Type.(*ast.StructType)
	if !ok {
		return ""
	}
	var names []string
	for _, f := range st.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		if name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// TestTheAPIPageListsEveryErrorWord finds the words where they are made: in the constants called Code..., and in the table of
// errors, whose rows are an error, a word and a status.
func TestTheAPIPageListsEveryErrorWord(t *testing.T) {
	words := map[string]bool{}
	take := func(x ast.Expr) {
		if l, ok := x.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				words[text] = true
			}
		}
	}
	for _, s := range apiSources(t) {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if strings.HasPrefix(n.Names[0].Name, "Code") && len(n.Values) == 1 {
					take(n.Values[0])
				}
			case *ast.CompositeLit:
				if len(n.Elts) == 3 && n.Type == nil {
					take(n.Elts[1])
				}
			}
			return true
		})
	}
	differ(t, "error word", words, firstCells(t, "[a-z_]+"))
}
