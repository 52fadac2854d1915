package app

import (
	"fmt"
	"strings"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

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
	now := strings.Join(all, "\n")
	if now == p.Addrs {
		return nil
	}
	p.Addrs = now
	return tx.SetPlace(p, ms)
}

// movedBehind keeps addresses that somebody claims behind those that have worked.
func movedBehind(tx *store.Tx, id identity.PeerID, addrs []string, ms int64) error {
	p, err := tx.Place(id[:])
	if err != nil {
		return err
	}
	return moved(tx, id, append(lines(p.Addrs), addrs...), ms)
}
