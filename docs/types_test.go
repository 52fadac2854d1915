package docs_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"strings"
	"testing"
)

// checker type-checks our own packages from their syntax. Modules of others are stood in for by empty packages: what depends
// on them stays untyped and is left alone, and nothing has to be built.
type checker struct {
	house *house
	info  types.Info
	done  map[string]*types.Package
}

func newChecker(h *house) *checker {
	return &checker{
		house: h,
		info:  types.Info{Uses: map[*ast.Ident]types.Object{}},
		done:  map[string]*types.Package{},
	}
}

// Import returns a package of ours, or an empty stand-in for another.
func (c *checker) Import(p string) (*types.Package, error) {
	if known := c.done[p]; known != nil {
		return known, nil
	}
	if p == "unsafe" {
		return types.Unsafe, nil
	}
	for _, f := range c.house.folders {
		if path.Join(module, f.dir) == p {
			c.done[p] = c.check(p, f.code())
			return c.done[p], nil
		}
	}
	c.done[p] = types.NewPackage(p, path.Base(p))
	c.done[p].MarkComplete()
	return c.done[p], nil
}

// check types the files as far as they can be typed; what cannot is no concern of these tests.
func (c *checker) check(p string, files []source) *types.Package {
	config := types.Config{Importer: c, FakeImportC: true, Error: func(error) {}}
	var syntax []*ast.File
	for _, s := range files {
		syntax = append(syntax, s.syntax)
	}
	pkg, _ := config.Check(p, c.house.fset, syntax, &c.info)
	return pkg
}

func TestNobodyWritesToAPackageVariable(t *testing.T) {
	h := open(t)
	c := newChecker(h)
	for _, f := range h.folders {
		var inside, outside []source
		for _, s := range f.files {
			if s.test && strings.HasSuffix(s.syntax.Name.Name, "_test") {
				outside = append(outside, s)
			} else {
				inside = append(inside, s)
			}
		}
		_, _ = c.Import(path.Join(module, f.dir)) // before its tests, which import it too
		c.check(path.Join(module, f.dir), inside)
		c.check(path.Join(module, f.dir)+"_test", outside)
		for _, s := range f.files {
			for _, target := range written(s.syntax) {
				if v := c.packageVariable(target); v != nil {
					t.Errorf("%s writes to %s, a variable of package %s", h.at(target.Pos()), v.Name(), v.Pkg().Name())
				}
			}
		}
	}
}

// written returns the expressions of a file that something is stored to, or whose address a function is given.
func written(f *ast.File) []ast.Expr {
	var all []ast.Expr
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				all = append(all, n.Lhs...)
			}
		case *ast.IncDecStmt:
			all = append(all, n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				all = append(all, n.Key, n.Value)
			}
		case *ast.CallExpr:
			for _, arg := range n.Args {
				if to, ok := arg.(*ast.UnaryExpr); ok && to.Op == token.AND {
					all = append(all, to.X)
				}
			}
			if fn, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && (fn.Name == "delete" || fn.Name == "clear" || fn.Name == "copy") {
				all = append(all, n.Args[0])
			}
		}
		return true
	})
	return all
}

// packageVariable returns the variable of a package of ours that x is, or is a part of; tests may have variables of their own.
func (c *checker) packageVariable(x ast.Expr) *types.Var {
	for {
		switch e := x.(type) {
		case *ast.ParenExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.SelectorExpr:
			if v := c.global(e.Sel); v != nil {
				return v
			}
			x = e.X
		case *ast.Ident:
			return c.global(e)
		default:
			return nil
		}
	}
}

func (c *checker) global(id *ast.Ident) *types.Var {
	v, ok := c.info.Uses[id].(*types.Var)
	if !ok || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() || !strings.HasPrefix(v.Pkg().Path()+"/", module+"/") {
		return nil
	}
	if strings.HasSuffix(c.house.fset.Position(v.Pos()).Filename, "_test.go") || stamped[v.Name()] {
		return nil
	}
	return v
}
