package handshake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

const (
	gcmTag    = 16
	mac1Size  = 16
	macSize   = sha256.Size
	nonceSize = 32
)

// transcript is a hash over everything said so far.
type transcript [32]byte

// begin is th0.
func begin(initiator, responder identity.PeerID) transcript {
	return identity.Hash([]byte("CQ1 hs"), []byte(SuiteName), initiator[:], responder[:])
}

// with is the transcript after one part more.
func (t transcript) with(part []byte) transcript { return identity.Hash(t[:], part) }

// keys are what ss and th2 give.
type keys struct {
	hs   [32]byte
	r, i proofKeys
}

// proofKeys are what one side's proof is sealed and MACed with: k and f of the protocol.
type proofKeys struct{ seal, fin [32]byte }

// derive makes the keys for both proofs from the shared secret and th2.
func derive(ss []byte, th2 transcript) keys {
	hs := [32]byte(identity.Extract(make([]byte, 32), ss))
	return keys{hs: hs, r: expandProof(hs, "hs r", th2), i: expandProof(hs, "hs i", th2)}
}

func expandProof(hs [32]byte, label string, th2 transcript) proofKeys {
	b := identity.Expand(hs[:], label, th2[:], 64)
	return proofKeys{seal: [32]byte(b[:32]), fin: [32]byte(b[32:])}
}

// master is MS.
func master(hs [32]byte, thF transcript) []byte {
	return identity.Expand(hs[:], "master", thF[:], 32)
}

// aead is AES-256-GCM; every key made here seals one message, with a nonce of zeros.
func (k *proofKeys) aead() cipher.AEAD {
	block, err := aes.NewCipher(k.seal[:])
	if err != nil {
		panic("handshake: AES: " + err.Error()) // the key has 32 bytes
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic("handshake: GCM: " + err.Error()) // AES has blocks of 16 bytes
	}
	return g
}

// finish is fin: an HMAC over the transcript.
func (k *proofKeys) finish(th transcript) []byte { return mac(k.fin[:], th[:]) }

// mac1 is the filter over M1 before its last 16 bytes, for whom it is addressed to.
func mac1(to [32]byte, body []byte) []byte {
	key := identity.Hash([]byte("CQ1 mac1"), to[:])
	return mac(key[:], body)[:mac1Size]
}

// nearby is what mac1 is addressed to with flag 1.
func nearby(responder identity.PeerID) [32]byte {
	return identity.Hash([]byte("CQ1 nearby"), responder[:])
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}
