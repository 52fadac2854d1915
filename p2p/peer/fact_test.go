package peer

import (
	"slices"
	"testing"
)

func TestCausesTellInOrder(t *testing.T) {
	want := []Cause{
		CauseNewer, CauseClassical, CauseIdentity, CauseRefused, CauseBroken, CauseClosed, CauseOffline, CauseTimeout, CauseNoAddress,
	}
	got := slices.SortedFunc(slices.Values(telling[:]), func(a, b Cause) int { return b.Tells() - a.Tells() })
	if !slices.Equal(got, want) {
		t.Errorf("in order %q, want %q", got, want)
	}
	if n := Cause("").Tells(); n >= CauseNoAddress.Tells() {
		t.Errorf("a success tells %d", n)
	}
}
