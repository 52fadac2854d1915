package simd_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/cloudflare/circl/kem/xwing"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"golang.org/x/sys/cpu"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
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

// guarded are the packages that may call circl, with a call of each of their exported functions, by its name.
func guarded(t *testing.T) map[string]map[string]func() {
	t.Helper()
	return map[string]map[string]func(){"composite": compositeCalls(t), "hybrid": hybridCalls(t)}
}

func compositeCalls(t *testing.T) map[string]func() {
	t.Helper()
	k, err := composite.NewPrivateKey(bytes.Repeat([]byte{1}, composite.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	seed, pk, message := k.Seed(), k.Public().Bytes(), []byte("message")
	sig, err := k.Sign(message, "context")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(){
		"GenerateKey":    func() { _, _ = composite.GenerateKey() },
		"NewPrivateKey":  func() { _, _ = composite.NewPrivateKey(seed) },
		"ParsePublicKey": func() { _, _ = composite.ParsePublicKey(pk) },
		"Seed":           func() { _ = k.Seed() },
		"Public":         func() { _ = k.Public() },
		"Sign":           func() { _, _ = k.Sign(message, "context") },
		"Verify":         func() { _ = k.Public().Verify(message, "context", sig) },
		"Verify, forged": func() { _ = k.Public().Verify(message, "other", sig) },
		"Bytes":          func() { _ = k.Public().Bytes() },
		"Equal":          func() { _ = k.Public().Equal(k.Public()) },
		"CheckEd25519":   func() { _ = composite.CheckEd25519(pk[len(pk)-32:]) },
		"Format":         func() { _, _ = fmt.Fprintf(io.Discard, "%v", k) },
		"MarshalText":    func() { _, _ = k.MarshalText() },
	}
}

func hybridCalls(t *testing.T) map[string]func() {
	t.Helper()
	k, err := hybrid.NewPrivateKey(bytes.Repeat([]byte{1}, hybrid.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	seed, pk := k.Seed(), k.PublicKey()
	_, ct, err := hybrid.Encapsulate(pk)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]func(){
		"GenerateKey":            func() { _, _ = hybrid.GenerateKey() },
		"NewPrivateKey":          func() { _, _ = hybrid.NewPrivateKey(seed) },
		"Seed":                   func() { _ = k.Seed() },
		"PublicKey":              func() { _ = k.PublicKey() },
		"CheckPublicKey":         func() { _ = hybrid.CheckPublicKey(pk) },
		"Encapsulate":            func() { _, _, _ = hybrid.Encapsulate(pk) },
		"Encapsulate, for a use": func() { _, _, _ = hybrid.Encapsulate(pk, seed) },
		"Encapsulate, short":     func() { _, _, _ = hybrid.Encapsulate(pk[1:]) },
		"Decapsulate":            func() { _, _ = k.Decapsulate(ct) },
		"Decapsulate, forged":    func() { _, _ = k.Decapsulate(make([]byte, hybrid.CiphertextSize)) },
		"Format":                 func() { _, _ = fmt.Fprintf(io.Discard, "%v", k) },
		"MarshalText":            func() { _, _ = k.MarshalText() },
	}
}

func TestEveryCallThatMayReachCirclLeavesTheUpperHalvesClean(t *testing.T) {
	needXINUSE(t)
	for pkg, calls := range guarded(t) {
		for name, call := range calls {
			if dirtied(call) {
				t.Errorf("%s.%s leaves the upper halves in use", pkg, name)
			}
		}
	}
}

// TestNoExportedCallIsForgotten reads the source: each exported function must be among the calls above.
func TestNoExportedCallIsForgotten(t *testing.T) {
	for pkg, calls := range guarded(t) {
		files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("the source of %s: %d files, %v", pkg, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() && calls[f.Name.Name] == nil {
					t.Errorf("%s in %s is not tested for its guard", f.Name.Name, name)
				}
			}
		}
	}
}

func TestWithoutTheGuardTheUpperHalvesStayDirty(t *testing.T) {
	needXINUSE(t)
	message, label := []byte("message"), []byte("label")
	pk, sk := mldsa65.NewKeyFromSeed(&[mldsa65.SeedSize]byte{1})
	sig := make([]byte, mldsa65.SignatureSize)
	if err := mldsa65.SignTo(sk, message, label, true, sig); err != nil {
		t.Fatal(err)
	}
	var raw [mldsa65.PublicKeySize]byte
	pk.Pack(&raw)
	seed, random := make([]byte, xwing.SeedSize), make([]byte, xwing.EncapsulationSeedSize)
	kem, public := xwing.DeriveKeyPair(seed)
	ct, shared := make([]byte, xwing.CiphertextSize), make([]byte, xwing.SharedKeySize)
	public.EncapsulateTo(ct, shared, random)
	for name, call := range map[string]func(){
		// NewKeyFromSeed comes out clean by luck: it ends in a large copy, for which the runtime executes VZEROUPPER.
		"mldsa65.PublicKey.Unpack":       func() { new(mldsa65.PublicKey).Unpack(&raw) },
		"mldsa65.SignTo":                 func() { _ = mldsa65.SignTo(sk, message, label, true, sig) },
		"mldsa65.Verify":                 func() { _ = mldsa65.Verify(pk, message, label, sig) },
		"xwing.PublicKey.EncapsulateTo":  func() { public.EncapsulateTo(ct, shared, random) },
		"xwing.PrivateKey.DecapsulateTo": func() { kem.DecapsulateTo(shared, ct) },
	} {
		if !dirtied(call) {
			t.Errorf("%s leaves the upper halves clean: the test above would not find a missing guard", name)
		}
	}
}
