// Package record seals the bytes of one direction of one stream of a link.
//
//	record = length 2 | GCM(key, iv xor counter, type 1 | data)
//
// The length counts what follows it. Key (32) and iv (12) are fresh for every stream and direction (handshake.Result.StreamKey);
// the counter starts at 0, is xored as a big-endian u64 into the last eight bytes of the iv and goes up by one with each record,
// as in RFC 8446 section 5.3, so records cannot be dropped, swapped, repeated or moved to another stream unseen. There is no
// additional data: a changed length cuts the ciphertext elsewhere and fails to open.
//
// There are two types. Data carries 1 to MaxData bytes. FIN carries none and ends the direction: an end of file without it is a
// truncation, reported as io.ErrUnexpectedEOF. After a FIN, and after any error, a direction is finished for good.
//
// Nothing here is safe for concurrent use; one direction has one owner.
package record

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
)

// The types of a record.
const (
	Data uint8 = 0 // 1 to MaxData bytes of the stream
	FIN  uint8 = 1 // the end of the stream, without data
)

const (
	// KeySize is the size of what a direction is made from: an AES-256 key of 32 bytes and an iv of 12.
	KeySize = 32 + ivSize

	// MaxRecord is the size of the largest record with its length. 16 KiB is one allocation class of the Go runtime, so a stream
	// holds exactly that; the fixed cost of a record (0.3 us and 19 bytes) is by then under a tenth of sealing it and 0.12 % of its bytes, and
	// a reader can hand on the first byte of a frame of 72 KiB after a quarter of it has arrived.
	MaxRecord = 16 << 10

	// MaxData is the largest number of data bytes in one record.
	MaxData = MaxRecord - Overhead

	// Overhead is what a record adds to its data: length 2, type 1, GCM tag 16.
	Overhead = lengthSize + typeSize + tagSize

	// MaxRecords is the number of records after which a direction refuses to go on; the link is made anew long before
	// (docs/protocol.md 2). At 2^42 blocks of AES the birthday term of GCM is 2^-45.
	MaxRecords = 1 << 32

	lengthSize = 2
	typeSize   = 1
	tagSize    = 16
	ivSize     = 12

	minCiphertext = typeSize + tagSize
	maxCiphertext = MaxRecord - lengthSize
)

// ErrAuth is the only thing said about a record that is not the next one of its stream: forged, damaged, out of order or malformed.
var ErrAuth = errors.New("record: authentication failed")

// ErrExhausted is returned instead of record number 2^32: the link must be made anew.
var ErrExhausted = errors.New("record: key used up after 2^32 records")

// ErrClosed is returned for anything that should follow a FIN.
var ErrClosed = errors.New("record: stream is finished")

// direction is what sealing and opening share: a key, the place in the stream, and the error that ended it.
type direction struct {
	aead  cipher.AEAD
	iv    [ivSize]byte
	nonce [ivSize]byte // scratch; a local array would be allocated anew for every record
	next  uint64       // number of the next record
	err   error        // set once nothing may follow
}

func newDirection(keyiv []byte) (direction, error) {
	if len(keyiv) != KeySize {
		return direction{}, fmt.Errorf("record: key material of %d bytes, want %d", len(keyiv), KeySize)
	}
	block, err := aes.NewCipher(keyiv[:KeySize-ivSize])
	if err != nil {
		return direction{}, fmt.Errorf("record: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return direction{}, fmt.Errorf("record: %w", err)
	}
	return direction{aead: aead, iv: [ivSize]byte(keyiv[KeySize-ivSize:])}, nil
}

// step returns the nonce of the next record and counts it. It fails when the direction has ended.
func (d *direction) step() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.next >= MaxRecords {
		return nil, d.end(ErrExhausted)
	}
	d.nonce = d.iv
	tail := d.nonce[ivSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^d.next)
	d.next++
	return d.nonce[:], nil
}

// end makes err the answer to everything that follows, drops the key, and returns err.
func (d *direction) end(err error) error {
	*d = direction{err: err}
	return err
}

// Format prints "[secret]" whatever the verb.
func (direction) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(secret)) }

// MarshalText returns "[secret]".
func (direction) MarshalText() ([]byte, error) { return []byte(secret), nil }

const secret = "[secret]"
