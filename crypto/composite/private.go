package composite

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"

	"github.com/cryptexq/cryptexq/crypto/internal/simd"
)

// PrivateKey signs. It is immutable and safe for concurrent use. It prints as [secret]; only Seed gives it away.
type PrivateKey struct {
	seed   [SeedSize]byte
	ml     *mldsa65.PrivateKey
	ed     ed25519.PrivateKey
	public *PublicKey
}

// GenerateKey makes a key from crypto/rand.
func GenerateKey() (*PrivateKey, error) {
	var seed [SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("composite: generating a key: %w", err)
	}
	return NewPrivateKey(seed[:])
}

// NewPrivateKey makes the key of a seed of 64 bytes: ML-DSA seed 32 | Ed25519 seed 32. The same seed gives the same key.
func NewPrivateKey(seed []byte) (*PrivateKey, error) {
	defer simd.Clear()
	if len(seed) != SeedSize {
		return nil, wrongLength("seed", len(seed), SeedSize)
	}
	k := &PrivateKey{public: new(PublicKey)}
	copy(k.seed[:], seed)
	ml, sk := mldsa65.NewKeyFromSeed((*[mldsa65.SeedSize]byte)(k.seed[:mldsa65.SeedSize]))
	k.ml, k.public.ml = sk, *ml
	k.ed = ed25519.NewKeyFromSeed(k.seed[mldsa65.SeedSize:])
	ml.Pack((*[mldsa65.PublicKeySize]byte)(k.public.raw[:mldsa65.PublicKeySize]))
	copy(k.public.raw[mldsa65.PublicKeySize:], k.ed[ed25519.SeedSize:])
	return k, nil
}

// Seed is the 64 bytes that NewPrivateKey reads: the only form in which a key is kept. The slice is the caller's.
func (k *PrivateKey) Seed() []byte { return bytes.Clone(k.seed[:]) }

// Public is the key that verifies what k signs.
func (k *PrivateKey) Public() *PublicKey { return k.public }

// Sign makes a signature of 3373 bytes over message in context. ML-DSA is hedged: two signatures of one message differ.
// It fails with ErrContext, or when crypto/rand does.
func (k *PrivateKey) Sign(message []byte, context string) ([]byte, error) {
	defer simd.Clear()
	m, err := representative(message, context)
	if err != nil {
		return nil, err
	}
	sig := make([]byte, SignatureSize)
	if err := mldsa65.SignTo(k.ml, m, []byte(label), true, sig[:mldsa65.SignatureSize]); err != nil {
		return nil, fmt.Errorf("composite: signing: %w", err)
	}
	copy(sig[mldsa65.SignatureSize:], ed25519.Sign(k.ed, m))
	return sig, nil
}

// Format prints [secret] for every verb, so that no log and no message shows a key.
func (PrivateKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// MarshalText is [secret]: it keeps keys out of JSON and out of structured logs.
func (PrivateKey) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
