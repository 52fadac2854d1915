package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	"pgregory.net/rapid"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestWindowTakesEachNumberOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		taken := map[uint64]bool{}
		top := uint64(0)
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			n := rapid.Uint64Range(0, 3*windowSize).Draw(t, "n")
			inside := len(taken) == 0 || n > top || top-n < windowSize
			want := inside && !taken[n]
			if w.fresh(n) != want {
				t.Fatalf("fresh(%d) = %v with top %d", n, !want, top)
			}
			if w.take(n) != want {
				t.Fatalf("take(%d) = %v with top %d", n, !want, top)
			}
			if want {
				taken[n] = true
				top = max(top, n)
			}
		}
	})
}

func TestWindowHoldsAtTheEndOfTheNumbers(t *testing.T) {
	var w window
	const last = ^uint64(0)
	for _, n := range []uint64{0, last, last - 1, last - windowSize + 1} {
		if !w.take(n) {
			t.Errorf("take(%d) = false", n)
		}
	}
	for _, n := range []uint64{0, last, last - 1, last - windowSize} {
		if w.take(n) {
			t.Errorf("take(%d) = true for the second time, or far behind", n)
		}
	}
}

func TestStrangersHoldHalfOfTheSlots(t *testing.T) {
	s := newSlots()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	free := make([]func(), 0, computing)
	for range computing / 2 {
		free = append(free, s.hold(t.Context(), false))
	}
	if s.hold(over, false) != nil {
		t.Error("strangers hold more than half")
	}
	for range computing / 2 {
		free = append(free, s.hold(t.Context(), true))
	}
	if s.hold(over, true) != nil {
		t.Errorf("more than %d at a time", computing)
	}
	for _, f := range free {
		f()
	}
	for range computing {
		if s.hold(t.Context(), true) == nil {
			t.Fatal("a slot was not freed")
		}
	}
}

func TestAFullWaitingRoomEvictsOneAtRandom(t *testing.T) {
	var w waits
	evicted := map[int]bool{}
	var all []*wait
	const extra = 200
	for i := range maxWaiting + extra {
		all = append(all, w.add(func() { evicted[i] = true }))
	}
	if len(evicted) != extra || len(w.all) != maxWaiting {
		t.Fatalf("%d evicted, %d waiting; want %d and %d", len(evicted), len(w.all), extra, maxWaiting)
	}
	early := 0
	for i := range evicted {
		if i < extra {
			early++
		}
	}
	if early == extra {
		t.Error("the oldest go first: a flooder can choose whom to throw out")
	}
	for i, e := range all {
		if w.remove(e) == evicted[i] {
			t.Fatalf("wait %d: removed %v, evicted %v", i, !evicted[i], evicted[i])
		}
	}
	if len(w.all) != 0 {
		t.Errorf("%d are left", len(w.all))
	}
}

func TestBucketsFillUpAndAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuckets(strangerHandshakes)
		for range strangerHandshakes {
			if !b.take("a", time.Now()) {
				t.Fatal("a full bucket refuses")
			}
		}
		if b.take("a", time.Now()) || !b.take("b", time.Now()) {
			t.Error("buckets leak into each other")
		}
		time.Sleep(time.Minute / strangerHandshakes)
		if !b.take("a", time.Now()) || b.take("a", time.Now()) {
			t.Error("a token a period is what fills up")
		}
		for i := range 3 * maxBuckets {
			b.take(fmt.Sprint(i), time.Now())
		}
		if len(b.byKey) > maxBuckets {
			t.Errorf("%d buckets are kept", len(b.byKey))
		}
		if b.take("one more", time.Now()) {
			t.Error("a flood of names gets a bucket for each")
		}
		time.Sleep(2 * time.Minute)
		if !b.take("later", time.Now()) || len(b.byKey) > maxBuckets/2 {
			t.Errorf("%d buckets are kept after they have filled up", len(b.byKey))
		}
	})
}

func TestNetworkOf(t *testing.T) {
	const relay = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
	rows := []struct {
		addr, key string
		private   bool
	}{
		{"/ip4/192.0.2.77/tcp/1", "192.0.2.0/24", false},
		{"/ip4/10.1.2.3/udp/1/quic-v1", "10.1.2.0/24", true},
		{"/ip4/127.0.0.1/tcp/1", "127.0.0.0/24", true},
		{"/ip6/2001:db8:1:2::3/tcp/1", "2001:db8:1::/48", false},
		{"/ip6/::ffff:192.0.2.77/tcp/1", "192.0.2.0/24", false},
		{"/ip6/fe80::1/tcp/1", "fe80::/48", true},
		{"/ip4/192.0.2.1/tcp/1/p2p/" + relay + "/p2p-circuit", "relay " + relay, false},
	}
	for _, r := range rows {
		a, err := ma.NewMultiaddr(r.addr)
		if err != nil {
			t.Fatal(err)
		}
		if key, private := networkOf(a); key != r.key || private != r.private {
			t.Errorf("networkOf(%s) = %q, %v, want %q, %v", r.addr, key, private, r.key, r.private)
		}
	}
}

func TestEveryKindHasALane(t *testing.T) {
	for k := range peer.Kind(0x80) {
		first, last := laneOf(k)
		if first < 0 || first > last || last >= laneCount {
			t.Errorf("kind %d has the lanes %d to %d", k, first, last)
		}
		if k != kindPing && first == lanePulse {
			t.Errorf("kind %d takes the lane of pings", k)
		}
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add(appendHead(nil, head{peer.Fetch, 7, 42}))
	f.Add(appendHead(nil, head{peer.Have | peer.ReplyBit, 1 << 31, peer.MaxBody}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headSize {
			return
		}
		h, err := parseHead([headSize]byte(b))
		if err != nil {
			if binary.BigEndian.Uint32(b[5:]) <= peer.MaxBody {
				t.Fatalf("refused a head of a possible length: %v", err)
			}
			return
		}
		if got := appendHead(nil, h); !bytes.Equal(got, b[:headSize]) {
			t.Fatalf("%x parsed and built again is %x", b[:headSize], got)
		}
	})
}

func FuzzParseReply(f *testing.F) {
	f.Add([]byte{0, 1, 2})
	f.Add([]byte{3})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := parseReply(peer.Have, b)
		if err == nil && !bytes.Equal(reply(head{kind: peer.Have}, statusDone, out)[headSize:], b) {
			t.Fatalf("%x parsed and built again differs", b)
		}
		if err != nil && out != nil {
			t.Fatal("an error with a body")
		}
	})
}

func TestGreetingParsesBack(t *testing.T) {
	b := greeting(ID{1, 2, 3}, 1<<63|5)
	id, n := parseGreeting([greetingSize]byte(b))
	if id != (ID{1, 2, 3}) || n != 1<<63|5 {
		t.Errorf("parseGreeting = %x, %d", id, n)
	}
}
