package ratchet

import (
	"crypto/aes"
	"crypto/cipher"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// step is one step of a chain: x = Extract(chain key, shared), bound to the head of the message and to the public key
// that it was encapsulated to.
type step struct {
	x        []byte
	head, pk []byte
}

func newStep(chain [32]byte, shared, head, pk []byte) step {
	return step{x: identity.Extract(chain[:], shared), head: head, pk: pk}
}

// cipher is Ke 32 | iv 12 = Expand(x, "msg", H(head, pk), 44).
func (st step) cipher() (aead cipher.AEAD, iv []byte) {
	th := identity.Hash(st.head, st.pk)
	okm := identity.Expand(st.x, "msg", th[:], 32+ivSize)
	defer clear(okm[:32])
	return newGCM(okm[:32]), okm[32:]
}

func (st step) seal(plaintext []byte) []byte {
	aead, iv := st.cipher()
	return aead.Seal(nil, iv, plaintext, nil)
}

func (st step) open(box []byte) ([]byte, bool) {
	aead, iv := st.cipher()
	plaintext, err := aead.Open(nil, iv, box, nil)
	return plaintext, err == nil
}

// next is the chain key behind the message: Expand(x, "next", H(head, pk, box), 32).
func (st step) next(box []byte) [32]byte {
	th := identity.Hash(st.head, st.pk, box)
	return [32]byte(identity.Expand(st.x, "next", th[:], 32))
}

func (st step) erase() { clear(st.x) }

func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("ratchet: AES: " + err.Error()) // 32 bytes are always a key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("ratchet: GCM: " + err.Error()) // AES has the block size that it wants
	}
	return aead
}
