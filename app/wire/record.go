package wire

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// Records inside an INIT or a ratchet message.
const (
	RecordSelf    uint8 = 1 // SelfObject: an INIT from a device that the receiver's list lacks carries it
	RecordCard    uint8 = 2
	RecordHello   uint8 = 3
	RecordWelcome uint8 = 4
	RecordGate    uint8 = 5
	RecordChain   uint8 = 6
	RecordKeys    uint8 = 7
	RecordClose   uint8 = 8
	RecordMeet    uint8 = 9
)

// Kinds of entries, in clear in the entry's head.
const (
	EntryMessage uint8 = 1
	EntryControl uint8 = 2
)

// Records inside an entry's plaintext. 5 to 10 are reactions, edits, deletions, replies, timers and pins to come; a kind that is
// not known is kept and shown as "needs a newer version".
const (
	ItemOpen    uint8 = 1
	ItemCard    uint8 = 2
	ItemText    uint8 = 3
	ItemControl uint8 = 4
)

// Record is a kind and a body that the kind explains. The framing is the same inside sessions and inside entries.
type Record struct {
	Kind uint8 // not 0
	Body []byte
}

// Format tells kind and length; the body may be a key or a message.
func (c Record) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "record %d of %d bytes", c.Kind, len(c.Body))
}

// MarshalText is what Format prints.
func (c Record) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v", c), nil }

// MarshalRecords returns kind 1 | length 4 | bytes of each. Padding is crypto/group's and crypto/ratchet's.
func MarshalRecords(records []Record) []byte {
	var w writer
	for _, c := range records {
		if c.Kind == 0 {
			w.SetError(fmt.Errorf("wire: a record of kind 0"))
		}
		w.AddUint8(c.Kind)
		w.AddUint32(uint32(len(c.Body)))
		w.AddBytes(c.Body)
	}
	return w.done()
}

// ParseRecords reads records and the zeros behind them: kind 0 ends the list, and nothing but zeros may follow.
func ParseRecords(b []byte) ([]Record, error) {
	var records []Record
	r := cryptobyte.String(b)
	for !r.Empty() && r[0] != 0 {
		var c Record
		var length uint32
		ok := r.ReadUint8(&c.Kind) && r.ReadUint32(&length) && uint64(length) <= uint64(len(r)) && r.ReadBytes(&c.Body, int(length))
		if !ok {
			return nil, fmt.Errorf("reading record %d: %w", len(records), ErrFormat)
		}
		records = append(records, c)
	}
	if len(bytes.Trim(r, "\x00")) != 0 {
		return nil, fmt.Errorf("reading padding: %w", ErrFormat)
	}
	return records, nil
}
