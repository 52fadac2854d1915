package handshake

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// person is an account with one device, as the tests need it.
type person struct {
	account *composite.PrivateKey
	device  *identity.Device
	list    identity.ListHead
}

// newPerson makes somebody whose keys all come from one byte.
func newPerson(seed byte, topSuite uint16) person {
	return deviceOf(seed, seed, topSuite)
}

// deviceOf makes a device of the account of one seed with keys of another.
func deviceOf(accountSeed, deviceSeed byte, topSuite uint16) person {
	key := func(b byte) *composite.PrivateKey {
		k, err := composite.NewPrivateKey(bytes.Repeat([]byte{b}, composite.SeedSize))
		if err != nil {
			panic(err)
		}
		return k
	}
	p := person{account: key(accountSeed), list: identity.ListHead{Counter: 1000 + uint64(accountSeed), Digest: [32]byte{accountSeed}}}
	device := key(deviceSeed ^ 0x80)
	host := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{deviceSeed}, ed25519.SeedSize))
	c, err := identity.IssueCertificate(p.account, device, host, identity.CertificateTemplate{Index: uint32(deviceSeed), NotBefore: 5, TopSuite: topSuite})
	if err != nil {
		panic(err)
	}
	p.device = &identity.Device{Certificate: c, Key: device}
	return p
}

var (
	alice   = sync.OnceValue(func() person { return newPerson(1, identity.Suite) })
	bob     = sync.OnceValue(func() person { return newPerson(2, identity.Suite) })
	mallory = sync.OnceValue(func() person { return newPerson(3, identity.Suite) })
)

func (p person) id() identity.AccountID { return p.device.Certificate.Account }
func (p person) peer() identity.PeerID  { return p.device.Certificate.Peer }

// config is p's, towards q.
func (p person) config(q person) Config {
	return Config{
		Self: p.device, Account: p.account.Public(), List: p.list,
		LocalPeer: p.peer(), RemotePeer: q.peer(), To: q.id(),
	}
}

// knows is a Config.Known that knows people.
func knows(people ...person) func(identity.DeviceID) (*identity.Certificate, *composite.PublicKey, bool) {
	return func(d identity.DeviceID) (*identity.Certificate, *composite.PublicKey, bool) {
		for _, p := range people {
			if p.device.Certificate.ID() == d {
				return p.device.Certificate, p.account.Public(), true
			}
		}
		return nil, nil, false
	}
}

func initiate(t testing.TB, c Config) (*State, []byte) {
	t.Helper()
	s, m1, err := Initiate(c)
	if err != nil {
		t.Fatalf("Initiate: %v", err)
	}
	return s, m1
}

func respond(t testing.TB, c Config) *State {
	t.Helper()
	s, err := Respond(c)
	if err != nil {
		t.Fatalf("Respond: %v", err)
	}
	return s
}

// next takes a step that must succeed.
func next(t testing.TB, s *State, in []byte) ([]byte, *Result) {
	t.Helper()
	out, done, err := s.Next(in)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return out, done
}

// refuse takes a step that must fail with want, or with anything if want is nil, and must leave nothing behind.
func refuse(t testing.TB, s *State, in []byte, want error) {
	t.Helper()
	out, done, err := s.Next(in)
	if err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("Next = %v, want %v", err, want)
	}
	if out != nil || done != nil {
		t.Errorf("Next failed with a reply of %d bytes and result %v", len(out), done != nil)
	}
	if !reflect.ValueOf(*s).IsZero() {
		t.Errorf("a failed handshake keeps state")
	}
	if out, done, err := s.Next(in); err == nil || out != nil || done != nil {
		t.Errorf("a failed handshake goes on: %v", err)
	}
}

// run carries a handshake through and returns what both got, and the messages.
func run(t testing.TB, ci, cr Config) (i, r *Result, messages [3][]byte) {
	t.Helper()
	si, m1 := initiate(t, ci)
	sr := respond(t, cr)
	m2, done := next(t, sr, m1)
	if done != nil {
		t.Fatalf("the responder has a result before M3")
	}
	m3, i := next(t, si, m2)
	last, r := next(t, sr, m3)
	if last != nil {
		t.Fatalf("a fourth message of %d bytes", len(last))
	}
	if i == nil || r == nil {
		t.Fatalf("no result: initiator %v, responder %v", i != nil, r != nil)
	}
	return i, r, [3][]byte{m1, m2, m3}
}

func TestBothSidesEndWithTheSameKeysAndKnowEachOther(t *testing.T) {
	a, b := alice(), bob()
	nearbyI, nearbyR := a.config(b), b.config(a)
	nearbyI.To, nearbyI.Nearby, nearbyR.Nearby = identity.AccountID{}, true, true
	named := nearbyI
	named.To = b.id()
	knownI, knownR := a.config(b), b.config(a)
	knownI.Known, knownR.Known = knows(b), knows(a)
	stranger := b.config(a)
	stranger.To, stranger.Known = identity.AccountID{}, knows(mallory())
	for _, row := range []struct {
		name   string
		ci, cr Config
	}{
		{"by account", a.config(b), b.config(a)},
		{"by account, nearby on", a.config(b), nearbyR},
		{"nearby, whoever it is", nearbyI, nearbyR},
		{"nearby, somebody named", named, nearbyR},
		{"certificates known", knownI, knownR},
		{"from a stranger", a.config(b), stranger},
	} {
		i, r, _ := run(t, row.ci, row.cr)
		if i.Master != r.Master || i.Transcript != r.Transcript || i.LinkID() != r.LinkID() {
			t.Errorf("%s: the two sides have different keys", row.name)
		}
		if i.Certificate.ID() != b.device.Certificate.ID() || !i.Account.Equal(b.account.Public()) || i.List != b.list {
			t.Errorf("%s: the initiator takes the responder for somebody else", row.name)
		}
		if r.Certificate.ID() != a.device.Certificate.ID() || !r.Account.Equal(a.account.Public()) || r.List != a.list {
			t.Errorf("%s: the responder takes the initiator for somebody else", row.name)
		}
	}
}

func TestMessagesHaveTheSizesOfTheProtocol(t *testing.T) {
	_, _, m := run(t, alice().config(bob()), bob().config(alice()))
	for n, row := range []struct{ got, want, about int }{
		{FirstSize, 1268, 1300}, {SecondSize, 12120, 12_000}, {ThirdSize, 10964 + 20, 11_000},
	} {
		if row.got != row.want || len(m[n]) != row.want {
			t.Errorf("M%d has %d bytes and says %d, want %d", n+1, len(m[n]), row.got, row.want)
		}
		if d := row.want - row.about; d > 150 || d < -150 {
			t.Errorf("M%d has %d bytes, the protocol says about %d", n+1, row.want, row.about)
		}
		if len(m[n]) > MaxMessage {
			t.Errorf("M%d is larger than a frame", n+1)
		}
	}
}

func TestEveryHandshakeHasKeysOfItsOwn(t *testing.T) {
	a, _, _ := run(t, alice().config(bob()), bob().config(alice()))
	b, _, _ := run(t, alice().config(bob()), bob().config(alice()))
	if a.Master == b.Master || a.Transcript == b.Transcript || a.LinkID() == b.LinkID() {
		t.Errorf("two handshakes of the same two share keys")
	}
}

func TestStreamKeysAreMirroredAndAllDifferent(t *testing.T) {
	i, r, _ := run(t, alice().config(bob()), bob().config(alice()))
	seen := map[string]string{}
	for _, protocol := range []string{"/cryptexq/link/1", "/cryptexq/mesh/1", ""} {
		for _, n := range []uint64{0, 1, 2, 1 << 40} {
			for _, fromI := range []bool{true, false} {
				k := i.StreamKey(protocol, n, fromI)
				if !bytes.Equal(k, r.StreamKey(protocol, n, fromI)) {
					t.Errorf("StreamKey(%q, %d, %v) differs between the sides", protocol, n, fromI)
				}
				if len(k) != 44 {
					t.Errorf("StreamKey has %d bytes, want 44", len(k))
				}
				if other, ok := seen[string(k[:32])]; ok {
					t.Errorf("StreamKey(%q, %d, %v) is also that of %s", protocol, n, fromI, other)
				}
				seen[string(k[:32])] = protocol
			}
		}
	}
}

func TestAWaitingResponderHoldsNoMessage(t *testing.T) {
	_, m1 := initiate(t, alice().config(bob()))
	s := respond(t, bob().config(alice()))
	next(t, s, m1)
	if s.c != nil || s.eph != nil {
		t.Errorf("a responder waiting for M3 keeps more than its keys")
	}
	if s.self != bob().device.Certificate {
		t.Errorf("a responder waiting for M3 has a certificate of its own to keep")
	}
	if n := stateSize; n > 200 {
		t.Errorf("a waiting state has %d bytes, the protocol says 200", n)
	}
}
