package wire

import (
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Limits of what a person shows of themselves, in bytes and items. Only plain TCP and QUIC addresses are ever dialled from it, and
// at most six.
const (
	MaxName        = 256
	MaxCardAddress = 256
	MaxAddresses   = 8
	MaxRelays      = 4
	MaxMailboxes   = 4
	MaxPeerRecord  = 4096
	tokenSize      = 16
)

// FlagReceipts in a card says that its owner tells and is told what was read.
const FlagReceipts uint16 = 1

const knownFlags = FlagReceipts

// SelfObject is who an account and device are: the reply to SELF, and record 1. Each part is signed by itself.
type SelfObject struct {
	AccountKey  []byte // composite public key, 1984 bytes
	Certificate []byte // of the device
	List        []byte // newest device list of the account
	Bundle      []byte // prekey bundle of the device; empty in cards
}

func (s *SelfObject) write(w *writer) {
	w.AddBytes(s.AccountKey)
	w.bytes(s.Certificate)
	w.bytes(s.List)
	w.bytes(s.Bundle)
}

func readSelf(r *reader) SelfObject {
	s := SelfObject{r.fixed(composite.PublicKeySize), r.bytes(maxList), r.bytes(maxList), r.bytes(maxList)}
	r.need(len(s.Certificate) > 0 && len(s.List) > 0)
	return s
}

// Marshal returns account pk 1984 | certificate | list | bundle, the last three behind their u16 lengths.
func (s SelfObject) Marshal() []byte {
	var w writer
	s.write(&w)
	return w.done()
}

// ParseSelfObject reads the object; identity verifies its parts.
func ParseSelfObject(b []byte) (SelfObject, error) {
	r := read(b)
	s := readSelf(r)
	if err := r.end("SELF"); err != nil {
		return SelfObject{}, err
	}
	return s, nil
}

// Card is what an account tells its contacts and the members of its rooms.
type Card struct {
	Self      SelfObject
	Name      string
	Record    []byte   // signed libp2p peer record in its envelope; empty without
	Addresses []string // multiaddresses without /p2p
	Relays    []identity.Relay
	Mailboxes []identity.Mailbox
	Flags     uint16
}

// Format hides the write keys of mailboxes.
func (Card) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the write keys of mailboxes.
func (Card) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Marshal returns SELF | name | record | list address | list {PeerID 38, address} | list {PeerID 38, address, slot 16, write key 32}
// | flags 2.
func (c Card) Marshal() []byte {
	var w writer
	c.Self.write(&w)
	w.text(c.Name)
	w.bytes(c.Record)
	w.count(len(c.Addresses))
	for _, a := range c.Addresses {
		w.text(a)
	}
	w.count(len(c.Relays))
	for _, l := range c.Relays {
		w.AddBytes(l.Peer[:])
		w.text(l.Address)
	}
	w.count(len(c.Mailboxes))
	for _, m := range c.Mailboxes {
		w.AddBytes(m.Peer[:])
		w.text(m.Address)
		w.AddBytes(m.Slot[:])
		w.AddBytes(m.WriteKey[:])
	}
	w.AddUint16(c.Flags)
	return w.done()
}

// ParseCard reads a card.
func ParseCard(b []byte) (Card, error) {
	r := read(b)
	c := Card{Self: readSelf(r), Name: r.text(MaxName), Record: r.bytes(MaxPeerRecord)}
	for range r.count(MaxAddresses, 2) {
		c.Addresses = append(c.Addresses, r.text(MaxCardAddress))
	}
	for range r.count(MaxRelays, 40) {
		c.Relays = append(c.Relays, identity.Relay{Peer: r.peer(), Address: r.text(MaxCardAddress)})
	}
	for range r.count(MaxMailboxes, 88) {
		m := identity.Mailbox{Peer: r.peer(), Address: r.text(MaxCardAddress)}
		r.into(m.Slot[:])
		r.into(m.WriteKey[:])
		c.Mailboxes = append(c.Mailboxes, m)
	}
	c.Flags = r.u16()
	r.need(c.Flags&^knownFlags == 0)
	if err := r.end("a card"); err != nil {
		return Card{}, err
	}
	return c, nil
}

// Hello asks to be let in: the first record of a request.
type Hello struct {
	Name  string
	Token []byte // 16 bytes of an invitation, or none
}

// Format hides the token.
func (Hello) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the token.
func (Hello) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Marshal returns name | has 1 [token 16].
func (h Hello) Marshal() []byte {
	var w writer
	w.text(h.Name)
	w.flag(len(h.Token) > 0)
	w.AddBytes(h.Token)
	return w.done()
}

// ParseHello reads a record HELLO.
func ParseHello(b []byte) (Hello, error) {
	r := read(b)
	h := Hello{Name: r.text(MaxName)}
	if r.flag() {
		h.Token = r.fixed(tokenSize)
	}
	if err := r.end("HELLO"); err != nil {
		return Hello{}, err
	}
	return h, nil
}
