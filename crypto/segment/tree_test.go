package segment

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// naiveRoot is MTH of RFC 6962, section 2.1, word for word.
func naiveRoot(d [][]byte) [32]byte {
	if len(d) == 1 {
		return sha256.Sum256(append([]byte{0}, d[0]...))
	}
	k := split(len(d))
	l, r := naiveRoot(d[:k]), naiveRoot(d[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

// naivePath is PATH of section 2.1.1.
func naivePath(m int, d [][]byte) [][32]byte {
	if len(d) == 1 {
		return nil
	}
	k := split(len(d))
	if m < k {
		return append(naivePath(m, d[:k]), naiveRoot(d[k:]))
	}
	return append(naivePath(m-k, d[k:]), naiveRoot(d[:k]))
}

// naiveProof is SUBPROOF of section 2.1.2.
func naiveProof(m int, d [][]byte, whole bool) [][32]byte {
	if m == len(d) {
		if whole {
			return nil
		}
		return [][32]byte{naiveRoot(d)}
	}
	k := split(len(d))
	if m <= k {
		return append(naiveProof(m, d[:k], whole), naiveRoot(d[k:]))
	}
	return append(naiveProof(m-k, d[k:], false), naiveRoot(d[:k]))
}

// split is the largest power of two below n.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

// someHeaders are n byte strings; the tree does not care that they are none.
func someHeaders(n int) [][]byte {
	raw := make([][]byte, n)
	for i := range raw {
		raw[i] = fmt.Appendf(nil, "header %d", i)
	}
	return raw
}

func same(a, b [][32]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestTheTreeIsThatOfRFC6962(t *testing.T) {
	raw := someHeaders(700)
	var tree *Tree
	if tree.Root() != [32]byte{} || tree.Size() != 0 {
		t.Error("the empty tree has a root")
	}
	for n := range raw {
		tree = tree.Append(raw[n])
		if n < 70 || n%61 == 0 {
			if tree.Root() != naiveRoot(raw[:n+1]) {
				t.Fatalf("root over %d differs", n+1)
			}
		}
		back, err := ParseTree(tree.Marshal())
		if err != nil || back.Root() != tree.Root() || back.Size() != tree.Size() {
			t.Fatalf("ParseTree at %d: %v", n+1, err)
		}
	}
	if EntriesRoot(raw[:64]) != naiveRoot(raw[:64]) || EntriesRoot(nil) != [32]byte{} {
		t.Error("EntriesRoot differs")
	}
}

func TestAppendLeavesTheTreeAsItWas(t *testing.T) {
	raw := someHeaders(9)
	var trees []*Tree
	var tree *Tree
	for _, h := range raw {
		tree = tree.Append(h)
		trees = append(trees, tree)
	}
	for i, old := range trees {
		other := old.Append([]byte("another")).Append([]byte("and one"))
		if old.Root() != naiveRoot(raw[:i+1]) || other.Root() == old.Root() {
			t.Errorf("appending to the tree of %d changed it", i+1)
		}
	}
}

// storedBlocks are what a store keeps: Tree.Block whenever it tells one.
func storedBlocks(raw [][]byte) map[uint64][32]byte {
	blocks := map[uint64][32]byte{}
	var tree *Tree
	for _, h := range raw {
		if n, root, ok := tree.Block(h); ok {
			blocks[n] = root
		}
		tree = tree.Append(h)
	}
	return blocks
}

func TestBlocksAreTheRootsOf256Headers(t *testing.T) {
	raw := someHeaders(1300)
	blocks := storedBlocks(raw)
	if len(blocks) != 5 {
		t.Fatalf("%d blocks of 1300 headers", len(blocks))
	}
	for n, root := range blocks {
		if root != naiveRoot(raw[n*BlockSize:(n+1)*BlockSize]) {
			t.Errorf("block %d differs", n)
		}
	}
}

func TestAProofReadsBlocksAndAtMost512Headers(t *testing.T) {
	raw := someHeaders(3000)
	blocks := storedBlocks(raw)
	leaf := sourceOf(raw).Leaf
	reads := 0
	s := Source{
		Leaf:  func(i uint64) ([32]byte, error) { reads++; return leaf(i) },
		Block: func(n uint64) ([32]byte, bool) { h, ok := blocks[n]; return h, ok },
	}
	for _, size := range []uint64{1, 2, 255, 256, 257, 511, 1024, 2047, 3000} {
		for _, k := range []uint64{0, size / 3, size / 2, size - 1} {
			reads = 0
			p, err := ProveInclusion(size, k, s)
			if err != nil || !same(p, naivePath(int(k), raw[:size])) {
				t.Errorf("inclusion of %d in %d differs: %v", k, size, err)
			}
			if reads > 512 {
				t.Errorf("inclusion of %d in %d read %d headers", k, size, reads)
			}
			reads = 0
			p, err = ProveConsistency(size, k+1, s)
			if err != nil || !same(p, naiveProof(int(k+1), raw[:size], true)) {
				t.Errorf("consistency of %d with %d differs: %v", k+1, size, err)
			}
			if reads > 512 {
				t.Errorf("consistency of %d with %d read %d headers", k+1, size, reads)
			}
		}
	}
}

func TestProofsAgreeWithANaiveRFC6962(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 600).Draw(t, "size")
		k := rapid.IntRange(0, size-1).Draw(t, "k")
		raw := someHeaders(size)
		s := sourceOf(raw)
		root := naiveRoot(raw)
		if got, err := s.Root(uint64(size)); err != nil || got != root {
			t.Fatalf("Root: %v", err)
		}
		p, err := ProveInclusion(uint64(size), uint64(k), s)
		if err != nil || !same(p, naivePath(k, raw)) {
			t.Fatalf("ProveInclusion: %v", err)
		}
		if err := CheckInclusion(p, uint64(size), root, uint64(k), LeafHash(raw[k])); err != nil {
			t.Fatalf("CheckInclusion: %v", err)
		}
		if CheckInclusion(p, uint64(size), root, uint64(k), LeafHash([]byte("other"))) == nil {
			t.Fatal("another leaf is included")
		}
		if other := rapid.IntRange(0, size-1).Draw(t, "other"); other != k && CheckInclusion(p, uint64(size), root, uint64(other), LeafHash(raw[k])) == nil {
			t.Fatalf("leaf %d is included at %d", k, other)
		}
		c, err := ProveConsistency(uint64(size), uint64(k+1), s)
		if err != nil || !same(c, naiveProof(k+1, raw, true)) {
			t.Fatalf("ProveConsistency: %v", err)
		}
		old := naiveRoot(raw[:k+1])
		if err := CheckConsistency(c, uint64(size), root, uint64(k+1), old); err != nil {
			t.Fatalf("CheckConsistency: %v", err)
		}
		if CheckConsistency(c, uint64(size), root, uint64(k+1), [32]byte{1}) == nil {
			t.Fatal("another past is continued")
		}
		if len(c) > 0 {
			c[rapid.IntRange(0, len(c)-1).Draw(t, "flip")][3] ^= 4
			if CheckConsistency(c, uint64(size), root, uint64(k+1), old) == nil {
				t.Fatal("a changed proof passes")
			}
		}
	})
}

func TestEmptyTreesAreHandled(t *testing.T) {
	s := sourceOf(someHeaders(4))
	root, _ := s.Root(4)
	zero := [32]byte{}
	if r, err := s.Root(0); err != nil || r != zero {
		t.Errorf("Root(0) = %x, %v", r, err)
	}
	if p, err := ProveConsistency(4, 0, s); err != nil || len(p) != 0 {
		t.Errorf("ProveConsistency(4, 0) = %d hashes, %v", len(p), err)
	}
	if p, err := ProveConsistency(0, 0, s); err != nil || len(p) != 0 {
		t.Errorf("ProveConsistency(0, 0) = %d hashes, %v", len(p), err)
	}
	if _, err := ProveInclusion(0, 0, s); !errors.Is(err, ErrProof) {
		t.Errorf("ProveInclusion(0, 0): %v", err)
	}
	if CheckInclusion(nil, 0, zero, 0, zero) == nil {
		t.Error("a leaf is in the empty tree")
	}
	if err := CheckConsistency(nil, 4, root, 0, zero); err != nil {
		t.Errorf("4 continues 0: %v", err)
	}
	if err := CheckConsistency(nil, 0, zero, 0, zero); err != nil {
		t.Errorf("0 continues 0: %v", err)
	}
	for name, err := range map[string]error{
		"0 under another root": CheckConsistency(nil, 4, root, 0, root),
		"0 with a proof":       CheckConsistency([][32]byte{zero}, 4, root, 0, zero),
		"empty with a root":    CheckConsistency(nil, 0, root, 0, zero),
		"shrinking":            CheckConsistency(nil, 3, root, 4, root),
	} {
		if !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v, want ErrProof", name, err)
		}
	}
}

// tlog loops or panics on sizes near the end of an int64.
func TestHugeSizesAreRefused(t *testing.T) {
	for _, size := range []uint64{MaxK + 1, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		proof := make([][32]byte, MaxProof)
		if CheckInclusion(proof, size, [32]byte{}, size-1, [32]byte{}) == nil || CheckConsistency(proof, size, [32]byte{}, size-1, [32]byte{}) == nil {
			t.Errorf("a proof of size %d passes", size)
		}
		if _, err := ProveInclusion(size, 1, sourceOf(nil)); !errors.Is(err, ErrProof) {
			t.Errorf("ProveInclusion(%d): %v", size, err)
		}
		if _, err := ProveConsistency(size, 1, sourceOf(nil)); !errors.Is(err, ErrProof) {
			t.Errorf("ProveConsistency(%d): %v", size, err)
		}
		b := make([]byte, 8, 8+32*64)
		for i := range b {
			b[i] = byte(size >> (56 - 8*i))
		}
		if _, err := ParseTree(append(b, make([]byte, 32*64)...)); err == nil {
			t.Errorf("ParseTree(%d) passes", size)
		}
	}
}

func TestWhoCameInLaterProvesFromTheBase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 900).Draw(t, "size")
		base := rapid.IntRange(0, size-1).Draw(t, "base")
		k := rapid.IntRange(base, size-1).Draw(t, "k")
		raw := someHeaders(size)
		var edge *Tree
		for _, h := range raw[:base] {
			edge = edge.Append(h)
		}
		leaf := sourceOf(raw).Leaf
		s := Source{Base: edge, Leaf: func(i uint64) ([32]byte, error) {
			if i < uint64(base) {
				t.Fatalf("header %d before the base %d is read", i, base)
			}
			return leaf(i)
		}}
		p, err := ProveInclusion(uint64(size), uint64(k), s)
		if err != nil || !same(p, naivePath(k, raw)) {
			t.Fatalf("inclusion of %d in %d from %d: %v", k, size, base, err)
		}
		if k > base || base > 0 {
			c, err := ProveConsistency(uint64(size), uint64(max(k, base)), s)
			if err != nil || !same(c, naiveProof(max(k, base), raw, true)) {
				t.Fatalf("consistency of %d with %d from %d: %v", k, size, base, err)
			}
		}
		if base > 1 {
			if _, err := ProveInclusion(uint64(size), uint64(base-2), s); err != nil && !errors.Is(err, ErrBelowBase) {
				t.Fatalf("a header below the base: %v", err)
			}
		}
	})
}

func TestExtendsHoldsExactlyAlongOneHistory(t *testing.T) {
	log := ID{5}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 80).Draw(t, "size")
		raw := unsigned(log, size, plain)
		fork := rapid.IntRange(0, size-1).Draw(t, "fork")
		other := unsigned(log, size, func(k uint64) byte {
			if k >= uint64(fork) {
				return 1
			}
			return 0
		})
		h := rapid.IntRange(0, size-1).Draw(t, "h")
		n := rapid.IntRange(0, size-1).Draw(t, "n")
		if h > n {
			p, _ := ProveExtension(uint64(n), uint64(h), sourceOf(raw))
			if Extends(raw[h], raw[n], p) == nil {
				t.Fatalf("%d extends the later %d", n, h)
			}
			return
		}
		p, err := ProveExtension(uint64(h), uint64(n), sourceOf(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := Extends(raw[h], raw[n], p); err != nil {
			t.Fatalf("%d does not extend %d: %v", n, h, err)
		}
		q, err := ProveExtension(uint64(h), uint64(n), sourceOf(other))
		if err != nil {
			t.Fatal(err)
		}
		if agree := h < fork && (h < n || n < fork); (Extends(raw[h], other[n], q) == nil) != agree {
			t.Fatalf("branches from %d: %d extends %d = %v", fork, n, h, !agree)
		}
	})
}

func TestExtendsRefusesAnotherLogAndFalseProofs(t *testing.T) {
	raw := unsigned(ID{5}, 10, plain)
	foreign := unsigned(ID{6}, 10, plain)
	p, err := ProveExtension(3, 8, sourceOf(raw))
	if err != nil {
		t.Fatal(err)
	}
	if Extends(foreign[3], raw[8], p) == nil {
		t.Error("a header extends one of another log")
	}
	if Extends(raw[4], raw[8], p) == nil {
		t.Error("a proof for header 3 serves header 4")
	}
	if Extends(raw[3], raw[8], Extension{Inclusion: p.Inclusion}) == nil {
		t.Error("consistency can be left out")
	}
	if Extends(raw[3], raw[3], p) == nil {
		t.Error("a header extends itself with a proof of something else")
	}
	for i := range p.Inclusion {
		q := Extension{append([][32]byte(nil), p.Inclusion...), p.Consistency}
		q.Inclusion[i][0] ^= 1
		if Extends(raw[3], raw[8], q) == nil {
			t.Errorf("inclusion with hash %d changed passes", i)
		}
	}
	if !bytes.Equal(raw[0], unsigned(ID{5}, 1, plain)[0]) {
		t.Error("the test's headers are not the same each time")
	}
}
