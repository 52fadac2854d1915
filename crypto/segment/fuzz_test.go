package segment

import (
	"bytes"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// fuzz asserts that what parses marshals to the same bytes, and that nothing panics.
func fuzz(f *testing.F, parse func([]byte) (marshalled []byte, err error), seeds ...[]byte) {
	for _, s := range seeds {
		if got, err := parse(s); err != nil || !bytes.Equal(got, s) {
			f.Fatalf("a seed does not come back: %v", err)
		}
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := parse(b); err == nil && !bytes.Equal(got, b) {
			t.Errorf("%x parses, and marshals to %x", b, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	l := newLog(f, 1)
	first := l.add(entryOf(1, 3)).Marshal()
	p := l.params(entryOf(2, 1), entryOf(3, 40))
	p.Deps = someDeps(2)
	fuzz(f, func(b []byte) ([]byte, error) {
		s, err := Parse(b)
		if err != nil {
			return nil, err
		}
		_, _ = s.LogKey(testRoom)
		return s.Marshal(), nil
	}, first, l.addAs(p).Marshal())
}

func FuzzParseHeader(f *testing.F) {
	raw := unsigned(ID{1}, 3, plain)
	fuzz(f, func(b []byte) ([]byte, error) {
		h, err := ParseHeader(b)
		if err != nil {
			return nil, err
		}
		return h.Marshal(), nil
	}, raw...)
}

func FuzzParseDeps(f *testing.F) {
	var seeds [][]byte
	for _, n := range []int{0, 1, 5, MaxDeps} {
		b, err := MarshalDeps(someDeps(n))
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, b)
	}
	fuzz(f, func(b []byte) ([]byte, error) {
		deps, err := ParseDeps(b)
		if err != nil {
			return nil, err
		}
		return MarshalDeps(deps)
	}, seeds...)
}

func FuzzParseTree(f *testing.F) {
	var tree *Tree
	seeds := [][]byte{tree.Marshal()}
	for _, h := range someHeaders(5) {
		tree = tree.Append(h)
		seeds = append(seeds, tree.Marshal())
	}
	fuzz(f, func(b []byte) ([]byte, error) {
		t, err := ParseTree(b)
		if err != nil {
			return nil, err
		}
		t.Append([]byte("one more")).Root()
		return t.Marshal(), nil
	}, seeds...)
}

func FuzzParseFork(f *testing.F) {
	fuzz(f, func(b []byte) ([]byte, error) {
		fork, err := ParseFork(b)
		if err != nil {
			return nil, err
		}
		_ = fork.Check()
		return fork.Marshal(), nil
	}, mustFork(f).Marshal())
}

func FuzzParseLogCertificate(f *testing.F) {
	c := LogCertificate{Key: logKey(f, 1).Public().Bytes(), Room: testRoom}
	seed := append(c.body(), make([]byte, 2*composite.SignatureSize)...)
	fuzz(f, func(b []byte) ([]byte, error) {
		c, err := ParseLogCertificate(b)
		if err != nil {
			return nil, err
		}
		return append(c.body(), b[certBody:]...), nil
	}, seed)
}

func FuzzCheckProofs(f *testing.F) {
	f.Add(uint64(5), uint64(2), []byte("abcdefghijklmnopqrstuvwxyz0123456789"))
	f.Add(uint64(1)<<63, uint64(1)<<62, []byte{})
	f.Fuzz(func(t *testing.T, size, k uint64, b []byte) {
		var proof [][32]byte
		for ; len(b) >= 32; b = b[32:] {
			proof = append(proof, [32]byte(b))
		}
		if CheckInclusion(proof, size, [32]byte{1}, k, [32]byte{2}) == nil {
			t.Error("a made-up inclusion passes")
		}
		if k > 0 && CheckConsistency(proof, size, [32]byte{1}, k, [32]byte{2}) == nil {
			t.Error("a made-up consistency passes")
		}
	})
}
