package composite

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"

	"github.com/cryptexq/cryptexq/crypto/internal/simd"
)

// PublicKey verifies signatures. It is immutable and safe for concurrent use. It holds ML-DSA's matrix unpacked, about
// 40 KiB, which saves 100 us at each Verify; callers that hold many keep bytes instead.
type PublicKey struct {
	raw [PublicKeySize]byte
	ml  mldsa65.PublicKey
}

// ParsePublicKey reads 1984 bytes. It refuses other lengths, and as its Ed25519 half every encoding but the canonical one
// of a curve point that is not of small order: under a small-order key one signature fits many messages. Every 1952
// bytes are the canonical form of some ML-DSA key.
func ParsePublicKey(b []byte) (*PublicKey, error) {
	defer simd.Clear()
	if len(b) != PublicKeySize {
		return nil, wrongLength("public key", len(b), PublicKeySize)
	}
	if err := checkPoint(b[mldsa65.PublicKeySize:]); err != nil {
		return nil, fmt.Errorf("composite: public key: %w", err)
	}
	p := new(PublicKey)
	copy(p.raw[:], b)
	p.ml.Unpack((*[mldsa65.PublicKeySize]byte)(b[:mldsa65.PublicKeySize]))
	return p, nil
}

// Bytes are the 1984 bytes that ParsePublicKey reads. The slice is the caller's.
func (p *PublicKey) Bytes() []byte { return bytes.Clone(p.raw[:]) }

// Equal says whether p and q are the same key.
func (p *PublicKey) Equal(q *PublicKey) bool { return q != nil && p.raw == q.raw }

// Verify says whether sig is a signature of message by p's owner in context. Both halves must verify. A signature of
// another length than SignatureSize, or a context longer than MaxContext, verifies nothing.
func (p *PublicKey) Verify(message []byte, context string, sig []byte) bool {
	defer simd.Clear()
	if len(sig) != SignatureSize {
		return false
	}
	m, err := representative(message, context)
	if err != nil {
		return false
	}
	return ed25519.Verify(p.raw[mldsa65.PublicKeySize:], m, sig[mldsa65.SignatureSize:]) &&
		mldsa65.Verify(&p.ml, m, []byte(label), sig[:mldsa65.SignatureSize])
}
