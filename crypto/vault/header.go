package vault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// Bounds of a header.
const (
	MaxHeader = 4095 // bytes
	MaxSlots  = 16
	maxLive   = 64 // bytes of the live file's name

	digestSize = sha256.Size
	magic      = "CQV1"
)

var (
	// ErrForeign says that a file is no header of a vault at all.
	ErrForeign = errors.New("not a vault")
	// ErrNewer says that a header is of a later format than this package knows.
	ErrNewer = errors.New("made by a newer version")
)

// Header is what vault.cqv holds: which file is the vault's database, and the slots that open it. It is written anew only
// when one of them changes.
//
//	"CQV1" | generation 8 | vault 16 | file 16 | epoch 4 | len 1 | live | count 1 | slots | SHA-256 32 | MAC 32
//
// The plain digest tells a damaged file from a wrong password before there is a key; the MAC, under Subkey "header", tells
// a forged one.
type Header struct {
	Generation uint64   // plus one each time it is written
	Vault      [16]byte // random, once: additional data of every slot
	File       [16]byte // of the live file
	Epoch      uint32   // of the live file when this was written: a later one is in use
	Live       string   // name of the live file, in the folder of the header
	Slots      [][]byte
}

// Marshal returns the header's bytes, under MaxHeader, authenticated by key, which is Subkey(data key, "header").
func (h *Header) Marshal(key [KeySize]byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddBytes([]byte(magic))
	b.AddUint64(h.Generation)
	b.AddBytes(h.Vault[:])
	b.AddBytes(h.File[:])
	b.AddUint32(h.Epoch)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.Live)) })
	b.AddUint8(uint8(len(h.Slots)))
	for _, s := range h.Slots {
		b.AddBytes(s)
	}
	raw, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	raw = append(raw, sum[:]...)
	return append(raw, mac(key, raw)...), nil
}

// ParseHeader reads what Marshal wrote. Nobody vouches for it until Verify does. It returns ErrForeign for a file that is
// something else, ErrNewer for a later format and ErrDamaged for a header that is not as it was written.
func ParseHeader(raw []byte) (*Header, error) {
	switch {
	case len(raw) < len(magic) || string(raw[:3]) != magic[:3]:
		return nil, ErrForeign
	case raw[3] > magic[3] && raw[3] <= '9':
		return nil, ErrNewer
	case raw[3] != magic[3]:
		return nil, ErrForeign
	case len(raw) < len(magic)+2*digestSize || len(raw) > MaxHeader:
		return nil, ErrDamaged
	}
	body := raw[:len(raw)-2*digestSize]
	sum := sha256.Sum256(body)
	if !bytes.Equal(sum[:], raw[len(body):len(body)+digestSize]) {
		return nil, ErrDamaged
	}
	h, ok := parseBody(body)
	if !ok || h.check() != nil {
		return nil, ErrDamaged
	}
	return h, nil
}

func parseBody(body []byte) (*Header, bool) {
	h := new(Header)
	s := cryptobyte.String(body[len(magic):])
	var live cryptobyte.String
	var n uint8
	ok := s.ReadUint64(&h.Generation) && s.CopyBytes(h.Vault[:]) && s.CopyBytes(h.File[:]) && s.ReadUint32(&h.Epoch) &&
		s.ReadUint8LengthPrefixed(&live) && s.ReadUint8(&n)
	if !ok || len(s) != int(n)*SlotSize {
		return nil, false
	}
	h.Live = string(live)
	for ; len(s) > 0; s = s[SlotSize:] {
		h.Slots = append(h.Slots, bytes.Clone(s[:SlotSize]))
	}
	return h, true
}

// Verify reports whether raw, which ParseHeader read, was written under key. A false one is damage or forgery.
func Verify(raw []byte, key [KeySize]byte) bool {
	if len(raw) < digestSize {
		return false
	}
	body := raw[:len(raw)-digestSize]
	return subtle.ConstantTimeCompare(mac(key, body), raw[len(body):]) == 1
}

func mac(key [KeySize]byte, body []byte) []byte {
	m := hmac.New(sha256.New, key[:])
	m.Write(body)
	return m.Sum(nil)
}

// check reports what no header may hold. The live file's name cannot lead out of the folder.
func (h *Header) check() error {
	if h.Generation == 0 || len(h.Slots) == 0 || len(h.Slots) > MaxSlots || !plainName(h.Live) {
		return ErrDamaged
	}
	for _, s := range h.Slots {
		if _, _, err := ParseSlot(s); err != nil && !errors.Is(err, ErrParams) {
			return ErrDamaged
		}
	}
	return nil
}

// plainName allows lower-case letters, digits, '-' and '.', and no '.' at the beginning.
func plainName(s string) bool {
	return s != "" && len(s) <= maxLive && s[0] != '.' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// Open returns the data key from the first slot of kind that secret opens; it tries all of them. It returns ErrPassword
// when there is none and otherwise the error of OpenSlot that says most: damage, then memory, then a wrong password.
func (h *Header) Open(kind uint8, secret []byte, memoryLimit uint64) (dataKey [KeySize]byte, err error) {
	err = ErrPassword
	for _, s := range h.Slots {
		if s[0] != kind {
			continue
		}
		key, e := OpenSlot(s, secret, h.Vault[:], memoryLimit)
		if e == nil {
			return key, nil
		}
		if errors.Is(e, ErrDamaged) || err == ErrPassword {
			err = e
		}
	}
	return dataKey, err
}
