package group

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// Sizes of an entry in bytes.
const (
	// MaxEntry bounds a whole entry, so that a segment with one of them fits a mail blob and a FETCH reply.
	MaxEntry = 36 << 10

	// MaxPlaintext bounds the records of one entry: the largest padded size of which the entry still fits MaxEntry.
	MaxPlaintext = 34 << 10

	headerSize = 1 + 4 + 4 + nonceSize + 4 // kind, generation, index, nonce, length of what follows
	nonceSize  = 16
	tagSize    = 16
	commitSize = 32
)

// Errors of entries that a caller branches on.
var (
	ErrAuth    = errors.New("this entry does not open") // wrong key, room or log, or changed bytes: which of them is not told
	ErrTooLong = errors.New("this message is too long")
)

// Entry is one sealed message as it stands in a segment:
//
//	kind 1 | generation 4 | index 4 | nonce 16 | length 4 | ciphertext and tag | commit 32
//
// Everything before the ciphertext is the entry header. The kind is in clear and bound to the keys, its meaning is not
// known here.
type Entry struct {
	Kind              uint8
	Generation, Index uint32
	Nonce             [16]byte
	Ciphertext        []byte // with the tag; shares memory with Raw
	Commit            [32]byte
	Raw               []byte // the bytes parsed: what is stored and hashed, and what Open reads
}

// ParseEntry parses exactly one entry. It refuses trailing bytes, more than MaxEntry, an index outside a chain and a
// length that padding does not give. The entry shares memory with raw, which must not change afterwards.
func ParseEntry(raw []byte) (*Entry, error) {
	if len(raw) > MaxEntry {
		return nil, fmt.Errorf("parsing entry: %d bytes, the most is %d", len(raw), MaxEntry)
	}
	e := &Entry{Raw: raw}
	s := cryptobyte.String(raw)
	var ct cryptobyte.String
	if !s.ReadUint8(&e.Kind) || !s.ReadUint32(&e.Generation) || !s.ReadUint32(&e.Index) || !s.CopyBytes(e.Nonce[:]) ||
		!readUint32Prefixed(&s, &ct) || !s.CopyBytes(e.Commit[:]) || !s.Empty() {
		return nil, errors.New("parsing entry: cut off, or bytes behind its end")
	}
	if e.Index >= ChainLength {
		return nil, fmt.Errorf("parsing entry: index %d is not in a chain", e.Index)
	}
	if n := len(ct) - tagSize; n < 1 || paddedSize(n) != n {
		return nil, fmt.Errorf("parsing entry: %d bytes are no padded length", n)
	}
	e.Ciphertext = ct
	return e, nil
}

func readUint32Prefixed(s, out *cryptobyte.String) bool {
	var n uint32
	return s.ReadUint32(&n) && s.ReadBytes((*[]byte)(out), int(n))
}

// Seal makes the entry of one message: plaintext is its records, which are padded with zeros here. mk must never have
// sealed before, and next of the step that gave it is stored in the transaction that stores raw. prk is the only
// opening of the entry and lies beside the message. It returns ErrTooLong beyond MaxPlaintext.
//
// The nonce depends on the plaintext and on fresh randomness, so that neither a restored backup nor a cloned random
// generator makes GCM meet one key and nonce twice with two texts.
func Seal(mk MessageKey, room, log [32]byte, kind uint8, plaintext []byte) (raw []byte, prk [32]byte, err error) {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, prk, fmt.Errorf("sealing entry: %w", err)
	}
	return seal(mk, room, log, kind, plaintext, random)
}

func seal(mk MessageKey, room, log [32]byte, kind uint8, plaintext []byte, random [16]byte) ([]byte, [32]byte, error) {
	if len(plaintext) > MaxPlaintext {
		return nil, [32]byte{}, ErrTooLong
	}
	if mk.Index >= ChainLength {
		return nil, [32]byte{}, ErrEnd
	}
	padded := make([]byte, paddedSize(len(plaintext)))
	copy(padded, plaintext)
	nonce := mac(mk.Key[:], []byte("CQ1 nonce"), random[:], padded)

	e := Entry{Kind: kind, Generation: mk.Generation, Index: mk.Index, Nonce: [16]byte(nonce[:nonceSize])}
	raw := e.appendHeader(make([]byte, 0, headerSize+len(padded)+tagSize+commitSize), len(padded)+tagSize)
	prk, err := extract(mk, e.Nonce)
	if err != nil {
		return nil, [32]byte{}, err
	}
	k, err := deriveKeys(prk, room, log, raw)
	if err != nil {
		return nil, [32]byte{}, err
	}
	raw = k.aead.Seal(raw, k.iv, padded, nil)
	commit := mac(k.commit, raw)
	return append(raw, commit[:]...), prk, nil
}

// appendHeader appends the entry header; length counts ciphertext and tag.
func (e *Entry) appendHeader(dst []byte, length int) []byte {
	b := cryptobyte.NewBuilder(dst)
	b.AddUint8(e.Kind)
	b.AddUint32(e.Generation)
	b.AddUint32(e.Index)
	b.AddBytes(e.Nonce[:])
	b.AddUint32(uint32(length))
	return b.BytesOrPanic()
}

// Open opens an entry of the log in the room by its message key. The commitment is checked before the cipher. It returns
// the records with their padding, zeros at the end, and the prk to lie beside the message. Everything that does not fit
// is ErrAuth, and the caller's chain is then still the one before the step.
func Open(mk MessageKey, room, log [32]byte, e *Entry) (plaintext []byte, prk [32]byte, err error) {
	if mk.Generation != e.Generation || mk.Index != e.Index {
		return nil, [32]byte{}, ErrAuth
	}
	if prk, err = extract(mk, e.Nonce); err != nil {
		return nil, [32]byte{}, err
	}
	if plaintext, err = OpenWith(prk, room, log, e); err != nil {
		return nil, [32]byte{}, err
	}
	return plaintext, prk, nil
}

// OpenWith opens an entry by its prk, as a member does that was given KEYS, or a judge. All three keys are derived from
// prk, never taken singly: keys given one by one would let an author make one ciphertext open to two texts. It returns
// the records with their padding, or ErrAuth.
func OpenWith(prk [32]byte, room, log [32]byte, e *Entry) (plaintext []byte, err error) {
	k, err := deriveKeys(prk, room, log, e.Raw[:headerSize])
	if err != nil {
		return nil, err
	}
	want := mac(k.commit, e.Raw[:len(e.Raw)-commitSize])
	if !hmac.Equal(want[:], e.Raw[len(e.Raw)-commitSize:]) {
		return nil, ErrAuth
	}
	plaintext, err = k.aead.Open(nil, k.iv, e.Raw[headerSize:len(e.Raw)-commitSize], nil)
	if err != nil {
		return nil, ErrAuth
	}
	return plaintext, nil
}

// keys are what a prk gives: Ke as a cipher, iv, and Kc.
type keys struct {
	aead       cipher.AEAD
	iv, commit []byte
}

// extract is prk = Extract(nonce, mk).
func extract(mk MessageKey, nonce [16]byte) ([32]byte, error) {
	prk, err := hkdf.Extract(sha256.New, mk.Key[:], nonce[:])
	if err != nil {
		return [32]byte{}, fmt.Errorf("deriving entry keys: %w", err)
	}
	return [32]byte(prk), nil
}

// deriveKeys is Ke 32 | Kc 32 | iv 12 = HKDF-Expand(prk, "CQ1 msg" || room || log || header).
func deriveKeys(prk, room, log [32]byte, header []byte) (keys, error) {
	info := make([]byte, 0, len("CQ1 msg")+64+headerSize)
	info = append(info, "CQ1 msg"...)
	info = append(info, room[:]...)
	info = append(info, log[:]...)
	info = append(info, header...)
	okm, err := hkdf.Expand(sha256.New, prk[:], string(info), 32+32+12)
	if err != nil {
		return keys{}, fmt.Errorf("deriving entry keys: %w", err)
	}
	block, err := aes.NewCipher(okm[:32])
	if err != nil {
		return keys{}, fmt.Errorf("deriving entry keys: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return keys{}, fmt.Errorf("deriving entry keys: %w", err)
	}
	return keys{aead: aead, commit: okm[32:64], iv: okm[64:]}, nil
}
