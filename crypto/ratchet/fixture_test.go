package ratchet

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"sync"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// device is one device of one account, with a signed prekey. Its keys come from its number, its signatures do not.
type device struct {
	self    *identity.Device
	account *composite.PrivateKey
	inc     uint64
	bundle  *identity.Bundle
	prekey  []byte // seed
}

func newDevice(number byte) *device {
	account := must(composite.NewPrivateKey(bytes.Repeat([]byte{number}, composite.SeedSize)))
	key := must(composite.NewPrivateKey(bytes.Repeat([]byte{number + 100}, composite.SeedSize)))
	host := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{number}, ed25519.SeedSize))
	c := must(identity.IssueCertificate(account, key, host, identity.CertificateTemplate{Index: uint32(number)}))
	d := &device{self: &identity.Device{Certificate: c, Key: key}, account: account, inc: 1000 + uint64(number)}
	d.bundle, d.prekey = d.newBundle(d.inc, 1)
	return d
}

func (d *device) newBundle(inc, made uint64) (*identity.Bundle, []byte) {
	key := must(hybrid.GenerateKey())
	return must(identity.SignBundle(d.self, inc, made, key.PublicKey())), key.Seed()
}

// must is for the making of fixtures, which has nothing to fail.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// seedOf is what a store answers that still holds the prekey.
func (d *device) seedOf(digest [32]byte) ([]byte, bool) {
	if digest != d.bundle.Digest() {
		return nil, false
	}
	return d.prekey, true
}

func (d *device) initConfig(to *device, records []byte) InitConfig {
	return InitConfig{
		Self: d.self, Account: d.account.Public(), Inc: d.inc, Peer: to.self.Certificate, Bundle: to.bundle,
		Attempt: 3, Records: records,
	}
}

func (d *device) acceptConfig() AcceptConfig {
	return AcceptConfig{Self: d.self, Inc: d.inc, Prekey: d.seedOf}
}

// devices are three, of three accounts, in the order of Party; made once, because that takes some milliseconds.
var devices = sync.OnceValue(threeDevices)

func threeDevices() [3]*device {
	d := [3]*device{newDevice(1), newDevice(2), newDevice(3)}
	slices.SortFunc(d[:], func(a, b *device) int {
		return PartyOf(a.self.Certificate).Compare(PartyOf(b.self.Certificate))
	})
	return d
}

// begin is a session between the first two devices.
func begin(t testing.TB) (i, r *Session) {
	t.Helper()
	d := devices()
	i, init, err := Initiate(d[0].initConfig(d[1], nil))
	if err != nil {
		t.Fatal(err)
	}
	a, err := Accept(d[1].acceptConfig(), init)
	if err != nil {
		t.Fatal(err)
	}
	return i, a.Session
}

// seal seals and moves s on.
func seal(t testing.TB, s **Session, records string) []byte {
	t.Helper()
	next, msg, err := (*s).Seal([]byte(records))
	if err != nil {
		t.Fatal(err)
	}
	*s = next
	return msg
}

// open opens msg, which must say records, and moves s on.
func open(t testing.TB, s **Session, msg []byte, records string) *Opened {
	t.Helper()
	o, err := (*s).Open(msg, devices()[1].seedOf)
	if err != nil {
		t.Fatalf("opening %q: %v", records, err)
	}
	if got := string(bytes.TrimRight(o.Records, "\x00")); got != records {
		t.Fatalf("opened %q, want %q", got, records)
	}
	*s = o.Next
	return o
}
