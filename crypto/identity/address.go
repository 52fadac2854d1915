package identity

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// Kinds of hosts in an address. The lowest bit of an address's first byte is the transport, the rest this kind.
const (
	hostIP4 uint8 = iota
	hostIP6
	hostDNS
	hostDNS4
	hostDNS6
)

// maxName is what DNS allows for a name in text.
const maxName = 253

// hostWords are the multiaddr protocols of the kinds above.
var hostWords = [...]string{"ip4", "ip6", "dns", "dns4", "dns6"}

// address is a plain multiaddress: one host, one port, TCP or QUIC. As bytes: kind and transport 1 | host | port 2, where
// the host is 4 bytes, 16 bytes, or a length 1 and a name.
type address struct {
	kind uint8
	quic bool
	ip   netip.Addr // hostIP4, hostIP6
	name string     // otherwise
	port uint16
}

// CheckAddress says whether an invitation can carry the multiaddress s: /ip4, /ip6, /dns, /dns4 or /dns6, then /tcp/port
// or /udp/port/quic-v1, and nothing behind it. Nothing else is dialled from what a stranger wrote.
func CheckAddress(s string) error {
	_, err := parseAddress(s)
	return err
}

// parseAddress reads the text form. Host names are taken as they are; IPs in any form that netip reads without a zone.
func parseAddress(s string) (address, error) {
	bad := func() (address, error) {
		return address{}, fmt.Errorf("address %q is not plain TCP or QUIC: %w", s, ErrMalformed)
	}
	parts := strings.Split(s, "/")
	if len(parts) < 5 || parts[0] != "" {
		return bad()
	}
	var a address
	switch strings.Join(append([]string{parts[3]}, parts[5:]...), "/") {
	case "tcp":
	case "udp/quic-v1":
		a.quic = true
	default:
		return bad()
	}
	port, err := strconv.ParseUint(parts[4], 10, 16)
	if err != nil || port == 0 || strconv.FormatUint(port, 10) != parts[4] {
		return bad()
	}
	a.port = uint16(port)
	if !a.setHost(parts[1], parts[2]) {
		return bad()
	}
	return a, nil
}

func (a *address) setHost(word, host string) bool {
	for kind, w := range hostWords {
		if w != word {
			continue
		}
		a.kind = uint8(kind)
		if a.kind > hostIP6 {
			a.name = host
			return validName(host)
		}
		ip, err := netip.ParseAddr(host)
		a.ip = ip
		return err == nil && ip.Zone() == "" && ip.Is4() == (a.kind == hostIP4)
	}
	return false
}

// validName takes host names of letters, digits, hyphens, underscores and dots: nothing that could be read as another
// part of a multiaddress.
func validName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

func (a address) String() string {
	host := a.name
	if a.kind <= hostIP6 {
		host = a.ip.String()
	}
	if a.quic {
		return fmt.Sprintf("/%s/%s/udp/%d/quic-v1", hostWords[a.kind], host, a.port)
	}
	return fmt.Sprintf("/%s/%s/tcp/%d", hostWords[a.kind], host, a.port)
}

func (a address) add(b *cryptobyte.Builder) {
	first := a.kind << 1
	if a.quic {
		first |= 1
	}
	b.AddUint8(first)
	if a.kind <= hostIP6 {
		b.AddBytes(a.ip.AsSlice())
	} else {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.name)) })
	}
	b.AddUint16(a.port)
}

// readAddress reads what add writes: errShort where bytes are missing, ErrMalformed where they make no sense.
func readAddress(s *cryptobyte.String) (address, error) {
	var first uint8
	if !s.ReadUint8(&first) {
		return address{}, errShort
	}
	a := address{kind: first >> 1, quic: first&1 == 1}
	var host []byte
	var ok bool
	switch a.kind {
	case hostIP4:
		ok = s.ReadBytes(&host, 4)
	case hostIP6:
		ok = s.ReadBytes(&host, 16)
	case hostDNS, hostDNS4, hostDNS6:
		ok = s.ReadUint8LengthPrefixed((*cryptobyte.String)(&host))
	default:
		return address{}, ErrMalformed
	}
	if !ok || !s.ReadUint16(&a.port) {
		return address{}, errShort
	}
	if a.kind <= hostIP6 {
		a.ip, _ = netip.AddrFromSlice(host) // 4 and 16 bytes are always an address
	} else if a.name = string(host); !validName(a.name) {
		return address{}, ErrMalformed
	}
	if a.port == 0 {
		return address{}, ErrMalformed
	}
	return a, nil
}
