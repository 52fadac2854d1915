package ratchet

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// stateMagic begins a stored session: "CQRS" | suite 2 | sid 16 | dir 1 | inc lower 8 | inc higher 8 | attempt 4 |
// m_IR 32 | m_RI 32 | cs 32 | ns 8 | cr 32 | nr 8 | P num 4 | P pk 1216 | top 4 | used 4 | (top - used + 1) x 32.
const stateMagic = "CQRS"

// Marshal is the session as it is stored, 1447 to 1703 bytes. It is secret.
func (s *Session) Marshal() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddBytes([]byte(stateMagic))
	b.AddUint16(identity.Suite)
	b.AddBytes(s.sid[:])
	b.AddUint8(s.dir)
	b.AddUint64(s.inc[0])
	b.AddUint64(s.inc[1])
	b.AddUint32(s.attempt)
	b.AddBytes(s.mail[0][:])
	b.AddBytes(s.mail[1][:])
	b.AddBytes(s.send[:])
	b.AddUint64(s.ns)
	b.AddBytes(s.receive[:])
	b.AddUint64(s.nr)
	b.AddUint32(s.peerNum)
	b.AddBytes(s.peerKey[:])
	b.AddUint32(s.top)
	b.AddUint32(s.used)
	for i := range s.top - s.used + 1 {
		b.AddBytes(s.own[i][:])
	}
	return b.BytesOrPanic()
}

// Parse reads a stored session. It returns identity.ErrSuite or identity.ErrMalformed for anything that Marshal does not
// give, and does not notice an older state: that is for the store to know.
func Parse(b []byte) (*Session, error) {
	s, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("reading a session: %w", err)
	}
	return s, nil
}

func parseState(b []byte) (*Session, error) {
	in := cryptobyte.String(b)
	if err := readMagic(&in, stateMagic); err != nil {
		return nil, err
	}
	s := new(Session)
	if !in.CopyBytes(s.sid[:]) || !in.ReadUint8(&s.dir) || s.dir > FromResponder ||
		!in.ReadUint64(&s.inc[0]) || !in.ReadUint64(&s.inc[1]) || !in.ReadUint32(&s.attempt) ||
		!in.CopyBytes(s.mail[0][:]) || !in.CopyBytes(s.mail[1][:]) ||
		!in.CopyBytes(s.send[:]) || !in.ReadUint64(&s.ns) || !in.CopyBytes(s.receive[:]) || !in.ReadUint64(&s.nr) ||
		!in.ReadUint32(&s.peerNum) || !in.CopyBytes(s.peerKey[:]) || !in.ReadUint32(&s.top) || !in.ReadUint32(&s.used) ||
		s.used > s.top || s.top-s.used > window {
		return nil, identity.ErrMalformed
	}
	for i := range s.top - s.used + 1 {
		if !in.CopyBytes(s.own[i][:]) {
			return nil, identity.ErrMalformed
		}
	}
	if !in.Empty() || hybrid.CheckPublicKey(s.peerKey[:]) != nil {
		return nil, identity.ErrMalformed
	}
	return s, nil
}
