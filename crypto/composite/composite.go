// Package composite signs with two schemes at once: ML-DSA-65 (FIPS 204) and Ed25519 (RFC 8032).
//
// It is id-MLDSA65-Ed25519-SHA512 of draft-ietf-lamps-pq-composite-sigs. What both halves sign is
//
//	M' = "CompositeAlgorithmSignatures2025" || label || len(context) 1 || context || SHA-512(message)
//
// with the label "COMPSIG-MLDSA65-Ed25519-SHA512", which is also ML-DSA's own context. A public key is the ML-DSA key
// 1952 | Ed25519 key 32, a signature ML-DSA 3309 | Ed25519 64, a seed the two 32-byte seeds in the same order. A
// signature is good only if both halves are: it holds as long as one of the two schemes does.
//
// The context separates what a key signs for different purposes; every caller in this project passes one.
package composite

import (
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// Sizes in bytes.
const (
	PublicKeySize = mldsa65.PublicKeySize + ed25519.PublicKeySize // 1984
	SignatureSize = mldsa65.SignatureSize + ed25519.SignatureSize // 3373
	SeedSize      = mldsa65.SeedSize + ed25519.SeedSize           // 64
	MaxContext    = 255                                           // its length is one byte in M'
)

const (
	prefix = "CompositeAlgorithmSignatures2025"
	label  = "COMPSIG-MLDSA65-Ed25519-SHA512"
)

// ErrContext says that a context is longer than MaxContext.
var ErrContext = errors.New("composite: context is longer than 255 bytes")

// representative is M' of the draft: what both halves sign.
func representative(message []byte, context string) ([]byte, error) {
	if len(context) > MaxContext {
		return nil, ErrContext
	}
	h := sha512.Sum512(message)
	m := make([]byte, 0, len(prefix)+len(label)+1+len(context)+len(h))
	m = append(m, prefix...)
	m = append(m, label...)
	m = append(m, byte(len(context)))
	m = append(m, context...)
	return append(m, h[:]...), nil
}

func wrongLength(what string, got, want int) error {
	return fmt.Errorf("composite: %s of %d bytes, want %d", what, got, want)
}
