package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// compare is SYNC from our side, on connecting and every five minutes: the digest over all shared rooms, and of the rooms that
// differ what each side has.
func (c *courier) compare(r *store.Reader, v *visit) (errand, error) {
	if at := c.links.compareAt(c.link); at > c.ms() && at-c.ms() <= syncEvery { // or the clock was set back
		v.again(at)
		return nil, nil
	}
	mine, err := c.ledger.digests(r, v.device.Account)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		reply, err := c.sync(ctx, wire.Sync{One: &wire.Sync1{Digest: wire.DigestRooms(mine)}})
		if errors.Is(err, peer.ErrRefused) {
			err = nil // they do not know us as a contact yet
		}
		if err == nil && reply.Two != nil {
			err = c.exchange(ctx, v.device, differing(mine, reply.Two.Rooms))
		}
		switch {
		case err == nil:
			c.links.comparedAt(c.link, c.ms())
		case errors.Is(err, peer.ErrLater), errors.Is(err, store.ErrFull): // and what comes after it need not wait
			c.links.comparedAt(c.link, c.ms()-syncEvery+diskPause)
			err = nil
		}
		return err
	}, nil
}

func (c *courier) sync(ctx context.Context, s wire.Sync) (wire.Sync, error) {
	reply, err := c.net.Call(ctx, c.link.device, peer.Sync, s.Marshal())
	if err != nil {
		return wire.Sync{}, err
	}
	got, err := wire.ParseSync(reply)
	return got, c.counted(flawed("synced_malformed", err))
}

// differing lists the rooms of which the digests differ, or which only we have.
func differing(mine, theirs []wire.RoomDigest) (rooms []wire.RoomID) {
	at := map[wire.RoomID][8]byte{}
	for _, d := range theirs {
		at[d.Room] = d.Digest
	}
	for _, d := range mine {
		if other, has := at[d.Room]; !has || other != d.Digest {
			rooms = append(rooms, d.Room)
		}
	}
	return rooms
}

// exchange tells what we have of rooms, a frame at a time, and takes what they have.
func (c *courier) exchange(ctx context.Context, d store.Device, rooms []wire.RoomID) error {
	for len(rooms) > 0 {
		var mine []wire.RoomState
		err := c.st.View(ctx, func(r *store.Reader) (err error) {
			mine, rooms, err = c.ledger.states(r, d.Account, rooms)
			return err
		})
		if err != nil {
			return err
		}
		reply, err := c.sync(ctx, wire.Sync{Three: &wire.Sync3{Rooms: mine}})
		if err != nil {
			return err
		}
		if reply.Three == nil {
			return nil
		}
		err = c.st.Update(ctx, func(tx *store.Tx) error {
			if err := c.noteTold(tx, mine); err != nil {
				return err
			}
			return c.ledger.heard(tx, d, reply.Three.Rooms)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noteTold remembers what the peer just learnt of its own logs, so that it is not told again.
func (c *courier) noteTold(tx *store.Tx, rooms []wire.RoomState) error {
	for _, room := range rooms {
		for _, h := range room.Haves {
			l, found, err := tx.Log([32]byte(h.Log))
			if err != nil {
				return err
			}
			if found {
				tx.OnCommit(func() { c.links.tell(c.link.device, l.Row, h, 0) })
			}
		}
	}
	return nil
}
