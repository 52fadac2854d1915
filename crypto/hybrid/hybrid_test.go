package hybrid

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"
)

// testKey is the key of a seed of 32 times b.
func testKey(t testing.TB, b byte) *PrivateKey {
	t.Helper()
	k, err := NewPrivateKey(bytes.Repeat([]byte{b}, SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type vector struct{ seed, public, random, ct, shared []byte }

// readVectors reads testdata/xwing.json; testdata/README.md says where it is from.
func readVectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/xwing.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			KemID                         int `json:"kem_id"`
			IkmE, SkRm, PkRm, Enc, Shared string
			SharedSecret                  string `json:"shared_secret"`
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	decode := func(s string) []byte {
		out, err := hex.DecodeString(s)
		if err != nil || len(out) == 0 {
			t.Fatalf("xwing.json: %q: %v", s, err)
		}
		return out
	}
	var out []vector
	for _, v := range file.Tests {
		if v.KemID != 25722 {
			t.Fatalf("xwing.json: kem_id %d", v.KemID)
		}
		out = append(out, vector{decode(v.SkRm), decode(v.PkRm), decode(v.IkmE), decode(v.Enc), decode(v.SharedSecret)})
	}
	if len(out) != 2 {
		t.Fatalf("xwing.json holds %d cases, want 2", len(out))
	}
	return out
}

func TestVectorsOfTheStandardLibrary(t *testing.T) {
	for n, v := range readVectors(t) {
		k, err := NewPrivateKey(v.seed)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(k.PublicKey(), v.public) {
			t.Errorf("case %d: the seed gives another public key", n)
		}
		if shared, err := k.Decapsulate(v.ct); err != nil || !bytes.Equal(shared, v.shared) {
			t.Errorf("case %d: Decapsulate = %x, %v, want %x", n, shared, err, v.shared)
		}
		shared, ct, err := encapsulate(v.public, v.random)
		if err != nil || !bytes.Equal(shared, v.shared) || !bytes.Equal(ct, v.ct) {
			t.Errorf("case %d: encapsulate gives another secret or ciphertext (%v)", n, err)
		}
	}
}

func TestAFlippedByteOfAVectorIsFound(t *testing.T) {
	v := readVectors(t)[0]
	for name, b := range map[string][]byte{"ML-KEM half": v.ct[:1], "X25519 half": v.ct[CiphertextSize-1:], "seed": v.seed[:1]} {
		b[0] ^= 1
		k, err := NewPrivateKey(v.seed)
		if err != nil {
			t.Fatal(err)
		}
		if shared, err := k.Decapsulate(v.ct); err != nil || bytes.Equal(shared, v.shared) {
			t.Errorf("%s flipped: the secret is still the vector's, or %v", name, err)
		}
		b[0] ^= 1
	}
}

func TestWhatIsEncapsulatedComesOut(t *testing.T) {
	k, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	shared, ct, err := Encapsulate(k.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewPrivateKey(k.Seed())
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Decapsulate(ct)
	if err != nil || !bytes.Equal(got, shared) {
		t.Errorf("Decapsulate = %x, %v, want %x", got, err, shared)
	}
	if len(shared) != SharedSize || len(ct) != CiphertextSize || len(k.PublicKey()) != PublicKeySize {
		t.Errorf("sizes %d, %d, %d", len(shared), len(ct), len(k.PublicKey()))
	}
	if other, err := testKey(t, 9).Decapsulate(ct); err != nil || bytes.Equal(other, shared) {
		t.Errorf("another key gets the secret too, or %v", err)
	}
}

func TestEveryEncapsulationIsFreshAndFollowsTheGlobalRandom(t *testing.T) {
	pk := testKey(t, 1).PublicKey()
	ct := func() []byte {
		_, ct, err := Encapsulate(pk)
		if err != nil {
			t.Fatal(err)
		}
		return ct
	}
	if bytes.Equal(ct(), ct()) {
		t.Error("two encapsulations are the same")
	}
	cryptotest.SetGlobalRandom(t, 1)
	a := ct()
	cryptotest.SetGlobalRandom(t, 1)
	if !bytes.Equal(a, ct()) {
		t.Error("under one global random source two encapsulations differ")
	}
}

func TestWrongLengthsAreRefused(t *testing.T) {
	k := testKey(t, 1)
	for _, n := range []int{0, 1, 31, 33, CiphertextSize - 1, CiphertextSize + 1, PublicKeySize - 1, PublicKeySize + 1} {
		b := make([]byte, n)
		if _, err := NewPrivateKey(b); err == nil {
			t.Errorf("NewPrivateKey takes %d bytes", n)
		}
		if _, _, err := Encapsulate(b); err == nil {
			t.Errorf("Encapsulate takes %d bytes", n)
		}
		if err := CheckPublicKey(b); err == nil {
			t.Errorf("CheckPublicKey takes %d bytes", n)
		}
		if _, err := k.Decapsulate(b); err == nil {
			t.Errorf("Decapsulate takes %d bytes", n)
		}
	}
}

// TestCoefficientsThatAreNotReducedAreRefused sets each of the first coefficients to q = 3329 or more, 12 bits each.
func TestCoefficientsThatAreNotReducedAreRefused(t *testing.T) {
	pk := testKey(t, 1).PublicKey()
	if err := CheckPublicKey(pk); err != nil {
		t.Fatal(err)
	}
	for _, q := range []int{3329, 3330, 4095} {
		for at := 0; at < 1152; at += 3 * 37 {
			bad := bytes.Clone(pk)
			bad[at], bad[at+1] = byte(q), bad[at+1]&0xf0|byte(q>>8)
			if _, _, err := Encapsulate(bad); err == nil {
				t.Errorf("Encapsulate takes coefficient %d at byte %d", q, at)
			}
		}
	}
}

func TestAPrivateKeyNeverPrints(t *testing.T) {
	k := testKey(t, 1)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb+verb, k, *k); got != "[secret][secret]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if j, err := json.Marshal(map[string]any{"k": k}); err != nil || string(j) != `{"k":"[secret]"}` {
		t.Errorf("JSON is %s, %v", j, err)
	}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "k", k)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "k", k)
	if strings.Count(out.String(), "[secret]") != 2 {
		t.Errorf("slog writes %s", out.String())
	}
}

func TestWhatSeedAndPublicKeyReturnIsACopy(t *testing.T) {
	k := testKey(t, 1)
	k.Seed()[0] ^= 1
	k.PublicKey()[0] ^= 1
	if !bytes.Equal(k.Seed(), testKey(t, 1).Seed()) || !bytes.Equal(k.PublicKey(), testKey(t, 1).PublicKey()) {
		t.Error("writing to a returned slice changes the key")
	}
}

// oracle is X-Wing out of crypto/mlkem, crypto/ecdh and crypto/sha3.
type oracle struct {
	m *mlkem.DecapsulationKey768
	x *ecdh.PrivateKey
}

func newOracle(t *testing.T, seed []byte) oracle {
	t.Helper()
	expanded := sha3.SumSHAKE256(seed, 96)
	m, err := mlkem.NewDecapsulationKey768(expanded[:64])
	if err != nil {
		t.Fatal(err)
	}
	x, err := ecdh.X25519().NewPrivateKey(expanded[64:])
	if err != nil {
		t.Fatal(err)
	}
	return oracle{m: m, x: x}
}

func (o oracle) public() []byte {
	return append(o.m.EncapsulationKey().Bytes(), o.x.PublicKey().Bytes()...)
}

func combine(m, x, ct, pk []byte) []byte {
	sum := sha3.Sum256(bytes.Join([][]byte{m, x, ct, pk, []byte(`\.//^\`)}, nil))
	return sum[:]
}

func (o oracle) decapsulate(t *testing.T, ct []byte) []byte {
	t.Helper()
	m, err := o.m.Decapsulate(ct[:mlkem.CiphertextSize768])
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ecdh.X25519().NewPublicKey(ct[mlkem.CiphertextSize768:])
	if err != nil {
		t.Fatal(err)
	}
	x, err := o.x.ECDH(peer)
	if err != nil {
		t.Fatal(err)
	}
	return combine(m, x, ct[mlkem.CiphertextSize768:], o.x.PublicKey().Bytes())
}

func (o oracle) encapsulate(t *testing.T, seed []byte) (shared, ct []byte) {
	t.Helper()
	m, ctm := o.m.EncapsulationKey().Encapsulate()
	e, err := ecdh.X25519().NewPrivateKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	x, err := e.ECDH(o.x.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	return combine(m, x, e.PublicKey().Bytes(), o.x.PublicKey().Bytes()), append(ctm, e.PublicKey().Bytes()...)
}

func TestTheStandardLibrarysHalvesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		seed := randomBytes(r, SeedSize)
		k, err := NewPrivateKey(seed)
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(t, seed)
		if !bytes.Equal(o.public(), k.PublicKey()) {
			t.Fatalf("seed %x: public keys differ", seed)
		}
		shared, ct, err := Encapsulate(k.PublicKey())
		if err != nil || !bytes.Equal(shared, o.decapsulate(t, ct)) {
			t.Errorf("seed %x: the oracle gets another secret, or %v", seed, err)
		}
		shared, ct = o.encapsulate(t, randomBytes(r, 32))
		if got, err := k.Decapsulate(ct); err != nil || !bytes.Equal(got, shared) {
			t.Errorf("seed %x: we get another secret than the oracle, or %v", seed, err)
		}
		ct[r.IntN(mlkem.CiphertextSize768)] ^= 1 + byte(r.IntN(255)) // implicit rejection must agree too
		if got, err := k.Decapsulate(ct); err != nil || !bytes.Equal(got, o.decapsulate(t, ct)) || bytes.Equal(got, shared) {
			t.Errorf("seed %x: a forged ciphertext gives another secret than the oracle's, or %v", seed, err)
		}
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestRepeatedRandomnessRepeatsASecretForTheSameUseOnly(t *testing.T) {
	k := testKey(t, 1)
	make := func(use ...[]byte) []byte {
		cryptotest.SetGlobalRandom(t, 1)
		shared, ct, err := Encapsulate(k.PublicKey(), use...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Decapsulate(ct); err != nil || !bytes.Equal(got, shared) {
			t.Fatalf("Decapsulate = %x, %v, want %x", got, err, shared)
		}
		return shared
	}
	if !bytes.Equal(make([]byte("a"), []byte("bc")), make([]byte("a"), []byte("bc"))) {
		t.Error("the same use gives another secret")
	}
	seen := map[string]bool{}
	for _, use := range [][][]byte{nil, {[]byte("a"), []byte("bc")}, {[]byte("ab"), []byte("c")}, {[]byte("abc")}, {nil}, {nil, nil}} {
		if shared := string(make(use...)); seen[shared] {
			t.Errorf("%q: a secret that another use has too", use)
		} else {
			seen[shared] = true
		}
	}
}
