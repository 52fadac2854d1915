package discovery

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Network is what the machine's interfaces looked like at a moment.
type Network struct {
	Interfaces []Interface // those that are up
	digest     [32]byte
}

// Interface is one that is up, with its addresses.
type Interface struct {
	net.Interface
	Prefixes []netip.Prefix // own address and mask
}

// Look reads the interfaces. It asks the kernel and takes about 100 us.
func Look() Network {
	all, err := net.Interfaces()
	if err != nil {
		return Network{}
	}
	var n Network
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		up := Interface{Interface: i}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				up.Prefixes = append(up.Prefixes, p)
			}
		}
		slices.SortFunc(up.Prefixes, netip.Prefix.Compare)
		n.Interfaces = append(n.Interfaces, up)
	}
	h := sha256.New()
	for _, i := range n.Interfaces {
		fmt.Fprintln(h, i.Index, i.Name, i.Flags, i.Prefixes)
	}
	n.digest = [32]byte(h.Sum(nil))
	return n
}

// Watch looks every three seconds until ctx ends and tells every change since last, from one goroutine. That the machine
// has slept is a change, too: whatever its interfaces look like, nobody knows what became of the network meanwhile.
func Watch(ctx context.Context, last Network, changed func(Network)) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	looked := time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		slept := sleptSince(&looked)
		if now := Look(); slept || !now.Same(last) {
			last = now
			changed(now)
		}
	}
}

// napAfter is how much later than it should a look may come before the machine is taken to have slept.
const napAfter = 10 * time.Second

// sleptSince says whether the machine slept between two looks, and makes last the second one.
func sleptSince(last *time.Time) bool {
	now := time.Now()
	before := *last
	*last = now
	return slept(now.Sub(before), now.Round(0).Sub(before.Round(0)))
}

// slept judges what two clocks say has passed between two looks: the monotonic one stands still in a sleep on some systems,
// and a wall clock that was set forward costs no more than a needless look around.
func slept(mono, wall time.Duration) bool { return max(mono, wall) > lookEvery+napAfter }

// Same says whether nothing has changed between two looks.
func (n Network) Same(o Network) bool { return n.digest == o.digest }

// Online says whether there is a network at all: an address on an interface other than the loopback. A loopback on which
// somebody has switched multicast on counts, too: it is all the network that a laboratory has.
func (n Network) Online() bool {
	return slices.ContainsFunc(n.Interfaces, func(i Interface) bool {
		return len(i.Prefixes) > 0 && (i.Flags&net.FlagLoopback == 0 || i.Flags&net.FlagMulticast != 0)
	})
}

// Local says whether a leads to this machine or its own networks, not through a relay: loopback, private and link-local
// addresses, and those within the subnet of an interface.
func (n Network) Local(a ma.Multiaddr) bool {
	if _, err := a.ValueForProtocol(ma.P_CIRCUIT); err == nil {
		return false
	}
	ip, err := manet.ToIP(a)
	if err != nil {
		return false
	}
	addr, ok := netip.AddrFromSlice(ip)
	return ok && n.localIP(addr)
}

// Has says whether ip is an address of this machine; an unspecified one always is.
func (n Network) Has(ip net.IP) bool {
	addr, ok := netip.AddrFromSlice(ip)
	addr = addr.Unmap().WithZone("")
	return ok && (addr.IsUnspecified() || addr.IsLoopback() || slices.ContainsFunc(n.Interfaces, func(i Interface) bool {
		return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Addr().Unmap().WithZone("") == addr })
	}))
}

func (n Network) localIP(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() {
		return true
	}
	return slices.ContainsFunc(n.Interfaces, func(i Interface) bool {
		return slices.ContainsFunc(i.Prefixes, func(p netip.Prefix) bool { return p.Masked().Contains(addr) })
	})
}

// Plain says whether a is a plain TCP or QUIC address, by number or by name: the only kinds that are dialled on the word
// of somebody who has proven nothing.
func Plain(a ma.Multiaddr) bool {
	var codes []int
	ma.ForEach(a, func(c ma.Component) bool {
		codes = append(codes, c.Protocol().Code)
		return true
	})
	if len(codes) < 2 {
		return false
	}
	switch codes[0] {
	case ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
	default:
		return false
	}
	return slices.Equal(codes[1:], []int{ma.P_TCP}) || slices.Equal(codes[1:], []int{ma.P_UDP, ma.P_QUIC_V1})
}

// speaking are the interfaces that multicast DNS can use.
func (n Network) speaking() []Interface {
	return slices.DeleteFunc(slices.Clone(n.Interfaces), func(i Interface) bool {
		return i.Flags&net.FlagMulticast == 0 || len(i.Prefixes) == 0
	})
}
