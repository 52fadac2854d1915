package ratchet

import (
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Sizes of an INIT in bytes.
const (
	// MaxInit bounds a whole INIT: a mailbox blob of 64 KiB has room for it and for its framing.
	MaxInit = 64<<10 - 16

	// MaxInitRecords bounds the records of an INIT.
	MaxInitRecords = MaxInit - minInit

	// "CQI1" | suite 2 | flags 1 | bundle digest 32 | n 32 | ct 1120
	initMagic = "CQI1"
	initHead  = 4 + 2 + 1 + 32 + 32 + hybrid.CiphertextSize // 1191

	// account key 1984 | device certificate 5519 | inc_I 8 | inc_R 8 | attempt 4 | rpk 1216, before the records
	initBody = composite.PublicKeySize + identity.CertificateSize + 8 + 8 + 4 + hybrid.PublicKeySize
	minInit  = initHead + initBody + composite.SignatureSize + tagSize // 13319

	ctxInit = "CQ1 init"
)

// InitConfig is what an INIT says, and to whom.
type InitConfig struct {
	Self    *identity.Device
	Account *composite.PublicKey // the one of Self
	Inc     uint64               // our incarnation, unix ms
	Peer    *identity.Certificate
	Bundle  *identity.Bundle // of Peer, verified, and not older than one seen
	Attempt uint32           // 0, or one above the highest known
	Records []byte           // at most MaxInitRecords; not padded here
}

// Initiate makes an INIT and the session that begins with it, on I's side. The caller stores both in one transaction and
// sends the same bytes until a message of the session opens: an INIT made again is another session. Messages may be
// sealed at once.
func Initiate(c InitConfig) (s *Session, init []byte, err error) {
	if err := c.check(); err != nil {
		return nil, nil, fmt.Errorf("starting a session: %w", err)
	}
	reply, err := hybrid.GenerateKey()
	if err != nil {
		return nil, nil, fmt.Errorf("starting a session: %w", err)
	}
	body := c.body(reply.PublicKey()) // first: randomness that repeats then makes no second INIT under one key
	shared, ct, err := hybrid.Encapsulate(c.Bundle.Prekey, body)
	if err != nil {
		return nil, nil, fmt.Errorf("starting a session: the peer's prekey: %w", err)
	}
	defer clear(shared)
	head, err := c.head(ct)
	if err != nil {
		return nil, nil, fmt.Errorf("starting a session: %w", err)
	}

	k := newInitKeys(shared, head, c.Peer, c.Bundle.Prekey)
	defer k.erase()
	thB := k.bodyHash(body)
	sig, err := c.Self.Key.Sign(thB[:], ctxInit)
	if err != nil {
		return nil, nil, fmt.Errorf("starting a session: %w", err)
	}
	s = k.session(thB, FromInitiator)
	s.rank(PartyOf(c.Self.Certificate), c.Inc, PartyOf(c.Peer), c.Bundle.Inc, c.Attempt)
	copy(s.peerKey[:], c.Bundle.Prekey)
	copy(s.own[0][:], reply.Seed())
	return s, k.seal(head, append(body, sig...)), nil
}

func (c *InitConfig) check() error {
	switch self := c.Self.Certificate; {
	case self.Account != identity.AccountOf(c.Account):
		return errors.New("the account key is not this device's")
	case c.Bundle.Device != c.Peer.ID():
		return errors.New("the bundle is another device's")
	case PartyOf(self) == PartyOf(c.Peer):
		return errors.New("the peer is this device")
	case len(c.Records) > MaxInitRecords:
		return ErrTooLong
	}
	return nil
}

func (c *InitConfig) head(ct []byte) ([]byte, error) {
	var n [32]byte
	if _, err := rand.Read(n[:]); err != nil {
		return nil, err
	}
	digest := c.Bundle.Digest()
	b := cryptobyte.NewBuilder(make([]byte, 0, minInit+len(c.Records)))
	b.AddBytes([]byte(initMagic))
	b.AddUint16(identity.Suite)
	b.AddUint8(0)
	b.AddBytes(digest[:])
	b.AddBytes(n[:])
	b.AddBytes(ct)
	return b.BytesOrPanic(), nil
}

func (c *InitConfig) body(rpk []byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, initBody+len(c.Records)+composite.SignatureSize))
	b.AddBytes(c.Account.Bytes())
	b.AddBytes(c.Self.Certificate.Raw)
	b.AddUint64(c.Inc)
	b.AddUint64(c.Bundle.Inc)
	b.AddUint32(c.Attempt)
	b.AddBytes(rpk)
	b.AddBytes(c.Records)
	return b.BytesOrPanic()
}

// rank keeps the incarnations in the order of the devices, so that both sides rank the session alike.
func (s *Session) rank(initiator Party, incI uint64, responder Party, incR uint64, attempt uint32) {
	s.attempt = attempt
	s.inc = [2]uint64{incI, incR}
	if initiator.Compare(responder) > 0 {
		s.inc = [2]uint64{incR, incI}
	}
}

// initKeys is the key schedule of one INIT: HS and thA, which names everything but the body.
type initKeys struct {
	hs  []byte
	thA [32]byte
}

func newInitKeys(shared, head []byte, responder *identity.Certificate, spk []byte) initKeys {
	device := responder.ID()
	return initKeys{
		hs:  identity.Extract(make([]byte, 32), shared),
		thA: identity.Hash([]byte("CQ1 init"), head, responder.Account[:], device[:], spk),
	}
}

// bodyHash is thB, what I signs and what the session's keys come from.
func (k initKeys) bodyHash(body []byte) [32]byte { return identity.Hash(k.thA[:], body) }

// seal appends the box to the head.
func (k initKeys) seal(head, plaintext []byte) []byte {
	key := identity.Expand(k.hs, "init", k.thA[:], 32)
	defer clear(key)
	return newGCM(key).Seal(head, make([]byte, ivSize), plaintext, nil)
}

// open returns body and signature, or false.
func (k initKeys) open(box []byte) ([]byte, bool) {
	key := identity.Expand(k.hs, "init", k.thA[:], 32)
	defer clear(key)
	plaintext, err := newGCM(key).Open(nil, make([]byte, ivSize), box, nil)
	return plaintext, err == nil
}

// session derives sid 16 | c_IR 32 | c_RI 32 | m_IR 32 | m_RI 32 and gives the chains their direction.
func (k initKeys) session(thB [32]byte, dir uint8) *Session {
	okm := identity.Expand(k.hs, "session", thB[:], 16+4*32)
	defer clear(okm)
	s := &Session{dir: dir, sid: [16]byte(okm)}
	s.send, s.receive = [32]byte(okm[16:]), [32]byte(okm[48:])
	if dir == FromResponder {
		s.send, s.receive = s.receive, s.send
	}
	s.mail = [2][32]byte{[32]byte(okm[80:]), [32]byte(okm[112:])}
	return s
}

func (k initKeys) erase() { clear(k.hs) }
