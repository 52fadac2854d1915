// Package vectors holds no code, only tests: the primitives under this project against other people's vectors. They are
// Wycheproof (github.com/c2sp/wycheproof) and NIST's ACVP (out of circl's module). It is one package because Wycheproof is
// 107 MB that every test binary importing it carries.
//
// ML-DSA, ML-KEM and X25519 are circl's here, as in crypto/composite and crypto/hybrid.
package vectors

import (
	"encoding/hex"
	"encoding/json"
	"testing"
)

// A vector is one case: check says whether the primitive agrees with expected, the bytes whose correctness is asked (a
// signature, a tag, a derived secret). It must say valid for the vector's own bytes.
type vector struct {
	id       string
	valid    bool
	expected []byte
	check    func(expected []byte) bool
}

// A suite is a file of vectors. A suite without vectors fails.
type suite struct {
	name string
	load func(t *testing.T) []vector
}

func suites() []suite {
	return []suite{
		{"wycheproof ML-DSA-65 verify", loadMLDSAVerify},
		{"wycheproof ML-DSA-65 sign", loadMLDSASign},
		{"wycheproof ML-KEM-768 decapsulate", loadMLKEMDecapsulate},
		{"wycheproof ML-KEM-768 encapsulate", loadMLKEMEncapsulate},
		{"wycheproof ML-KEM-768 key", loadMLKEMKey},
		{"wycheproof X25519", loadX25519},
		{"wycheproof Ed25519", loadEd25519},
		{"wycheproof AES-GCM", loadGCM},
		{"wycheproof HMAC-SHA256", loadHMAC},
		{"wycheproof HKDF-SHA256", loadHKDF},
		{"ACVP ML-DSA-65 keyGen", loadACVPSignatureKeys},
		{"ACVP ML-KEM-768 keyGen", loadACVPKeys},
		{"ACVP ML-KEM-768 encapDecap", loadACVPEncapsulations},
	}
}

func TestThePrimitivesAgreeWithEveryVector(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.name, func(t *testing.T) {
			valid, invalid := 0, 0
			for _, v := range s.load(t) {
				if got := v.check(v.expected); got != v.valid {
					t.Errorf("%s: check = %v, want %v", v.id, got, v.valid)
				}
				if v.valid {
					valid++
				} else {
					invalid++
				}
			}
			if valid == 0 {
				t.Fatal("no valid vector ran")
			}
			t.Logf("%d valid, %d invalid", valid, invalid)
		})
	}
}

// TestAFlippedByteOfAnyExpectedResultIsFound shows that the test above can fail: each valid vector, with one bit of its
// expected bytes changed, must be found wrong.
func TestAFlippedByteOfAnyExpectedResultIsFound(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.name, func(t *testing.T) {
			flipped := 0
			for n, v := range s.load(t) {
				if !v.valid || len(v.expected) == 0 {
					continue
				}
				bad := append([]byte(nil), v.expected...)
				bad[n%len(bad)] ^= 1 << (n % 8)
				if v.check(bad) {
					t.Errorf("%s: with byte %d flipped it still passes", v.id, n%len(bad))
				}
				flipped++
			}
			if flipped == 0 {
				t.Fatal("no vector was flipped")
			}
		})
	}
}

// bytesHex is hexadecimal in JSON.
type bytesHex []byte

// UnmarshalJSON reads a string of hexadecimal digits of either case.
func (b *bytesHex) UnmarshalJSON(j []byte) error {
	var s string
	if err := json.Unmarshal(j, &s); err != nil {
		return err
	}
	out, err := hex.DecodeString(s)
	*b = out
	return err
}
