package ratchet

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// ReceiptSize is the length of a receipt, 24 bytes: what a CTL frame of this length is.
const ReceiptSize = 16 + 8

// Receipt says that all messages of a session below NR were opened and stored, so that their sender erases them. It is
// not sealed and counts over the peer's own link only; in mail the next message acknowledges.
type Receipt struct {
	SID [16]byte
	NR  uint64
}

// Marshal is sid 16 | nr 8.
func (r Receipt) Marshal() []byte {
	b := cryptobyte.NewFixedBuilder(make([]byte, 0, ReceiptSize))
	b.AddBytes(r.SID[:])
	b.AddUint64(r.NR)
	return b.BytesOrPanic()
}

// ParseReceipt reads exactly 24 bytes, else identity.ErrMalformed.
func ParseReceipt(b []byte) (r Receipt, err error) {
	s := cryptobyte.String(b)
	if !s.CopyBytes(r.SID[:]) || !s.ReadUint64(&r.NR) || !s.Empty() {
		return Receipt{}, fmt.Errorf("reading a receipt: %w", identity.ErrMalformed)
	}
	return r, nil
}
