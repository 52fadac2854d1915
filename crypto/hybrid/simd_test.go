package hybrid

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/cryptexq/cryptexq/crypto/internal/simd"
)

// dirtied says whether f leaves the upper halves of the vector registers in use. An asynchronous preemption between f and
// the look clears them, so it looks more than once. The thread is locked: the registers are the thread's.
func dirtied(f func()) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 20 {
		simd.Clear()
		f()
		if simd.Upper() == simd.Dirty {
			return true
		}
	}
	return false
}

func needXINUSE(t *testing.T) {
	t.Helper()
	if simd.Upper() == simd.Unknown || !cpu.X86.HasAVX2 {
		t.Skip("CPUID(0DH, 1).EAX[2] or AVX2 is missing")
	}
}

// exportedCalls is a call of each exported function, by its name.
func exportedCalls(t *testing.T) map[string]func() {
	t.Helper()
	k := testKey(t, 1)
	seed, pk := k.Seed(), k.PublicKey()
	_, ct, err := Encapsulate(pk)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(){
		"GenerateKey":         func() { _, _ = GenerateKey() },
		"NewPrivateKey":       func() { _, _ = NewPrivateKey(seed) },
		"Seed":                func() { _ = k.Seed() },
		"PublicKey":           func() { _ = k.PublicKey() },
		"CheckPublicKey":      func() { _ = CheckPublicKey(pk) },
		"Encapsulate":         func() { _, _, _ = Encapsulate(pk) },
		"Encapsulate, short":  func() { _, _, _ = Encapsulate(pk[1:]) },
		"Decapsulate":         func() { _, _ = k.Decapsulate(ct) },
		"Decapsulate, forged": func() { _, _ = k.Decapsulate(make([]byte, CiphertextSize)) },
		"Format":              func() { _, _ = fmt.Fprintf(io.Discard, "%v", k) },
		"MarshalText":         func() { _, _ = k.MarshalText() },
	}
}

func TestEveryExportedCallLeavesTheUpperHalvesClean(t *testing.T) {
	needXINUSE(t)
	for name, call := range exportedCalls(t) {
		if dirtied(call) {
			t.Errorf("%s leaves the upper halves in use", name)
		}
	}
}

// TestNoExportedCallIsForgotten reads the package's source: each exported function must be among the calls above.
func TestNoExportedCallIsForgotten(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	tested := exportedCalls(t)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() && tested[f.Name.Name] == nil {
				t.Errorf("%s in %s is not tested for its guard", f.Name.Name, name)
			}
		}
	}
}

func TestWithoutTheGuardTheUpperHalvesStayDirty(t *testing.T) {
	needXINUSE(t)
	k := testKey(t, 1)
	pk, random := k.PublicKey(), make([]byte, 64)
	shared, ct, err := encapsulate(pk, random)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(){
		"encapsulate":                    func() { _, _, _ = encapsulate(pk, random) },
		"xwing.PrivateKey.DecapsulateTo": func() { k.key.DecapsulateTo(shared, ct) },
	}
	for name, call := range calls {
		if !dirtied(call) {
			t.Errorf("%s leaves the upper halves clean: the test above would not find a missing guard", name)
		}
	}
}
