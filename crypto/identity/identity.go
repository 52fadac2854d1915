// Package identity says who is who: accounts, devices, and what an account signs about its devices.
//
// A person has 24 words. They are a master seed, from which the account key comes, and nothing else is needed to be that
// person. The account key signs two things only: a certificate for each device, and the list of the devices that count.
// Everything else is signed by a device, whose keys are random and never leave it.
//
//	Seed          32 random bytes, shown as 24 words
//	AccountID     hash of the account key, shown as cq1...; who has it from a trusted source needs no other proof
//	Certificate   binds a device's signing key and its host key (PeerID) to an account; its hash is the DeviceID
//	List          which devices of an account are valid, under a counter that only rises
//	ListEvidence  two lists under one counter: proof that an account key signed against its own rule
//	Bundle        a device's signed prekey
//	Invitation    what a link or a QR code carries to somebody who does not know us yet
//
// Signed bytes are built by cryptobyte: integers are big-endian, and each begins with the suite, or with a magic and the
// suite. Each parser takes exactly what its Marshal or its signer makes, and refuses trailing bytes, other suites and
// unsorted lists. Time is an argument, never read.
package identity

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Suite is the one suite of protocol CQ1: X-Wing, MLDSA65-Ed25519-SHA512, AES-256-GCM, HKDF-SHA256.
const Suite uint16 = 0x0001

// Contexts of the signatures made here. Each signing key has contexts of its own, so that nothing signed for one purpose
// passes for another.
const (
	ctxDevice = "CQ1 device" // account key: certificate
	ctxList   = "CQ1 list"   // account key: device list
	ctxPrekey = "CQ1 prekey" // device key: bundle
	ctxHost   = "CQ1 host"   // host key: prefix of what it signs in a certificate
)

var (
	// ErrMalformed says that bytes are not in the one form that their parser takes.
	ErrMalformed = errors.New("identity: malformed")
	// ErrSuite says that something is of another suite than Suite: a newer version made it.
	ErrSuite = errors.New("identity: unknown suite; it may need a newer version")
	// ErrSignature says that a signature does not verify under the key it should.
	ErrSignature = errors.New("identity: signature does not verify")
	// ErrAccount says that something belongs to another account, or another device, than the one asked about.
	ErrAccount = errors.New("identity: belongs to another account")
)

// Hash is H of the protocol: SHA-256 over the parts, each behind its length as a u32, so that no two lists of parts are
// hashed as the same bytes.
func Hash(parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, p := range parts {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// Extract is HKDF-Extract with SHA-256 (RFC 5869): 32 bytes.
func Extract(salt, ikm []byte) []byte {
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		panic("identity: HKDF-Extract: " + err.Error()) // SHA-256 is always allowed
	}
	return prk
}

// Expand is the protocol's Expand: n bytes of HKDF-Expand(key, "CQ1 " || label || 0x00 || th) with SHA-256. n is a
// constant of the caller's and at most 8160; a larger one panics.
func Expand(key []byte, label string, th []byte, n int) []byte {
	return expand(key, "CQ1 "+label+"\x00"+string(th), n)
}

func expand(key []byte, info string, n int) []byte {
	out, err := hkdf.Expand(sha256.New, key, info, n)
	if err != nil {
		panic("identity: HKDF-Expand: " + err.Error()) // only for n over 255 blocks
	}
	return out
}
