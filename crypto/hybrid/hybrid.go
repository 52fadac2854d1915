// Package hybrid encapsulates keys with two schemes at once: X25519 (RFC 7748) and ML-KEM-768 (FIPS 203).
//
// It is X-Wing of draft-connolly-cfrg-xwing-kem. A public key is the ML-KEM key 1184 | X25519 key 32, a ciphertext
// ML-KEM 1088 | X25519 32, a private key one seed of 32 bytes from which both halves come. The shared secret binds the
// X25519 half in full, and is secret as long as one of the two schemes holds.
//
// Like X-Wing, Decapsulate never says that a ciphertext is a forgery: it gives another secret, and what is sealed under
// it does not open.
package hybrid

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cloudflare/circl/kem/xwing"

	"github.com/cryptexq/cryptexq/crypto/internal/simd"
)

// Sizes in bytes.
const (
	PublicKeySize  = xwing.PublicKeySize  // 1216
	CiphertextSize = xwing.CiphertextSize // 1120
	SeedSize       = xwing.SeedSize       // 32
	SharedSize     = xwing.SharedKeySize  // 32
)

// PrivateKey opens what was encapsulated to it. It is immutable and safe for concurrent use. It prints as [secret]; only
// Seed gives it away.
type PrivateKey struct {
	seed   [SeedSize]byte
	key    *xwing.PrivateKey
	public [PublicKeySize]byte
}

// GenerateKey makes a key from crypto/rand.
func GenerateKey() (*PrivateKey, error) {
	var seed [SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("hybrid: generating a key: %w", err)
	}
	return NewPrivateKey(seed[:])
}

// NewPrivateKey makes the key of a seed of 32 bytes. The same seed gives the same key.
func NewPrivateKey(seed []byte) (*PrivateKey, error) {
	defer simd.Clear()
	if len(seed) != SeedSize {
		return nil, wrongLength("seed", len(seed), SeedSize)
	}
	k := new(PrivateKey)
	copy(k.seed[:], seed)
	sk, pk := xwing.DeriveKeyPair(k.seed[:])
	k.key = sk
	pk.Pack(k.public[:])
	return k, nil
}

// Seed is the 32 bytes that NewPrivateKey reads: the only form in which a key is kept. The slice is the caller's.
func (k *PrivateKey) Seed() []byte { return bytes.Clone(k.seed[:]) }

// PublicKey is the 1216 bytes that Encapsulate reads. The slice is the caller's.
func (k *PrivateKey) PublicKey() []byte { return bytes.Clone(k.public[:]) }

// Decapsulate gives the 32 bytes that the maker of ct shares with k's owner. It refuses a ciphertext of another length
// than 1120 bytes; a forged one gives a secret that nobody else has.
func (k *PrivateKey) Decapsulate(ct []byte) (shared []byte, err error) {
	defer simd.Clear()
	if len(ct) != CiphertextSize {
		return nil, wrongLength("ciphertext", len(ct), CiphertextSize)
	}
	shared = make([]byte, SharedSize)
	k.key.DecapsulateTo(shared, ct)
	return shared, nil
}

// Encapsulate makes a new shared secret of 32 bytes, and the ciphertext of 1120 bytes from which only the owner of pk
// gets it. It refuses a public key of another length than 1216 bytes, and one whose ML-KEM half is not reduced (the check
// of FIPS 203 section 7.2).
//
// What stands in use is mixed with the randomness: what the secret is going to seal, and a secret of the caller's if there
// is one. A virtual machine that is copied, or set back, may draw the same randomness a second time; the secret is then
// the same only where it seals the same (Ristenpart and Yilek, "When Good Randomness Goes Bad", NDSS 2010).
func Encapsulate(pk []byte, use ...[]byte) (shared, ct []byte, err error) {
	defer simd.Clear()
	var seed [xwing.EncapsulationSeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, nil, fmt.Errorf("hybrid: encapsulating: %w", err)
	}
	if len(use) > 0 {
		if err := hedge(&seed, use); err != nil {
			return nil, nil, fmt.Errorf("hybrid: encapsulating: %w", err)
		}
	}
	return encapsulate(pk, seed[:])
}

// hedge replaces seed by HKDF-SHA256 of it as salt, and of all parts of use, each behind its length as a u64.
func hedge(seed *[xwing.EncapsulationSeedSize]byte, use [][]byte) error {
	var parts []byte
	for _, u := range use {
		parts = append(binary.BigEndian.AppendUint64(parts, uint64(len(u))), u...)
	}
	out, err := hkdf.Key(sha256.New, parts, seed[:], "CQ1 encapsulate", len(seed))
	clear(parts)
	copy(seed[:], out)
	return err
}

// encapsulate is Encapsulate with its randomness given: ML-KEM 32 | X25519 32.
func encapsulate(pk, seed []byte) (shared, ct []byte, err error) {
	p, err := parsePublicKey(pk)
	if err != nil {
		return nil, nil, err
	}
	shared, ct = make([]byte, SharedSize), make([]byte, CiphertextSize)
	p.EncapsulateTo(ct, shared, seed)
	return shared, ct, nil
}

// CheckPublicKey says whether pk is a public key in its one canonical form, as Encapsulate would.
func CheckPublicKey(pk []byte) error {
	defer simd.Clear()
	_, err := parsePublicKey(pk)
	return err
}

func parsePublicKey(pk []byte) (*xwing.PublicKey, error) {
	if len(pk) != PublicKeySize { // Unpack would panic
		return nil, wrongLength("public key", len(pk), PublicKeySize)
	}
	p := new(xwing.PublicKey)
	if err := p.Unpack(pk); err != nil {
		return nil, fmt.Errorf("hybrid: public key: %w", err)
	}
	return p, nil
}

func wrongLength(what string, got, want int) error {
	return fmt.Errorf("hybrid: %s of %d bytes, want %d", what, got, want)
}

// Format prints [secret] for every verb, so that no log and no message shows a key.
func (PrivateKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// MarshalText is [secret]: it keeps keys out of JSON and out of structured logs.
func (PrivateKey) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
