package link

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/cryptexq/cryptexq/crypto/handshake"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/record"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// dialRaw opens a stream of a protocol to somebody, past everything in this package.
func dialRaw(t testing.TB, from, to host.Host, id protocol.ID) network.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := from.NewStream(ctx, to.ID(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Reset() })
	_ = s.SetDeadline(time.Now().Add(15 * time.Second))
	return s
}

// turnedAway waits until the other end has ended a stream.
func turnedAway(t testing.TB, s network.Stream) {
	t.Helper()
	if _, err := io.Copy(io.Discard, s); err != nil && timedOut(err) {
		t.Error("the stream was left open")
	}
}

// sealed is what stream n of a link begins with when it carries these frames.
func sealed(t testing.TB, l *Link, n uint64, frames ...[]byte) []byte {
	t.Helper()
	out, _ := l.keys(n)
	s, err := record.NewSealer(out)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.Write(greeting(l.id, n))
	w := record.NewWriter(&b, s)
	for _, f := range frames {
		if _, err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// honest asserts that a third party still gets its answers.
func honest(t testing.TB, l *Link) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if out, err := l.Call(ctx, peer.Have, []byte("still there?")); err != nil || string(out) != "re still there?" {
		t.Errorf("honest traffic stopped: %q, %v", out, err)
	}
}

func TestBadFramesEndTheirStreamOnly(t *testing.T) {
	tooLong := appendHead(nil, head{peer.Fetch, 1, peer.MaxBody})
	tooLong[5] = 0xff
	rows := []struct {
		name  string
		frame []byte
		cause string
	}{
		{"longer than any frame", tooLong, "oversize"},
		{"longer than its kind", request(peer.Typing, 1, make([]byte, 65)), "oversize"},
		{"a reply", reply(head{peer.Have, 1, 0}, statusDone, nil), "garbage"},
		{"a ping with a body", request(kindPing, 1, []byte{1}), "garbage"},
	}
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	good := join(t, c, b)
	l := join(t, a, b)
	for i, r := range rows {
		s := dialRaw(t, a.host, b.host, Protocol)
		if _, err := s.Write(sealed(t, l, 1000+2*uint64(i), r.frame)); err != nil {
			t.Fatal(err)
		}
		turnedAway(t, s)
		b.counted(t, r.cause, 1)
		b.note(func() { clear(b.refused) })
		honest(t, l) // the link survives a bad stream
	}
	honest(t, good)
}

func TestUnknownKindIsAnsweredNewer(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	answer, err := l.exchange(t.Context(), peer.Kind(99), []byte("from the future"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseReply(99, answer); !errors.Is(err, peer.ErrNewer) {
		t.Errorf("an unknown kind is answered by %v, want ErrNewer", err)
	}
	b.counted(t, "kind", 1)
	honest(t, l)
}

func TestReplayedStreamIsNotHandledAgain(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		var handled atomic.Int64
		b.frame = func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error) {
			handled.Add(1)
			return nil, nil
		}
		l := join(t, a, b)
		record := sealed(t, l, 2000, request(peer.Deliver, 1, []byte("once")))
		first := dialRaw(t, a.host, b.host, Protocol)
		if _, err := first.Write(record); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(first, make([]byte, 10)); err != nil { // the reply
			t.Fatal(err)
		}
		for range 3 {
			again := dialRaw(t, a.host, b.host, Protocol)
			if _, err := again.Write(record); err != nil {
				t.Fatal(err)
			}
			turnedAway(t, again)
		}
		b.counted(t, "replay", 3)
		if n := handled.Load(); n != 1 {
			t.Errorf("handled %d times", n)
		}
	})
}

func TestStreamOfTheOtherParityIsRefused(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	s := dialRaw(t, a.host, b.host, Protocol)
	if _, err := s.Write(sealed(t, l, 2001, request(peer.Have, 1, nil))); err != nil {
		t.Fatal(err)
	}
	turnedAway(t, s)
	b.counted(t, "replay", 1)
}

func TestForgedRecordsAreRefusedAndTakeNoNumber(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	const n = 3000
	forged := sealed(t, l, n, request(peer.Have, 1, []byte("x")))
	forged[len(forged)-1] ^= 1
	s := dialRaw(t, a.host, b.host, Protocol)
	if _, err := s.Write(forged); err != nil {
		t.Fatal(err)
	}
	turnedAway(t, s)
	b.counted(t, "forged", 1)
	s = dialRaw(t, a.host, b.host, Protocol)
	if _, err := s.Write(sealed(t, l, n, request(peer.Have, 1, []byte("x")))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, make([]byte, 10)); err != nil {
		t.Errorf("a forgery used up the number of an honest stream: %v", err)
	}
}

func TestLinkIDIsWorthNothingToAnotherHost(t *testing.T) {
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	connect(t, c.host, b.host)
	s := dialRaw(t, c.host, b.host, Protocol)
	if _, err := s.Write(sealed(t, l, 4000, request(peer.Have, 1, nil))); err != nil {
		t.Fatal(err)
	}
	turnedAway(t, s)
	b.counted(t, "unknown_link", 1)
	honest(t, l)
}

// TestStreamsOfStrangersAreNotHeld: the places where streams wait for their link are for those who shake hands.
func TestStreamsOfStrangersAreNotHeld(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	b.pool.patience.hold = time.Hour
	connect(t, a.host, b.host)
	s := dialRaw(t, a.host, b.host, Protocol)
	if _, err := s.Write(greeting(ID{1}, 0)); err != nil {
		t.Fatal(err)
	}
	turnedAway(t, s)
	b.counted(t, "unknown_link", 1)
}

func TestUnknownLinkIsHeldWhileItMayCome(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	b.pool.patience.hold = 300 * time.Millisecond
	b.note(func() { b.classes[a.id()] = peer.Contact })
	connect(t, a.host, b.host)
	conf := a.pool.shaker.config(b.id())
	conf.To = b.account()
	_, m1, err := handshake.Initiate(conf)
	if err != nil {
		t.Fatal(err)
	}
	shaking := dialRaw(t, a.host, b.host, Handshake)
	if err := writeMessage(shaking, m1); err != nil {
		t.Fatal(err)
	}
	if _, err := readMessage(shaking); err != nil { // M2: they wait for M3
		t.Fatal(err)
	}
	start := time.Now()
	var waiting []network.Stream
	for range maxHeldEach + 1 {
		s := dialRaw(t, a.host, b.host, Protocol)
		if _, err := s.Write(greeting(ID{1}, 0)); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, s)
	}
	b.counted(t, "busy", 1)
	for _, s := range waiting {
		turnedAway(t, s)
	}
	if took := time.Since(start); took < b.pool.patience.hold {
		t.Errorf("given up after %v, want %v", took, b.pool.patience.hold)
	}
	b.counted(t, "unknown_link", maxHeldEach)
}

func TestSlowBytesAreCutOff(t *testing.T) {
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	b.pool.patience.stall = 300 * time.Millisecond
	good, l := join(t, c, b), join(t, a, b)
	whole := sealed(t, l, 5000, request(peer.Deliver, 1, make([]byte, 40<<10)))
	s := dialRaw(t, a.host, b.host, Protocol)
	if _, err := s.Write(whole[:60]); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, x := range whole[60:] { // single bytes are no progress
		<-tick.C
		if _, err := s.Write([]byte{x}); err != nil {
			break
		}
	}
	b.counted(t, "slow", 1)
	honest(t, good)
	honest(t, l)
}

// TestWhoReadsNoRepliesIsStopped floods with what is answered at once, and reads nothing.
func TestWhoReadsNoRepliesIsStopped(t *testing.T) {
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	b.pool.patience.stall = 500 * time.Millisecond
	b.frame = func(_ context.Context, _ identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
		if k == peer.Have {
			return append([]byte("re "), body...), nil
		}
		return make([]byte, 64<<10), nil
	}
	good, l := join(t, c, b), join(t, a, b)
	before := runtime.NumGoroutine()
	s := dialRaw(t, a.host, b.host, Protocol)
	out, _ := l.keys(6000)
	sealer, err := record.NewSealer(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(greeting(l.id, 6000)); err != nil {
		t.Fatal(err)
	}
	w := record.NewWriter(s, sealer)
	for i := uint32(1); ; i++ {
		if _, err := w.Write(request(peer.Fetch, i, nil)); err != nil {
			break // cut off
		}
		if n := runtime.NumGoroutine() - before; n > 4*MaxRequests {
			t.Fatalf("%d goroutines for one peer", n)
		}
	}
	honest(t, good)
}

func TestGarbageOnEveryProtocol(t *testing.T) {
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	b.pool.patience.hold = 100 * time.Millisecond
	b.note(func() { b.classes[a.id()] = peer.Contact }) // no bucket in the way
	good := join(t, c, b)
	connect(t, a.host, b.host)
	for _, id := range []protocol.ID{Handshake, Protocol} {
		for _, n := range []int{0, 1, 2, 23, 24, 1270, 70 << 10} {
			s := dialRaw(t, a.host, b.host, id)
			junk := make([]byte, n)
			_, _ = rand.Read(junk)
			_, _ = s.Write(junk)
			_ = s.CloseWrite()
			turnedAway(t, s)
		}
	}
	b.counted(t, "garbage", 2)
	b.counted(t, "unknown_link", 2)
	honest(t, good)
}

// TestHandshakeAbuse has one row for each way to waste a responder's time.
func TestHandshakeAbuse(t *testing.T) {
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	b.pool.patience.third = 100 * time.Millisecond
	b.note(func() { b.classes[a.id()] = peer.Contact })
	good := join(t, c, b)
	connect(t, a.host, b.host)
	first := func(to identity.AccountID) []byte {
		conf := a.pool.shaker.config(b.id())
		conf.To = to
		_, m1, err := handshake.Initiate(conf)
		if err != nil {
			t.Fatal(err)
		}
		return m1
	}
	rows := []struct {
		name  string
		send  func(s network.Stream)
		cause string
	}{
		{"a message too long", func(s network.Stream) { _, _ = s.Write([]byte{0xff, 0xff}) }, "oversize"},
		{"M1 for somebody else", func(s network.Stream) { _ = writeMessage(s, first(c.account())) }, "filter"},
		{"M1 and then nothing", func(s network.Stream) { _ = writeMessage(s, first(b.account())) }, "slow"},
		{"M1 and then junk", func(s network.Stream) {
			_ = writeMessage(s, first(b.account()))
			m3 := make([]byte, handshake.ThirdSize)
			m3[len(m3)-record.Overhead] = record.Overhead - 2 + 1 // the length of the record at its end, so that the box is tried
			_ = writeMessage(s, m3)
		}, "identity"},
		{"M1 and then M1", func(s network.Stream) {
			_ = writeMessage(s, first(b.account()))
			_ = writeMessage(s, first(b.account()))
		}, "garbage"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := dialRaw(t, a.host, b.host, Handshake)
			r.send(s)
			b.counted(t, r.cause, 1)
			turnedAway(t, s)
		})
	}
	honest(t, good)
	if len(b.greeted) != 1 {
		t.Errorf("greeted %d peers, want the honest one", len(b.greeted))
	}
}

func TestStrangersRingFiveTimesAMinute(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	connect(t, a.host, b.host)
	made := 0
	var last error
	for range strangerHandshakes + 3 {
		l, err := a.pool.Connect(t.Context(), b.target())
		if last = err; err == nil {
			made++
			l.Close()
		}
	}
	if made != strangerHandshakes || !errors.Is(last, peer.ErrLater) {
		t.Errorf("%d handshakes, then %v; want %d, then ErrLater", made, last, strangerHandshakes)
	}
	b.counted(t, "rate", 3)
	b.note(func() { b.classes[a.id()] = peer.Invited })
	if _, err := a.pool.Connect(t.Context(), b.target()); err != nil {
		t.Errorf("the bucket of strangers holds for others: %v", err)
	}
}

func TestBlockedHostIsRefusedUnread(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	b.note(func() { b.classes[a.id()] = peer.Blocked })
	connect(t, a.host, b.host)
	if _, err := a.pool.Connect(t.Context(), b.target()); !errors.Is(err, peer.ErrRefused) {
		t.Errorf("Connect = %v, want ErrRefused", err)
	}
	b.counted(t, "blocked", 1)
}

func TestOldLinksOfADeviceGiveWay(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	b.note(func() { b.classes[a.id()] = peer.Contact })
	connect(t, a.host, b.host)
	var links []*Link
	for range maxLinks + 2 {
		l, err := a.pool.Connect(t.Context(), b.target())
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, l)
	}
	if n := len(a.pool.Links(b.id())); n != maxLinks {
		t.Errorf("%d links with one device, want %d", n, maxLinks)
	}
	for i, l := range links {
		select {
		case <-l.Done():
			if i >= 2 {
				t.Errorf("link %d of %d has ended", i, len(links))
			}
		default:
			if i < 2 {
				t.Errorf("link %d of %d stands", i, len(links))
			}
			honest(t, l)
		}
	}
	b.eventually(t, fmt.Sprintf("two links ended at b, not %d", b.downs), func() bool { return b.downs >= 2 })
}
