package handshake

import (
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/record"
)

// policyOff is the first byte of Q1 when a side wants no quantum key; then it is the only one. What other policies carry is
// hashed and not read by this version, which answers them with off.
const policyOff byte = 0

// quantumKey is key and iv for the records about quantum keys of one direction.
func quantumKey(ms []byte, thF transcript, direction byte) []byte {
	th := identity.Hash(thF[:], []byte{direction})
	return identity.Expand(ms, "qkd", th[:], record.KeySize)
}

// sealPolicy makes the record Q1 of one side.
func sealPolicy(ms []byte, thF transcript, direction byte, policy []byte) ([]byte, error) {
	s, err := record.NewSealer(quantumKey(ms, thF, direction))
	if err != nil {
		return nil, err
	}
	return s.Seal(nil, record.Data, policy)
}

// openPolicy returns what is inside a record Q1: at least one byte, and only one if that is off.
func openPolicy(ms []byte, thF transcript, direction byte, ciphertext []byte) ([]byte, error) {
	o, err := record.NewOpener(quantumKey(ms, thF, direction))
	if err != nil {
		return nil, err
	}
	typ, policy, err := o.Open(nil, ciphertext)
	if err != nil || typ != record.Data || policy[0] == policyOff && len(policy) != 1 {
		return nil, ErrAuth
	}
	return policy, nil
}

// result is the end of the key schedule, without a quantum key. Absent policies are empty.
func (p *party) result(ms []byte, thF transcript, policyI, policyR []byte) *Result {
	return &Result{
		Account: p.account, Certificate: p.certificate, List: p.list,
		Master:     Secret(identity.Extract(ms, make([]byte, 32))),
		Transcript: identity.Hash(thF[:], policyI, policyR, nil, nil),
	}
}
