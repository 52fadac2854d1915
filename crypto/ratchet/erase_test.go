package ratchet

import (
	"bytes"
	"errors"
	"testing"
)

func TestNothingOpenedOpensAgainByALaterState(t *testing.T) {
	i, r := begin(t)
	type recorded struct {
		msg []byte
		i   uint64
		to  uint32
	}
	var heard []recorded
	for n := range 6 {
		for range 1 + n%2 {
			msg := seal(t, &i, "to R")
			h, _ := ParseHead(msg)
			heard = append(heard, recorded{msg, h.I, h.To})
			open(t, &r, msg, "to R")
		}
		open(t, &i, seal(t, &r, "to I"), "to I")
	}
	for _, m := range heard {
		for _, believed := range []uint32{r.used, m.to} { // the thief may also pretend that an erased key is held
			thief := *r
			thief.nr = m.i
			thief.used = believed
			thief.top = believed + window
			if _, err := thief.Open(m.msg, devices()[1].seedOf); !errors.Is(err, ErrAuth) && !errors.Is(err, ErrKey) {
				t.Errorf("message %d opens by the state behind it: %v", m.i, err)
			}
		}
	}
}

// The same without the chain: what is left of the keys must not open an old message even to who knows the old chain key.
func TestOldKeysAreErased(t *testing.T) {
	i, r := begin(t)
	for range 3 {
		open(t, &r, seal(t, &i, "x"), "x")
		open(t, &i, seal(t, &r, "y"), "y")
	}
	old := *i
	reply := seal(t, &r, "z")
	open(t, &r, seal(t, &i, "x"), "x")
	open(t, &i, reply, "z")
	open(t, &i, seal(t, &r, "newer key"), "newer key")
	if i.used <= old.used {
		t.Fatalf("used stayed at %d", i.used)
	}
	state := i.Marshal()
	for n := old.used; n < i.used; n++ {
		if bytes.Contains(state, old.own[n-old.used][:]) {
			t.Errorf("key %d is still in the state", n)
		}
	}
	for name, key := range map[string][32]byte{"sending": old.send, "receiving": old.receive} {
		if bytes.Contains(state, key[:]) {
			t.Errorf("the old %s chain key is still in the state", name)
		}
	}
	thief := *i
	thief.nr, thief.receive = old.nr, old.receive
	if _, err := thief.Open(reply, nil); !errors.Is(err, ErrKey) {
		t.Errorf("with the old chain key: %v, want ErrKey", err)
	}
	for n, seed := range i.own[i.top-i.used+1:] {
		if seed != [SeedSize]byte{} {
			t.Errorf("slot %d behind the newest key is not empty", n)
		}
	}
}

func TestSealErasesItsChainKey(t *testing.T) {
	i, _ := begin(t)
	before := *i
	seal(t, &i, "x")
	if i.send == before.send || bytes.Contains(i.Marshal(), before.send[:]) {
		t.Error("the chain key that sealed is still there")
	}
	if i.receive != before.receive {
		t.Error("sealing changed the receiving chain")
	}
}

func TestTheftHealsAfterBothHaveSpoken(t *testing.T) {
	i, r := begin(t)
	open(t, &r, seal(t, &i, "x"), "x")
	open(t, &i, seal(t, &r, "y"), "y")
	thief := *i

	stillRead := seal(t, &r, "to a key the thief has")
	if _, err := thief.Open(stillRead, nil); err != nil {
		t.Fatalf("the thief cannot read at once, so this test shows nothing: %v", err)
	}
	open(t, &i, stillRead, "to a key the thief has")
	thief = *i // it goes on stealing until here

	open(t, &r, seal(t, &i, "announces a key made after the theft"), "announces a key made after the theft")
	healed := seal(t, &r, "secret again")
	for name, top := range map[string]uint32{"as it was": thief.top, "pretending": thief.top + 1} {
		guess := thief
		guess.top = top
		if _, err := guess.Open(healed, nil); err == nil {
			t.Errorf("the thief reads on, %s", name)
		}
	}
	open(t, &i, healed, "secret again")
}

func TestSendingHealsAtOnce(t *testing.T) {
	i, r := begin(t)
	open(t, &r, seal(t, &i, "x"), "x")
	open(t, &i, seal(t, &r, "y"), "y")
	thief := *i
	msg := seal(t, &i, "the thief has the chain key, not R's key")
	// The thief plays R's part: the stolen chain, and every seed that it took.
	fake := *r
	fake.receive = thief.send
	fake.own = thief.own
	if _, err := fake.Open(msg, nil); !errors.Is(err, ErrAuth) {
		t.Errorf("what I seals after the theft: %v, want ErrAuth", err)
	}
	open(t, &r, msg, "the thief has the chain key, not R's key")
}

func TestEraseLeavesNothing(t *testing.T) {
	i, _ := begin(t)
	next, _, err := i.Seal([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	kept := *next
	i.Erase()
	if *i != (Session{}) || *next != kept {
		t.Error("Erase left something, or touched the successor")
	}
}
