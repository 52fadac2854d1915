package app

import (
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// owner is the key of somebody's account, which only the words make.
func (p *citizen) owner() *composite.PrivateKey {
	p.town.t.Helper()
	seed, err := identity.ParseWords(p.words)
	p.town.must(err)
	key, err := seed.AccountKey()
	p.town.must(err)
	return key
}

// listed is p's device as an item of a list.
func (p *citizen) listed(state uint8) identity.ListItem {
	cert := p.svc.me.device.Certificate
	return identity.ListItem{Index: cert.Index, Device: cert.ID(), State: state, Since: uint64(p.svc.ms())}
}

// signs makes a device list of p's account.
func (p *citizen) signs(counter uint64, items ...identity.ListItem) *identity.List {
	p.town.t.Helper()
	l, err := identity.SignList(p.owner(), counter, items)
	p.town.must(err)
	return l
}

// adopts has p's messenger go by a list of its account from now on.
func (p *citizen) adopts(l *identity.List) {
	p.town.t.Helper()
	p.update(func(tx *store.Tx) error { return tx.SetList(store.Own, l.Counter, l.Raw) })
	p.off()
	p.start()
}

// selfUnder is what p says of itself, with another list.
func (p *citizen) selfUnder(l *identity.List) wire.Record {
	o := p.svc.me.self()
	o.List = l.Raw
	return wire.Record{Kind: wire.RecordSelf, Body: o.Marshal()}
}

// pinned is the list of o's account that p goes by.
func (p *citizen) pinned(o *citizen) *identity.List {
	p.town.t.Helper()
	var raw []byte
	p.view(func(r *store.Reader) error {
		a, _, err := r.Account(o.id)
		raw = a.List
		return err
	})
	l, err := identity.ParseList(raw)
	p.town.must(err)
	return l
}

// listProof is the proof that p holds of two lists of o's, nil without one.
func (p *citizen) listProof(o *citizen, one, other *identity.List) *identity.ListEvidence {
	p.town.t.Helper()
	made, err := identity.NewListEvidence(o.owner().Public(), one, other)
	p.town.must(err)
	id := sha256.Sum256(made.Marshal())
	var raw []byte
	p.view(func(r *store.Reader) (err error) {
		raw, err = r.Evidence(id[:16])
		return err
	})
	if raw == nil {
		return nil
	}
	e, err := identity.ParseListEvidence(raw)
	p.town.must(err)
	return e
}

func TestTwoListsUnderOneCounterAreProvenAndChangeNothing(t *testing.T) {
	w, a, b := friends(t)
	pinned := b.pinned(a)
	forged := a.signs(pinned.Counter, a.listed(identity.StateRevoked), identity.ListItem{Index: 1, Device: identity.DeviceID{1}, State: identity.StateValid})
	a.tell(b, a.selfUnder(forged))
	if now := b.pinned(a); now.Head() != pinned.Head() {
		t.Error("the second list took the place of the first")
	}
	if d := b.deviceOf(a); !d.Trusted() {
		t.Errorf("the second list changed the device: %+v", d)
	}
	e := b.listProof(a, pinned, forged)
	if e == nil {
		t.Fatal("no proof is kept")
	}
	if err := e.Check(); err != nil {
		t.Errorf("the proof does not hold: %v", err)
	}
	if want := (Notice{Code: "two_lists", Subject: "ann"}); !slices.ContainsFunc(b.svc.Owner.Notices(), func(n Notice) bool {
		return n.Code == want.Code && n.Subject == want.Subject
	}) {
		t.Errorf("bob is told %v", b.svc.Owner.Notices())
	}
	a.tell(b, a.selfUnder(forged)) // once more
	if n := b.refused("two_lists"); n != 1 {
		t.Errorf("counted %d times", n)
	}
	w.converse(a, b, "still here")
	b.off()
	b.start()
	if !b.noticed("two_lists") || b.listProof(a, pinned, forged) == nil {
		t.Error("after a start nothing is known of it")
	}
}

func TestTwoListsShowAtTheDoorToo(t *testing.T) {
	w, a, b := friends(t)
	pinned := b.pinned(a)
	other := a.signs(pinned.Counter, a.listed(identity.StateValid), identity.ListItem{Index: 1, Device: identity.DeviceID{1}, State: identity.StateValid})
	a.adopts(other)
	w.link(a, b)
	w.run()
	if b.listProof(a, pinned, other) == nil || !b.noticed("two_lists") {
		t.Errorf("the list of the handshake is another one; bob is told %v", b.notices())
	}
	w.converse(a, b, "one")
}

func TestTheSameListSignedAgainAccusesNobody(t *testing.T) {
	_, a, b := friends(t)
	pinned := b.pinned(a)
	a.tell(b, a.selfUnder(a.signs(pinned.Counter, pinned.Items...)))
	if len(b.notices()) > 0 || b.refused("two_lists") > 0 {
		t.Errorf("bob is told %v", b.notices())
	}
}

func TestProofsAgainstOneAccountAreBounded(t *testing.T) {
	_, a, b := friends(t)
	pinned := b.pinned(a)
	proofs := 0
	for i := range 12 {
		l := a.signs(pinned.Counter, a.listed(identity.StateValid), identity.ListItem{Index: 1, Device: identity.DeviceID{byte(i + 1)}, State: identity.StateValid})
		a.tell(b, a.selfUnder(l))
		if b.listProof(a, pinned, l) != nil {
			proofs++
		}
	}
	if proofs == 0 || proofs > maxListProofs {
		t.Errorf("%d proofs are kept, each up to 34 KB", proofs)
	}
}

func TestAListWithALowerCounterIsIgnored(t *testing.T) {
	w, a, b := friends(t)
	first := b.pinned(a)
	w.pass(time.Minute)
	newer := a.signs(uint64(a.svc.ms()), a.listed(identity.StateValid))
	a.tell(b, a.selfUnder(newer))
	if b.pinned(a).Head() != newer.Head() {
		t.Fatal("a newer list is not taken")
	}
	between := a.signs(newer.Counter-1, a.listed(identity.StateRevoked))
	for _, l := range []*identity.List{first, between} {
		a.tell(b, a.selfUnder(l))
		if d := b.deviceOf(a); b.pinned(a).Head() != newer.Head() || !d.Trusted() {
			t.Errorf("the list %d replaced %d", l.Counter, newer.Counter)
		}
	}
	if n := b.refused("old_list"); n != 2 {
		t.Errorf("counted %d times", n)
	}
	w.converse(a, b, "one")
}

func TestAListSaysNothingOfOtherPeoplesDevices(t *testing.T) {
	w := newTown(t, "ann", "bob", "eve")
	a, b, e := w.all[0], w.all[1], w.all[2]
	w.befriend(a, b)
	w.befriend(e, b)
	forged := e.signs(uint64(e.svc.ms()), e.listed(identity.StateValid), a.listed(identity.StateRevoked), b.listed(identity.StateRevoked))
	e.tell(b, e.selfUnder(forged))
	if b.pinned(e).Head() != forged.Head() {
		t.Fatal("her list is not taken at all")
	}
	var own store.Device
	b.view(func(r *store.Reader) (err error) {
		own, _, err = r.Device(b.device)
		return err
	})
	if d := b.deviceOf(a); !d.Trusted() || !own.Trusted() {
		t.Errorf("eve's list says that ann's device is %d, and bob's own %d", d.State, own.State)
	}
	w.converse(a, b, "one")
	w.converse(e, b, "two")
}

func TestNobodyTellsUsWhichDevicesWeHave(t *testing.T) {
	w, a, b := friends(t)
	head := b.svc.me.list.Head()
	w.pass(time.Minute)
	mine := b.signs(uint64(b.svc.ms()), b.listed(identity.StateRevoked)) // even with our own signature: who has the words
	o := b.svc.me.self()
	o.List = mine.Raw
	a.tell(b, wire.Record{Kind: wire.RecordSelf, Body: o.Marshal()})
	if n := b.refused("self_stranger"); n != 1 {
		t.Errorf("%d are counted", n)
	}
	if b.pinned(b).Head() != head || b.svc.Self().List != head {
		t.Error("somebody else's word changed our own list")
	}
	w.converse(a, b, "one")
}
