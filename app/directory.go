package app

import (
	"bytes"
	"context"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// directory keeps what we know of accounts and their devices: keys, lists, prekeys, addresses. It believes signatures only, and
// pins what may not go back: the list counter, inc and the bundle.
type directory struct {
	*core
	reset func(tx *store.Tx, d store.Device, why string) error // of sessions: volatile state began anew at the peer
	push  func()                                               // the table of peers changed
}

// caller is who stands behind a frame.
type caller struct {
	device   store.Device
	relation int // state of the account
}

// callerOf finds out who sent a frame. Who was blocked, and whose device does not count, is not heard, whatever the link says:
// it may be older than that.
func callerOf(r *store.Reader, from identity.DeviceID) (c caller, found bool, err error) {
	if c.device, found, err = r.Device(from); err != nil || !found {
		return c, found, err
	}
	if c.relation, err = r.Relation(c.device.Account); err != nil {
		return c, true, err
	}
	switch {
	case c.relation == store.AccountBlocked:
		return c, true, badly("blocked")
	case c.device.State == store.DeviceRevoked:
		return c, true, badly("revoked_device")
	}
	return c, true, nil
}

// mustCall is callerOf for frames that strangers, and devices that are on no list yet, have no business with.
func mustCall(r *store.Reader, from identity.DeviceID) (caller, error) {
	c, found, err := callerOf(r, from)
	if err == nil && (!found || c.device.State != store.DeviceValid) {
		err = badly("stranger")
	}
	return c, err
}

// meet checks who opened a link and says what they are to us. Strangers leave no row: their first INIT may.
func (d *directory) meet(ctx context.Context, h peer.Hello) (class peer.Class, err error) {
	err = d.st.View(ctx, func(r *store.Reader) error { // most who come for nothing are strangers: they cost no sync
		a, found, err := r.Account(identity.AccountOf(h.Account))
		if err != nil || !found {
			return err
		}
		class, err = d.class(r, a)
		return err
	})
	if err != nil || class == peer.Stranger || class == peer.Blocked {
		return class, err
	}
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
		if dev.State == store.DeviceRevoked || dev.State == store.DeviceUnlisted && h.List.Counter <= a.ListCount {
			class = peer.Blocked // one that is not on the newest list counts as revoked; a newer one is asked for first
			d.count("revoked_device")
		}
		return tx.SeeDevice(dev.Row, d.ms())
	})
	if err = d.excuse(err); err != nil {
		return peer.Stranger, err
	}
	return class, nil
}

// class says what an account is to us. Somebody who was turned down is what they were while they asked.
func (d *directory) class(r *store.Reader, a store.Account) (peer.Class, error) {
	switch a.State {
	case store.AccountContact:
		return peer.Contact, nil
	case store.AccountAsked:
		return peer.Invited, nil
	case store.AccountBlocked:
		return peer.Blocked, nil
	case store.AccountAsks, store.AccountDeclined:
		if ok, err := r.Invited(a.Row); err != nil || ok {
			return peer.Invited, err
		}
	}
	return peer.Stranger, nil
}

// Bounds of the devices that an account may have us keep: a contact who signs one certificate after another fills no more.
const (
	maxDevices        = 64
	maxAskingsDevices = 4
)

// addDevice keeps a device whose certificate was verified. The first ones of an account come with it; one that appears later on
// an account that we knew waits for the person's yes.
func (d *directory) addDevice(tx *store.Tx, a store.Account, cert *identity.Certificate) (store.Device, error) {
	dev, found, err := tx.Device(cert.ID())
	if err != nil || found {
		return dev, err
	}
	others, err := tx.CountDevices(a.Row)
	if err != nil {
		return dev, err
	}
	if others >= maxDevices || others >= maxAskingsDevices && a.State != store.AccountContact {
		return dev, badly("too_many_devices")
	}
	dev = store.Device{Account: a.Row, Index: cert.Index, Digest: cert.ID(), Peer: bytes.Clone(cert.Peer[:]), State: store.DeviceValid, Approved: others == 0}
	if a.List != nil {
		list, err := identity.ParseList(a.List)
		if err != nil {
			return dev, err
		}
		if !list.Valid(cert.ID()) {
			dev.State = store.DeviceUnlisted
		}
	}
	if !dev.Approved {
		if err := d.notice(tx, auditNewDevice, "device", shownName(a)); err != nil {
			return dev, err
		}
		tx.OnCommit(d.push)
	}
	return tx.AddDevice(dev, cert.Key.Bytes(), cert.Raw)
}

// wants reports whether SELF has to be asked for before anything else is said to a device: list or prekey are unknown or behind,
// or its list is another one under the counter that is pinned.
func (d *directory) wants(r *store.Reader, h peer.Hello, dev store.Device) (bool, error) {
	a, found, err := r.AccountRow(dev.Account)
	if err != nil || !found {
		return false, err
	}
	if a.List == nil || h.List.Counter > a.ListCount {
		return true, nil
	}
	if h.List.Counter == a.ListCount {
		pinned, err := identity.ParseList(a.List)
		if err != nil || pinned.Head() != h.List {
			return true, err
		}
	}
	raw, err := r.Bundle(dev.Row)
	return raw == nil, err
}
