package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

const (
	// service is our name among the services of a network (RFC 6763). It is not libp2p's, whose hosts are no use to us.
	service = "_cryptexq._udp.local."

	// addressKey begins a TXT string that holds a multiaddress with /p2p, as in libp2p's own multicast DNS.
	addressKey = "dnsaddr="

	// answerTTL is for how many seconds others may keep what we say: half as long again as the time after which we say it anew.
	answerTTL = 900

	// maxPacket is the longest message of multicast DNS (RFC 6762 section 17).
	maxPacket = 9000

	// maxRecords is how many records of one message are looked at. One of ours has two.
	maxRecords = 32
)

// query asks who is here.
func query() ([]byte, error) {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	name, err := dnsmessage.NewName(service)
	if err != nil {
		return nil, err
	}
	if err := b.Question(dnsmessage.Question{Name: name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}); err != nil {
		return nil, err
	}
	return b.Finish()
}

// announcement says that id is here at addrs. The instance is a name that changes with every start and says nothing. A ttl
// of 0 takes back what was said before.
func announcement(instance string, id identity.PeerID, addrs []ma.Multiaddr, ttl uint32) ([]byte, error) {
	name, err := dnsmessage.NewName(service)
	if err != nil {
		return nil, err
	}
	full, err := dnsmessage.NewName(instance + "." + service)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		if s := addressKey + a.String() + "/p2p/" + id.String(); len(s) < 256 {
			texts = append(texts, s)
		}
	}
	if len(texts) == 0 {
		return nil, errors.New("no address to announce")
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true, Authoritative: true})
	b.EnableCompression()
	head := func(n dnsmessage.Name) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: ttl}
	}
	if err := errors.Join(b.StartAnswers(), b.PTRResource(head(name), dnsmessage.PTRResource{PTR: full}),
		b.TXTResource(head(full), dnsmessage.TXTResource{TXT: texts})); err != nil {
		return nil, err
	}
	return b.Finish()
}

// heard is what a message of multicast DNS means to us.
type heard struct {
	asks  bool   // somebody wants to know who is here
	finds []Find // somebody says that they are
}

var errNotOurs = errors.New("not about our service")

// parseMessage reads a message. It returns errNotOurs for all that is said about other services, without looking far.
func parseMessage(b []byte) (heard, error) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil {
		return heard{}, fmt.Errorf("reading a DNS message: %w", err)
	}
	if h.Response {
		return parseAnswers(&p)
	}
	for range maxRecords {
		q, err := p.Question()
		if err != nil {
			break
		}
		if isService(q.Name) && (q.Type == dnsmessage.TypePTR || q.Type == dnsmessage.TypeALL) {
			return heard{asks: true}, nil
		}
	}
	return heard{}, errNotOurs
}

// label is the first label of our service's name, which stands in every message about it in full: what compresses names can
// only point at an earlier one.
var label = []byte("_cryptexq")

// mentions says whether a message can be about our service, whatever the case of its letters, at the price of a look.
func mentions(b []byte) bool {
	for len(b) >= len(label) {
		i := bytes.IndexByte(b, label[0])
		if i < 0 || len(b)-i < len(label) {
			return false
		}
		if bytes.EqualFold(b[i:i+len(label)], label) {
			return true
		}
		b = b[i+1:]
	}
	return false
}

func isService(n dnsmessage.Name) bool { return strings.EqualFold(n.String(), service) }

func isInstance(n dnsmessage.Name) bool {
	s := n.String()
	return len(s) > len(service) && strings.EqualFold(s[len(s)-len(service)-1:], "."+service)
}

// parseAnswers takes the TXT records of our service.
func parseAnswers(p *dnsmessage.Parser) (heard, error) {
	if err := p.SkipAllQuestions(); err != nil {
		return heard{}, fmt.Errorf("reading a DNS message: %w", err)
	}
	var out heard
	for range maxRecords {
		h, err := p.AnswerHeader()
		if err != nil {
			break
		}
		if h.Type != dnsmessage.TypeTXT || !isInstance(h.Name) || h.TTL == 0 {
			if p.SkipAnswer() != nil {
				break
			}
			continue
		}
		r, err := p.TXTResource()
		if err != nil {
			break
		}
		if f, ok := parseTexts(r.TXT); ok {
			out.finds = append(out.finds, f)
		}
	}
	if len(out.finds) == 0 {
		return heard{}, errNotOurs
	}
	return out, nil
}

// parseTexts reads the addresses of one peer. The first names the peer; what names another one, or cannot be an address on
// a local network, is left out.
func parseTexts(texts []string) (f Find, ok bool) {
	for _, s := range texts {
		s, isAddr := strings.CutPrefix(s, addressKey)
		at := strings.LastIndex(s, "/p2p/")
		if !isAddr || at < 0 {
			continue
		}
		id, err := identity.ParsePeerID(s[at+len("/p2p/"):])
		if err != nil || f.Addresses != nil && id != f.Peer {
			continue
		}
		a, err := ma.NewMultiaddr(s[:at])
		if err != nil || !Plain(a) || slices.Contains(f.Addresses, a.String()) {
			continue
		}
		if _, err := manet.ToIP(a); err != nil {
			continue // a name would have us ask a resolver
		}
		f.Peer = id
		if f.Addresses = append(f.Addresses, a.String()); len(f.Addresses) == maxAddresses {
			break
		}
	}
	return f, f.Addresses != nil
}

// on are those of our addresses that an interface has. An unspecified one stands for each address of the interface.
func (i Interface) on(addrs []ma.Multiaddr) (out []ma.Multiaddr) {
	for _, a := range addrs {
		ip, err := manet.ToIP(a)
		if err != nil || !Plain(a) {
			continue
		}
		bound, _ := netip.AddrFromSlice(ip)
		bound = bound.Unmap()
		_, port := ma.SplitFirst(a)
		for _, p := range i.Prefixes {
			addr := p.Addr().WithZone("")
			if addr.Is4() != bound.Is4() || addr.Is6() && addr.IsLinkLocalUnicast() || !bound.IsUnspecified() && addr != bound {
				continue
			}
			if own, err := manet.FromIP(addr.AsSlice()); err == nil {
				out = append(out, own.Encapsulate(port))
			}
		}
	}
	return out
}
