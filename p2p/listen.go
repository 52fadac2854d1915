package p2p

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// parseListen reads the addresses that somebody wants listened on. Only plain TCP and QUIC, by number, can be.
func parseListen(all []string) (out []ma.Multiaddr, err error) {
	for _, s := range all {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("reading the address %q to listen on: %w", s, err)
		}
		if _, err := manet.ToIP(a); err != nil || !discovery.Plain(a) {
			return nil, fmt.Errorf("cannot listen on %q: it is to be like /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/udp/4001/quic-v1", s)
		}
		out = append(out, a)
	}
	return out, nil
}

// onPort are the addresses of every interface, TCP and QUIC, on one port.
func onPort(port int) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, s := range []string{"/ip4/0.0.0.0/tcp/%d", "/ip4/0.0.0.0/udp/%d/quic-v1", "/ip6/::/tcp/%d", "/ip6/::/udp/%d/quic-v1"} {
		out = append(out, ma.StringCast(fmt.Sprintf(s, port)))
	}
	return out
}

// freePort finds a port that is free for TCP and UDP at this moment.
func freePort() (int, error) {
	var last error
	for range 32 {
		t, err := net.ListenTCP("tcp", nil)
		if err != nil {
			return 0, fmt.Errorf("looking for a free port: %w", err)
		}
		port := t.Addr().(*net.TCPAddr).Port
		u, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
		_ = t.Close()
		if last = err; err == nil {
			_ = u.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("looking for a free port: %w", last)
}

// checkFree says which of the addresses somebody else is using. libp2p would share a TCP port with another program of the
// same user without a word, and each would get half of the connections.
func checkFree(listen []ma.Multiaddr) error {
	for _, a := range listen {
		network, address, err := manet.DialArgs(a)
		if err != nil {
			return fmt.Errorf("listening on %s: %w", a, err)
		}
		if err := bind(network, address); err != nil {
			return fmt.Errorf("listening on %s: %w", a, err)
		}
	}
	return nil
}

// bind takes an address and gives it back.
func bind(network, address string) error {
	if strings.HasPrefix(network, "tcp") {
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		return l.Close()
	}
	l, err := net.ListenPacket(network, address)
	if err != nil {
		return err
	}
	return l.Close()
}

// isFree says whether a port can be listened on by TCP and UDP at this moment.
func isFree(port int) bool {
	address := ":" + strconv.Itoa(port)
	return bind("tcp", address) == nil && bind("udp", address) == nil
}

// choosePort returns the port to use: the one kept since the first run, or a new one. A kept one that somebody else has
// taken is given up for this run only, for peers know it.
func (n *Node) choosePort() (port int, chosen bool, err error) {
	n.mu.Lock()
	port = n.port
	n.mu.Unlock()
	if port != 0 && isFree(port) {
		return port, false, nil
	}
	free, err := freePort()
	if err != nil {
		return 0, false, err
	}
	if port != 0 {
		n.log.Warn("the usual port is taken, listening on another one for now", "port", port)
		return free, false, nil
	}
	return free, true, nil
}

// keepPort keeps a port for later hosts of this run, and tells it so that it is kept for ever.
func (n *Node) keepPort(port int) {
	n.mu.Lock()
	n.port = port
	n.mu.Unlock()
	n.facts.tell(peer.PortChosen{Port: port})
}

// advertised are the addresses that others may use for what we listen on: each interface's own where we listen on all, and
// those public ones that peers have seen us under. Loopback addresses are for those who have nothing else: who listen on
// them by name, and laboratories without another network.
func advertised(listen []ma.Multiaddr, now discovery.Network, seen []ma.Multiaddr) []ma.Multiaddr {
	var out, loopback []ma.Multiaddr
	add := func(a ma.Multiaddr, implied bool) {
		switch {
		case !manet.IsIPLoopback(a):
			out = append(out, a)
		case !implied || now.Online():
			loopback = append(loopback, a)
		}
	}
	for _, a := range listen {
		ip, err := manet.ToIP(a)
		if err != nil || manet.IsIP6LinkLocal(a) {
			continue
		}
		bound, _ := netip.AddrFromSlice(ip)
		if bound = bound.Unmap(); !bound.IsUnspecified() {
			add(a, false)
			continue
		}
		_, port := ma.SplitFirst(a)
		for addr := range interfaceAddrs(now, bound.Is4()) {
			if own, err := manet.FromIP(addr.AsSlice()); err == nil {
				add(own.Encapsulate(port), true)
			}
		}
	}
	for _, a := range seen {
		if manet.IsPublicAddr(a) && len(listen) > 0 {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		out = loopback
	}
	return ma.Unique(out)
}

// interfaceAddrs yields the addresses of one family that others can use.
func interfaceAddrs(now discovery.Network, v4 bool) func(yield func(netip.Addr) bool) {
	return func(yield func(netip.Addr) bool) {
		for _, i := range now.Interfaces {
			for _, p := range i.Prefixes {
				a := p.Addr().WithZone("")
				if a.Is4() != v4 || a.Is6() && a.IsLinkLocalUnicast() {
					continue
				}
				if !yield(a) {
					return
				}
			}
		}
	}
}

// texts are multiaddresses as text.
func texts(addrs []ma.Multiaddr) []string {
	out := make([]string, 0, len(addrs))
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return out
}
