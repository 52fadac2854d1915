package ratchet

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// AcceptConfig is the side that receives an INIT.
type AcceptConfig struct {
	Self *identity.Device
	Inc  uint64 // our incarnation: an INIT for another one is refused

	// Prekey finds the seed of the prekey in the bundle with this digest, or says that it is gone. The seed is only read.
	Prekey func(bundleDigest [32]byte) (seed []byte, ok bool)
}

// Accepted is what an INIT said. Its sender holds the device key of Certificate, and Account signed that certificate;
// whether that device is on the account's list, whether PeerInc is not below the pinned one and whether these very bytes
// came before is for the caller to check before it stores the session.
type Accepted struct {
	Session     *Session
	Account     *composite.PublicKey
	Certificate *identity.Certificate
	PeerInc     uint64
	Attempt     uint32
	Records     []byte   // as Initiate was given them
	Bundle      [32]byte // digest of the bundle that it was made for
}

// Accept opens an INIT and makes R's side of its session; the caller then sends a message on it at once. It returns
// ErrKey if the prekey is gone or belongs to another incarnation, ErrAuth for everything that does not verify, and
// identity.ErrSuite or identity.ErrMalformed for what is no INIT of this version.
func Accept(c AcceptConfig, init []byte) (*Accepted, error) {
	h, err := parseInitHead(init)
	if err != nil {
		return nil, fmt.Errorf("reading INIT: %w", err)
	}
	seed, ok := c.Prekey(h.bundle)
	if !ok {
		return nil, ErrKey
	}
	prekey, err := hybrid.NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("accepting a session: %w", err)
	}
	shared, err := prekey.Decapsulate(h.ct)
	if err != nil {
		return nil, fmt.Errorf("accepting a session: %w", err)
	}
	defer clear(shared)

	k := newInitKeys(shared, init[:initHead], c.Self.Certificate, prekey.PublicKey())
	defer k.erase()
	plaintext, ok := k.open(init[initHead:])
	if !ok {
		return nil, ErrAuth
	}
	body, sig := plaintext[:len(plaintext)-composite.SignatureSize], plaintext[len(plaintext)-composite.SignatureSize:]
	b, ok := parseInitBody(body)
	if !ok || PartyOf(b.certificate) == PartyOf(c.Self.Certificate) {
		return nil, ErrAuth
	}
	thB := k.bodyHash(body)
	if !b.certificate.Key.Verify(thB[:], ctxInit, sig) {
		return nil, ErrAuth
	}
	if b.incR != c.Inc {
		return nil, ErrKey
	}

	s := k.session(thB, FromResponder)
	s.rank(PartyOf(b.certificate), b.incI, PartyOf(c.Self.Certificate), b.incR, b.attempt)
	s.peerKey = [hybrid.PublicKeySize]byte(b.rpk)
	s.own[0] = h.bundle
	return &Accepted{
		Session: s, Account: b.account, Certificate: b.certificate, PeerInc: b.incI, Attempt: b.attempt,
		Records: b.records, Bundle: h.bundle,
	}, nil
}

// IsInit tells an INIT from the other things that a CTL frame or a mailbox blob may hold, by its first bytes.
func IsInit(b []byte) bool { return len(b) >= minInit && string(b[:len(initMagic)]) == initMagic }

type initHeader struct {
	bundle [32]byte
	ct     []byte
}

func parseInitHead(init []byte) (h initHeader, err error) {
	s := cryptobyte.String(init)
	if err := readMagic(&s, initMagic); err != nil {
		return h, err
	}
	var flags uint8
	var n [32]byte
	if len(init) < minInit || len(init) > MaxInit || !s.ReadUint8(&flags) || flags != 0 || !s.CopyBytes(h.bundle[:]) ||
		!s.CopyBytes(n[:]) || !s.ReadBytes(&h.ct, hybrid.CiphertextSize) {
		return h, identity.ErrMalformed
	}
	return h, nil
}

type initContent struct {
	account     *composite.PublicKey
	certificate *identity.Certificate
	incI, incR  uint64
	attempt     uint32
	rpk         []byte
	records     []byte
}

// parseInitBody also checks the certificate's signatures, and that messages can be encapsulated to rpk.
func parseInitBody(body []byte) (c initContent, ok bool) {
	s := cryptobyte.String(body)
	var account, certificate []byte
	if !s.ReadBytes(&account, composite.PublicKeySize) || !s.ReadBytes(&certificate, identity.CertificateSize) ||
		!s.ReadUint64(&c.incI) || !s.ReadUint64(&c.incR) || !s.ReadUint32(&c.attempt) ||
		!s.ReadBytes(&c.rpk, hybrid.PublicKeySize) {
		return c, false
	}
	c.records = s
	var err error
	if c.account, err = composite.ParsePublicKey(account); err != nil {
		return c, false
	}
	if c.certificate, err = identity.VerifyCertificate(certificate, c.account); err != nil {
		return c, false
	}
	return c, hybrid.CheckPublicKey(c.rpk) == nil
}
