package record

import "encoding/binary"

// Opener opens the records of one direction, in order. It prints as "[secret]".
type Opener struct{ direction }

// NewOpener takes the key 32 | iv 12 of the sealer at the other end.
func NewOpener(keyiv []byte) (*Opener, error) {
	d, err := newDirection(keyiv)
	if err != nil {
		return nil, err
	}
	return &Opener{d}, nil
}

// Open opens the next record. Ciphertext is what follows the record's length, all of it. The plaintext is appended to dst, and
// data is the part of it behind the type; ciphertext[:0] as dst opens in place. After an error, and after a FIN, nothing opens
// any more. Errors are ErrAuth, ErrClosed and ErrExhausted.
func (o *Opener) Open(dst, ciphertext []byte) (typ uint8, data []byte, err error) {
	nonce, err := o.step()
	if err != nil {
		return 0, nil, err
	}
	if len(ciphertext) < minCiphertext || len(ciphertext) > maxCiphertext {
		return 0, nil, o.end(ErrAuth)
	}
	plain, err := o.aead.Open(dst, nonce, ciphertext, nil)
	if err != nil {
		return 0, nil, o.end(ErrAuth)
	}
	typ, data = plain[len(dst)], plain[len(dst)+typeSize:]
	if !valid(typ, len(data)) {
		return 0, nil, o.end(ErrAuth)
	}
	if typ == FIN {
		_ = o.end(ErrClosed)
	}
	return typ, data, nil
}

// Split cuts the first record off b and returns its ciphertext, ready for Open, and what follows it. It returns ErrAuth when b
// does not begin with a whole record of a possible length.
func Split(b []byte) (ciphertext, rest []byte, err error) {
	if len(b) < lengthSize {
		return nil, nil, ErrAuth
	}
	n, err := parseLength(b[:lengthSize])
	if err != nil || n > len(b)-lengthSize {
		return nil, nil, ErrAuth
	}
	b = b[lengthSize:]
	return b[:n:n], b[n:], nil
}

// parseLength reads the two bytes before a ciphertext and refuses lengths that no record has.
func parseLength(b []byte) (int, error) {
	n := int(binary.BigEndian.Uint16(b))
	if n < minCiphertext || n > maxCiphertext {
		return 0, ErrAuth
	}
	return n, nil
}
