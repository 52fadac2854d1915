package vectors

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/cloudflare/circl/dh/x25519"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// test is a case of any Wycheproof file: what a file does not have stays empty.
type test struct {
	TcID    int
	Comment string
	Flags   []string
	Result  string // valid, invalid, acceptable

	Msg     *bytesHex
	Ctx     bytesHex
	Sig     bytesHex
	Rnd     *bytesHex
	Seed    bytesHex
	Ek      bytesHex
	C       bytesHex
	K       bytesHex
	M       bytesHex
	Public  bytesHex
	Private bytesHex
	Shared  bytesHex
	Key     bytesHex
	Iv      bytesHex
	Aad     bytesHex
	Ct      bytesHex
	Tag     bytesHex
	Ikm     bytesHex
	Salt    bytesHex
	Info    bytesHex
	Size    int
	Okm     bytesHex
}

// group is what the cases of a file share.
type group struct {
	PublicKey   json.RawMessage // ML-DSA: hex; Ed25519: an object with pk
	PrivateSeed bytesHex
	TagSize     int // bits
	Tests       []test
}

func (g group) publicKey(t *testing.T) []byte {
	t.Helper()
	var plain bytesHex
	if json.Unmarshal(g.PublicKey, &plain) == nil {
		return plain
	}
	var object struct{ Pk bytesHex }
	if err := json.Unmarshal(g.PublicKey, &object); err != nil {
		t.Fatal(err)
	}
	return object.Pk
}

// load reads a Wycheproof file and makes a vector of each case for which make gives one. Cases that are acceptable count
// as valid: make decides what that means.
func load(t *testing.T, name string, make func(g group, c test) (expected []byte, check func([]byte) bool)) []vector {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name+".json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int
		TestGroups    []group
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var out []vector
	all := 0
	for _, g := range file.TestGroups {
		for _, c := range g.Tests {
			all++
			expected, check := make(g, c)
			if check == nil {
				continue
			}
			id := fmt.Sprintf("%s %d (%s %v)", name, c.TcID, c.Comment, c.Flags)
			out = append(out, vector{id, c.Result != "invalid", expected, check})
		}
	}
	if all == 0 || all != file.NumberOfTests {
		t.Fatalf("%s says that it holds %d cases, but %d are there", name, file.NumberOfTests, all)
	}
	return out
}

func loadMLDSAVerify(t *testing.T) []vector {
	return load(t, "mldsa_65_verify_test", func(g group, c test) ([]byte, func([]byte) bool) {
		return c.Sig, func(sig []byte) bool {
			var pk mldsa65.PublicKey
			return pk.UnmarshalBinary(g.publicKey(t)) == nil && mldsa65.Verify(&pk, *c.Msg, c.Ctx, sig)
		}
	})
}

// loadMLDSASign leaves out the cases "Internal", which give the hash of the message alone: circl has no door for it.
func loadMLDSASign(t *testing.T) []vector {
	return load(t, "mldsa_65_sign_seed_test", func(g group, c test) ([]byte, func([]byte) bool) {
		if slices.Contains(c.Flags, "Internal") && c.Msg == nil {
			return nil, nil
		}
		return c.Sig, func(expected []byte) bool {
			if len(g.PrivateSeed) != mldsa65.SeedSize {
				return false
			}
			_, sk := mldsa65.NewKeyFromSeed((*[mldsa65.SeedSize]byte)(g.PrivateSeed))
			sig := make([]byte, mldsa65.SignatureSize)
			if c.Rnd != nil {
				honest := rand.Reader
				defer func() { rand.Reader = honest }()
				rand.Reader = bytes.NewReader(*c.Rnd)
			}
			return mldsa65.SignTo(sk, *c.Msg, c.Ctx, c.Rnd != nil, sig) == nil && bytes.Equal(sig, expected)
		}
	})
}

func loadMLKEMDecapsulate(t *testing.T) []vector {
	return load(t, "mlkem_768_test", func(_ group, c test) ([]byte, func([]byte) bool) {
		return c.K, func(k []byte) bool {
			if len(c.Seed) != mlkem768.KeySeedSize || len(c.C) != mlkem768.CiphertextSize { // as in crypto/hybrid
				return false
			}
			pk, sk := mlkem768.NewKeyFromSeed(c.Seed)
			ek, got := make([]byte, mlkem768.PublicKeySize), make([]byte, mlkem768.SharedKeySize)
			pk.Pack(ek)
			sk.DecapsulateTo(got, c.C)
			oracle, err := mlkem.NewDecapsulationKey768(c.Seed)
			if err != nil {
				t.Fatal(err)
			}
			other, err := oracle.Decapsulate(c.C)
			return err == nil && bytes.Equal(ek, c.Ek) && bytes.Equal(got, k) && bytes.Equal(other, k)
		}
	})
}

func loadMLKEMEncapsulate(t *testing.T) []vector {
	return load(t, "mlkem_768_encaps_test", func(_ group, c test) ([]byte, func([]byte) bool) {
		return slices.Concat(c.K, c.C), func(expected []byte) bool {
			var pk mlkem768.PublicKey
			if len(c.Ek) != mlkem768.PublicKeySize || len(c.M) != mlkem768.EncapsulationSeedSize || pk.Unpack(c.Ek) != nil {
				return false
			}
			k, ct := make([]byte, mlkem768.SharedKeySize), make([]byte, mlkem768.CiphertextSize)
			pk.EncapsulateTo(ct, k, c.M)
			return bytes.Equal(slices.Concat(k, ct), expected)
		}
	})
}

func loadMLKEMKey(t *testing.T) []vector {
	return load(t, "mlkem_768_keygen_seed_test", func(_ group, c test) ([]byte, func([]byte) bool) {
		return c.Ek, func(expected []byte) bool {
			pk, _ := mlkem768.NewKeyFromSeed(c.Seed)
			ek := make([]byte, mlkem768.PublicKeySize)
			pk.Pack(ek)
			return bytes.Equal(ek, expected)
		}
	})
}

// loadX25519 takes the acceptable cases as RFC 7748 does: the function is total, and an all-zero secret is told apart,
// which circl does by returning false and crypto/ecdh by an error.
func loadX25519(t *testing.T) []vector {
	return load(t, "x25519_test", func(_ group, c test) ([]byte, func([]byte) bool) {
		return c.Shared, func(shared []byte) bool {
			var got x25519.Key
			private, public := x25519.Key(c.Private), x25519.Key(c.Public)
			good := x25519.Shared(&got, &private, &public)
			zero := slices.Contains(c.Flags, "ZeroSharedSecret")
			return bytes.Equal(got[:], shared) && good == !zero && ecdhAgrees(t, c, shared, zero)
		}
	})
}

func ecdhAgrees(t *testing.T, c test, shared []byte, zero bool) bool {
	t.Helper()
	private, err := ecdh.X25519().NewPrivateKey(c.Private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ecdh.X25519().NewPublicKey(c.Public)
	if err != nil {
		t.Fatal(err)
	}
	got, err := private.ECDH(public)
	return err != nil && zero || err == nil && !zero && bytes.Equal(got, shared)
}

func loadEd25519(t *testing.T) []vector {
	return load(t, "ed25519_test", func(g group, c test) ([]byte, func([]byte) bool) {
		return c.Sig, func(sig []byte) bool {
			return ed25519.Verify(g.publicKey(t), *c.Msg, sig)
		}
	})
}

// loadGCM checks sealing and opening.
func loadGCM(t *testing.T) []vector {
	return load(t, "aes_gcm_test", func(g group, c test) ([]byte, func([]byte) bool) {
		return slices.Concat(c.Ct, c.Tag), func(box []byte) bool {
			block, err := aes.NewCipher(c.Key)
			if err != nil {
				return false
			}
			gcm, err := cipher.NewGCMWithNonceSize(block, len(c.Iv))
			if err != nil || g.TagSize != 128 {
				return false
			}
			plain, err := gcm.Open(nil, c.Iv, box, c.Aad)
			return err == nil && bytes.Equal(plain, *c.Msg) && bytes.Equal(gcm.Seal(nil, c.Iv, plain, c.Aad), box)
		}
	})
}

func loadHMAC(t *testing.T) []vector {
	return load(t, "hmac_sha256_test", func(g group, c test) ([]byte, func([]byte) bool) {
		return c.Tag, func(tag []byte) bool {
			h := hmac.New(sha256.New, c.Key)
			h.Write(*c.Msg)
			return hmac.Equal(h.Sum(nil)[:g.TagSize/8], tag)
		}
	})
}

func loadHKDF(t *testing.T) []vector {
	return load(t, "hkdf_sha256_test", func(_ group, c test) ([]byte, func([]byte) bool) {
		return c.Okm, func(okm []byte) bool {
			got, err := hkdf.Key(sha256.New, c.Ikm, c.Salt, string(c.Info), c.Size)
			return err == nil && bytes.Equal(got, okm)
		}
	})
}
