package app

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// compare is SYNC from our side: the digest over all shared rooms, and of the rooms that differ what each side has.
func (c *courier) compare(ctx context.Context, a store.Account, d store.Device) (int64, error) {
	if !c.isFresh() {
		return 0, errIdle
	}
	var mine []wire.RoomDigest
	err := c.st.View(ctx, func(r *store.Reader) (err error) {
		mine, err = c.ledger.digests(r, a.Row)
		return err
	})
	if err != nil {
		return 0, err
	}
	one := wire.Sync{One: &wire.Sync1{Digest: wire.DigestRooms(mine)}}
	reply, err := c.ask(ctx, one)
	if errors.Is(err, peer.ErrRefused) {
		c.setFresh(false) // they do not know us as a contact yet
		return 0, nil
	}
	if errors.Is(err, peer.ErrLater) {
		return c.ms() + laterPause, errIdle
	}
	if err != nil {
		return 0, err
	}
	if reply.Two != nil {
		if err := c.exchange(ctx, a, d, differing(mine, reply.Two.Rooms)); err != nil {
			return 0, err
		}
	}
	c.setFresh(false)
	return 0, nil
}

func (c *courier) isFresh() bool {
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	return c.link.fresh
}

func (c *courier) setFresh(on bool) {
	c.links.mu.Lock()
	defer c.links.mu.Unlock()
	c.link.fresh = on
}

func (c *courier) ask(ctx context.Context, s wire.Sync) (wire.Sync, error) {
	reply, err := c.net.Call(ctx, c.link.device, peer.Sync, s.Marshal())
	if err != nil {
		return wire.Sync{}, err
	}
	return wire.ParseSync(reply)
}

// differing lists the rooms of which the digests differ, or which only one side has.
func differing(mine, theirs []wire.RoomDigest) (rooms []wire.RoomID) {
	at := map[wire.RoomID][8]byte{}
	for _, d := range theirs {
		at[d.Room] = d.Digest
	}
	for _, d := range mine {
		if other, has := at[d.Room]; !has || other != d.Digest {
			rooms = append(rooms, d.Room)
		}
		delete(at, d.Room)
	}
	return rooms
}

// syncRooms bounds the rooms of one frame; each has some logs of 120 bytes.
const syncRooms = 32

func (c *courier) exchange(ctx context.Context, a store.Account, d store.Device, rooms []wire.RoomID) error {
	for part := range slices.Chunk(rooms, syncRooms) {
		var mine []wire.RoomState
		err := c.st.View(ctx, func(r *store.Reader) (err error) {
			mine, err = c.ledger.states(r, a.Row, part)
			return err
		})
		if err != nil {
			return err
		}
		reply, err := c.ask(ctx, wire.Sync{Three: &wire.Sync3{Rooms: mine}})
		if err != nil {
			return err
		}
		if reply.Three == nil {
			return nil
		}
		c.noteTold(ctx, mine)
		err = c.st.Update(ctx, func(tx *store.Tx) error { return c.ledger.heard(tx, a, d, reply.Three.Rooms) })
		if err != nil {
			return err
		}
	}
	return nil
}

// noteTold remembers what the peer just learnt of its own logs, so that it is not told again.
func (c *courier) noteTold(ctx context.Context, rooms []wire.RoomState) {
	_ = c.st.View(ctx, func(r *store.Reader) error {
		for _, room := range rooms {
			for _, h := range room.Haves {
				l, found, err := r.Log([32]byte(h.Log))
				if err != nil {
					return err
				}
				if found {
					c.links.tell(c.link.device, l.Row, h, 0)
				}
			}
		}
		return nil
	})
}

// ledger keeps who has what: our own HAVE of every log, and of our logs what each device has confirmed.
type ledger struct {
	*core
	stir func(d identity.DeviceID) // something of ours is due to a device
}

// digests is what we hold of the rooms shared with an account, in 8 bytes each.
func (g *ledger) digests(r *store.Reader, account int64) (all []wire.RoomDigest, err error) {
	rooms, err := r.RoomsOf(account)
	if err != nil {
		return nil, err
	}
	for _, room := range rooms {
		if room.State != store.RoomOpen {
			continue
		}
		s, err := g.stateOf(r, room)
		if err != nil {
			return nil, err
		}
		all = append(all, wire.RoomDigest{Room: room.ID, Digest: wire.DigestRoom(s.Haves, s.Evidence)})
	}
	return all, nil
}

// states tells what we hold of some rooms; those that the account is no member of are passed over.
func (g *ledger) states(r *store.Reader, account int64, rooms []wire.RoomID) (all []wire.RoomState, err error) {
	for _, id := range rooms {
		room, found, err := r.Room(id)
		if err != nil {
			return nil, err
		}
		if !found || room.State != store.RoomOpen {
			continue
		}
		ok, err := r.IsMember(room.Row, account)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		s, err := g.stateOf(r, room)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// stateOf is our state of one room: a HAVE of each log that has something, the fork point standing for a frozen one's head.
func (g *ledger) stateOf(r *store.Reader, room store.Room) (s wire.RoomState, err error) {
	s.Room = room.ID
	logs, err := r.Logs(room.Row)
	if err != nil {
		return s, err
	}
	for _, l := range logs {
		if l.HeadK < 0 || len(s.Haves) >= wire.MaxHaves {
			continue
		}
		read, err := g.readTo(r, l)
		if err != nil {
			return s, err
		}
		s.Haves = append(s.Haves, haveOf(l, read))
	}
	ids, err := r.EvidenceIDs(room.Row)
	for _, id := range ids {
		s.Evidence = append(s.Evidence, [16]byte(id))
	}
	return s, err
}

// sync answers a SYNC frame.
func (g *ledger) sync(ctx context.Context, from identity.DeviceID, body []byte) ([]byte, error) {
	q, err := wire.ParseSync(body)
	if err != nil {
		return nil, refusedFrame("sync_malformed")
	}
	var reply wire.Sync
	err = g.st.Update(ctx, func(tx *store.Tx) error {
		dev, found, err := tx.Device(from)
		if err != nil || !found {
			return errors.Join(err, refusedFrame("sync_stranger"))
		}
		a, _, err := tx.AccountRow(dev.Account)
		if err != nil {
			return err
		}
		switch a.State {
		case store.AccountContact:
		case store.AccountAsked:
			return peer.ErrLater // they have just said yes, and it is on its way
		default:
			return refusedFrame("sync_stranger")
		}
		reply, err = g.syncStep(tx, a, dev, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply.Marshal(), nil
}

func (g *ledger) syncStep(tx *store.Tx, a store.Account, dev store.Device, q wire.Sync) (reply wire.Sync, err error) {
	if q.Three == nil {
		mine, err := g.digests(&tx.Reader, a.Row)
		if err != nil {
			return reply, err
		}
		if digest := wire.DigestRooms(mine); q.One != nil && digest == q.One.Digest {
			return wire.Sync{One: &wire.Sync1{Digest: digest}}, nil
		}
		return wire.Sync{Two: &wire.Sync2{Rooms: mine}}, nil
	}
	if err := g.heard(tx, a, dev, q.Three.Rooms); err != nil {
		return reply, err
	}
	var ids []wire.RoomID
	for _, room := range q.Three.Rooms {
		ids = append(ids, room.Room)
	}
	states, err := g.states(&tx.Reader, a.Row, ids)
	return wire.Sync{Three: &wire.Sync3{Rooms: states}}, err
}

// heard takes what a device says that it holds: of our logs it is the cursor, of others' what we may lack.
func (g *ledger) heard(tx *store.Tx, a store.Account, dev store.Device, rooms []wire.RoomState) error {
	for _, room := range rooms {
		row, found, err := tx.Room(room.Room)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if ok, err := tx.IsMember(row.Row, a.Row); err != nil || !ok {
			return err
		}
		named := map[[32]byte]bool{}
		for _, h := range room.Haves {
			named[h.Log] = true
			if err := g.have(tx, dev, h, true); err != nil {
				return err
			}
		}
		if err := g.unnamed(tx, row, dev, named); err != nil {
			return err
		}
	}
	return nil
}

// unnamed sets the cursor back of logs of ours that a device no longer knows at all: it lost its store.
func (g *ledger) unnamed(tx *store.Tx, room store.Room, dev store.Device, named map[[32]byte]bool) error {
	logs, err := tx.OwnLogs(room.Row)
	if err != nil {
		return err
	}
	for _, l := range logs {
		if named[l.ID] {
			continue
		}
		c, err := tx.Cursor(l.Row, dev.Row)
		if err != nil {
			return err
		}
		if c.Stored == 0 && c.Refused == 0 {
			continue
		}
		if err := tx.SetCursor(store.Cursor{Log: l.Row, Device: dev.Row, HeadK: -1, At: g.ms()}); err != nil {
			return err
		}
	}
	return nil
}

// have takes one HAVE. For a log of ours it is the cursor: raised by a reply, replaced by a link's own word. For a log of
// somebody else it says whether there is more than we hold.
func (g *ledger) have(tx *store.Tx, dev store.Device, h wire.Have, replace bool) error {
	l, found, err := tx.Log([32]byte(h.Log))
	if err != nil || !found {
		return err
	}
	if ok, err := tx.IsMember(l.Room, dev.Account); err != nil || !ok {
		return err
	}
	if l.Seed == nil {
		return g.noteMore(tx, l, h)
	}
	if ahead, err := g.ahead(tx, l, h); err != nil || ahead {
		return err
	}
	c, err := tx.Cursor(l.Row, dev.Row)
	if err != nil {
		return err
	}
	n := store.Cursor{
		Log: l.Row, Device: dev.Row, Stored: min(int64(h.Stored), l.Size), Opened: min(int64(h.Opened), l.Size),
		Read: min(int64(h.Read), l.Size), HeadK: -1, At: g.ms(), Refused: c.Refused,
	}
	if h.HeadK != wire.NoHead {
		n.HeadK, n.HeadDigest = int64(h.HeadK), append([]byte(nil), h.HeadDigest[:]...)
	}
	if !replace {
		n.Stored, n.Opened, n.Read = max(n.Stored, c.Stored), max(n.Opened, c.Opened), max(n.Read, c.Read)
		if c.HeadK > n.HeadK {
			n.HeadK, n.HeadDigest = c.HeadK, c.HeadDigest
		}
	}
	if n.Stored == c.Stored && n.Opened == c.Opened && n.Read == c.Read && n.HeadK == c.HeadK && bytes.Equal(n.HeadDigest, c.HeadDigest) && c.At > 0 {
		return nil
	}
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	tx.OnCommit(func() {
		g.hub.tell(Change{Kind: ChangedRoom, Room: room.ID}, Change{Kind: ChangedStatus})
		g.stir(dev.Digest)
	})
	return tx.SetCursor(n)
}

// ahead finds out that somebody holds more of a log of ours than we do, or another story: this profile was put back, or runs
// twice. The log is ended; the next message opens a new one that names it.
func (g *ledger) ahead(tx *store.Tx, l store.Log, h wire.Have) (bool, error) {
	same, err := sameHead(&tx.Reader, l, h)
	if err != nil || same || l.State != store.LogOpen {
		return !same, err
	}
	return true, g.endOwn(tx, l)
}

// endOwn closes a log of ours that another copy of this profile wrote in.
func (g *ledger) endOwn(tx *store.Tx, l store.Log) error {
	l.State = store.LogClosed
	if err := tx.SaveLog(l); err != nil {
		return err
	}
	if err := g.count(tx, "copied"); err != nil {
		return err
	}
	return g.notice(tx, auditCopied, "copied", "")
}

// turnedDown deals with a segment of ours that a device refused for good. Beyond a fork it was written by one of two copies of
// this profile: the log is ended, and what it holds is offered again. Else sending of the log to that device stops.
func (g *ledger) turnedDown(tx *store.Tx, dev store.Device, l store.Log, k int64, reason uint8) error {
	if reason == wire.RefusedFork && l.State == store.LogOpen {
		if err := g.endOwn(tx, l); err != nil {
			return err
		}
	}
	c, err := tx.Cursor(l.Row, dev.Row)
	if err != nil {
		return err
	}
	c.Refused, c.At = int64(reason), g.ms()
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	tx.OnCommit(func() { g.hub.tell(Change{Kind: ChangedRoom, Room: room.ID}) })
	return errors.Join(tx.SetCursor(c), g.count(tx, "refused_by_peer"))
}

// noteMore remembers that more of a log exists than we hold: FETCH asks for it, unless its author brings it.
func (g *ledger) noteMore(tx *store.Tx, l store.Log, h wire.Have) error {
	if h.HeadK == wire.NoHead || int64(h.HeadK) <= l.HeadK || l.ForkK >= 0 {
		return nil
	}
	return tx.SetNamed(l.Row, int64(h.HeadK), g.ms())
}

// haves answers a HAVE frame.
func (g *ledger) haves(ctx context.Context, from identity.DeviceID, body []byte) ([]byte, error) {
	all, err := wire.ParseHaves(body)
	if err != nil {
		return nil, refusedFrame("have_malformed")
	}
	return nil, g.st.Update(ctx, func(tx *store.Tx) error {
		dev, found, err := tx.Device(from)
		if err != nil || !found {
			return errors.Join(err, refusedFrame("have_stranger"))
		}
		for _, h := range all {
			if err := g.have(tx, dev, h, true); err != nil {
				return err
			}
		}
		return nil
	})
}

// readTo is what our HAVE of a log says was read: 0 unless both sides say so.
func (g *ledger) readTo(r *store.Reader, l store.Log) (int64, error) {
	if !g.me.saysRead() || l.Device == 0 || l.Seed != nil {
		return 0, nil
	}
	dev, found, err := r.DeviceRow(l.Device)
	if err != nil || !found || dev.Flags&cardReadReceipts == 0 {
		return 0, err
	}
	room, _, err := r.RoomRow(l.Room)
	if err != nil {
		return 0, err
	}
	return r.ReadIndex(l.Row, l.Room, room.ReadSort)
}

// sameHead reports whether a HAVE names a header that we hold, byte for byte.
func sameHead(r *store.Reader, l store.Log, h wire.Have) (bool, error) {
	if h.HeadK == wire.NoHead {
		return true, nil
	}
	s, found, err := r.Segment(l.Row, int64(h.HeadK))
	return found && bytes.Equal(s.Digest[:], h.HeadDigest[:]), err
}
