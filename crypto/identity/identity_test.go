package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// person is an account with one device, all of it from one byte.
type person struct {
	seed    Seed
	account *composite.PrivateKey
	host    ed25519.PrivateKey
	device  *Device
}

// index of every person's device.
const testIndex = 0x01020304

func newPerson(t testing.TB, b byte) person {
	t.Helper()
	p := person{seed: Seed(bytes.Repeat([]byte{b}, 32))}
	var err error
	if p.account, err = p.seed.AccountKey(); err != nil {
		t.Fatal(err)
	}
	p.host = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b + 1}, 32))
	key, err := composite.NewPrivateKey(bytes.Repeat([]byte{b + 2}, composite.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	template := CertificateTemplate{Index: testIndex, NotBefore: 1_700_000_000_000, Capabilities: 5}
	c, err := IssueCertificate(p.account, key, p.host, template)
	if err != nil {
		t.Fatal(err)
	}
	p.device = &Device{Certificate: c, Key: key}
	return p
}

func (p person) list(t testing.TB, counter uint64, items ...ListItem) *List {
	t.Helper()
	l, err := SignList(p.account, counter, items)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p person) bundle(t testing.TB) *Bundle {
	t.Helper()
	b, err := SignBundle(p.device, 3, 4, bytes.Repeat([]byte{7}, PrekeySize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flipped is b with one bit of byte at changed.
func flipped(b []byte, at int) []byte {
	out := bytes.Clone(b)
	out[at] ^= 1
	return out
}

func TestHashTellsListsOfPartsApart(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, parts := range map[string][][]byte{
		"nothing": nil, "one empty": {{}}, "two empty": {{}, {}}, "ab": {[]byte("ab")}, "a, b": {[]byte("a"), []byte("b")},
		"ab, empty": {[]byte("ab"), {}}, "empty, ab": {{}, []byte("ab")},
	} {
		h := Hash(parts...)
		if other, ok := seen[h]; ok {
			t.Errorf("Hash(%s) = Hash(%s)", name, other)
		}
		seen[h] = name
	}
	if got, want := Hash([]byte("ab"), nil), sha256.Sum256([]byte("\x00\x00\x00\x02ab\x00\x00\x00\x00")); got != want {
		t.Errorf("Hash = %x, want %x", got, want)
	}
}

func TestExpandAndExtractAreHKDF(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 32)
	want, err := hkdf.Expand(sha256.New, key, "CQ1 label\x00th", 77)
	if err != nil {
		t.Fatal(err)
	}
	if got := Expand(key, "label", []byte("th"), 77); !bytes.Equal(got, want) {
		t.Errorf("Expand = %x, want %x", got, want)
	}
	want, err = hkdf.Extract(sha256.New, []byte("secret"), []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	if got := Extract([]byte("salt"), []byte("secret")); !bytes.Equal(got, want) || len(got) != 32 {
		t.Errorf("Extract = %x, want %x", got, want)
	}
}
