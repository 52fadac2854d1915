package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

const frozenFile = "testdata/identity.json"

// -update writes testdata anew. What it changes is a change of the protocol.
var update = flag.Bool("update", false, "write frozen vectors anew")

// derived is every byte string and text that follows from fixed inputs alone, by name.
func derived(t *testing.T) map[string]string {
	t.Helper()
	p, other := newPerson(t, 1), newPerson(t, 5)
	key, err := p.seed.AccountKey()
	if err != nil {
		t.Fatal(err)
	}
	digest := func(b []byte) string {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	hash := Hash([]byte("a"), nil, []byte("bc"))
	return map[string]string{
		"hash of a, nothing, bc":      hex.EncodeToString(hash[:]),
		"extract":                     hex.EncodeToString(Extract([]byte("salt"), []byte("secret"))),
		"expand":                      hex.EncodeToString(Expand(bytes.Repeat([]byte{1}, 32), "label", []byte("th"), 44)),
		"words":                       p.seed.Words(),
		"account seed":                hex.EncodeToString(key.Seed()),
		"account key, SHA-256":        digest(key.Public().Bytes()),
		"account ID":                  AccountOf(key.Public()).String(),
		"vault key":                   hex.EncodeToString(p.seed.VaultKey()),
		"backup key":                  hex.EncodeToString(p.seed.BackupKey()),
		"peer ID":                     p.device.Certificate.Peer.String(),
		"safety half":                 SafetyHalf(p.account.Public()),
		"safety number":               SafetyNumber(p.account.Public(), other.account.Public()),
		"certificate, signed":         hex.EncodeToString(p.device.Certificate.Raw[:certificateBody]),
		"list, signed":                hex.EncodeToString(p.list(t, 1_700_000_000_001, items(2)...).signed()),
		"invitation":                  fullInvitation().Link(),
		"invitation, nothing but who": (&Invitation{Account: AccountID{9}, Peer: peerID(1), Expires: 1}).Link(),
	}
}

// signed is every signed object, whole. Signatures are hedged, so these differ with each writing.
func signed(t *testing.T) map[string][]byte {
	t.Helper()
	p := newPerson(t, 1)
	e, err := NewListEvidence(p.account.Public(), p.list(t, 7, items(1)...), p.list(t, 7, items(2)...))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"certificate": p.device.Certificate.Raw,
		"list":        p.list(t, 1_700_000_000_001, items(2)...).Raw,
		"bundle":      p.bundle(t).Raw,
		"evidence":    e.Marshal(),
	}
}

// frozen is the file.
type frozen struct {
	Derived map[string]string
	Signed  map[string]string // hexadecimal
	IDs     map[string]string // what names the signed objects, hexadecimal
}

func readFrozen(t *testing.T) frozen {
	t.Helper()
	b, err := os.ReadFile(frozenFile)
	if err != nil {
		t.Fatal(err)
	}
	var f frozen
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f frozen) raw(t *testing.T, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(f.Signed[name])
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %d bytes, %v", name, len(b), err)
	}
	return b
}

func TestFrozenDerivedBytesStay(t *testing.T) {
	if *update {
		writeFrozen(t)
	}
	got, want := derived(t), readFrozen(t).Derived
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Fatalf("the file holds %v", slices.Sorted(maps.Keys(want)))
	}
	for name := range got {
		if got[name] != want[name] {
			t.Errorf("%s = %s, want %s", name, got[name], want[name])
		}
	}
}

func TestFrozenSignedBytesStillVerify(t *testing.T) {
	f, account := readFrozen(t), newPerson(t, 1).account.Public()
	c, err := VerifyCertificate(f.raw(t, "certificate"), account)
	if err != nil {
		t.Fatal(err)
	}
	l, err := VerifyList(f.raw(t, "list"), account)
	if err != nil {
		t.Fatal(err)
	}
	b, err := VerifyBundle(f.raw(t, "bundle"), c)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ParseListEvidence(f.raw(t, "evidence"))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Check(); err != nil {
		t.Error(err)
	}
	if got := ids(c, l, b); !maps.Equal(got, f.IDs) {
		t.Errorf("IDs are %v, want %v", got, f.IDs)
	}
	if hex.EncodeToString(c.Raw[:certificateBody]) != f.Derived["certificate, signed"] || hex.EncodeToString(l.signed()) != f.Derived["list, signed"] {
		t.Error("what is signed is not what is derived")
	}
}

func TestAFlippedByteOfAFrozenObjectIsFound(t *testing.T) {
	f, account := readFrozen(t), newPerson(t, 1).account.Public()
	c, err := VerifyCertificate(f.raw(t, "certificate"), account)
	if err != nil {
		t.Fatal(err)
	}
	for name, verify := range map[string]func(raw []byte) error{
		"certificate": func(raw []byte) error { _, err := VerifyCertificate(raw, account); return err },
		"list":        func(raw []byte) error { _, err := VerifyList(raw, account); return err },
		"bundle":      func(raw []byte) error { _, err := VerifyBundle(raw, c); return err },
	} {
		raw := f.raw(t, name)
		for _, at := range []int{0, 50, len(raw) - composite.SignatureSize, len(raw) - 1} {
			if verify(flipped(raw, at)) == nil {
				t.Errorf("%s with byte %d flipped verifies", name, at)
			}
		}
	}
}

func ids(c *Certificate, l *List, b *Bundle) map[string]string {
	head, bundle := l.Head().Digest, b.Digest()
	return map[string]string{
		"device": c.ID().String(), "list head": hex.EncodeToString(head[:]), "bundle": hex.EncodeToString(bundle[:]),
	}
}

func writeFrozen(t *testing.T) {
	t.Helper()
	f := frozen{Derived: derived(t), Signed: map[string]string{}}
	objects := signed(t)
	for name, raw := range objects {
		f.Signed[name] = hex.EncodeToString(raw)
	}
	c, err := ParseCertificate(objects["certificate"])
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseList(objects["list"])
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseBundle(objects["bundle"])
	if err != nil {
		t.Fatal(err)
	}
	f.IDs = ids(c, l, b)
	out, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(frozenFile, append(out, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
