package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// accountPrefix is the human-readable part of an account's text: "cq1..." follows from it.
const accountPrefix = "cq"

// AccountID names an account: SHA-256("CQ1 identity" || u32 length || account key). Whoever has it from a trusted source
// can take the key itself from anyone.
type AccountID [32]byte

// DeviceID names a device: the SHA-256 of its whole certificate, signatures included.
type DeviceID [32]byte

// AccountOf is the ID of the account whose key pk is.
func AccountOf(pk *composite.PublicKey) AccountID {
	return accountOf(pk.Bytes())
}

// ParseAccountID reads the text of String, in lower or in upper case. It refuses mixed case, a wrong checksum, another
// prefix and another length.
func ParseAccountID(s string) (AccountID, error) {
	prefix, data, err := decodeBech32m(s)
	if err != nil {
		return AccountID{}, fmt.Errorf("reading account ID: %w", err)
	}
	if prefix != accountPrefix {
		return AccountID{}, fmt.Errorf("reading account ID: it begins with %q, not with %q", prefix+"1", accountPrefix+"1")
	}
	if len(data) != len(AccountID{}) {
		return AccountID{}, fmt.Errorf("reading account ID: it holds %d bytes, want %d", len(data), len(AccountID{}))
	}
	return AccountID(data), nil
}

// String is the ID in bech32m (BIP-350), 61 characters: "cq1", 52 characters and a checksum of 6 that finds any four
// wrong ones.
func (a AccountID) String() string { return encodeBech32m(accountPrefix, a[:]) }

// Short is the first 10 characters of String, for logs: too few to name anybody by.
func (a AccountID) Short() string { return a.String()[:10] }

// String is the ID in hexadecimal, 64 characters.
func (d DeviceID) String() string { return hex.EncodeToString(d[:]) }

// Short is the first 8 characters of String, for logs.
func (d DeviceID) Short() string { return d.String()[:8] }

func accountOf(pk []byte) AccountID {
	b := make([]byte, 0, 12+4+len(pk))
	b = append(b, "CQ1 identity"...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(pk)))
	return sha256.Sum256(append(b, pk...))
}
