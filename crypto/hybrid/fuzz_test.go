package hybrid

import (
	"bytes"
	"testing"
)

// FuzzEncapsulate: whatever calls itself a public key, encapsulating to it never panics and says the same as
// CheckPublicKey.
func FuzzEncapsulate(f *testing.F) {
	pk := testKey(f, 1).PublicKey()
	f.Add(pk)
	f.Add(pk[1:])
	f.Add(bytes.Repeat([]byte{0xff}, PublicKeySize))
	f.Fuzz(func(t *testing.T, b []byte) {
		shared, ct, err := Encapsulate(b)
		if (err == nil) != (CheckPublicKey(b) == nil) {
			t.Errorf("Encapsulate: %v, CheckPublicKey: %v", err, CheckPublicKey(b))
		}
		if err == nil && (len(shared) != SharedSize || len(ct) != CiphertextSize) {
			t.Errorf("Encapsulate gives %d and %d bytes", len(shared), len(ct))
		}
	})
}

// FuzzDecapsulate: whatever calls itself a ciphertext, only its length is ever refused.
func FuzzDecapsulate(f *testing.F) {
	k := testKey(f, 1)
	_, ct, err := Encapsulate(k.PublicKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ct)
	f.Add(ct[1:])
	f.Add(make([]byte, CiphertextSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		shared, err := k.Decapsulate(b)
		if (err == nil) != (len(b) == CiphertextSize) || err == nil && len(shared) != SharedSize {
			t.Errorf("Decapsulate of %d bytes gives %d bytes, %v", len(b), len(shared), err)
		}
	})
}
