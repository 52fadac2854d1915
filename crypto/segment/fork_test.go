package segment

import (
	"bytes"
	"errors"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// branch signs the last header of a history.
func branch(t testing.TB, key *composite.PrivateKey, raw [][]byte) Branch {
	t.Helper()
	last := raw[len(raw)-1]
	sig, err := key.Sign(last, contextSign)
	if err != nil {
		t.Fatal(err)
	}
	return Branch{Header: last, Signature: sig, Source: sourceOf(raw[:len(raw)-1])}
}

// from is a mark for branches that differ from header k on.
func from(at uint64) func(uint64) byte {
	return func(k uint64) byte {
		if k >= at {
			return 1
		}
		return 0
	}
}

func mustFork(t testing.TB) *Fork {
	t.Helper()
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	f, err := Conflict(testRoom, key.Public(), branch(t, key, unsigned(log, 9, plain)), branch(t, key, unsigned(log, 7, from(4))))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Equal histories never give a fork, unequal ones always give the lowest index at which they differ.
func TestForksAreFoundExactlyWhereHistoriesDiffer(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.IntRange(1, 60).Draw(r, "a")
		b := rapid.IntRange(1, 60).Draw(r, "b")
		at := rapid.IntRange(0, 60).Draw(r, "at")
		x, y := branch(t, key, unsigned(log, a, plain)), branch(t, key, unsigned(log, b, from(uint64(at))))
		f, err := Conflict(testRoom, key.Public(), x, y)
		if at >= min(a, b) {
			if !errors.Is(err, ErrNoConflict) {
				r.Fatalf("histories of %d and %d that agree: %v", a, b, err)
			}
			return
		}
		if err != nil {
			r.Fatalf("histories of %d and %d from %d: %v", a, b, at, err)
		}
		if f.Index != uint64(at) {
			r.Fatalf("fork at %d, found at %d", at, f.Index)
		}
		back, err := ParseFork(f.Marshal())
		if err != nil || back.Check() != nil || !bytes.Equal(back.Marshal(), f.Marshal()) || back.ID() != f.ID() {
			r.Fatalf("ParseFork: %v", err)
		}
		mirrored, err := Conflict(testRoom, key.Public(), y, x)
		if err != nil || mirrored.ID() != f.ID() {
			r.Fatalf("the other way round: %v, another object", err)
		}
	})
}

func TestTheRelationsOfTwoHeadersAreDecided(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.IntRange(1, 40).Draw(r, "a")
		b := rapid.IntRange(a, 40).Draw(r, "b")
		at := rapid.IntRange(0, 40).Draw(r, "at")
		old, later := unsigned(log, a, plain), unsigned(log, b, from(uint64(at)))
		p, err := ProveExtension(uint64(a-1), uint64(b-1), sourceOf(later))
		if err != nil {
			r.Fatal(err)
		}
		extends := Extends(old[a-1], later[b-1], p) == nil
		_, err = Conflict(testRoom, key.Public(), branch(t, key, old), branch(t, key, later))
		if conflict := err == nil; conflict == extends {
			r.Fatalf("of %d and %d with a fork at %d: extends %v, conflict %v", a, b, at, extends, conflict)
		}
	})
}

func TestEvidenceHoldsForAStrangerAndEachFlippedByteIsRefused(t *testing.T) {
	raw := mustFork(t).Marshal()
	refused := func(b []byte) bool {
		f, err := ParseFork(b)
		return err != nil || f.Check() != nil
	}
	if refused(raw) {
		t.Fatal("the evidence itself is refused")
	}
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 1 << (i % 8)
		if !refused(b) {
			t.Errorf("byte %d flipped and accepted", i)
		}
	}
	if !refused(append(bytes.Clone(raw), 0)) || !refused(raw[:len(raw)-1]) {
		t.Error("another length is accepted")
	}
}

// A prover needs the edges of two trees only; so the longest evidence can be made without 2^39 headers.
func TestEvidenceIsUnder12KBForAnyDistance(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	side := func(mark byte) Side {
		leaf, path := LeafHash([]byte{mark}), make([][32]byte, bits.Len64(MaxK-2))
		root := leaf
		for i := range path {
			path[i] = [32]byte{mark, byte(i)}
			root = nodeHash(root, path[i]) // index 0: always the left child
		}
		h := Header{Log: log, K: MaxK - 1, First: MaxK - 1, Count: 1, PastRoot: root, Prev: [32]byte{mark}}
		s := Side{Header: h.Marshal(), Leaf: leaf, Path: path}
		var err error
		if s.Signature, err = key.Sign(s.Header, contextSign); err != nil {
			t.Fatal(err)
		}
		return s
	}
	f, err := NewFork(testRoom, key.Public(), 0, side(1), side(2))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Marshal()); n > MaxFork {
		t.Errorf("%d bytes, want at most %d", n, MaxFork)
	}
	if _, err := ParseFork(f.Marshal()); err != nil {
		t.Errorf("ParseFork: %v", err)
	}
}

func TestHonestHistoriesCannotBeAccused(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	raw := unsigned(log, 20, plain)
	long, short := branch(t, key, raw), branch(t, key, raw[:12])
	for name, accuse := range map[string]func() (*Fork, error){
		"a header and itself":   func() (*Fork, error) { return Conflict(testRoom, key.Public(), long, long) },
		"a header and its past": func() (*Fork, error) { return Conflict(testRoom, key.Public(), long, short) },
		"an inner node as a leaf": func() (*Fork, error) {
			p, err := ProveInclusion(19, 0, long.Source)
			if err != nil {
				return nil, err
			}
			inner := nodeHash(LeafHash(raw[0]), p[0])
			return NewFork(testRoom, key.Public(), 0, Side{Header: long.Header, Signature: long.Signature, Leaf: inner, Path: p[1:]},
				Side{Header: short.Header, Signature: short.Signature, Leaf: LeafHash(raw[0]), Path: mustPath(t, 11, 0, short.Source)})
		},
		"another log's header": func() (*Fork, error) {
			foreign := branch(t, key, unsigned(ID{3}, 12, from(4)))
			return Conflict(testRoom, key.Public(), long, foreign)
		},
		"a forged signature": func() (*Fork, error) {
			return Conflict(testRoom, key.Public(), long, branch(t, logKey(t, 2), unsigned(log, 12, from(4))))
		},
		"another room": func() (*Fork, error) {
			return Conflict([32]byte{}, key.Public(), long, branch(t, key, unsigned(log, 12, from(4))))
		},
	} {
		if f, err := accuse(); err == nil {
			t.Errorf("%s: a fork at %d", name, f.Index)
		}
	}
}

func mustPath(t testing.TB, size, k uint64, s Source) [][32]byte {
	t.Helper()
	p, err := ProveInclusion(size, k, s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a member has at hand: its own newest signed header, its stored headers, and a foreign branch that FETCH proved.
func TestAForkIsShownFromOneInclusionEach(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	mine, theirs := unsigned(log, 30, plain), unsigned(log, 25, from(10))
	a, b := branch(t, key, mine), branch(t, key, theirs)
	for _, index := range []uint64{10, 17, 23} {
		f, err := NewFork(testRoom, key.Public(), index,
			Side{Header: a.Header, Signature: a.Signature, Leaf: LeafHash(mine[index]), Path: mustPath(t, 29, index, a.Source)},
			Side{Header: b.Header, Signature: b.Signature, Leaf: LeafHash(theirs[index]), Path: mustPath(t, 24, index, b.Source)})
		if err != nil || f.Index != index {
			t.Errorf("at %d: %v", index, err)
		}
	}
	f, err := NewFork(testRoom, key.Public(), 24,
		Side{Header: a.Header, Signature: a.Signature, Leaf: LeafHash(mine[24]), Path: mustPath(t, 29, 24, a.Source)},
		Side{Header: b.Header, Signature: b.Signature})
	if err != nil || f.Sides[1].Path == nil || f.Sides[0].Path != nil {
		t.Errorf("at the newest of theirs: %v", err)
	}
	if _, err := NewFork(testRoom, key.Public(), 9,
		Side{Header: a.Header, Signature: a.Signature, Leaf: LeafHash(mine[9]), Path: mustPath(t, 29, 9, a.Source)},
		Side{Header: b.Header, Signature: b.Signature, Leaf: LeafHash(theirs[9]), Path: mustPath(t, 24, 9, b.Source)}); !errors.Is(err, ErrNoConflict) {
		t.Errorf("where they agree: %v, want ErrNoConflict", err)
	}
}

func TestConflictWorksAcrossStoredBlocks(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	for _, at := range []uint64{3, 255, 256, 300, 599} {
		mine, theirs := unsigned(log, 700, plain), unsigned(log, 600, from(at))
		a, b := branch(t, key, mine), branch(t, key, theirs)
		for br, raw := range map[*Branch][][]byte{&a: mine, &b: theirs} {
			blocks := storedBlocks(raw)
			br.Source.Block = func(n uint64) ([32]byte, bool) { h, ok := blocks[n]; return h, ok }
		}
		if f, err := Conflict(testRoom, key.Public(), a, b); err != nil || f.Index != at {
			t.Errorf("from %d: %+v, %v", at, f, err)
		}
	}
}

// A foreign header at the end of a block, judged with our own stored blocks: the block that we hold has our header in it.
func TestAForeignHeaderIsNotHiddenByAStoredBlock(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	mine, theirs := unsigned(log, 600, plain), unsigned(log, 256, from(255))
	blocks := storedBlocks(mine)
	a, b := branch(t, key, mine), branch(t, key, theirs)
	a.Source.Block = func(n uint64) ([32]byte, bool) { h, ok := blocks[n]; return h, ok }
	b.Source = a.Source
	if f, err := Conflict(testRoom, key.Public(), a, b); err != nil || f.Index != 255 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestAStoreThatFailsIsAnErrorAndNoVerdict(t *testing.T) {
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	a, b := branch(t, key, unsigned(log, 9, plain)), branch(t, key, unsigned(log, 7, from(4)))
	broken := errors.New("disk")
	for i, fails := range []func(uint64) bool{
		func(uint64) bool { return true },
		func(k uint64) bool { return k == 7 }, // read for the proof only
	} {
		leaf := sourceOf(unsigned(log, 9, plain)).Leaf
		a.Source.Leaf = func(k uint64) ([32]byte, error) {
			if fails(k) {
				return [32]byte{}, broken
			}
			return leaf(k)
		}
		for _, pair := range [][2]Branch{{a, b}, {b, a}} {
			if _, err := Conflict(testRoom, key.Public(), pair[0], pair[1]); !errors.Is(err, broken) {
				t.Errorf("store %d: %v, want the store's error", i, err)
			}
		}
		if _, err := ProveExtension(2, 8, a.Source); !errors.Is(err, broken) {
			t.Errorf("store %d: ProveExtension: %v", i, err)
		}
		if _, err := a.Source.Root(8); !errors.Is(err, broken) {
			t.Errorf("store %d: Root: %v", i, err)
		}
	}
}

func TestConflictRefusesWhatIsNoHeader(t *testing.T) {
	key := logKey(t, 1)
	good := branch(t, key, unsigned(LogID(testRoom, key.Public()), 3, plain))
	bad := Branch{Header: []byte("no header"), Source: good.Source}
	for _, pair := range [][2]Branch{{good, bad}, {bad, good}} {
		if _, err := Conflict(testRoom, key.Public(), pair[0], pair[1]); !errors.Is(err, ErrFormat) {
			t.Errorf("%v, want ErrFormat", err)
		}
	}
	side := Side{Header: good.Header, Signature: good.Signature}
	if _, err := NewFork(testRoom, key.Public(), 2, side, Side{Header: []byte("x")}); !errors.Is(err, ErrFormat) {
		t.Errorf("NewFork: %v, want ErrFormat", err)
	}
}

func TestAForkHasOneFormOnly(t *testing.T) {
	f := mustFork(t)
	swapped := *f
	swapped.Sides[0], swapped.Sides[1] = f.Sides[1], f.Sides[0]
	if _, err := ParseFork(swapped.Marshal()); !errors.Is(err, ErrFormat) {
		t.Errorf("sides swapped: %v, want ErrFormat", err)
	}
	if swapped.Check() == nil {
		t.Error("sides swapped, and it holds")
	}
	key := logKey(t, 1)
	log := LogID(testRoom, key.Public())
	raw := unsigned(log, 9, plain)
	a, b := branch(t, key, raw), branch(t, key, raw[:6])
	honest := &Fork{Room: testRoom, Key: key.Public().Bytes(), Index: 5, Sides: [2]Side{
		{Header: b.Header, Signature: b.Signature, Leaf: [32]byte{1}},
		{Header: a.Header, Signature: a.Signature, Leaf: LeafHash(raw[5]), Path: mustPath(t, 8, 5, a.Source)},
	}}
	if honest.Check() == nil {
		t.Error("a header accused with a leaf that is not its own")
	}
}
