package composite

import (
	"bytes"
	"testing"
)

func FuzzParsePublicKey(f *testing.F) {
	raw := testKey(f, 1).Public().Bytes()
	f.Add(raw)
	f.Add(raw[:PublicKeySize-1])
	f.Add(append(bytes.Clone(raw), 0))
	f.Add(make([]byte, PublicKeySize))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePublicKey(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Bytes(), b) {
			t.Errorf("Bytes() differ from what was parsed")
		}
		if p.Verify(b, "fuzz", make([]byte, SignatureSize)) {
			t.Error("a signature of zeros verifies")
		}
	})
}
