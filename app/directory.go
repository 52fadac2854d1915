package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// directory keeps what we know of accounts and their devices: keys, lists, prekeys, addresses. It believes signatures
// only, and pins what may not go back: the list counter, inc and the bundle.
type directory struct {
	*core
	reset func(tx *store.Tx, d store.Device, why string) error // of sessions: volatile state began anew at the peer
}

// errStale is an object older than one that is pinned.
var errStale = errors.New("older than what is pinned")

// meet checks who opened a link and says what they are to us. Strangers leave no row: their first INIT may.
func (d *directory) meet(ctx context.Context, h peer.Hello) (class peer.Class, err error) {
	err = d.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(identity.AccountOf(h.Account))
		if err != nil || !found {
			class = peer.Stranger
			return err
		}
		if class, err = d.class(&tx.Reader, a); err != nil || class == peer.Blocked || class == peer.Stranger {
			return err
		}
		if a.Key == nil {
			if err := tx.SetAccountKey(a.Row, h.Account.Bytes()); err != nil {
				return err
			}
		}
		dev, err := d.addDevice(tx, a, h.Certificate)
		if err != nil {
			return err
		}
		if dev.State == store.DeviceRevoked {
			class = peer.Blocked
			return d.count(tx, "revoked_device")
		}
		return tx.SeeDevice(dev.Row, d.ms())
	})
	return class, err
}

// class says what an account is to us.
func (d *directory) class(r *store.Reader, a store.Account) (peer.Class, error) {
	switch a.State {
	case store.AccountContact:
		return peer.Contact, nil
	case store.AccountAsked:
		return peer.Invited, nil
	case store.AccountBlocked:
		return peer.Blocked, nil
	case store.AccountAsks:
		if ok, err := r.Invited(a.Row); err != nil || ok {
			return peer.Invited, err
		}
	}
	return peer.Stranger, nil
}

// addDevice keeps a device whose certificate was verified. The first ones of an account come with it; one that appears
// later on an account that we knew waits for the person's yes.
func (d *directory) addDevice(tx *store.Tx, a store.Account, cert *identity.Certificate) (store.Device, error) {
	dev, found, err := tx.Device(cert.ID())
	if err != nil || found {
		return dev, err
	}
	others, err := tx.Devices(a.Row)
	if err != nil {
		return dev, err
	}
	dev = store.Device{
		Account: a.Row, Index: cert.Index, Digest: cert.ID(), Peer: bytes.Clone(cert.Peer[:]), Key: cert.Key.Bytes(), Cert: cert.Raw,
		State: store.DeviceValid, Approved: len(others) == 0,
	}
	if a.List != nil {
		list, err := identity.ParseList(a.List)
		if err != nil {
			return dev, err
		}
		if !list.Valid(cert.ID()) {
			dev.State = store.DeviceUnlisted
		}
	}
	if !dev.Approved && a.Row != store.Own {
		if err := d.notice(tx, auditNewDevice, "device", a.Name()); err != nil {
			return dev, err
		}
	}
	return tx.AddDevice(dev)
}

// learn takes what a device says of itself: account key, certificate, list and bundle, each as far as its signature and
// the pinned values allow.
func (d *directory) learn(tx *store.Tx, o wire.SelfObject) (a store.Account, dev store.Device, err error) {
	key, err := d.keys.parse(o.AccountKey)
	if err != nil {
		return a, dev, err
	}
	cert, err := identity.VerifyCertificate(o.Certificate, key)
	if err != nil {
		return a, dev, err
	}
	a, found, err := tx.Account(identity.AccountOf(key))
	if err != nil || !found {
		return a, dev, errors.Join(err, errWhen(!found, "an account that we do not know"))
	}
	if a.Key == nil {
		a.Key = o.AccountKey
		if err := tx.SetAccountKey(a.Row, o.AccountKey); err != nil {
			return a, dev, err
		}
	}
	if err := d.learnList(tx, &a, key, o.List); err != nil {
		return a, dev, err
	}
	if dev, err = d.addDevice(tx, a, cert); err != nil || len(o.Bundle) == 0 {
		return a, dev, err
	}
	return a, dev, d.learnBundle(tx, &dev, cert, o.Bundle)
}

// learnList takes a newer device list. The same counter over two lists means that the account key is in two hands.
func (d *directory) learnList(tx *store.Tx, a *store.Account, key *composite.PublicKey, raw []byte) error {
	if len(raw) == 0 || bytes.Equal(raw, a.List) {
		return nil
	}
	list, err := identity.VerifyList(raw, key)
	if err != nil {
		return err
	}
	switch {
	case list.Counter < a.ListCount:
		return d.count(tx, "old_list")
	case list.Counter == a.ListCount && a.List != nil:
		return d.twoLists(tx, *a, key, list)
	}
	a.ListCount, a.List = list.Counter, raw
	if err := tx.SetList(a.Row, list.Counter, raw); err != nil {
		return err
	}
	devices, err := tx.Devices(a.Row)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		state := store.DeviceRevoked
		if list.Valid(dev.Digest) {
			state = store.DeviceValid
		}
		if err := tx.SetDeviceState(dev.Row, state, d.ms()); err != nil {
			return err
		}
	}
	return nil
}

const evidenceList = 4

func (d *directory) twoLists(tx *store.Tx, a store.Account, key *composite.PublicKey, other *identity.List) error {
	pinned, err := identity.ParseList(a.List)
	if err != nil {
		return err
	}
	e, err := identity.NewListEvidence(key, pinned, other)
	if err != nil {
		return err // the same list in another signature: nothing to accuse anybody of
	}
	raw := e.Marshal()
	id := sha256.Sum256(raw)
	if err := tx.AddEvidence(store.Evidence{ID: id[:16], Kind: evidenceList, Accused: a.Account, Raw: raw, At: d.ms()}); err != nil {
		return err
	}
	return d.notice(tx, auditForked, "two_lists", a.Name())
}

// learnBundle takes a newer signed prekey. A higher inc says that the device lost its sessions.
func (d *directory) learnBundle(tx *store.Tx, dev *store.Device, cert *identity.Certificate, raw []byte) error {
	had, err := tx.Bundle(dev.Row)
	if err != nil || bytes.Equal(had, raw) {
		return err
	}
	b, err := identity.VerifyBundle(raw, cert)
	if err != nil {
		return err
	}
	if had != nil {
		old, err := identity.ParseBundle(had)
		if err != nil {
			return err
		}
		if b.Inc < old.Inc || b.Inc == old.Inc && b.Made < old.Made {
			return d.count(tx, "old_bundle")
		}
	}
	if b.Inc < dev.Inc {
		return d.count(tx, "old_bundle")
	}
	if err := tx.SetBundle(dev.Row, b.Inc, b.Made, b.Prekey, raw); err != nil {
		return err
	}
	began := b.Inc > dev.Inc && dev.Inc != 0
	dev.Inc = b.Inc
	if err := tx.SetDeviceInc(dev.Row, b.Inc); err != nil || !began {
		return err
	}
	return d.reset(tx, *dev, "inc")
}

// wants reports whether SELF has to be asked for before anything else is said to a device.
func (d *directory) wants(r *store.Reader, h peer.Hello) (bool, error) {
	a, found, err := r.Account(identity.AccountOf(h.Account))
	if err != nil || !found {
		return false, err
	}
	if a.List == nil || h.List.Counter > a.ListCount {
		return true, nil
	}
	dev, found, err := r.Device(h.Certificate.ID())
	if err != nil || !found {
		return false, err
	}
	raw, err := r.Bundle(dev.Row)
	return raw == nil, err
}

// table is everybody whom the node should know, whole.
func (d *directory) table(r *store.Reader) ([]peer.Known, error) {
	accounts, err := r.Accounts(store.AccountAsks, store.AccountAsked, store.AccountContact, store.AccountBlocked, store.AccountDeclined)
	if err != nil {
		return nil, err
	}
	var all []peer.Known
	for _, a := range accounts {
		class, err := d.class(r, a)
		if err != nil {
			return nil, err
		}
		rows, err := d.known(r, a, class)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}

func (d *directory) known(r *store.Reader, a store.Account, class peer.Class) (all []peer.Known, err error) {
	devices, err := r.Devices(a.Row)
	if err != nil {
		return nil, err
	}
	for _, dev := range devices {
		k := peer.Known{Account: a.Account, Device: dev.Digest, Peer: identity.PeerID(dev.Peer), Class: class}
		if dev.State == store.DeviceRevoked {
			k.Class = peer.Blocked
		}
		if err := place(r, &k); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	if len(devices) > 0 || a.Invitation == nil {
		return all, nil
	}
	inv, err := identity.ParseInvitation(string(a.Invitation))
	if err != nil {
		return nil, fmt.Errorf("reading a kept invitation: %w", err)
	}
	k := peer.Known{Account: a.Account, Peer: inv.Peer, Class: class}
	if err := place(r, &k); err != nil {
		return nil, err
	}
	k.Addresses = append(k.Addresses, inv.Addresses...)
	return append(all, k), nil
}

func place(r *store.Reader, k *peer.Known) error {
	p, err := r.Place(k.Peer[:])
	if err != nil {
		return err
	}
	if len(p.Record) > 0 {
		k.Record = p.Record
	}
	k.Addresses = lines(p.Addrs)
	return nil
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// maxAddresses bounds how many addresses of somebody are kept.
const maxAddresses = 8

// moved keeps addresses of a PeerID, the first of them in front: it has just worked, or is the newest.
func moved(tx *store.Tx, id identity.PeerID, addrs []string, ms int64) error {
	p, err := tx.Place(id[:])
	if err != nil {
		return err
	}
	var all []string
	seen := map[string]bool{}
	for _, a := range append(append([]string{}, addrs...), lines(p.Addrs)...) {
		if a != "" && !seen[a] && len(all) < maxAddresses && !strings.ContainsAny(a, "\n\r") {
			seen[a] = true
			all = append(all, a)
		}
	}
	p.Addrs = strings.Join(all, "\n")
	return tx.SetPlace(p, ms)
}

// takeCard keeps what somebody's card says: name, addresses, whether they say what they read.
func (d *directory) takeCard(tx *store.Tx, from store.Device, c wire.Card) error {
	key, err := d.keys.parse(c.Self.AccountKey)
	if err != nil {
		return err
	}
	owner, found, err := tx.AccountRow(from.Account)
	if err != nil || !found || identity.AccountOf(key) != identity.AccountID(owner.Account) {
		return errors.Join(err, errWhen(err == nil, "a card of somebody else"))
	}
	if _, _, err := d.learn(tx, c.Self); err != nil {
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
	addrs := c.Addresses
	if len(addrs) > maxAddresses {
		addrs = addrs[:maxAddresses]
	}
	return movedBehind(tx, identity.PeerID(from.Peer), addrs, d.ms())
}

// movedBehind keeps addresses that somebody claims behind those that have worked.
func movedBehind(tx *store.Tx, id identity.PeerID, addrs []string, ms int64) error {
	p, err := tx.Place(id[:])
	if err != nil {
		return err
	}
	return moved(tx, id, append(lines(p.Addrs), addrs...), ms)
}
