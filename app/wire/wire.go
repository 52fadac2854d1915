// Package wire is what travels inside frames, ratchet messages and entries: bytes in, values out, and back.
//
// It is pure and keeps nothing. Every type T has Marshal and ParseT, and ParseT takes exactly what Marshal makes: trailing bytes,
// unknown numbers and flags, lists out of order and over-long lists are refused, so that nothing past a parser needs a second
// look at its form. What a value claims is another matter: signatures, proofs and who may say what are checked by Check methods
// here where it takes no knowledge (Fetched, WelcomeLog), and by app otherwise.
//
// Big-endian; lists are u16-counted; strings and byte strings carry a u16 length; strings are UTF-8. Sets (heads, cuts, keys) are
// strictly ascending: Marshal sorts them. Marshal panics when a length does not fit its field, which the exported limits
// prevent; text that is not UTF-8 is mended to U+FFFD. Parsed values refer to the bytes they were parsed from.
package wire

import (
	"encoding/hex"
	"errors"

	"github.com/cryptexq/cryptexq/crypto/segment"
)

// ErrFormat is the one answer to bytes that no Marshal makes.
var ErrFormat = errors.New("malformed")

// ErrNewer says that the bytes have the form of this version but a number that only a newer one knows: an operation, a kind of
// room. The screen says "needs a newer version".
var ErrNewer = errors.New("needs a newer version")

// MaxBody bounds a frame's body and a FETCH reply's: 64 KiB, so that relays which cut at 128 KiB let it through.
const MaxBody = 64 << 10

// MaxIndex bounds the absolute index of an entry in its log: more than all segments could hold.
const MaxIndex = segment.MaxK * segment.MaxEntries

const suite = 0x0001

// RoomID names a room: SHA-256 of its genesis.
type RoomID [32]byte

// String is the ID in hex.
func (id RoomID) String() string { return hex.EncodeToString(id[:]) }

// Short is the first 8 characters, for logs.
func (id RoomID) Short() string { return hex.EncodeToString(id[:4]) }
