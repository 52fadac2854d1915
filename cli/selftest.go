package cli

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
)

var errSelfTest = errors.New("the cryptography of this build does not work on this machine: do not use it, and report this")

// selfTest tries what everything rests on, in about a millisecond: a build or a processor that gets it wrong must not run.
func selfTest() error {
	key, err := hybrid.GenerateKey()
	if err != nil {
		return fmt.Errorf("%w: %w", errSelfTest, err)
	}
	sent, ct, err := hybrid.Encapsulate(key.PublicKey())
	if err != nil {
		return fmt.Errorf("%w: %w", errSelfTest, err)
	}
	got, err := key.Decapsulate(ct)
	if err != nil || !bytes.Equal(sent, got) {
		return fmt.Errorf("%w: key exchange", errSelfTest)
	}
	signer, err := composite.GenerateKey()
	if err != nil {
		return fmt.Errorf("%w: %w", errSelfTest, err)
	}
	sig, err := signer.Sign(ct, "self-test")
	if err != nil || !signer.Public().Verify(ct, "self-test", sig) {
		return fmt.Errorf("%w: signatures", errSelfTest)
	}
	if sig[0] ^= 1; signer.Public().Verify(ct, "self-test", sig) {
		return fmt.Errorf("%w: a forged signature verifies", errSelfTest)
	}
	return nil
}
