package docs_test

import (
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"
)

func TestEveryPackageSaysOnceWhatItIs(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		code := f.code()
		if len(code) == 0 {
			continue
		}
		name := code[0].syntax.Name.Name
		file, begin := path.Join(f.dir, name+".go"), "Package "+name+" "
		if name == "main" {
			file, begin = path.Join(f.dir, "main.go"), "Command "
		}
		var said []string
		for _, s := range code {
			if s.syntax.Doc == nil {
				continue
			}
			said = append(said, s.path)
			if !strings.HasPrefix(s.syntax.Doc.Text(), begin) {
				t.Errorf("%s: the package comment must begin with %q", s.path, begin)
			}
		}
		if len(said) != 1 || said[0] != file {
			t.Errorf("%s: one package comment belongs into %s; found: %v", f.dir, file, said)
		}
	}
}

func TestEveryExportedNameHasACommentThatBeginsWithIt(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		for _, s := range f.code() {
			for _, d := range s.syntax.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Name.IsExported() && receiverExported(d) {
						wantComment(t, h, d.Name, d.Doc)
					}
				case *ast.GenDecl:
					checkGroup(t, h, d)
				}
			}
		}
	}
}

// receiverExported is true for functions, and for methods of exported types.
func receiverExported(d *ast.FuncDecl) bool {
	name := receiver(d)
	return name == "" || ast.IsExported(name)
}

// receiver returns the type that d is a method of, or nothing for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	x := d.Recv.List[0].Type
	for {
		switch e := x.(type) {
		case *ast.StarExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.IndexListExpr:
			x = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// checkGroup asks for a comment on each exported type, constant and variable. In a group of constants or variables the
// comment of the group will do, or one at the end of the line.
func checkGroup(t *testing.T, h *house, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			doc := spec.Doc
			if doc == nil && !d.Lparen.IsValid() {
				doc = d.Doc
			}
			if spec.Name.IsExported() {
				wantComment(t, h, spec.Name, doc)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				switch {
				case !name.IsExported():
				case spec.Doc != nil:
					if len(spec.Names) == 1 {
						wantComment(t, h, name, spec.Doc)
					}
				case !d.Lparen.IsValid():
					wantComment(t, h, name, d.Doc)
				case d.Doc == nil && spec.Comment == nil:
					t.Errorf("%s: %s has no comment, nor has its group", h.at(name.Pos()), name.Name)
				}
			}
		}
	}
}

func wantComment(t *testing.T, h *house, name *ast.Ident, doc *ast.CommentGroup) {
	t.Helper()
	if text := doc.Text(); !strings.HasPrefix(text, name.Name+" ") && !strings.HasPrefix(text, name.Name+",") {
		t.Errorf("%s: the comment of %s must begin with its name", h.at(name.Pos()), name.Name)
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		for _, s := range f.code() {
			for _, d := range s.syntax.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s: an init function", h.at(fn.Pos()))
				}
			}
		}
	}
}

// mostMethods is where a type stops being a door and starts being the house: what others may call. Steps that are unexported
// are the type's own business up to mostSteps; the types over 30 with them are named in decisions.md as work to do.
const (
	mostMethods = 30
	mostSteps   = 80
)

// catalogues may have more: one method a query, each a few lines of SQL, and no state but the connection.
var catalogues = map[string]bool{"app/store.Reader": true, "app/store.Tx": true}

func TestNoTypeHasMoreMethodsThanAPersonKeepsInMind(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		methods := map[string]map[string]bool{}
		for _, s := range f.code() {
			for _, d := range s.syntax.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || receiver(fn) == "" {
					continue
				}
				if methods[receiver(fn)] == nil {
					methods[receiver(fn)] = map[string]bool{}
				}
				methods[receiver(fn)][fn.Name.Name] = true // once for all platforms
			}
		}
		for name, set := range methods {
			exported := 0
			for method := range set {
				if ast.IsExported(method) {
					exported++
				}
			}
			if (exported > mostMethods || len(set) > mostSteps) && !catalogues[f.dir+"."+name] {
				t.Errorf("%s: type %s has %d methods, %d of them exported; at most %d and %d: split it by noun",
					f.dir, name, len(set), exported, mostSteps, mostMethods)
			}
		}
	}
}

// stamped are the variables of main that the linker fills in (scripts/build.sh).
var stamped = map[string]bool{"version": true, "commit": true}

// TestPackageVariablesHoldWhatNeverChanges allows errors, compiled patterns, embedded files, tables and interface checks:
// a value that stands there from the start and that nothing writes to (TestNobodyWritesToAPackageVariable).
func TestPackageVariablesHoldWhatNeverChanges(t *testing.T) {
	h := open(t)
	for _, f := range h.folders {
		for _, s := range f.code() {
			for _, d := range s.syntax.Decls {
				group, ok := d.(*ast.GenDecl)
				if !ok || group.Tok != token.VAR {
					continue
				}
				for _, spec := range group.Specs {
					v := spec.(*ast.ValueSpec)
					if embedded(group.Doc) || embedded(v.Doc) || f.dir == "." && stamped[v.Names[0].Name] {
						continue
					}
					if why := mutable(v); why != "" {
						t.Errorf("%s: package variable %s %s", h.at(v.Pos()), v.Names[0].Name, why)
					}
				}
			}
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// mutable says what is wrong with a package variable, or nothing.
func mutable(v *ast.ValueSpec) string {
	if v.Names[0].Name == "_" {
		return ""
	}
	array, _ := v.Type.(*ast.ArrayType)
	if len(v.Values) == 0 && (array == nil || array.Len == nil) {
		return "starts empty, so something must write to it"
	}
	why := ""
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ChanType:
			why = "holds a channel"
		case *ast.SelectorExpr:
			once := strings.HasPrefix(n.Sel.Name, "OnceValue") // worked out late, and the same ever after
			if x, ok := n.X.(*ast.Ident); ok && (x.Name == "sync" && !once || x.Name == "atomic") {
				why = "holds a lock or a counter"
			}
		case *ast.CallExpr:
			if fn, ok := n.Fun.(*ast.Ident); ok && (fn.Name == "make" || fn.Name == "new") {
				why = "is made to be filled later"
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && !strings.HasPrefix(strings.ToLower(v.Names[0].Name), "err") {
				why = "is a pointer to something that can change"
			}
		}
		return true
	}
	for _, x := range v.Values {
		ast.Inspect(x, look)
	}
	if v.Type != nil {
		ast.Inspect(v.Type, look)
	}
	return why
}
