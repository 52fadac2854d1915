package handshake

import (
	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/record"
)

// Sizes in bytes. Everything has one length; only a record about quantum keys may be longer than now.
const (
	headSize  = 1 + 2 + 1 + nonceSize                                       // version, suite, flags, nonce
	idSize    = composite.PublicKeySize + identity.CertificateSize + 8 + 32 // 7543
	proofSize = idSize + composite.SignatureSize + macSize                  // 10948
	boxSize   = proofSize + gcmTag                                          // 10964

	firstBody  = headSize + hybrid.PublicKeySize // what mac1 covers
	secondBody = headSize + hybrid.CiphertextSize

	// FirstSize is the size of M1.
	FirstSize = firstBody + mac1Size // 1268

	// SecondSize is the size of M2.
	SecondSize = secondBody + boxSize // 12120

	// ThirdSize is the size of M3 with the record that turns quantum keys off.
	ThirdSize = boxSize + record.Overhead + 1 // 10984
)

// first is M1. The slices of all messages lie in the bytes that were parsed.
type first struct {
	flags            uint8
	nonce, key, mac1 []byte
}

func parseFirst(b []byte) (*first, error) {
	s := cryptobyte.String(b)
	m := new(first)
	var err error
	if m.flags, err = readHead(&s, flagNearby); err != nil {
		return nil, err
	}
	if !s.ReadBytes(&m.nonce, nonceSize) || !s.ReadBytes(&m.key, hybrid.PublicKeySize) || !s.ReadBytes(&m.mac1, mac1Size) || !s.Empty() {
		return nil, ErrFormat
	}
	return m, nil
}

// body is M1 before mac1.
func (m *first) body() []byte { return addBody(FirstSize, m.flags, m.nonce, m.key) }

func (m *first) marshal() []byte { return append(m.body(), m.mac1...) }

// second is M2.
type second struct{ nonce, ciphertext, box []byte }

func parseSecond(b []byte) (*second, error) {
	s := cryptobyte.String(b)
	m := new(second)
	if _, err := readHead(&s, 0); err != nil {
		return nil, err
	}
	if !s.ReadBytes(&m.nonce, nonceSize) || !s.ReadBytes(&m.ciphertext, hybrid.CiphertextSize) || !s.ReadBytes(&m.box, boxSize) || !s.Empty() {
		return nil, ErrFormat
	}
	return m, nil
}

// body is M2 to the end of xw_ct: what the transcript takes up before the proof.
func (m *second) body() []byte { return addBody(SecondSize, 0, m.nonce, m.ciphertext) }

func (m *second) marshal() []byte { return append(m.body(), m.box...) }

// third is M3 and the record behind it, without the record's length.
type third struct{ box, record []byte }

func parseThird(b []byte) (*third, error) {
	if len(b) < boxSize || len(b) > MaxMessage {
		return nil, ErrFormat
	}
	ciphertext, rest, err := record.Split(b[boxSize:])
	if err != nil || len(rest) != 0 {
		return nil, ErrFormat
	}
	return &third{box: b[:boxSize], record: ciphertext}, nil
}

func (m *third) marshal() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, ThirdSize))
	b.AddBytes(m.box)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(m.record) })
	return b.BytesOrPanic()
}

// readHead reads version, suite and flags. The version comes first: what follows it may look different in another one.
func readHead(s *cryptobyte.String, allowed uint8) (flags uint8, err error) {
	var ver uint8
	var suite uint16
	if !s.ReadUint8(&ver) || ver == 0 {
		return 0, ErrFormat
	}
	if ver > version {
		return 0, ErrNewer
	}
	if !s.ReadUint16(&suite) || !s.ReadUint8(&flags) {
		return 0, ErrFormat
	}
	if suite != identity.Suite {
		return 0, ErrSuite
	}
	if flags&^allowed != 0 {
		return 0, ErrFormat
	}
	return flags, nil
}

func addBody(size int, flags uint8, parts ...[]byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, size))
	b.AddUint8(version)
	b.AddUint16(identity.Suite)
	b.AddUint8(flags)
	for _, p := range parts {
		b.AddBytes(p)
	}
	return b.BytesOrPanic()
}

// proof is what a box holds: who somebody is, and that it is them.
type proof struct{ id, sig, fin []byte }

func parseProof(b []byte) (*proof, error) {
	s := cryptobyte.String(b)
	p := new(proof)
	if !s.ReadBytes(&p.id, idSize) || !s.ReadBytes(&p.sig, composite.SignatureSize) || !s.ReadBytes(&p.fin, macSize) || !s.Empty() {
		return nil, ErrAuth
	}
	return p, nil
}

func (p *proof) marshal() []byte {
	b := make([]byte, 0, boxSize) // with room for the tag: it is sealed in place
	return append(append(append(b, p.id...), p.sig...), p.fin...)
}

// id is who somebody claims to be.
type id struct {
	account, certificate []byte
	list                 identity.ListHead
}

func parseID(b []byte) (*id, error) {
	s := cryptobyte.String(b)
	d := new(id)
	if !s.ReadBytes(&d.account, composite.PublicKeySize) || !s.ReadBytes(&d.certificate, identity.CertificateSize) ||
		!s.ReadUint64(&d.list.Counter) || !s.CopyBytes(d.list.Digest[:]) || !s.Empty() {
		return nil, ErrAuth
	}
	return d, nil
}

func (d *id) marshal() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, idSize))
	b.AddBytes(d.account)
	b.AddBytes(d.certificate)
	b.AddUint64(d.list.Counter)
	b.AddBytes(d.list.Digest[:])
	return b.BytesOrPanic()
}
