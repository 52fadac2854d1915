package ratchet

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Sizes of a message in bytes.
const (
	// MaxRecords bounds the records of one message, whether or not it announces a key.
	MaxRecords = 60 << 10

	// MaxMessage bounds a whole message: one with MaxRecords, padded.
	MaxMessage = headSize + 4 + 62<<10 + tagSize // 64663

	// "CQR1" | suite 2 | sid 16 | dir 1 | i 8 | to 4 | ct 1120
	messageMagic = "CQR1"
	headSize     = 4 + 2 + 16 + 1 + 8 + 4 + hybrid.CiphertextSize // 1155

	tagSize = 16
	ivSize  = 12
)

// Head says what a message is addressed to. Nothing of it is authenticated until the message opens.
type Head struct {
	SID [16]byte
	Dir uint8  // who sent it: FromInitiator or FromResponder
	I   uint64 // number in its direction, from 0
	To  uint32 // number of the receiver's key
}

// ParseHead parses the outside of a whole message and returns what it is addressed to. It returns identity.ErrSuite for a
// newer version and identity.ErrMalformed for every other form than the one that Seal gives.
func ParseHead(msg []byte) (Head, error) {
	m, err := parseMessage(msg)
	if err != nil {
		return Head{}, fmt.Errorf("reading a session message: %w", err)
	}
	return m.Head, nil
}

// message is a parsed one; the slices lie in it.
type message struct {
	Head
	raw []byte // the head's bytes, with ct
	ct  []byte
	box []byte
}

func parseMessage(msg []byte) (m message, err error) {
	s := cryptobyte.String(msg)
	if err := readMagic(&s, messageMagic); err != nil {
		return m, err
	}
	var length uint32
	if len(msg) > MaxMessage || !s.CopyBytes(m.SID[:]) || !s.ReadUint8(&m.Dir) || m.Dir > FromResponder || !s.ReadUint64(&m.I) ||
		!s.ReadUint32(&m.To) || !s.ReadBytes(&m.ct, hybrid.CiphertextSize) || !s.ReadUint32(&length) ||
		int64(length) != int64(len(s)) {
		return m, identity.ErrMalformed
	}
	m.raw, m.box = msg[:headSize], s
	if n := len(m.box) - tagSize; n < 1 || paddedSize(n) != n {
		return m, identity.ErrMalformed
	}
	return m, nil
}

// marshal is the head's bytes, with ct.
func (h Head) marshal(ct []byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, headSize))
	b.AddBytes([]byte(messageMagic))
	b.AddUint16(identity.Suite)
	b.AddBytes(h.SID[:])
	b.AddUint8(h.Dir)
	b.AddUint64(h.I)
	b.AddUint32(h.To)
	b.AddBytes(ct)
	return b.BytesOrPanic()
}

// appendBox appends length 4 | box to the head.
func appendBox(head, box []byte) []byte {
	b := cryptobyte.NewBuilder(head)
	b.AddUint32(uint32(len(box)))
	b.AddBytes(box)
	return b.BytesOrPanic()
}

// body is what a message says inside its box: ack 8 | has 1 | [num 4 | pk 1216] | records | zeros.
type body struct {
	ack     uint64
	num     uint32
	key     []byte // nil where it announces none
	records []byte // from parseBody: with the padding
}

func (b body) marshal() []byte {
	size := 8 + 1 + len(b.records)
	if b.key != nil {
		size += 4 + len(b.key)
	}
	padded := paddedSize(size)
	w := cryptobyte.NewBuilder(make([]byte, 0, padded))
	w.AddUint64(b.ack)
	if b.key == nil {
		w.AddUint8(0)
	} else {
		w.AddUint8(1)
		w.AddUint32(b.num)
		w.AddBytes(b.key)
	}
	w.AddBytes(b.records)
	w.AddBytes(make([]byte, padded-size))
	return w.BytesOrPanic()
}

func parseBody(plaintext []byte) (b body, ok bool) {
	s := cryptobyte.String(plaintext)
	var has uint8
	if !s.ReadUint64(&b.ack) || !s.ReadUint8(&has) || has > 1 {
		return b, false
	}
	if has == 1 && (!s.ReadUint32(&b.num) || !s.ReadBytes(&b.key, hybrid.PublicKeySize)) {
		return b, false
	}
	b.records = s
	return b, true
}

// readMagic reads a magic and the suite.
func readMagic(s *cryptobyte.String, magic string) error {
	var m []byte
	var suite uint16
	if !s.ReadBytes(&m, len(magic)) || string(m) != magic || !s.ReadUint16(&suite) {
		return identity.ErrMalformed
	}
	if suite != identity.Suite {
		return identity.ErrSuite
	}
	return nil
}
