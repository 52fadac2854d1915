package discovery

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// The groups and the port of multicast DNS (RFC 6762 section 3).
var (
	group4 = net.IPv4(224, 0, 0, 251)
	group6 = net.ParseIP("ff02::fb")
)

const mdnsPort = 5353

// socket is a multicast socket of one family on several interfaces. Reading and writing may go on at the same time; writing
// is for one goroutine.
type socket struct {
	conn net.PacketConn
	v4   *ipv4.PacketConn // one of the two
	v6   *ipv6.PacketConn
	on   []Interface // where the group was joined
}

// openSocket joins the group of a family on every interface that can. The port is shared with whoever else speaks multicast
// DNS on this machine: Go sets the option for it when the address is a multicast one, and binds to all addresses.
func openSocket(family string, port int, interfaces []Interface) (*socket, error) {
	group, wildcard := group4, net.IPv4(224, 0, 0, 0)
	if family == "udp6" {
		group, wildcard = group6, net.ParseIP("ff02::")
	}
	conn, err := net.ListenUDP(family, &net.UDPAddr{IP: wildcard, Port: port})
	if err != nil {
		return nil, fmt.Errorf("opening a multicast socket: %w", err)
	}
	s := &socket{conn: conn}
	if family == "udp6" {
		s.v6 = ipv6.NewPacketConn(conn)
		_ = s.v6.SetControlMessage(ipv6.FlagInterface, true)
		_ = s.v6.SetMulticastLoopback(true) // others on this machine
		_ = s.v6.SetMulticastHopLimit(255)
	} else {
		s.v4 = ipv4.NewPacketConn(conn)
		_ = s.v4.SetControlMessage(ipv4.FlagInterface, true)
		_ = s.v4.SetMulticastLoopback(true)
		_ = s.v4.SetMulticastTTL(255)
	}
	for _, i := range interfaces {
		if err = s.join(&i.Interface, group); err == nil {
			s.on = append(s.on, i)
		}
	}
	if len(s.on) == 0 {
		_ = conn.Close()
		return nil, fmt.Errorf("joining the multicast group on %d interfaces: %w", len(interfaces), err)
	}
	return s, nil
}

func (s *socket) join(i *net.Interface, group net.IP) error {
	if s.v6 != nil {
		return s.v6.JoinGroup(i, &net.UDPAddr{IP: group})
	}
	return s.v4.JoinGroup(i, &net.UDPAddr{IP: group})
}

// read returns one packet and who sent it.
func (s *socket) read(b []byte) (n int, from netip.Addr, err error) {
	n, src, err := s.conn.ReadFrom(b)
	if err != nil {
		return 0, netip.Addr{}, err
	}
	u, ok := src.(*net.UDPAddr)
	if !ok {
		return 0, netip.Addr{}, errors.New("a packet from nowhere")
	}
	return n, u.AddrPort().Addr().Unmap().WithZone(""), nil
}

// send sends a packet to the group out of one interface.
func (s *socket) send(b []byte, i Interface, port int) error {
	if s.v6 != nil {
		cm := &ipv6.ControlMessage{IfIndex: i.Index}
		if runtime.GOOS == "windows" { // which does not know control messages
			cm = nil
			if err := s.v6.SetMulticastInterface(&i.Interface); err != nil {
				return err
			}
		}
		_, err := s.v6.WriteTo(b, cm, &net.UDPAddr{IP: group6, Port: port})
		return err
	}
	cm := &ipv4.ControlMessage{IfIndex: i.Index, Src: i.source4()}
	if runtime.GOOS == "windows" {
		cm = nil
		if err := s.v4.SetMulticastInterface(&i.Interface); err != nil {
			return err
		}
	}
	_, err := s.v4.WriteTo(b, cm, &net.UDPAddr{IP: group4, Port: port})
	return err
}

// source4 is the IPv4 address that packets leave an interface with. It has to be said: Linux sends multicast out of a loopback
// from 0.0.0.0 otherwise.
func (i Interface) source4() net.IP {
	for _, p := range i.Prefixes {
		if p.Addr().Is4() {
			return p.Addr().AsSlice()
		}
	}
	return nil
}
