package record

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Sealer makes the records of one direction. It prints as "[secret]".
type Sealer struct{ direction }

// NewSealer takes key 32 | iv 12. Two sealers must never get the same bytes: they would repeat nonces.
func NewSealer(keyiv []byte) (*Sealer, error) {
	d, err := newDirection(keyiv)
	if err != nil {
		return nil, err
	}
	return &Sealer{d}, nil
}

// Seal appends the next record, length included, to dst and returns the extended slice. Data must be 1 to MaxData bytes of type
// Data, or none of type FIN, and must not lie in the free space of dst. It allocates only where dst has less than len(data) +
// Overhead to spare. After a FIN it returns ErrClosed, after 2^32 records ErrExhausted.
func (s *Sealer) Seal(dst []byte, typ uint8, data []byte) ([]byte, error) {
	if !valid(typ, len(data)) {
		return nil, fmt.Errorf("record: type %d with %d bytes cannot be sealed", typ, len(data))
	}
	nonce, err := s.step()
	if err != nil {
		return nil, err
	}
	start := len(dst)
	dst = slices.Grow(dst, len(data)+Overhead)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(data)+minCiphertext))
	dst = append(append(dst, typ), data...)
	body := start + lengthSize
	dst = s.aead.Seal(dst[:body], nonce, dst[body:], nil)
	if typ == FIN {
		_ = s.end(ErrClosed)
	}
	return dst, nil
}

// valid says whether a record of this type may carry n bytes. Empty data records are refused: they would make a reader work
// without getting on.
func valid(typ uint8, n int) bool {
	switch typ {
	case Data:
		return n >= 1 && n <= MaxData
	case FIN:
		return n == 0
	}
	return false
}
