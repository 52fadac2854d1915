package sealvfs

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
)

// hedge makes nonces that depend on randomness and on what is sealed. Randomness alone repeats in a virtual machine that is
// copied or set back (Ristenpart and Yilek, "When Good Randomness Goes Bad", NDSS 2010): two pages under one nonce would show
// their difference, and let anybody make a third.
//
//	nonce = SHA-256(secret 32 | random 24 | GMAC(additional key, 0^12; unit) 16 | additional data of the unit)[:24]
//
// The MAC stands for the unit because it costs a fifth of hashing 4 KiB; that its nonce is always the same does no harm
// where it is not shown.
type hedge struct {
	mac    cipher.AEAD
	secret [32]byte
}

func newHedge(key [KeySize]byte) (h hedge) {
	keys, err := hkdf.Expand(sha256.New, key[:], "CQ1 page nonce", 64)
	if err != nil {
		panic(err) // SHA-256, and two blocks of it
	}
	block, err := aes.NewCipher(keys[:32])
	if err == nil {
		h.mac, err = cipher.NewGCM(block)
	}
	if err != nil {
		panic(err) // the lengths are right
	}
	copy(h.secret[:], keys[32:])
	clear(keys)
	return h
}

// makeNonce fills nonce for a unit that is sealed with the additional data.
func (f *file) makeNonce(nonce, unit, data []byte) {
	rand.Read(nonce)
	h := &f.v.hedge
	in := append(append(f.hash[:0], h.secret[:]...), nonce...)
	in = h.mac.Seal(in, f.zeros[:], nil, unit)
	sum := sha256.Sum256(append(in, data...))
	copy(nonce, sum[:])
}
