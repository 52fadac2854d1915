package composite

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// testKey is the key of a seed of 64 times b.
func testKey(t testing.TB, b byte) *PrivateKey {
	t.Helper()
	k, err := NewPrivateKey(bytes.Repeat([]byte{b}, SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSign(t testing.TB, k *PrivateKey, message, context string) []byte {
	t.Helper()
	sig, err := k.Sign([]byte(message), context)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// draft is the vector of the draft; testdata/README.md says where it is from.
type draft struct {
	message, seed, public, plain, withContext []byte
	context                                   string
}

func readDraft(t *testing.T) draft {
	t.Helper()
	b, err := os.ReadFile("testdata/composite.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		M, Ctx string
		Tests  []struct{ TcID, Pk, Sk, S, SWithContext string }
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tests) != 1 || file.Tests[0].TcID != "id-MLDSA65-Ed25519-SHA512" {
		t.Fatalf("composite.json holds %d tests, want one", len(file.Tests))
	}
	decode := func(s string) []byte {
		out, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(out) == 0 {
			t.Fatalf("composite.json: %q: %v", s, err)
		}
		return out
	}
	v := file.Tests[0]
	return draft{
		message: decode(file.M), context: string(decode(file.Ctx)),
		seed: decode(v.Sk), public: decode(v.Pk), plain: decode(v.S), withContext: decode(v.SWithContext),
	}
}

func TestTheDraftsKeyAndSignatures(t *testing.T) {
	d := readDraft(t)
	k, err := NewPrivateKey(d.seed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(k.Public().Bytes(), d.public) {
		t.Error("the seed gives another public key than the draft's")
	}
	p, err := ParsePublicKey(d.public)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, context string
		sig           []byte
		want          bool
	}{
		{"without context", "", d.plain, true},
		{"with context", d.context, d.withContext, true},
		{"context missing", "", d.withContext, false},
		{"context not signed", d.context, d.plain, false},
	} {
		if got := p.Verify(d.message, row.context, row.sig); got != row.want {
			t.Errorf("%s: Verify = %v, want %v", row.name, got, row.want)
		}
	}
}

func TestAFlippedByteOfTheDraftsVectorIsFound(t *testing.T) {
	d := readDraft(t)
	p, err := ParsePublicKey(d.public)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 100, mldsa65.SignatureSize - 1, mldsa65.SignatureSize, SignatureSize - 1} {
		sig := bytes.Clone(d.withContext)
		sig[at] ^= 1
		if p.Verify(d.message, d.context, sig) {
			t.Errorf("signature with byte %d flipped verifies", at)
		}
	}
	for _, at := range []int{0, mldsa65.PublicKeySize - 1, mldsa65.PublicKeySize, PublicKeySize - 1} {
		raw := bytes.Clone(d.public)
		raw[at] ^= 1
		if q, err := ParsePublicKey(raw); err == nil && q.Verify(d.message, d.context, d.withContext) {
			t.Errorf("key with byte %d flipped verifies", at)
		}
	}
}

func TestBothHalvesMustVerify(t *testing.T) {
	a, b := testKey(t, 1), testKey(t, 2)
	x, y := mustSign(t, a, "message", "ctx"), mustSign(t, b, "message", "ctx")
	lattice := append(bytes.Clone(x[:mldsa65.SignatureSize]), y[mldsa65.SignatureSize:]...)
	curve := append(bytes.Clone(y[:mldsa65.SignatureSize]), x[mldsa65.SignatureSize:]...)
	for name, sig := range map[string][]byte{"ML-DSA half only": lattice, "Ed25519 half only": curve} {
		if a.Public().Verify([]byte("message"), "ctx", sig) {
			t.Errorf("%s: Verify = true", name)
		}
	}
	if !a.Public().Verify([]byte("message"), "ctx", x) {
		t.Error("the whole signature does not verify")
	}
}

func TestVerifyRefusesOtherLengths(t *testing.T) {
	k := testKey(t, 1)
	sig := mustSign(t, k, "message", "")
	for _, bad := range [][]byte{nil, {}, sig[:len(sig)-1], append(bytes.Clone(sig), 0), sig[:mldsa65.SignatureSize]} {
		if k.Public().Verify([]byte("message"), "", bad) {
			t.Errorf("Verify takes a signature of %d bytes", len(bad))
		}
	}
}

func TestAContextHasAtMost255Bytes(t *testing.T) {
	k := testKey(t, 1)
	longest := strings.Repeat("c", MaxContext)
	if sig := mustSign(t, k, "m", longest); !k.Public().Verify([]byte("m"), longest, sig) {
		t.Error("a context of 255 bytes does not verify")
	}
	if _, err := k.Sign([]byte("m"), longest+"c"); !errors.Is(err, ErrContext) {
		t.Errorf("Sign with 256 bytes of context: %v, want ErrContext", err)
	}
	if k.Public().Verify([]byte("m"), longest+"c", make([]byte, SignatureSize)) {
		t.Error("Verify takes a context of 256 bytes")
	}
}

func TestSeedsAndKeysOfOtherLengthsAreRefused(t *testing.T) {
	for _, n := range []int{0, 32, SeedSize - 1, SeedSize + 1} {
		if _, err := NewPrivateKey(make([]byte, n)); err == nil {
			t.Errorf("NewPrivateKey takes %d bytes", n)
		}
	}
	raw := testKey(t, 1).Public().Bytes()
	for _, b := range [][]byte{nil, raw[:PublicKeySize-1], append(bytes.Clone(raw), 0)} {
		if _, err := ParsePublicKey(b); err == nil {
			t.Errorf("ParsePublicKey takes %d bytes", len(b))
		}
	}
}

func TestKeysComeBackFromTheirBytes(t *testing.T) {
	k, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewPrivateKey(k.Seed())
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePublicKey(k.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if !p.Equal(again.Public()) || p.Equal(testKey(t, 1).Public()) || p.Equal(nil) {
		t.Error("Equal does not tell keys apart")
	}
	if sig := mustSign(t, again, "m", "c"); !p.Verify([]byte("m"), "c", sig) {
		t.Error("what the restored key signs does not verify")
	}
}

func TestWhatBytesAndSeedReturnIsACopy(t *testing.T) {
	k := testKey(t, 1)
	k.Seed()[0] ^= 1
	k.Public().Bytes()[0] ^= 1
	if !bytes.Equal(k.Seed(), testKey(t, 1).Seed()) || !k.Public().Equal(testKey(t, 1).Public()) {
		t.Error("writing to a returned slice changes the key")
	}
}

func TestSignaturesAreHedgedAndFollowTheGlobalRandom(t *testing.T) {
	k := testKey(t, 1)
	if bytes.Equal(mustSign(t, k, "m", ""), mustSign(t, k, "m", "")) {
		t.Error("two signatures of one message are the same: ML-DSA is not hedged")
	}
	cryptotest.SetGlobalRandom(t, 1)
	a := mustSign(t, k, "m", "")
	cryptotest.SetGlobalRandom(t, 1)
	if !bytes.Equal(a, mustSign(t, k, "m", "")) {
		t.Error("under one global random source two signatures differ")
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

// TestAnotherImplementationAgrees signs with ours and verifies with filippo.io/mldsa and crypto/ed25519, and the reverse.
func TestAnotherImplementationAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		seed, message := randomBytes(r, SeedSize), randomBytes(r, r.IntN(300))
		context := string(randomBytes(r, r.IntN(MaxContext+1)))
		k, err := NewPrivateKey(seed)
		if err != nil {
			t.Fatal(err)
		}
		other, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), seed[:32])
		if err != nil {
			t.Fatal(err)
		}
		ed := ed25519.NewKeyFromSeed(seed[32:])
		pk := append(bytes.Clone(other.PublicKey().Bytes()), ed.Public().(ed25519.PublicKey)...)
		if !bytes.Equal(pk, k.Public().Bytes()) {
			t.Fatalf("seed %x: public keys differ", seed)
		}
		m, err := representative(message, context)
		if err != nil {
			t.Fatal(err)
		}
		options := &mldsa.Options{Context: label}
		sig := mustSign(t, k, string(message), context)
		if err := mldsa.Verify(other.PublicKey(), m, sig[:mldsa65.SignatureSize], options); err != nil {
			t.Errorf("seed %x: the other one refuses our signature: %v", seed, err)
		}
		theirs, err := other.Sign(nil, m, options)
		if err != nil {
			t.Fatal(err)
		}
		if !k.Public().Verify(message, context, append(theirs, ed25519.Sign(ed, m)...)) {
			t.Errorf("seed %x: we refuse the other one's signature", seed)
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
