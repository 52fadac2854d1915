package identity

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// safetyRounds makes each guess at a colliding key 5200 hashes dear: 30 digits are only 100 bits.
const safetyRounds = 5200

// SafetyNumber is what two people compare to know that they have each other's keys: 60 digits in groups of five, the
// smaller half first, so that both see the same. It takes some 40 to 60 ms.
func SafetyNumber(a, b *composite.PublicKey) string {
	x, y := SafetyHalf(a), SafetyHalf(b)
	if x > y {
		x, y = y, x
	}
	return x + " " + y
}

// SafetyHalf is one side of a SafetyNumber: 30 digits in groups of five, from h = SHA-512(h || pk), 5200 times beginning
// with the AccountID: six groups of 5 bytes of it, each modulo 100000.
func SafetyHalf(pk *composite.PublicKey) string {
	key, id := pk.Bytes(), AccountOf(pk)
	h := id[:]
	buf := make([]byte, 0, sha512.Size+len(key))
	for range safetyRounds {
		sum := sha512.Sum512(append(append(buf[:0], h...), key...))
		h = sum[:]
	}
	groups := make([]string, 6)
	for i := range groups {
		var n [8]byte
		copy(n[3:], h[5*i:5*i+5])
		groups[i] = fmt.Sprintf("%05d", binary.BigEndian.Uint64(n[:])%100000)
	}
	return strings.Join(groups, " ")
}
