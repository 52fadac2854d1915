package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

const (
	certificateMagic = "CQC1"
	certificateBody  = 4 + 2 + 32 + 4 + 38 + composite.PublicKeySize + 8 + 2 + 8 // 2082: what the account signs

	// CertificateSize is the length of every certificate: 2082 bytes, the account's signature 3373, the host's 64.
	CertificateSize = certificateBody + composite.SignatureSize + ed25519.SignatureSize
)

// Certificate binds a device's keys to an account:
//
//	"CQC1" | suite 2 | AccountID 32 | index 4 | PeerID 38 | device key 1984 | not before 8 | top suite 2 | capabilities 8
//	| account signature 3373, "CQ1 device", over all before | host signature 64 over "CQ1 host" and all before
//
// It never expires: what revokes a device is a newer List.
type Certificate struct {
	Account      AccountID
	Index        uint32 // random; tells the devices of an account apart
	Peer         PeerID
	Key          *composite.PublicKey // signs for the device
	NotBefore    uint64               // unix ms; shown, never judged
	TopSuite     uint16               // highest suite that the device speaks
	Capabilities uint64               // bits that this version does not know are kept
	Raw          []byte               // all of it, as signed; not to be changed
}

// CertificateTemplate is what a new certificate says beside the keys. A zero TopSuite means Suite.
type CertificateTemplate struct {
	Index        uint32
	NotBefore    uint64 // unix ms
	TopSuite     uint16
	Capabilities uint64
}

// Device is what signs for a device: its certificate and the private half of the key in it.
type Device struct {
	Certificate *Certificate
	Key         *composite.PrivateKey
}

// NewIndex makes a random index for a CertificateTemplate.
func NewIndex() (uint32, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("making a device index: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

// IssueCertificate signs a certificate for the public half of device, with the account's key and the host's: nobody can
// claim a PeerID that is not theirs. That the device key's owner agrees shows in everything the device signs, which covers
// the certificate's digest.
func IssueCertificate(account, device *composite.PrivateKey, host ed25519.PrivateKey, t CertificateTemplate) (*Certificate, error) {
	if len(host) != ed25519.PrivateKeySize {
		return nil, errors.New("issuing certificate: the host key has a wrong length")
	}
	c := &Certificate{
		Account: AccountOf(account.Public()), Index: t.Index, Peer: PeerIDOf(ed25519.PublicKey(host[ed25519.SeedSize:])), Key: device.Public(),
		NotBefore: t.NotBefore, TopSuite: t.TopSuite, Capabilities: t.Capabilities,
	}
	if c.TopSuite == 0 {
		c.TopSuite = Suite
	}
	raw := c.body()
	sig, err := account.Sign(raw, ctxDevice)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate: %w", err)
	}
	raw = append(raw, sig...)
	c.Raw = append(raw, ed25519.Sign(host, append([]byte(ctxHost), raw...))...)
	return c, nil
}

// ParseCertificate reads a certificate's structure and checks no signature: ErrSuite, ErrMalformed.
func ParseCertificate(raw []byte) (*Certificate, error) {
	c, err := parseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	return c, nil
}

// VerifyCertificate reads a certificate and checks that it is account's, the host key and both signatures: ErrAccount,
// ErrSignature, and what ParseCertificate returns. Whether the device still counts is for the List to say.
func VerifyCertificate(raw []byte, account *composite.PublicKey) (*Certificate, error) {
	c, err := ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	if c.Account != AccountOf(account) {
		return nil, fmt.Errorf("verifying certificate: %w", ErrAccount)
	}
	host, err := c.Peer.Key()
	if err != nil {
		return nil, fmt.Errorf("verifying certificate: %w", err)
	}
	if err := composite.CheckEd25519(host); err != nil { // anybody could sign again for the host, and so make another DeviceID
		return nil, fmt.Errorf("verifying certificate: %w: %w", ErrMalformed, err)
	}
	signed := c.Raw[:certificateBody+composite.SignatureSize]
	if !ed25519.Verify(host, append([]byte(ctxHost), signed...), c.Raw[len(signed):]) ||
		!account.Verify(signed[:certificateBody], ctxDevice, signed[certificateBody:]) {
		return nil, fmt.Errorf("verifying certificate: %w", ErrSignature)
	}
	return c, nil
}

// ID is the device's: SHA-256 of Raw.
func (c *Certificate) ID() DeviceID { return sha256.Sum256(c.Raw) }

// body is what the account signs.
func (c *Certificate) body() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, CertificateSize))
	b.AddBytes([]byte(certificateMagic))
	b.AddUint16(Suite)
	b.AddBytes(c.Account[:])
	b.AddUint32(c.Index)
	b.AddBytes(c.Peer[:])
	b.AddBytes(c.Key.Bytes())
	b.AddUint64(c.NotBefore)
	b.AddUint16(c.TopSuite)
	b.AddUint64(c.Capabilities)
	return b.BytesOrPanic()
}

func parseCertificate(raw []byte) (*Certificate, error) {
	s := cryptobyte.String(raw)
	if err := readHead(&s, certificateMagic); err != nil {
		return nil, err
	}
	if len(raw) != CertificateSize {
		return nil, ErrMalformed
	}
	c := &Certificate{Raw: bytes.Clone(raw)}
	var key []byte
	if !s.CopyBytes(c.Account[:]) || !s.ReadUint32(&c.Index) || !s.CopyBytes(c.Peer[:]) ||
		!s.ReadBytes(&key, composite.PublicKeySize) || !s.ReadUint64(&c.NotBefore) ||
		!s.ReadUint16(&c.TopSuite) || !s.ReadUint64(&c.Capabilities) {
		return nil, ErrMalformed
	}
	if _, err := c.Peer.Key(); err != nil {
		return nil, err
	}
	if c.TopSuite < Suite { // it speaks the suite that it is signed under
		return nil, ErrMalformed
	}
	var err error
	if c.Key, err = composite.ParsePublicKey(key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return c, nil
}

// readHead reads a magic and the suite.
func readHead(s *cryptobyte.String, magic string) error {
	var m []byte
	var suite uint16
	if !s.ReadBytes(&m, len(magic)) || string(m) != magic || !s.ReadUint16(&suite) {
		return ErrMalformed
	}
	if suite != Suite {
		return ErrSuite
	}
	return nil
}
