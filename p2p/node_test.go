package p2p

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestContactsFindTheirLinkAndTalk(t *testing.T) {
	for _, over := range loopback {
		t.Run(strings.Split(over, "/")[3], func(t *testing.T) {
			a, b := newPerson(t, over), newPerson(t, over)
			befriend(t, a, b)
			talk(t, a, b)
			talk(t, b, a)
			if s := a.node.Status(); s.Peers != 1 || s.LAN != 1 || len(s.Listen) != 1 {
				t.Errorf("Status = %+v", s)
			}
			if at := a.tried2(b); at.Addr == "" {
				t.Error("nobody told of an attempt that worked")
			}
		})
	}
}

// tried2 is the attempt that made a link, by whichever of the two made it.
func (p *person) tried2(o *person) (a peer.Attempt) {
	for _, who := range []*person{p, o} {
		who.mu.Lock()
		for _, x := range who.facts {
			if f, ok := x.(peer.Attempt); ok && f.Cause == "" {
				a = f
			}
		}
		who.mu.Unlock()
	}
	return a
}

func TestOneKnownAddressIsEnough(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"the first", "the second"} {
		t.Run(who+" knows it", func(t *testing.T) {
			a, b := newPerson(t), newPerson(t)
			ra, rb := a.row(t, peer.Contact), b.row(t, peer.Contact)
			if who == "the first" {
				ra.Addresses = nil
			} else {
				rb.Addresses = nil
			}
			a.node.SetPeers([]peer.Known{rb})
			b.node.SetPeers([]peer.Known{ra})
			a.reached(t, b, peer.Local)
			b.reached(t, a, peer.Local)
			talk(t, a, b)
		})
	}
}

func TestSignedRecordIsAddressEnough(t *testing.T) {
	a, b := newPerson(t), newPerson(t)
	b.mu.Lock()
	l, _ := last[peer.Listening](b.facts)
	b.mu.Unlock()
	r := b.row(t, peer.Contact)
	r.Addresses, r.Record = nil, l.Record
	a.node.SetPeers([]peer.Known{r})
	a.reached(t, b, peer.Local)
	forged := r
	forged.Record = slices.Clone(l.Record)
	forged.Record[len(forged.Record)-1] ^= 1
	x := row{Known: forged}
	if x.read(); x.recorded != nil {
		t.Error("a forged record is read")
	}
}

func TestRecordsOfPeersAreLearnt(t *testing.T) {
	a, b := newPerson(t), newPerson(t)
	befriend(t, a, b)
	a.eventually(t, 10*time.Second, "the record of b", func(facts []peer.Fact) bool {
		f, ok := last[peer.RecordLearned](facts)
		if !ok || f.Peer != b.id() {
			return false
		}
		_, rec, err := record.ConsumeEnvelope(f.Record, corepeer.PeerRecordEnvelopeDomain)
		if err != nil {
			t.Fatal(err)
		}
		p := rec.(*corepeer.PeerRecord)
		return p.PeerID == hostID(b.id()) && p.Seq == f.Seq && len(p.Addrs) > 0
	})
}

func TestStrangerWithOurAddressGetsThroughToHello(t *testing.T) {
	t.Parallel()
	a, b := newPerson(t), newPerson(t)
	b.greet = func(peer.Hello) (peer.Class, error) { return peer.Stranger, nil }
	a.node.SetPeers([]peer.Known{b.row(t, peer.Invited)})
	a.reached(t, b, peer.Local)
	if _, err := a.node.Call(t.Context(), b.device(), peer.SelfInfo, nil); err != nil {
		t.Errorf("SELF by a stranger: %v", err)
	}
	if _, err := a.node.Call(t.Context(), b.device(), peer.Fetch, nil); !errors.Is(err, peer.ErrRefused) {
		t.Errorf("FETCH by a stranger: %v, want ErrRefused", err)
	}
	b.refused(t, "stranger")
	b.node.SetPeers([]peer.Known{a.row(t, peer.Contact)})
	if _, err := a.node.Call(t.Context(), b.device(), peer.Fetch, nil); err != nil {
		t.Errorf("FETCH by a contact: %v", err)
	}
}

func TestPeerThatStopsIsGoneAndComesBack(t *testing.T) {
	for _, over := range loopback {
		t.Run(strings.Split(over, "/")[3], func(t *testing.T) {
			a, b := newPerson(t, over), newPerson(t, over)
			befriend(t, a, b)
			b.stop()
			a.reached(t, b, peer.None)
			if _, err := a.node.Call(t.Context(), b.device(), peer.Have, nil); !errors.Is(err, peer.ErrUnreachable) {
				t.Errorf("Call = %v, want ErrUnreachable", err)
			}
			again := idle(t, b.self, peer.Services{Listen: []string{over}})
			again.run(t)
			again.node.SetPeers([]peer.Known{a.row(t, peer.Contact)})
			a.node.SetPeers([]peer.Known{again.row(t, peer.Contact)})
			a.reached(t, again, peer.Local)
			talk(t, a, again)
			talk(t, again, a)
		})
	}
}

// TestOldLinksAreMadeAnewWhileInUse shortens a day to two seconds.
func TestOldLinksAreMadeAnewWhileInUse(t *testing.T) {
	t.Parallel()
	a, b := idle(t, newSelf(t), peer.Services{Listen: loopback}), idle(t, newSelf(t), peer.Services{Listen: loopback})
	a.node.age, b.node.age = 2*time.Second, 2*time.Second
	a.run(t)
	b.run(t)
	befriend(t, a, b)
	first := a.node.at().pool.Find(b.device())
	end := time.After(10 * time.Second)
	for l := first; l == first; l = a.node.at().pool.Find(b.device()) {
		select {
		case <-end:
			t.Fatal("the link was never made anew")
		default:
			talk(t, a, b)
			talk(t, b, a)
		}
	}
	talk(t, a, b)
	talk(t, b, a)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.facts {
		if f, ok := x.(peer.PathChanged); ok && f.Path == peer.None {
			t.Error("there was no path meanwhile")
		}
	}
}

func TestCallDialsWhoIsNotKeptConnected(t *testing.T) {
	a, b := newPerson(t), newPerson(t)
	a.node.SetPeers([]peer.Known{b.row(t, peer.Member)})
	talk(t, a, b)
	a.reached(t, b, peer.Local)
}

func TestCallIsHonestAboutWhatItCannotDo(t *testing.T) {
	a := idle(t, newSelf(t), peer.Services{Listen: loopback})
	if _, err := a.node.Call(t.Context(), identity.DeviceID{1}, peer.Have, nil); !errors.Is(err, peer.ErrUnreachable) {
		t.Errorf("Call before Run = %v, want ErrUnreachable", err)
	}
	a.run(t)
	a.addresses(t)
	if _, err := a.node.Call(t.Context(), identity.DeviceID{1}, peer.Have, nil); !errors.Is(err, peer.ErrUnreachable) {
		t.Errorf("Call to somebody unknown = %v, want ErrUnreachable", err)
	}
	if err := a.node.Push(t.Context(), identity.DeviceID{1}, peer.Have, nil); !errors.Is(err, peer.ErrUnreachable) {
		t.Errorf("Push to somebody unknown = %v, want ErrUnreachable", err)
	}
	if _, err := a.node.CallBare(t.Context(), peer.Address{}, peer.Box, nil); !errors.Is(err, peer.ErrUnreachable) {
		t.Errorf("CallBare = %v", err)
	}
	if err := a.node.Publish(t.Context(), "topic", nil); !errors.Is(err, ErrNoGossip) {
		t.Errorf("Publish = %v", err)
	}
	a.stop()
	if _, err := a.node.Call(t.Context(), identity.DeviceID{1}, peer.Have, nil); !errors.Is(err, peer.ErrUnreachable) {
		t.Errorf("Call after Run = %v, want ErrUnreachable", err)
	}
	if err := a.node.SetServices(peer.Services{}); !errors.Is(err, errEnded) {
		t.Errorf("SetServices after Run = %v", err)
	}
}

func TestBothCallAtOnceAndBothGetThrough(t *testing.T) {
	for range 3 {
		a, b := newPerson(t), newPerson(t)
		a.node.SetPeers([]peer.Known{b.row(t, peer.Member)}) // nobody is dialled before somebody calls
		b.node.SetPeers([]peer.Known{a.row(t, peer.Member)})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { talk(t, a, b) })
			wg.Go(func() { talk(t, b, a) })
		}
		wg.Wait()
		for _, p := range [][2]*person{{a, b}, {b, a}} {
			p[0].reached(t, p[1], peer.Local)
		}
	}
}

func TestBlockedPeerIsCutOffAndStaysOut(t *testing.T) {
	t.Parallel()
	a, b := newPerson(t), newPerson(t)
	befriend(t, a, b)
	a.node.SetPeers([]peer.Known{b.row(t, peer.Blocked)})
	b.reached(t, a, peer.None)
	a.reached(t, b, peer.None)
	b.tried(t, a.id(), peer.CauseRefused)
	a.refused(t, "blocked")
	if n := a.node.Status().Peers; n != 0 {
		t.Errorf("%d peers", n)
	}
}

func TestEveryCauseIsToldInItsWord(t *testing.T) {
	t.Parallel()
	dead := stranger(t)
	closed := knownAs(dead)
	closed.Addresses = slices.DeleteFunc(closed.Addresses, func(s string) bool { return strings.Contains(s, "quic") })
	_ = dead.Close()
	silent := knownAs(dead)
	silent.Addresses = []string{"/ip4/127.0.0.1/udp/9/quic-v1"}
	other, newer, foreign := stranger(t), stranger(t), stranger(t)
	newer.SetStreamHandler("/cryptexq/hs/2", func(s network.Stream) { _ = s.Reset() })
	wrong := knownAs(dead)
	wrong.Addresses = texts(other.Addrs())
	nowhere := knownAs(foreign)
	nowhere.Addresses = nil
	rows := []struct {
		name  string
		row   peer.Known
		cause peer.Cause
		err   error
	}{
		{"nobody listens", closed, peer.CauseClosed, peer.ErrUnreachable},
		{"packets vanish", silent, peer.CauseTimeout, peer.ErrUnreachable},
		{"somebody else is there", wrong, peer.CauseIdentity, peer.ErrUnreachable},
		{"no address", nowhere, peer.CauseNoAddress, peer.ErrUnreachable},
		{"another program", knownAs(foreign), peer.CauseBroken, peer.ErrUnreachable},
		{"a newer version", knownAs(newer), peer.CauseNewer, peer.ErrNewer},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			a := newPerson(t)
			a.node.SetPeers([]peer.Known{r.row})
			a.tried(t, r.row.Peer, r.cause)
			if _, err := a.node.Call(t.Context(), r.row.Device, peer.Have, nil); !errors.Is(err, r.err) {
				t.Errorf("Call = %v, want %v", err, r.err)
			}
		})
	}
}

func TestRefusedHelloIsToldAndIsNoAnswer(t *testing.T) {
	t.Parallel()
	a, b := newPerson(t), newPerson(t)
	b.greet = func(peer.Hello) (peer.Class, error) { return 0, &peer.RefusedError{Cause: "revoked"} }
	a.node.SetPeers([]peer.Known{b.row(t, peer.Contact)})
	a.tried(t, b.id(), peer.CauseRefused)
	b.refused(t, "revoked")
	if _, err := a.node.Call(t.Context(), b.device(), peer.Deliver, nil); !errors.Is(err, peer.ErrUnreachable) || errors.Is(err, peer.ErrRefused) {
		t.Errorf("Call = %v; a refused handshake must not look like a refused message", err)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, over := range loopback {
		b.Run(strings.Split(over, "/")[3], func(b *testing.B) {
			x, y := newPerson(b, over), newPerson(b, over)
			befriend(b, x, y)
			for b.Loop() {
				if _, err := x.node.Call(b.Context(), y.device(), peer.Have, []byte("hello")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
