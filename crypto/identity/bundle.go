package identity

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

const (
	// PrekeySize is the length of an X-Wing public key.
	PrekeySize = 1216

	bundleBody = 2 + 32 + 8 + 8 + PrekeySize // 1266: what the device signs

	// BundleSize is the length of every bundle: 1266 bytes and the signature 3373.
	BundleSize = bundleBody + composite.SignatureSize
)

// Bundle is a device's signed prekey, with which anybody can begin a session while the device is away:
//
//	suite 2 | DeviceID 32 | inc 8 | made 8 | prekey 1216 | device signature 3373, "CQ1 prekey"
type Bundle struct {
	Device DeviceID
	Inc    uint64 // incarnation, unix ms: when the device's volatile state began; pinned by who sees it
	Made   uint64 // unix ms, only rising; one older than one seen is refused by the caller
	Prekey []byte // X-Wing public key, 1216 bytes, to which hybrid.Encapsulate can encapsulate
	Raw    []byte // all of it, as signed; not to be changed
}

// SignBundle signs the public prekey spk of 1216 bytes.
func SignBundle(d *Device, inc, made uint64, spk []byte) (*Bundle, error) {
	if len(spk) != PrekeySize || !reduced(spk) {
		return nil, fmt.Errorf("signing prekey: %d bytes are no X-Wing key", len(spk))
	}
	b := &Bundle{Device: d.Certificate.ID(), Inc: inc, Made: made, Prekey: bytes.Clone(spk)}
	raw := b.body()
	sig, err := d.Key.Sign(raw, ctxPrekey)
	if err != nil {
		return nil, fmt.Errorf("signing prekey: %w", err)
	}
	b.Raw = append(raw, sig...)
	return b, nil
}

// ParseBundle reads a bundle's structure and checks no signature: ErrSuite, ErrMalformed.
func ParseBundle(raw []byte) (*Bundle, error) {
	b, err := parseBundle(raw)
	if err != nil {
		return nil, fmt.Errorf("reading prekey: %w", err)
	}
	return b, nil
}

// VerifyBundle reads a bundle and checks that it is of the device of c, whose certificate the caller has verified:
// ErrAccount, ErrSignature, and what ParseBundle returns.
func VerifyBundle(raw []byte, c *Certificate) (*Bundle, error) {
	b, err := ParseBundle(raw)
	if err != nil {
		return nil, err
	}
	if b.Device != c.ID() {
		return nil, fmt.Errorf("verifying prekey: %w", ErrAccount)
	}
	if !c.Key.Verify(b.Raw[:bundleBody], ctxPrekey, b.Raw[bundleBody:]) {
		return nil, fmt.Errorf("verifying prekey: %w", ErrSignature)
	}
	return b, nil
}

// Digest names the bundle: SHA-256 of Raw.
func (b *Bundle) Digest() [32]byte { return sha256.Sum256(b.Raw) }

func (b *Bundle) body() []byte {
	w := cryptobyte.NewBuilder(make([]byte, 0, BundleSize))
	w.AddUint16(Suite)
	w.AddBytes(b.Device[:])
	w.AddUint64(b.Inc)
	w.AddUint64(b.Made)
	w.AddBytes(b.Prekey)
	return w.BytesOrPanic()
}

func parseBundle(raw []byte) (*Bundle, error) {
	s := cryptobyte.String(raw)
	if err := readHead(&s, ""); err != nil {
		return nil, err
	}
	if len(raw) != BundleSize {
		return nil, ErrMalformed
	}
	b := &Bundle{Raw: bytes.Clone(raw)}
	if !s.CopyBytes(b.Device[:]) || !s.ReadUint64(&b.Inc) || !s.ReadUint64(&b.Made) || !s.ReadBytes(&b.Prekey, PrekeySize) {
		return nil, ErrMalformed
	}
	if !reduced(b.Prekey) {
		return nil, ErrMalformed
	}
	b.Prekey = bytes.Clone(b.Prekey)
	return b, nil
}

// reduced is the check of FIPS 203 section 7.2 on the ML-KEM-768 half of an X-Wing key: 768 coefficients of 12 bits, each below
// q. A bundle that nobody can encapsulate to would fail whatever begins a session with its device, and so what is told to
// everybody at once.
func reduced(pk []byte) bool {
	const q, coefficients = 3329, 1152 // bytes of them, two in three
	for b := pk[:coefficients]; len(b) > 0; b = b[3:] {
		x, y := uint16(b[0])|uint16(b[1]&15)<<8, uint16(b[1]>>4)|uint16(b[2])<<4
		if x >= q || y >= q {
			return false
		}
	}
	return true
}
