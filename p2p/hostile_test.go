package p2p

import (
	"crypto/rand"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/cryptexq/cryptexq/p2p/link"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// besieged are two friends and a host that means harm to the second one.
func besieged(t *testing.T) (a, b *person, enemy host.Host) {
	t.Helper()
	a, b = newPerson(t), newPerson(t)
	befriend(t, a, b)
	enemy = stranger(t)
	if err := enemy.Connect(t.Context(), corepeer.AddrInfo{ID: b.node.at().host.ID(), Addrs: b.node.at().host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return a, b, enemy
}

// held counts the streams of a protocol that b holds for somebody.
func held(b *person, from host.Host, id protocol.ID) (n int) {
	for _, c := range b.node.at().host.Network().ConnsToPeer(from.ID()) {
		for _, s := range c.GetStreams() {
			if s.Protocol() == id {
				n++
			}
		}
	}
	return n
}

// serving counts the goroutines that answer streams: of both friends, and of nobody else in this process.
func serving() int {
	buf := make([]byte, 8<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	n := 0
	for _, g := range strings.Split(stacks, "\n\n") {
		if strings.Contains(g, "link.(*Pool).accept(") || strings.Contains(g, "link.(*Pool).respond(") {
			n++
		}
	}
	return n
}

func TestStreamsOfOnePeerAreBounded(t *testing.T) {
	rows := map[protocol.ID]int{link.Protocol: 16, link.Handshake: 4}
	for id, most := range rows {
		t.Run(string(id), func(t *testing.T) {
			a, b, enemy := besieged(t)
			before := serving()
			for range 200 {
				s, err := enemy.NewStream(t.Context(), b.node.at().host.ID(), id)
				if err != nil {
					continue
				}
				_, _ = s.Write([]byte{0}) // and then nothing
			}
			// Those that are just being turned away are seen for a moment, too.
			if n, ok := sinks(func() int { return held(b, enemy, id) }, most); !ok {
				t.Errorf("%d streams of %s held for one peer", n, id)
			}
			if n, ok := sinks(func() int { return serving() - before }, most); !ok {
				t.Errorf("%d goroutines serve one peer", n)
			}
			talk(t, a, b)
			talk(t, b, a)
			b.refused(t, "limit")
		})
	}
}

func TestUnknownProtocolsAreCounted(t *testing.T) {
	t.Parallel()
	a, b, enemy := besieged(t)
	for id, cause := range map[protocol.ID]string{"/meshsub/1.1.0": "protocol", "/cryptexq/link/9": "newer"} {
		if _, err := enemy.NewStream(t.Context(), b.node.at().host.ID(), id); err == nil {
			t.Errorf("%s is spoken", id)
		}
		b.refused(t, cause)
	}
	talk(t, a, b)
}

func TestJunkOnEveryProtocolChangesNothing(t *testing.T) {
	t.Parallel()
	a, b, enemy := besieged(t)
	if err := b.node.SetServices(peer.Services{Listen: loopback, NearbyName: "Bob"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range b.node.at().host.Mux().Protocols() {
		for _, size := range []int{1, 40, 2000, 300 << 10} {
			s, err := enemy.NewStream(t.Context(), b.node.at().host.ID(), id)
			if err != nil {
				continue
			}
			_ = s.SetDeadline(time.Now().Add(2 * time.Second))
			junk := make([]byte, size)
			_, _ = rand.Read(junk)
			_, _ = s.Write(junk)
			_ = s.CloseWrite()
			_, _ = io.Copy(io.Discard, io.LimitReader(s, 1<<20))
			_ = s.Reset()
		}
	}
	talk(t, a, b)
	talk(t, b, a)
	if b.node.Status().Refused["garbage"] == 0 {
		t.Errorf("nothing was counted: %v", b.node.Status().Refused)
	}
}

// TestWhoKnowsNothingLearnsNothing looks at what identify tells a stranger.
func TestWhoKnowsNothingLearnsNothing(t *testing.T) {
	_, b, enemy := besieged(t)
	id := b.node.at().host.ID()
	v, err := enemy.Peerstore().Get(id, "AgentVersion")
	if err != nil || v != agent {
		t.Errorf("the agent is %v, %v", v, err)
	}
	if strings.ContainsAny(agent, "0123456789") {
		t.Errorf("the agent %q tells a version", agent)
	}
	if v, err := enemy.Peerstore().Get(id, "ProtocolVersion"); err == nil && v != "" {
		t.Errorf("the protocol version is %q", v)
	}
	all, err := enemy.Peerstore().GetProtocols(id)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	want := []protocol.ID{family, link.Handshake, link.Protocol, "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0"}
	if !slices.Equal(all, want) {
		t.Errorf("it speaks %v, want %v", all, want)
	}
}

func TestHostsOfOtherKeysAreRefused(t *testing.T) {
	t.Parallel()
	b := newPerson(t)
	h := rsaHost(t)
	_ = h.Connect(t.Context(), corepeer.AddrInfo{ID: b.node.at().host.ID(), Addrs: b.node.at().host.Addrs()})
	b.refused(t, "key_type")
	if b.node.at().host.Network().Connectedness(h.ID()) != network.NotConnected {
		t.Error("connected")
	}
}
