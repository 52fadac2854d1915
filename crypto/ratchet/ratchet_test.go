package ratchet

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

func TestConversationGoesBothWays(t *testing.T) {
	i, r := begin(t)
	for n := range 12 {
		open(t, &r, seal(t, &i, fmt.Sprint("to R ", n)), fmt.Sprint("to R ", n))
		if n%3 == 0 {
			open(t, &i, seal(t, &r, fmt.Sprint("to I ", n)), fmt.Sprint("to I ", n))
		}
	}
	if i.Sent() != 12 || r.Received() != 12 || r.Sent() != 4 || i.Received() != 4 {
		t.Errorf("counters: I %d/%d, R %d/%d", i.Sent(), i.Received(), r.Sent(), r.Received())
	}
}

func TestCrossingMessagesOpen(t *testing.T) {
	i, r := begin(t)
	for n := range 5 {
		toR := []string{fmt.Sprint("a", n), fmt.Sprint("b", n), fmt.Sprint("c", n)}
		toI := []string{fmt.Sprint("d", n), fmt.Sprint("e", n)}
		var a, b [][]byte
		for _, text := range toR {
			a = append(a, seal(t, &i, text))
		}
		for _, text := range toI {
			b = append(b, seal(t, &r, text))
		}
		for k, msg := range a {
			open(t, &r, msg, toR[k])
		}
		for k, msg := range b {
			open(t, &i, msg, toI[k])
		}
	}
}

func TestAcknowledgementSaysWhatWasOpened(t *testing.T) {
	i, r := begin(t)
	lost := seal(t, &r, "still under way")
	for n := range uint64(3) {
		if o := open(t, &r, seal(t, &i, "x"), "x"); o.Num != n || o.Ack != 0 {
			t.Errorf("message %d: number %d, ack %d", n, o.Num, o.Ack)
		}
	}
	open(t, &i, lost, "still under way")
	if o := open(t, &i, seal(t, &r, "y"), "y"); o.Ack != 3 || o.Num != 1 {
		t.Errorf("ack %d, number %d, want 3, 1", o.Ack, o.Num)
	}
}

func TestStepsLeaveTheirSession(t *testing.T) {
	i, r := begin(t)
	open(t, &i, seal(t, &r, "hello"), "hello")
	before := *i
	next, first, err := i.Seal([]byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if *i != before || *next == before {
		t.Error("Seal changed its session, or gave the same one")
	}
	_, second, err := i.Seal([]byte("two"))
	if err != nil || bytes.Equal(first, second) {
		t.Errorf("sealing from one state twice: %v", err)
	}
	// A transaction failed, nothing left, it is sealed anew: the peer opens what came, whichever it is.
	for _, msg := range [][]byte{first, second} {
		unchanged := *r
		if o, err := r.Open(msg, devices()[1].seedOf); err != nil || *r != unchanged || *o.Next == unchanged {
			t.Errorf("Open changed its session: %v", err)
		}
	}
}

func TestOrderIsTold(t *testing.T) {
	i, r := begin(t)
	first, second := seal(t, &i, "first"), seal(t, &i, "second")
	if _, err := r.Open(second, devices()[1].seedOf); !errors.Is(err, ErrEarly) {
		t.Errorf("the second before the first: %v", err)
	}
	open(t, &r, first, "first")
	if _, err := r.Open(first, devices()[1].seedOf); !errors.Is(err, ErrOld) {
		t.Errorf("the first again: %v", err)
	}
	open(t, &r, second, "second")
}

func TestUnusedKeysAreBounded(t *testing.T) {
	i, r := begin(t)
	var msgs [][]byte
	for range 30 {
		msgs = append(msgs, seal(t, &i, "x"))
		if got := i.top - i.used; got > window {
			t.Fatalf("%d keys announced and unused", got)
		}
	}
	if i.top != window {
		t.Fatalf("announced %d keys, want %d", i.top, window)
	}
	for _, msg := range msgs {
		open(t, &r, msg, "x")
	}
	open(t, &i, seal(t, &r, "answer"), "answer") // to the newest
	if i.used != window || i.top != window {
		t.Errorf("used %d of %d", i.used, i.top)
	}
	seal(t, &i, "y")
	if i.top != window+1 {
		t.Error("announces none after an answer")
	}
}

func TestAnswersToAnOlderKeyStillOpen(t *testing.T) {
	i, r := begin(t)
	early := seal(t, &r, "to key 0") // before anything of I arrived
	var msgs [][]byte
	for range 5 {
		msgs = append(msgs, seal(t, &i, "x"))
	}
	open(t, &r, msgs[0], "x")
	later := seal(t, &r, "to key 1")
	for _, msg := range msgs[1:] {
		open(t, &r, msg, "x")
	}
	newest := seal(t, &r, "to key 5")
	for k, row := range []struct {
		msg  []byte
		text string
		used uint32
	}{{early, "to key 0", 0}, {later, "to key 1", 1}, {newest, "to key 5", 5}} {
		if h, err := ParseHead(row.msg); err != nil || h.To != row.used || h.I != uint64(k) || h.Dir != FromResponder || h.SID != r.ID() {
			t.Errorf("%s: head %+v, %v", row.text, h, err)
		}
		open(t, &i, row.msg, row.text)
		if i.used != row.used {
			t.Errorf("%s: used = %d", row.text, i.used)
		}
	}
}

func TestUsedAndUnknownKeysRefuse(t *testing.T) {
	i, r := begin(t)
	old := *r // R before it heard anything: its P is key 0
	open(t, &r, seal(t, &i, "x"), "x")
	open(t, &i, seal(t, &r, "to key 1"), "to key 1")
	before := *i

	behind := *r
	behind.peerNum, behind.peerKey = old.peerNum, old.peerKey
	backwards := &behind
	if _, err := i.Open(seal(t, &backwards, "to key 0 again"), nil); !errors.Is(err, ErrKey) {
		t.Errorf("a used key: %v, want ErrKey", err)
	}
	ahead := *r
	ahead.peerNum = i.top + 1
	forwards := &ahead
	if _, err := i.Open(seal(t, &forwards, "to a key to come"), nil); !errors.Is(err, ErrKey) {
		t.Errorf("an unknown key: %v, want ErrKey", err)
	}
	if *i != before {
		t.Error("a refused key changed the session")
	}
}

func TestRankOrdersAlikeOnBothSides(t *testing.T) {
	d := devices()
	rank := func(from, to *device, incFrom, incTo uint64, attempt uint32) [36]byte {
		c := from.initConfig(to, nil)
		bundle := *to.bundle
		bundle.Inc = incTo
		c.Inc, c.Bundle, c.Attempt = incFrom, &bundle, attempt
		s, _, err := Initiate(c)
		if err != nil {
			t.Fatal(err)
		}
		return s.Rank()
	}
	low, high := d[0], d[1]
	rising := [][36]byte{
		rank(low, high, 5, 9, 0),
		rank(high, low, 9, 5, 1),
		rank(low, high, 5, 10, 0),
		rank(high, low, 0, 6, 0),
		rank(low, high, 6, 0, 1<<31),
		rank(high, low, 1, 6, 0),
	}
	if !slices.IsSortedFunc(rising, func(a, b [36]byte) int { return bytes.Compare(a[:], b[:]) }) {
		t.Errorf("ranks do not rise: %x", rising)
	}
	i, _ := begin(t)
	got, sid := i.Rank(), i.ID()
	for k := range sid {
		if got[20+k] != ^sid[k] {
			t.Fatal("the rank does not end in the complement of the sid")
		}
	}
}

func TestPartiesAreOrdered(t *testing.T) {
	low, high := identity.AccountID{1}, identity.AccountID{2}
	for _, row := range []struct {
		p, q Party
		want int
	}{
		{Party{low, 9}, Party{high, 1}, -1},
		{Party{high, 1}, Party{low, 9}, 1},
		{Party{low, 1}, Party{low, 2}, -1},
		{Party{low, math.MaxUint32}, Party{low, 0}, 1},
		{Party{low, 3}, Party{low, 3}, 0},
	} {
		if got := row.p.Compare(row.q); got != row.want {
			t.Errorf("%v against %v: %d, want %d", row.p, row.q, got, row.want)
		}
	}
}

func TestSessionsAndWhatTheyCarryPrintAsSecret(t *testing.T) {
	i, r := begin(t)
	o := open(t, &r, seal(t, &i, "a chain"), "a chain")
	d := devices()
	c := d[0].initConfig(d[1], []byte("a chain"))
	_, init := must2(Initiate(c))
	a := must(Accept(d[1].acceptConfig(), init))
	for _, v := range []any{i, *i, o, *o, c, &c, a, *a} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
			if got := fmt.Sprintf(verb, v); got != "[secret]" {
				t.Errorf("%T as %s prints %q", v, verb, got)
			}
		}
	}
	for _, v := range []encoding.TextMarshaler{i, o, c, a} {
		if text, err := v.MarshalText(); err != nil || string(text) != "[secret]" {
			t.Errorf("%T: MarshalText = %q, %v", v, text, err)
		}
	}
}
