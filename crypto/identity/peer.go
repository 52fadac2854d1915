package identity

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math/big"
	"strings"
)

// peerPrefix is what every Ed25519 PeerID begins with: an identity multihash (00, 36 bytes) of libp2p's protobuf of a
// public key (type 1 = Ed25519, 32 bytes).
const peerPrefix = "\x00\x24\x08\x01\x12\x20"

// PeerID names a libp2p host by its Ed25519 key: 6 constant bytes and the key.
type PeerID [38]byte

// PeerIDOf is the PeerID of a host key of 32 bytes.
func PeerIDOf(pk ed25519.PublicKey) PeerID {
	var p PeerID
	copy(p[:], peerPrefix)
	copy(p[len(peerPrefix):], pk)
	return p
}

// ParsePeerID reads the text of String. It refuses every PeerID that is not of an Ed25519 key.
func ParsePeerID(s string) (PeerID, error) {
	b, ok := decodeBase58(s, len(PeerID{}))
	if !ok {
		return PeerID{}, fmt.Errorf("reading peer ID: %w", ErrMalformed)
	}
	p := PeerID(b)
	if _, err := p.Key(); err != nil {
		return PeerID{}, fmt.Errorf("reading peer ID: %w", err)
	}
	return p, nil
}

// Key is the host key in p. It fails with ErrMalformed if p is not the PeerID of an Ed25519 key.
func (p PeerID) Key() (ed25519.PublicKey, error) {
	if string(p[:len(peerPrefix)]) != peerPrefix {
		return nil, fmt.Errorf("peer ID without an Ed25519 key: %w", ErrMalformed)
	}
	return bytes.Clone(p[len(peerPrefix):]), nil
}

// String is the PeerID in base58, as libp2p writes it: 12D3Koo...
func (p PeerID) String() string { return encodeBase58(p[:]) }

// Short is the last 8 characters of String, for logs: the first 8 are the same in all.
func (p PeerID) Short() string {
	s := p.String()
	return s[max(0, len(s)-8):]
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// encodeBase58 is Bitcoin's base58: b as a number, and a "1" for each leading zero byte.
func encodeBase58(b []byte) string {
	n, radix, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, radix, digit)
		out = append(out, base58Alphabet[digit.Int64()])
	}
	for _, c := range b {
		if c != 0 {
			break
		}
		out = append(out, base58Alphabet[0])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// decodeBase58 reads exactly size bytes from their one base58 form.
func decodeBase58(s string, size int) ([]byte, bool) {
	if len(s) > 2*size {
		return nil, false
	}
	n, radix := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		digit := strings.IndexByte(base58Alphabet, s[i])
		if digit < 0 {
			return nil, false
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(digit)))
	}
	if n.BitLen() > 8*size {
		return nil, false
	}
	b := n.FillBytes(make([]byte, size))
	return b, encodeBase58(b) == s
}
