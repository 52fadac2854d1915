package group

import (
	"errors"
	"testing"
)

func testChain(t *testing.T) Chain {
	t.Helper()
	c, err := NewChain(7)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChainGives256DifferentKeysAndEnds(t *testing.T) {
	c := testChain(t)
	seen := map[[32]byte]bool{}
	for i := range uint32(ChainLength) {
		next, mk, err := c.Step()
		if err != nil {
			t.Fatalf("Step %d: %v", i, err)
		}
		if mk.Index != i || mk.Generation != 7 || next.Generation != 7 || next.Next != i+1 {
			t.Fatalf("Step %d gave key (%d, %d) and chain (%d, %d)", i, mk.Generation, mk.Index, next.Generation, next.Next)
		}
		if seen[mk.Key] || seen[next.Key] || seen[c.Key] {
			t.Fatalf("Step %d repeats a key", i)
		}
		seen[mk.Key], seen[c.Key] = true, true
		c = next
	}
	if _, _, err := c.Step(); !errors.Is(err, ErrEnd) {
		t.Errorf("step 257: %v, want ErrEnd", err)
	}
}

func TestStepLeavesItsChain(t *testing.T) {
	c := testChain(t)
	before := c
	_, first, _ := c.Step()
	_, second, _ := c.Step()
	if c != before || first != second {
		t.Error("Step changed the chain it was called on")
	}
}

func TestToAgreesWithSteps(t *testing.T) {
	c := testChain(t)
	c, _, _ = c.Step()
	walked := c
	var keys []MessageKey
	for range 6 {
		var mk MessageKey
		walked, mk, _ = walked.Step()
		keys = append(keys, mk)
	}
	next, skipped, mk, err := c.To(6)
	if err != nil || next != walked || mk != keys[5] || len(skipped) != 5 {
		t.Fatalf("To(6) = %d skipped, key %d, next %d, %v", len(skipped), mk.Index, next.Next, err)
	}
	for i, k := range skipped {
		if k != keys[i] {
			t.Errorf("skipped key %d has index %d", i, k.Index)
		}
	}
	if _, none, _, err := c.To(c.Next); err != nil || len(none) != 0 {
		t.Errorf("To(Next) skipped %d keys, %v", len(none), err)
	}
}

func TestToRefusesUsedAndForeignIndices(t *testing.T) {
	c := testChain(t)
	c, _, _, _ = c.To(9)
	before := c
	for _, row := range []struct {
		name  string
		index uint32
		want  error
	}{
		{"the entry just opened", 9, ErrUsed},
		{"the first entry", 0, ErrUsed},
		{"the first behind a chain", 256, ErrEnd},
		{"the highest number", 1<<32 - 1, ErrEnd},
	} {
		if _, _, _, err := c.To(row.index); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	if c != before {
		t.Error("a refused index changed the chain")
	}
	if _, _, _, err := c.To(255); err != nil {
		t.Errorf("the last entry: %v", err)
	}
}

func TestFollowsToldFromForgery(t *testing.T) {
	first := testChain(t)
	later, _, _, _ := first.To(41)
	end, _, _, _ := first.To(255)
	other := testChain(t)
	otherGeneration := later
	otherGeneration.Generation++
	beyond := end
	beyond.Next++
	for _, row := range []struct {
		name           string
		chain, earlier Chain
		want           bool
	}{
		{"itself", first, first, true},
		{"later", later, first, true},
		{"used up", end, later, true},
		{"backwards", first, later, false},
		{"another chain", other, first, false},
		{"another chain, later", later, other, false},
		{"another generation", otherGeneration, first, false},
		{"beyond the end", beyond, first, false},
	} {
		if got := row.chain.Follows(row.earlier); got != row.want {
			t.Errorf("%s: Follows = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestNewChainsDiffer(t *testing.T) {
	if first, second := testChain(t), testChain(t); first == second {
		t.Error("two chains are the same")
	}
}
