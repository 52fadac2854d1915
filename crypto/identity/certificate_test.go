package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
)

func TestACertificateVerifiesUnderItsAccount(t *testing.T) {
	p := newPerson(t, 1)
	issued := p.device.Certificate
	c, err := VerifyCertificate(issued.Raw, p.account.Public())
	if err != nil {
		t.Fatal(err)
	}
	if c.Account != AccountOf(p.account.Public()) || c.Index != testIndex || c.Peer != PeerIDOf(p.host.Public().(ed25519.PublicKey)) ||
		!c.Key.Equal(p.device.Key.Public()) || c.NotBefore != 1_700_000_000_000 || c.TopSuite != Suite || c.Capabilities != 5 {
		t.Errorf("VerifyCertificate = %+v", c)
	}
	if c.ID() != issued.ID() || c.ID() != sha256.Sum256(issued.Raw) || len(c.Raw) != CertificateSize || CertificateSize != 5519 {
		t.Errorf("ID %s of %d bytes", c.ID(), len(c.Raw))
	}
}

func TestNoByteOfACertificateMayChange(t *testing.T) {
	p := newPerson(t, 1)
	raw := p.device.Certificate.Raw
	for at := 0; at < len(raw); at += 7 {
		if _, err := VerifyCertificate(flipped(raw, at), p.account.Public()); err == nil {
			t.Errorf("byte %d may change", at)
		}
	}
	for _, at := range []int{certificateBody - 1, certificateBody, len(raw) - ed25519.SignatureSize, len(raw) - 1} {
		if _, err := VerifyCertificate(flipped(raw, at), p.account.Public()); !errors.Is(err, ErrSignature) {
			t.Errorf("byte %d: %v, want ErrSignature", at, err)
		}
	}
}

func TestACertificateNeedsBothSignatures(t *testing.T) {
	p, thief := newPerson(t, 1), newPerson(t, 5)
	// A thief of the account key names a host that is not theirs: they can sign for the account, not for the host.
	stolen, err := IssueCertificate(p.account, thief.device.Key, thief.host, CertificateTemplate{Index: 9})
	if err != nil {
		t.Fatal(err)
	}
	stolen.Peer = p.device.Certificate.Peer
	raw := stolen.body()
	sig, err := p.account.Sign(raw, ctxDevice)
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, sig...)
	raw = append(raw, ed25519.Sign(thief.host, append([]byte(ctxHost), raw...))...)
	if _, err := VerifyCertificate(raw, p.account.Public()); !errors.Is(err, ErrSignature) {
		t.Errorf("foreign host: %v, want ErrSignature", err)
	}
	if _, err := VerifyCertificate(p.device.Certificate.Raw, thief.account.Public()); !errors.Is(err, ErrAccount) {
		t.Errorf("another account: %v, want ErrAccount", err)
	}
}

// Under a host key of small order S B = R + k A holds for any message where R = S B: whoever knows a certificate could make
// others of it, with DeviceIDs of their own, that the account never signed.
func TestAHostKeyForWhichAnybodySignsIsRefused(t *testing.T) {
	p := newPerson(t, 1)
	c := *p.device.Certificate
	c.Peer = PeerIDOf(append([]byte{1}, make([]byte, 31)...)) // the neutral element
	raw := c.body()
	sig, err := p.account.Sign(raw, ctxDevice)
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, sig...)
	generator := append([]byte{0x58}, bytes.Repeat([]byte{0x66}, 31)...)
	forged := append(append(raw, generator...), append([]byte{1}, make([]byte, 31)...)...) // R = B, S = 1
	if !ed25519.Verify(c.Peer[len(peerPrefix):], append([]byte(ctxHost), raw...), forged[len(raw):]) {
		t.Fatal("crypto/ed25519 refuses it already: this test shows nothing")
	}
	if _, err := VerifyCertificate(forged, p.account.Public()); !errors.Is(err, ErrMalformed) {
		t.Errorf("VerifyCertificate = %v, want ErrMalformed", err)
	}
}

// A contact that signs a prekey to which nobody can encapsulate would make fail what is said to all contacts at once.
func TestAPrekeyThatIsNoKeyIsRefused(t *testing.T) {
	p := newPerson(t, 1)
	key, err := hybrid.NewPrivateKey(make([]byte, hybrid.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	good, bad := 0, 0
	for range 2000 {
		b := Bundle{Device: p.device.Certificate.ID(), Inc: 1, Made: 1, Prekey: key.PublicKey()}
		if at := r.IntN(2 * PrekeySize); at+1 < PrekeySize {
			b.Prekey[at], b.Prekey[at+1] = b.Prekey[at]|0xf0, b.Prekey[at+1]|byte(r.IntN(256))
		}
		raw := append(b.body(), make([]byte, composite.SignatureSize)...)
		_, err := ParseBundle(raw)
		if want := hybrid.CheckPublicKey(b.Prekey); (err == nil) != (want == nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("ParseBundle = %v, hybrid.CheckPublicKey = %v", err, want)
		}
		if _, sign := SignBundle(p.device, 1, 1, b.Prekey); err != nil && sign == nil {
			t.Fatal("SignBundle signs it")
		}
		if err == nil {
			good++
		} else {
			bad++
		}
		if good > 50 && bad > 50 {
			return
		}
	}
	t.Errorf("%d good keys and %d bad ones were tried", good, bad)
}

// resigned is a certificate with its fields changed by edit and both signatures made anew, so that only structure can be
// wrong with it.
func resigned(t *testing.T, p person, edit func(body []byte)) []byte {
	t.Helper()
	body := bytes.Clone(p.device.Certificate.Raw[:certificateBody])
	edit(body)
	sig, err := p.account.Sign(body, ctxDevice)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(body, sig...)
	return append(raw, ed25519.Sign(p.host, append([]byte(ctxHost), raw...))...)
}

func TestACertificateHasOneForm(t *testing.T) {
	p := newPerson(t, 1)
	raw := p.device.Certificate.Raw
	small := make([]byte, 32)
	small[0] = 1 // an Ed25519 point of order 1
	for _, row := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"unchanged", resigned(t, p, func([]byte) {}), nil},
		{"empty", nil, ErrMalformed},
		{"short", raw[:len(raw)-1], ErrMalformed},
		{"long", append(bytes.Clone(raw), 0), ErrMalformed},
		{"magic", resigned(t, p, func(b []byte) { b[3] = '2' }), ErrMalformed},
		{"suite", resigned(t, p, func(b []byte) { b[5] = 2 }), ErrSuite},
		{"suite, short", []byte("CQC1\x00\x02"), ErrSuite},
		{"peer type", resigned(t, p, func(b []byte) { b[42+3] = 2 }), ErrMalformed},
		{"device key", resigned(t, p, func(b []byte) { copy(b[80+1952:], small) }), ErrMalformed},
		{"top suite 0", resigned(t, p, func(b []byte) { b[len(b)-9] = 0 }), ErrMalformed},
		{"top suite 2", resigned(t, p, func(b []byte) { b[len(b)-9] = 2 }), nil},
		{"unknown capability", resigned(t, p, func(b []byte) { b[len(b)-8] = 0x80 }), nil},
	} {
		if _, err := VerifyCertificate(row.raw, p.account.Public()); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestIssuingRefusesAHostKeyOfAnotherLength(t *testing.T) {
	p := newPerson(t, 1)
	for _, n := range []int{0, 31, 32, 63, 65} {
		if _, err := IssueCertificate(p.account, p.device.Key, make([]byte, n), CertificateTemplate{}); err == nil {
			t.Errorf("a host key of %d bytes passes", n)
		}
	}
}

func TestIndicesAreRandom(t *testing.T) {
	seen := map[uint32]bool{}
	for range 8 {
		i, err := NewIndex()
		if err != nil {
			t.Fatal(err)
		}
		seen[i] = true
	}
	if len(seen) < 7 {
		t.Errorf("8 indices are %d different ones", len(seen))
	}
}

func TestABundleVerifiesUnderItsDevice(t *testing.T) {
	p, other := newPerson(t, 1), newPerson(t, 5)
	made := p.bundle(t)
	b, err := VerifyBundle(made.Raw, p.device.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	if b.Device != p.device.Certificate.ID() || b.Inc != 3 || b.Made != 4 || !bytes.Equal(b.Prekey, made.Prekey) ||
		b.Digest() != sha256.Sum256(made.Raw) || len(b.Raw) != BundleSize || BundleSize != 4639 {
		t.Errorf("VerifyBundle = %+v", b)
	}
	if _, err := VerifyBundle(made.Raw, other.device.Certificate); !errors.Is(err, ErrAccount) {
		t.Errorf("another device: %v, want ErrAccount", err)
	}
	for at := 0; at < len(made.Raw); at += 13 {
		if _, err := VerifyBundle(flipped(made.Raw, at), p.device.Certificate); err == nil {
			t.Errorf("byte %d may change", at)
		}
	}
	if _, err := VerifyBundle(flipped(made.Raw, BundleSize-1), p.device.Certificate); !errors.Is(err, ErrSignature) {
		t.Errorf("last byte flipped: %v, want ErrSignature", err)
	}
}

func TestABundleHasOneForm(t *testing.T) {
	p := newPerson(t, 1)
	raw := p.bundle(t).Raw
	for _, row := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"empty", nil, ErrMalformed},
		{"short", raw[:len(raw)-1], ErrMalformed},
		{"long", append(bytes.Clone(raw), 0), ErrMalformed},
		{"suite", flipped(raw, 1), ErrSuite},
	} {
		if _, err := ParseBundle(row.raw); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	for _, n := range []int{0, PrekeySize - 1, PrekeySize + 1} {
		if _, err := SignBundle(p.device, 1, 1, make([]byte, n)); err == nil {
			t.Errorf("SignBundle takes a prekey of %d bytes", n)
		}
	}
}

func TestASignatureForOnePurposeFitsNoOther(t *testing.T) {
	k := newPerson(t, 1).account
	contexts := []string{ctxDevice, ctxList, ctxPrekey, ctxHost}
	for _, c := range contexts {
		sig, err := k.Sign([]byte("same bytes"), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range contexts {
			if got := k.Public().Verify([]byte("same bytes"), d, sig); got != (c == d) {
				t.Errorf("signed as %s, verified as %s: %v", c, d, got)
			}
		}
	}
	if len(contexts[0]) > composite.MaxContext {
		t.Error("a context is too long")
	}
}
