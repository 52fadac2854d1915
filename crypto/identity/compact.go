package identity

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

// compact is an Invitation with parsed addresses:
//
//	version 1 | AccountID 32 | host key 32 | counts 1 | addresses | relays { host key 32 | address }
//	| mailbox { [host key 32 | address] | slot 16 | write key 32 } | token 16 | expires 8
//
// counts: bits 0-1 addresses, 2-3 relays, 4-5 mailbox (0 none, 1 its host follows, 2 the first relay, 3 the second).
type compact struct {
	account   AccountID
	peer      PeerID
	addresses []address
	relays    []host
	mailbox   *slot
	token     [16]byte
	expires   uint64
}

type host struct {
	peer PeerID
	addr address
}

type slot struct {
	host
	id  [16]byte
	key [32]byte
}

// Where a mailbox's host stands.
const (
	mailboxNone uint8 = iota
	mailboxHere
	mailboxRelay // and the number of the relay
)

func (i *Invitation) compact() compact {
	c := compact{account: i.Account, peer: i.Peer, token: i.Token, expires: i.Expires}
	for _, s := range i.Addresses {
		if a, err := parseAddress(s); err == nil && len(c.addresses) < 2 {
			c.addresses = append(c.addresses, a)
		}
	}
	for _, r := range i.Relays {
		if h, ok := newHost(r.Peer, r.Address); ok && len(c.relays) < 2 {
			c.relays = append(c.relays, h)
		}
	}
	if i.Mailbox != nil {
		if h, ok := newHost(i.Mailbox.Peer, i.Mailbox.Address); ok {
			c.mailbox = &slot{host: h, id: i.Mailbox.Slot, key: i.Mailbox.WriteKey}
		}
	}
	return c
}

func newHost(p PeerID, s string) (host, bool) {
	a, err := parseAddress(s)
	_, bad := p.Key()
	return host{peer: p, addr: a}, err == nil && bad == nil
}

func (c compact) invitation() *Invitation {
	i := &Invitation{Account: c.account, Peer: c.peer, Token: c.token, Expires: c.expires}
	for _, a := range c.addresses {
		i.Addresses = append(i.Addresses, a.String())
	}
	for _, r := range c.relays {
		i.Relays = append(i.Relays, Relay{Peer: r.peer, Address: r.addr.String()})
	}
	if m := c.mailbox; m != nil {
		i.Mailbox = &Mailbox{Peer: m.peer, Address: m.addr.String(), Slot: m.id, WriteKey: m.key}
	}
	return i
}

// where says how the mailbox's host is written: by reference to the first relay that is the same.
func (c compact) where() uint8 {
	if c.mailbox == nil {
		return mailboxNone
	}
	for n, r := range c.relays {
		if r == c.mailbox.host {
			return mailboxRelay + uint8(n)
		}
	}
	return mailboxHere
}

func (c compact) marshal() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, maxInvitation))
	b.AddUint8(invitationVersion)
	b.AddBytes(c.account[:])
	b.AddBytes(c.peer[len(peerPrefix):])
	b.AddUint8(uint8(len(c.addresses)) | uint8(len(c.relays))<<2 | c.where()<<4)
	for _, a := range c.addresses {
		a.add(b)
	}
	for _, r := range c.relays {
		r.add(b)
	}
	if c.mailbox != nil {
		if c.where() == mailboxHere {
			c.mailbox.add(b)
		}
		b.AddBytes(c.mailbox.id[:])
		b.AddBytes(c.mailbox.key[:])
	}
	b.AddBytes(c.token[:])
	b.AddUint64(c.expires)
	return b.BytesOrPanic()
}

func (h host) add(b *cryptobyte.Builder) {
	b.AddBytes(h.peer[len(peerPrefix):])
	h.addr.add(b)
}

// parseInvitation reads what marshal writes: errShort, ErrNewer, ErrMalformed.
func parseInvitation(raw []byte) (compact, error) {
	s := cryptobyte.String(raw)
	var c compact
	var version, counts uint8
	if !s.ReadUint8(&version) {
		return c, errShort
	}
	if version != invitationVersion {
		return c, newerOrMalformed(version)
	}
	var err error
	if !s.CopyBytes(c.account[:]) {
		return c, errShort
	}
	if c.peer, err = readPeer(&s); err != nil {
		return c, err
	}
	if !s.ReadUint8(&counts) {
		return c, errShort
	}
	if err := c.readHosts(&s, counts); err != nil {
		return c, err
	}
	if !s.CopyBytes(c.token[:]) || !s.ReadUint64(&c.expires) {
		return c, errShort
	}
	if len(raw) > maxInvitation || !bytes.Equal(c.marshal(), raw) { // trailing bytes, or the mailbox's host needlessly repeated
		return c, ErrMalformed
	}
	return c, nil
}

func newerOrMalformed(version uint8) error {
	if version > invitationVersion {
		return ErrNewer
	}
	return ErrMalformed
}

// readHosts reads addresses, relays and mailbox.
func (c *compact) readHosts(s *cryptobyte.String, counts uint8) error {
	addresses, relays, where := counts&3, counts>>2&3, counts>>4
	if addresses > 2 || relays > 2 || where > mailboxRelay+1 || where >= mailboxRelay+relays && where > mailboxHere {
		return ErrMalformed
	}
	for range addresses {
		a, err := readAddress(s)
		if err != nil {
			return err
		}
		c.addresses = append(c.addresses, a)
	}
	for range relays {
		h, err := readHost(s)
		if err != nil {
			return err
		}
		c.relays = append(c.relays, h)
	}
	if where == mailboxNone {
		return nil
	}
	return c.readMailbox(s, where)
}

func (c *compact) readMailbox(s *cryptobyte.String, where uint8) error {
	m := new(slot)
	if where == mailboxHere {
		h, err := readHost(s)
		if err != nil {
			return err
		}
		m.host = h
	} else {
		m.host = c.relays[where-mailboxRelay]
	}
	if !s.CopyBytes(m.id[:]) || !s.CopyBytes(m.key[:]) {
		return errShort
	}
	c.mailbox = m
	return nil
}

func readHost(s *cryptobyte.String) (host, error) {
	p, err := readPeer(s)
	if err != nil {
		return host{}, err
	}
	a, err := readAddress(s)
	return host{peer: p, addr: a}, err
}

func readPeer(s *cryptobyte.String) (PeerID, error) {
	var key []byte
	if !s.ReadBytes(&key, 32) {
		return PeerID{}, errShort
	}
	return PeerIDOf(key), nil
}
