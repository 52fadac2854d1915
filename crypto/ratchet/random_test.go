package ratchet

import (
	"bytes"
	"testing"
	"testing/cryptotest"
)

// A virtual machine that is copied, or set back, draws the same randomness twice. What is said then differs, and GCM must
// not meet one key and nonce with two texts.
func TestRepeatedRandomnessRepeatsNoKey(t *testing.T) {
	d := devices()
	i, _ := begin(t)
	for name, make := range map[string]func(records []byte) (head []byte){
		"message": func(records []byte) []byte {
			_, msg := must2(i.Seal(records))
			return msg[:headSize]
		},
		"INIT": func(records []byte) []byte {
			_, init := must2(Initiate(d[0].initConfig(d[1], records)))
			return init[:initHead]
		},
	} {
		head := func(text string) []byte {
			cryptotest.SetGlobalRandom(t, 7)
			return make([]byte(text))
		}
		if !bytes.Equal(head("one"), head("one")) {
			t.Fatalf("%s: the randomness does not repeat, so this test shows nothing", name)
		}
		if bytes.Equal(head("one"), head("two")) {
			t.Errorf("%s: two texts under one ciphertext of the KEM, that is under one key and nonce", name)
		}
	}
}
