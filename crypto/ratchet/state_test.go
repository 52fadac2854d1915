package ratchet

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

func TestStoredSessionsGoOn(t *testing.T) {
	i, r := begin(t)
	reload := func(s **Session) {
		t.Helper()
		b := (*s).Marshal()
		got, err := Parse(b)
		if err != nil || *got != **s || !bytes.Equal(got.Marshal(), b) {
			t.Fatalf("a stored session differs: %v", err)
		}
		*s = got
	}
	for n := range 14 {
		msg := seal(t, &i, "x")
		reload(&i)
		open(t, &r, msg, "x")
		reload(&r)
		if n%5 == 4 {
			open(t, &i, seal(t, &r, "y"), "y")
			reload(&i)
			reload(&r)
		}
	}
}

func TestStateSizesAreThoseOfTheDocument(t *testing.T) {
	i, _ := begin(t)
	if got := len(i.Marshal()); got != 1447 {
		t.Errorf("the smallest state has %d bytes", got)
	}
	for range 20 {
		seal(t, &i, "x")
	}
	if got := len(i.Marshal()); got != 1703 {
		t.Errorf("the largest state has %d bytes", got)
	}
}

func TestParseRefusesWhatMarshalDoesNotGive(t *testing.T) {
	i, _ := begin(t)
	good := i.Marshal()
	with := func(change func(*Session)) []byte {
		c := *i
		change(&c)
		return c.Marshal()
	}
	counters := len(good) - SeedSize - 8
	patched := func(top, used uint32, seeds int) []byte {
		b := bytes.Clone(good[:counters])
		for _, v := range []uint32{top, used} {
			b = append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
		}
		return append(b, make([]byte, seeds*SeedSize)...)
	}
	if _, err := Parse(patched(window, 0, window+1)); err != nil {
		t.Fatalf("the fullest window: %v", err)
	}
	newer := bytes.Clone(good)
	newer[5]++
	if _, err := Parse(newer); !errors.Is(err, identity.ErrSuite) {
		t.Errorf("a newer suite: %v", err)
	}
	for name, b := range map[string][]byte{
		"empty":         nil,
		"cut off":       good[:len(good)-1],
		"a byte behind": append(bytes.Clone(good), 0),
		"another magic": append([]byte("CQR1"), good[4:]...),
		"a third side":  with(func(s *Session) { s.dir = 2 }),
		"no key of the peer": with(func(s *Session) {
			s.peerKey = [hybrid.PublicKeySize]byte(bytes.Repeat([]byte{0xff}, hybrid.PublicKeySize))
		}),
		"used above top":         patched(0, 1, 0),
		"a window too wide":      patched(window+1, 0, window+2),
		"a window across zero":   patched(2, math.MaxUint32-2, 6),
		"fewer keys than it has": patched(3, 0, 3),
		"more keys than it has":  patched(3, 0, 5),
	} {
		if _, err := Parse(b); !errors.Is(err, identity.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

func TestKeyNumbersEndWithoutWrapping(t *testing.T) {
	i, _ := begin(t)
	i.top, i.used = math.MaxUint32, math.MaxUint32
	if next, _, err := i.Seal(nil); err != nil || next.top != math.MaxUint32 {
		t.Errorf("the last key number: %v", err)
	}
	if _, err := Parse(i.Marshal()); err != nil {
		t.Errorf("a state at the last key number: %v", err)
	}
}

func TestReceiptsAre24Bytes(t *testing.T) {
	want := Receipt{SID: [16]byte{1, 2, 3}, NR: 1<<40 + 7}
	b := want.Marshal()
	if got, err := ParseReceipt(b); err != nil || got != want || len(b) != ReceiptSize || IsInit(b) {
		t.Errorf("ParseReceipt = %v, %v", got, err)
	}
	for _, bad := range [][]byte{nil, b[:23], append(bytes.Clone(b), 0)} {
		if _, err := ParseReceipt(bad); !errors.Is(err, identity.ErrMalformed) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}
