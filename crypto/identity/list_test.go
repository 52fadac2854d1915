package identity

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"
)

func device(b byte) DeviceID { return DeviceID(bytes.Repeat([]byte{b}, 32)) }

func items(n int) []ListItem {
	out := make([]ListItem, n)
	for i := range out {
		out[i] = ListItem{Index: uint32(i), Device: sha256.Sum256([]byte{byte(i), byte(i >> 8)}), State: StateValid, Since: 5}
	}
	return out
}

func TestAListSaysWhichDevicesCount(t *testing.T) {
	p := newPerson(t, 1)
	signed := p.list(t, 77,
		ListItem{Index: 9, Device: device(9), State: StateRevoked, Since: 1},
		ListItem{Index: 3, Device: device(3), State: StateValid, Since: 2})
	l, err := VerifyList(signed.Raw, p.account.Public())
	if err != nil {
		t.Fatal(err)
	}
	if l.Counter != 77 || l.Account != AccountOf(p.account.Public()) || len(l.Items) != 2 || l.Items[0].Index != 3 || l.Items[1].Since != 1 {
		t.Errorf("VerifyList = %+v", l)
	}
	for _, row := range []struct {
		name   string
		device DeviceID
		want   bool
	}{{"valid", device(3), true}, {"revoked", device(9), false}, {"not on it", device(4), false}} {
		if got := l.Valid(row.device); got != row.want {
			t.Errorf("%s: Valid = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestTheHeadOfAListIgnoresItsSignature(t *testing.T) {
	p := newPerson(t, 1)
	a, b := p.list(t, 1, items(3)...), p.list(t, 1, items(3)...)
	if bytes.Equal(a.Raw, b.Raw) {
		t.Fatal("two signings give the same bytes: the test shows nothing")
	}
	if a.Head() != b.Head() || a.Head().Counter != 1 {
		t.Error("signing the same list twice gives two heads")
	}
	if a.Head() == p.list(t, 1, items(2)...).Head() || a.Head() == p.list(t, 2, items(3)...).Head() {
		t.Error("two lists have one head")
	}
}

func TestTheOrderOfItemsDoesNotMatterToTheSigner(t *testing.T) {
	p := newPerson(t, 1)
	in := items(4)
	turned := []ListItem{in[3], in[1], in[0], in[2]}
	if p.list(t, 1, in...).Head() != p.list(t, 1, turned...).Head() {
		t.Error("another order gives another list")
	}
	if turned[0].Index != 3 {
		t.Error("SignList sorts the caller's slice")
	}
}

func TestSignListRefusesWhatNoReaderWouldTake(t *testing.T) {
	p := newPerson(t, 1)
	twice := items(2)
	twice[1].Index = 0
	same := items(2)
	same[1].Device = same[0].Device
	state := items(1)
	state[0].State = 3
	for _, row := range []struct {
		name    string
		counter uint64
		items   []ListItem
	}{
		{"counter 0", 0, items(1)},
		{"an index twice", 1, twice},
		{"a device twice", 1, same},
		{"unknown state", 1, state},
		{"too many", 1, items(MaxListItems + 1)},
	} {
		if _, err := SignList(p.account, row.counter, row.items); err == nil {
			t.Errorf("%s: SignList signs it", row.name)
		}
		// The same bytes, signed without the check, are refused by the parser.
		l := &List{Account: AccountOf(p.account.Public()), Counter: row.counter, Items: row.items}
		if _, err := ParseList(append(l.body(), make([]byte, 3373)...)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: ParseList: %v, want ErrMalformed", row.name, err)
		}
	}
	for _, n := range []int{0, MaxListItems} {
		if l := p.list(t, 1, items(n)...); len(l.Items) != n {
			t.Errorf("a list of %d items has %d", n, len(l.Items))
		}
	}
}

func TestAListHasOneForm(t *testing.T) {
	p := newPerson(t, 1)
	raw := p.list(t, 1, items(2)...).Raw
	unsorted := &List{Account: AccountOf(p.account.Public()), Counter: 1, Items: []ListItem{items(2)[1], items(2)[0]}}
	for _, row := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"empty", nil, ErrMalformed},
		{"short", raw[:len(raw)-1], ErrMalformed},
		{"long", append(bytes.Clone(raw), 0), ErrMalformed},
		{"magic", flipped(raw, 0), ErrMalformed},
		{"suite", flipped(raw, 4), ErrSuite},
		{"count", flipped(raw, listHead-1), ErrMalformed},
		{"unsorted", append(unsorted.body(), make([]byte, 3373)...), ErrMalformed},
	} {
		if _, err := ParseList(row.raw); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestNoByteOfAListMayChange(t *testing.T) {
	p, other := newPerson(t, 1), newPerson(t, 5)
	raw := p.list(t, 4, items(2)...).Raw
	for at := 0; at < len(raw); at += 5 {
		if _, err := VerifyList(flipped(raw, at), p.account.Public()); err == nil {
			t.Errorf("byte %d may change", at)
		}
	}
	if _, err := VerifyList(flipped(raw, 45), p.account.Public()); !errors.Is(err, ErrSignature) {
		t.Errorf("counter changed: %v, want ErrSignature", err)
	}
	if _, err := VerifyList(raw, other.account.Public()); !errors.Is(err, ErrAccount) {
		t.Errorf("another account: %v, want ErrAccount", err)
	}
}

func TestTwoListsUnderOneCounterAreEvidence(t *testing.T) {
	p := newPerson(t, 1)
	a, b := p.list(t, 7, items(1)...), p.list(t, 7, items(2)...)
	e, err := NewListEvidence(p.account.Public(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	turned, err := NewListEvidence(p.account.Public(), b, a)
	if err != nil || !bytes.Equal(e.Marshal(), turned.Marshal()) {
		t.Errorf("the order of finding matters, or %v", err)
	}
	got, err := ParseListEvidence(e.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil || !bytes.Equal(got.Marshal(), e.Marshal()) {
		t.Errorf("Check of what was parsed: %v", err)
	}
	longest, err := NewListEvidence(p.account.Public(), p.list(t, 7, items(MaxListItems)...), p.list(t, 7, items(MaxListItems-1)...))
	if err != nil || len(longest.Marshal()) > 64<<10 {
		t.Errorf("the longest evidence has %d bytes, %v", len(longest.Marshal()), err)
	}
}

func TestEvidenceAccusesNobodyInnocent(t *testing.T) {
	p, other := newPerson(t, 1), newPerson(t, 5)
	a := p.list(t, 7, items(1)...)
	for _, row := range []struct {
		name string
		with *List
		want error // nil: any
	}{
		{"the same list signed again", p.list(t, 7, items(1)...), nil},
		{"the very same list", a, nil},
		{"a higher counter", p.list(t, 8, items(2)...), nil},
		{"another account's list", other.list(t, 7, items(2)...), ErrAccount},
	} {
		_, err := NewListEvidence(p.account.Public(), a, row.with)
		if err == nil || !errors.Is(err, row.want) && row.want != nil {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	e, err := NewListEvidence(p.account.Public(), a, p.list(t, 7, items(2)...))
	if err != nil {
		t.Fatal(err)
	}
	raw := e.Marshal()
	for at := 0; at < len(raw); at += 11 {
		if got, err := ParseListEvidence(flipped(raw, at)); err == nil && got.Check() == nil {
			t.Errorf("byte %d may change", at)
		}
	}
	swapped := &ListEvidence{Account: e.Account, A: e.B, B: e.A}
	if got, err := ParseListEvidence(swapped.Marshal()); err == nil && got.Check() == nil {
		t.Error("evidence with its lists swapped passes: it has two forms")
	}
}

func TestEvidenceHasOneForm(t *testing.T) {
	p := newPerson(t, 1)
	e, err := NewListEvidence(p.account.Public(), p.list(t, 7, items(1)...), p.list(t, 7, items(2)...))
	if err != nil {
		t.Fatal(err)
	}
	raw := e.Marshal()
	for _, row := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"empty", nil, ErrMalformed},
		{"short", raw[:len(raw)-1], ErrMalformed},
		{"one list", raw[:len(raw)-len(e.B.Raw)], ErrMalformed},
		{"three lists", append(bytes.Clone(raw), e.B.Raw...), ErrMalformed},
		{"long", append(bytes.Clone(raw), 0), ErrMalformed},
		{"key only", raw[:100], ErrMalformed},
		{"suite", flipped(raw, 5), ErrSuite},
	} {
		if _, err := ParseListEvidence(row.raw); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}
