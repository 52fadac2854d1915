package tlspq

import (
	"context"
	"crypto/tls"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quictransport "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

const (
	tcpLoopback  = "/ip4/127.0.0.1/tcp/0"
	quicLoopback = "/ip4/127.0.0.1/udp/0/quic-v1"
)

// strict lets hybrid connections through and counts the others, as the node's gater does.
type strict struct{ refused *atomic.Int64 }

func (strict) InterceptPeerDial(peer.ID) bool { return true }

func (strict) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

func (strict) InterceptAccept(network.ConnMultiaddrs) bool { return true }

func (strict) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool { return true }

func (g strict) InterceptUpgraded(c network.Conn) (bool, control.DisconnectReason) {
	if Hybrid(c) {
		return true, 0
	}
	g.refused.Add(1)
	return false, 0
}

func open(t *testing.T, opts ...libp2p.Option) host.Host {
	t.Helper()
	h, err := libp2p.New(append(opts,
		libp2p.Transport(tcp.NewTCPTransport), libp2p.Transport(quictransport.NewTransport),
		libp2p.ListenAddrStrings(tcpLoopback, quicLoopback), libp2p.DisableRelay(), libp2p.DisableMetrics())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	h.SetStreamHandler(stockProto, func(s network.Stream) { _, _ = s.Write([]byte{1}); _ = s.Close() })
	return h
}

// ours is a host as the node makes it, with the number of classical peers that it turned away.
func ours(t *testing.T) (host.Host, *atomic.Int64) {
	refused := new(atomic.Int64)
	h := open(t, libp2p.Security(ID, New(func() { refused.Add(1) })), libp2p.ConnectionGater(strict{refused}))
	return h, refused
}

// stock is a host that knows nothing of us and takes libp2p's defaults.
func stock(t *testing.T) host.Host {
	return open(t, libp2p.Security(libp2ptls.ID, libp2ptls.New))
}

// dial connects over one transport only.
func dial(t *testing.T, from, to host.Host, over string) (network.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := from.Connect(ctx, only(t, to, over)); err != nil {
		return nil, err
	}
	return from.Network().ConnsToPeer(to.ID())[0], nil
}

// only is how to reach h over one transport.
func only(t *testing.T, h host.Host, over string) peer.AddrInfo {
	t.Helper()
	info := peer.AddrInfo{ID: h.ID(), Addrs: overOnly(h.Addrs(), over)}
	if len(info.Addrs) == 0 {
		t.Fatalf("the host does not listen on %s", over)
	}
	return info
}

func overOnly(addrs []ma.Multiaddr, over string) (out []ma.Multiaddr) {
	for _, a := range addrs {
		if IsQUIC(a) == (over == "quic") {
			out = append(out, a)
		}
	}
	return out
}

// counted waits for n refusals: the side that did not dial counts in a goroutine of its own.
func counted(t *testing.T, refused *atomic.Int64, n int64) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(5 * time.Second)
	for refused.Load() < n {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("refused %d classical peers, want %d", refused.Load(), n)
		}
	}
	if got := refused.Load(); got != n {
		t.Errorf("refused %d classical peers, want %d", got, n)
	}
}

// usable says whether a stream can be opened over the connection between two hosts, which proves both sides accepted it.
func usable(t *testing.T, from, to host.Host) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(network.WithNoDial(t.Context(), "test"), 5*time.Second)
	defer cancel()
	s, err := from.NewStream(ctx, to.ID(), stockProto)
	if err != nil {
		return false
	}
	defer s.Close()
	_ = s.SetDeadline(time.Now().Add(5 * time.Second))
	n, _ := s.Read(make([]byte, 1))
	return n == 1
}

func TestHybridPeerConnects(t *testing.T) {
	for _, over := range []string{"tcp", "quic"} {
		for _, who := range []string{"ours", "stock"} {
			t.Run(over+"/"+who, func(t *testing.T) {
				a, refused := ours(t)
				b := stock(t)
				if who == "ours" {
					b, _ = ours(t)
				}
				c, err := dial(t, a, b, over)
				if err != nil {
					t.Fatal(err)
				}
				if !Hybrid(c) {
					t.Error("the connection is not hybrid")
				}
				if !usable(t, a, b) || !usable(t, b, a) {
					t.Error("no stream over the connection")
				}
				if n := refused.Load(); n != 0 {
					t.Errorf("%d hybrid peers refused", n)
				}
			})
		}
	}
}

func TestClassicalPeerIsRefusedWhenItDials(t *testing.T) {
	for _, over := range []string{"tcp", "quic"} {
		t.Run(over, func(t *testing.T) {
			a, refused := ours(t)
			b := startClassical(t)
			if b.dial(t, only(t, a, over)) {
				t.Error("a classical peer got through")
			}
			counted(t, refused, 1)
			if n := len(a.Network().ConnsToPeer(b.info.ID)); n != 0 {
				t.Errorf("%d connections with a classical peer", n)
			}
		})
	}
}

func TestClassicalPeerIsRefusedWhenDialed(t *testing.T) {
	for _, over := range []string{"tcp", "quic"} {
		t.Run(over, func(t *testing.T) {
			a, refused := ours(t)
			b := startClassical(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := a.Connect(ctx, peer.AddrInfo{ID: b.info.ID, Addrs: overOnly(b.info.Addrs, over)})
			if err == nil {
				t.Fatal("dialled a classical peer")
			}
			if over == "tcp" && !errors.Is(err, ErrClassical) {
				t.Errorf("error %v, want ErrClassical", err)
			}
			counted(t, refused, 1)
		})
	}
}

// TestStockLibp2pFallsBackSilently is the control of the tests above: a stock host that does know the hybrid group takes
// the same classical peer, over both transports, and says nothing.
func TestStockLibp2pFallsBackSilently(t *testing.T) {
	for _, over := range []string{"tcp", "quic"} {
		t.Run(over, func(t *testing.T) {
			a := stock(t)
			b := startClassical(t)
			if !b.dial(t, only(t, a, over)) {
				t.Fatal("a stock host refused a classical peer")
			}
			if over == "tcp" {
				return
			}
			c := a.Network().ConnsToPeer(b.info.ID)[0]
			var q *quic.Conn
			if !c.As(&q) || q.ConnectionState().TLS.CurveID != tls.X25519 {
				t.Error("the control is not classical")
			}
			if Hybrid(c) {
				t.Error("a classical connection passes for hybrid")
			}
		})
	}
}

func TestWrongPeerIsNotClassical(t *testing.T) {
	a, refused := ours(t)
	b, _ := ours(t)
	c, _ := ours(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := a.Connect(ctx, peer.AddrInfo{ID: c.ID(), Addrs: b.Addrs()})
	if _, ok := errors.AsType[sec.ErrPeerIDMismatch](err); !ok {
		t.Errorf("error %v, want a mismatch of PeerIDs", err)
	}
	if refused.Load() != 0 {
		t.Error("counted as classical")
	}
}

func TestIsQUIC(t *testing.T) {
	const relay = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
	rows := []struct {
		addr string
		want bool
	}{
		{"/ip4/127.0.0.1/udp/1/quic-v1", true},
		{"/ip6/::1/udp/1/quic-v1", true},
		{"/ip4/127.0.0.1/tcp/1", false},
		{"/ip4/127.0.0.1/udp/1/quic-v1" + relay + "/p2p-circuit", false},
		{"/ip4/127.0.0.1/udp/1/quic-v1/webtransport", true},
	}
	for _, r := range rows {
		a, err := ma.NewMultiaddr(r.addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := IsQUIC(a); got != r.want {
			t.Errorf("IsQUIC(%s) = %v, want %v", r.addr, got, r.want)
		}
	}
}
