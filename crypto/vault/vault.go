// Package vault is how a password, or the 24 words, opens what is stored: password stretching, key slots, the vault's
// header and the keys that come from the data key.
//
//	password -> NFKC -> Argon2id -> HKDF -> KEK 1 \
//	24 words ---------------------> HKDF -> KEK 2  > unwrap the data key (32 random bytes, made once)
//	OS keyring -------------------> HKDF -> KEK 3 /
//	data key -> HKDF per purpose: page, audit, header, anchor, map, blob names
//
// A slot holds the data key under one key-encryption key (RFC 9106 for Argon2id, RFC 5869 for HKDF-SHA256):
//
//	kind 1 | m 4 | t 1 | p 1 | salt 16 | com 32 | nonce 12 | wrapped 48
//	K = Argon2id(password, salt; m KiB, t, p), or HKDF-Extract(salt, key) with m = t = p = 0
//	com 32 | kek 32 = Expand(K, "slot", H(slot before com), 64)
//	wrapped = AES-256-GCM(kek, nonce, data key, slot before wrapped | aad)
//
// com is compared first: another value means a wrong password, and says so without a guess at the rest; what fails after
// it is damage. So a slot also commits to its key: no wrapped key opens under two passwords.
//
// Everything here is a function of its arguments and crypto/rand.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/text/unicode/norm"
)

// Kinds of slot.
const (
	KindPassword uint8 = 1 // opened by a password
	KindWords    uint8 = 2 // opened by the 32-byte key of the 24 words
	KindKeyring  uint8 = 3 // opened by a 32-byte key that the system's keyring keeps; reserved, never the only slot
)

// SlotSize is the size of a slot in bytes, KeySize that of the data key and of every key that opens a slot or comes from
// the data key.
const (
	SlotSize = 1 + 4 + 1 + 1 + saltSize + comSize + nonceSize + wrappedSize
	KeySize  = 32

	saltSize    = 16
	comSize     = 32
	nonceSize   = 12
	wrappedSize = KeySize + 16

	comAt     = 1 + 4 + 1 + 1 + saltSize
	nonceAt   = comAt + comSize
	wrappedAt = nonceAt + nonceSize
)

var (
	// ErrPassword says that password or key is not the slot's.
	ErrPassword = errors.New("this password does not fit")
	// ErrDamaged says that the slot or header is not as it was written.
	ErrDamaged = errors.New("damaged")
	// ErrParams says that a slot asks for stretching below the minimum, or for more than is sane.
	ErrParams = errors.New("key stretching parameters out of range")
)

// MemoryError says that a slot's stretching needs more than the caller allows; nothing was tried. It is an ErrParams.
type MemoryError struct{ Need, Limit uint64 } // bytes

// Error tells both figures.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("key stretching needs %d MiB of memory, and this machine allows %d", e.Need>>20, e.Limit>>20)
}

// Is makes a MemoryError an ErrParams.
func (e *MemoryError) Is(target error) bool { return target == ErrParams }

// Normalize returns password in Unicode NFKC, the form that is stretched: the same password typed on another keyboard may
// come in other code points.
func Normalize(password []byte) []byte { return norm.NFKC.Bytes(password) }

// SealSlot wraps dataKey in a new slot of SlotSize bytes. secret is the password in NFKC for KindPassword, whose
// parameters p must be within bounds, and a key of KeySize bytes for the other kinds, with p zero. aad says which vault it
// is and must be given again to open it.
func SealSlot(kind uint8, secret []byte, p Params, dataKey [KeySize]byte, aad []byte) ([]byte, error) {
	if err := check(kind, secret, p); err != nil {
		return nil, err
	}
	slot := append(make([]byte, 0, SlotSize), kind)
	slot = binary.BigEndian.AppendUint32(slot, p.Memory)
	slot = append(slot, p.Time, p.Lanes)
	slot = append(slot, random(saltSize)...)
	com, kek := slotKeys(slot, secret, p)
	defer clear(kek)
	slot = append(append(slot, com...), random(nonceSize)...)
	return seal(kek, slot[nonceAt:]).Seal(slot, slot[nonceAt:], dataKey[:], slotData(slot, aad)), nil
}

// OpenSlot unwraps the data key of a slot with the password in NFKC or the key of its kind. It returns ErrPassword when
// secret is not the slot's, ErrDamaged when the slot is not as it was written, ErrParams when its parameters are out of
// bounds and a *MemoryError when they need more than memoryLimit bytes, before anything is tried.
func OpenSlot(raw, secret, aad []byte, memoryLimit uint64) (dataKey [KeySize]byte, err error) {
	kind, p, err := ParseSlot(raw)
	if err != nil {
		return dataKey, err
	}
	if need := uint64(p.Memory) << 10; need > memoryLimit {
		return dataKey, &MemoryError{need, memoryLimit}
	}
	if kind != KindPassword && len(secret) != KeySize {
		return dataKey, ErrPassword
	}
	com, kek := slotKeys(raw[:comAt], secret, p)
	defer clear(kek)
	if subtle.ConstantTimeCompare(com, raw[comAt:nonceAt]) != 1 {
		return dataKey, ErrPassword
	}
	nonce := raw[nonceAt:wrappedAt]
	key, err := seal(kek, nonce).Open(nil, nonce, raw[wrappedAt:], slotData(raw[:wrappedAt], aad))
	if err != nil {
		return dataKey, ErrDamaged
	}
	defer clear(key)
	return [KeySize]byte(key), nil
}

// ParseSlot returns kind and parameters of a slot, and ErrDamaged or ErrParams when there is no such slot.
func ParseSlot(raw []byte) (kind uint8, p Params, err error) {
	if len(raw) != SlotSize {
		return 0, p, ErrDamaged
	}
	kind = raw[0]
	p = Params{Memory: binary.BigEndian.Uint32(raw[1:]), Time: raw[5], Lanes: raw[6]}
	switch kind {
	case KindPassword:
		return kind, p, p.check()
	case KindWords, KindKeyring:
		if p != (Params{}) {
			return 0, p, ErrDamaged
		}
		return kind, p, nil
	}
	return 0, p, ErrDamaged
}

// check reports what is wrong with the arguments of SealSlot.
func check(kind uint8, secret []byte, p Params) error {
	switch kind {
	case KindPassword:
		return p.check()
	case KindWords, KindKeyring:
		if len(secret) != KeySize || p != (Params{}) {
			return fmt.Errorf("sealing slot: key of %d bytes, want %d and no parameters", len(secret), KeySize)
		}
		return nil
	}
	return fmt.Errorf("sealing slot: no kind %d", kind)
}

// slotKeys derives commitment and key-encryption key. head is the slot before com, so it is bound to both.
func slotKeys(head, secret []byte, p Params) (com, kek []byte) {
	salt := head[comAt-saltSize : comAt]
	var k []byte
	if head[0] == KindPassword {
		k = argon2.IDKey(secret, salt, uint32(p.Time), p.Memory, p.Lanes, KeySize)
	} else {
		k = extract(salt, secret)
	}
	defer clear(k)
	out := expand(k, "slot", hash(head), comSize+KeySize)
	return out[:comSize:comSize], out[comSize:]
}

// seal is AES-256-GCM under kek.
func seal(kek, nonce []byte) cipher.AEAD {
	block, err := aes.NewCipher(kek)
	if err != nil {
		panic(err) // the length is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil || len(nonce) != aead.NonceSize() {
		panic("vault: nonce size")
	}
	return aead
}

func slotData(head, aad []byte) []byte {
	return append(append(make([]byte, 0, len(head)+len(aad)), head...), aad...)
}

// Subkey is the key for one purpose: Expand(data key, "vault "+purpose, "", 32).
func Subkey(dataKey [KeySize]byte, purpose string) [KeySize]byte {
	return [KeySize]byte(expand(dataKey[:], "vault "+purpose, nil, KeySize))
}

// NewKey is a random data key.
func NewKey() [KeySize]byte { return [KeySize]byte(random(KeySize)) }

func random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		panic(err) // crypto/rand never fails
	}
	return b
}

// hash is H of the protocol for one part: SHA-256 over its u32 length and itself.
func hash(part []byte) []byte {
	var b cryptobyte.Builder
	b.AddUint32(uint32(len(part)))
	b.AddBytes(part)
	sum := sha256.Sum256(b.BytesOrPanic())
	return sum[:]
}

// expand is Expand of the protocol: HKDF-Expand(k, "CQ1 " | label | 0x00 | th, n).
func expand(k []byte, label string, th []byte, n int) []byte {
	out, err := hkdf.Expand(sha256.New, k, "CQ1 "+label+"\x00"+string(th), n)
	if err != nil {
		panic(err) // n is far below the limit
	}
	return out
}

func extract(salt, key []byte) []byte {
	out, err := hkdf.Extract(sha256.New, key, salt)
	if err != nil {
		panic(err) // SHA-256 has no bounds
	}
	return out
}
