package app

import (
	"bytes"
	"crypto/sha256"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// claims is what a device says of itself, each part verified by its own signature. Whether it is newer than what is pinned is
// another matter.
type claims struct {
	key    *composite.PublicKey
	cert   *identity.Certificate
	list   *identity.List
	bundle *identity.Bundle // nil where it came without
}

// far bounds counters and times of others: what the store could not keep.
const far = 1 << 62

// verify checks all of a SELF object before any of it is kept.
func (d *directory) verify(o wire.SelfObject) (c claims, err error) {
	if c.key, err = d.keys.parse(o.AccountKey); err != nil {
		return c, flawed("self_key", err)
	}
	if c.cert, err = identity.VerifyCertificate(o.Certificate, c.key); err != nil {
		return c, flawed("self_certificate", err)
	}
	if c.list, err = identity.VerifyList(o.List, c.key); err != nil || c.list.Counter >= far {
		return c, &flaw{"self_list", err}
	}
	if len(o.Bundle) == 0 {
		return c, nil
	}
	if c.bundle, err = identity.VerifyBundle(o.Bundle, c.cert); err != nil || c.bundle.Inc >= far || c.bundle.Made >= far {
		return c, &flaw{"self_bundle", err}
	}
	return c, nil
}

// learn takes what a device says of itself, as far as the pinned values allow. Of an account that nobody told us of it takes
// nothing, and neither of our own: what that is, we know.
func (d *directory) learn(tx *store.Tx, o wire.SelfObject) (a store.Account, err error) {
	c, err := d.verify(o)
	if err != nil {
		return a, err
	}
	a, found, err := tx.Account(identity.AccountOf(c.key))
	if err != nil {
		return a, err
	}
	if !found || a.Row == store.Own {
		return a, badly("self_stranger")
	}
	if a.Key == nil {
		if err := tx.SetAccountKey(a.Row, o.AccountKey); err != nil {
			return a, err
		}
	}
	if err := d.learnList(tx, &a, c); err != nil {
		return a, err
	}
	dev, err := d.addDevice(tx, a, c.cert)
	if err != nil || c.bundle == nil {
		return a, err
	}
	return a, d.learnBundle(tx, dev, c.bundle)
}

// learnList takes a newer device list. An older one is not accepted; what came with it may count all the same.
func (d *directory) learnList(tx *store.Tx, a *store.Account, c claims) error {
	switch {
	case bytes.Equal(c.list.Raw, a.List):
		return nil
	case c.list.Counter < a.ListCount:
		d.count("old_list")
		return nil
	case c.list.Counter == a.ListCount && a.List != nil:
		return d.twoLists(tx, *a, c)
	}
	a.ListCount, a.List = c.list.Counter, c.list.Raw
	if err := tx.SetList(a.Row, a.ListCount, a.List); err != nil {
		return err
	}
	devices, err := tx.Devices(a.Row)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		trusted := dev.Trusted()
		state := store.DeviceRevoked
		if c.list.Valid(dev.Digest) {
			state = store.DeviceValid
		}
		if state == dev.State {
			continue
		}
		if err := tx.SetDeviceState(dev.Row, state, d.ms()); err != nil {
			return err
		}
		tx.OnCommit(d.push) // else the node goes on dialling who was revoked, and not who is new
		if trusted {
			if err := endChains(tx, a.Row); err != nil {
				return err
			}
		}
	}
	return nil
}

// endChains has us write on under new chains in every room of an account: one of its devices, which holds the present ones, does
// not count any more.
func endChains(tx *store.Tx, account int64) error {
	rooms, err := tx.RoomsOf(account)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		l, found, err := tx.OwnLog(room.Row)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		c, found, err := tx.NewestChain(l.Row)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		c.BeganAt = chainEnded
		if err := tx.SaveChain(c); err != nil {
			return err
		}
	}
	return nil
}

const (
	evidenceList  = 4
	maxListProofs = 4 // against one account: one convinces, and each is up to 34 KB
)

// twoLists keeps the proof that an account signed two lists under one counter: its key is in two hands, or was copied.
func (d *directory) twoLists(tx *store.Tx, a store.Account, c claims) error {
	pinned, err := identity.ParseList(a.List)
	if err != nil {
		return err
	}
	e, err := identity.NewListEvidence(c.key, pinned, c.list)
	if err != nil {
		return nil // the same list signed once more: nothing to accuse anybody of
	}
	if n, err := tx.CountEvidence(evidenceList, a.Account); err != nil || n >= maxListProofs {
		return err
	}
	raw := e.Marshal()
	id := sha256.Sum256(raw)
	isNew, err := tx.AddEvidence(store.Evidence{ID: id[:16], Kind: evidenceList, Accused: a.Account, Raw: raw, At: d.ms()})
	if err != nil || !isNew {
		return err
	}
	d.count("two_lists")
	return d.notice(tx, auditForked, "two_lists", shownName(a))
}

// learnBundle takes a newer signed prekey. A higher inc says that the device lost its sessions.
func (d *directory) learnBundle(tx *store.Tx, dev store.Device, b *identity.Bundle) error {
	had, err := tx.Bundle(dev.Row)
	if err != nil || bytes.Equal(had, b.Raw) {
		return err
	}
	if had != nil {
		old, err := identity.ParseBundle(had)
		if err != nil {
			return err
		}
		if b.Inc < old.Inc || b.Inc == old.Inc && b.Made < old.Made {
			d.count("old_bundle")
			return nil
		}
	}
	if b.Inc < dev.Inc {
		d.count("old_bundle")
		return nil
	}
	if err := tx.SetBundle(dev.Row, b.Inc, b.Made, b.Prekey, b.Raw); err != nil {
		return err
	}
	return d.incRose(tx, dev, b.Inc)
}

// incRose pins a higher inc: the volatile state of a device began anew, so a session is begun anew with it.
func (d *directory) incRose(tx *store.Tx, dev store.Device, inc uint64) error {
	if inc <= dev.Inc {
		return nil
	}
	if err := tx.SetDeviceInc(dev.Row, inc); err != nil || dev.Inc == 0 {
		return err
	}
	dev.Inc = inc
	return d.reset(tx, dev, "inc")
}

// takeCard keeps what somebody's card says: name, addresses, whether they say what they read.
func (d *directory) takeCard(tx *store.Tx, from store.Device, c wire.Card) error {
	key, err := d.keys.parse(c.Self.AccountKey)
	if err != nil {
		return flawed("card", err)
	}
	owner, found, err := tx.AccountRow(from.Account)
	if err != nil {
		return err
	}
	if !found || identity.AccountOf(key) != identity.AccountID(owner.Account) {
		return badly("card")
	}
	if _, err := d.learn(tx, c.Self); err != nil {
		return err
	}
	if name := cleanName(c.Name); name != owner.TheirName {
		if err := tx.SetTheirName(owner.Row, name); err != nil {
			return err
		}
		tx.OnCommit(func() { d.hub.tell(Change{Kind: ChangedPeople}) })
	}
	if err := tx.SetDeviceFlags(from.Row, int64(c.Flags)); err != nil {
		return err
	}
	return movedBehind(tx, identity.PeerID(from.Peer), c.Addresses, d.ms())
}
