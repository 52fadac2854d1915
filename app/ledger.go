package app

import (
	"bytes"
	"context"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// ledger keeps who has what: our own HAVE of every log, and of our logs what each device has confirmed.
type ledger struct {
	*core
	links *links
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

// states tells what we hold of some rooms; those that the account is no member of are passed over. rest is what does not fit one
// frame any more.
func (g *ledger) states(r *store.Reader, account int64, rooms []wire.RoomID) (all []wire.RoomState, rest []wire.RoomID, err error) {
	left := wire.MaxBody
	for i, id := range rooms {
		room, found, err := r.Room(id)
		if err != nil {
			return nil, nil, err
		}
		if !found || room.State != store.RoomOpen {
			continue
		}
		ok, err := r.IsMember(room.Row, account)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		s, err := g.stateOf(r, room)
		if err != nil {
			return nil, nil, err
		}
		if left -= s.Size(); left < 0 && i > 0 {
			return all, rooms[i:], nil
		}
		all = append(all, s)
	}
	return all, nil, nil
}

// stateOf is our state of one room: a HAVE of each log that has something. Bounded by what a room may have of logs, it fits a
// frame.
func (g *ledger) stateOf(r *store.Reader, room store.Room) (s wire.RoomState, err error) {
	s.Room = room.ID
	logs, err := r.Logs(room.Row)
	if err != nil {
		return s, err
	}
	for _, l := range logs {
		if l.HeadK < 0 {
			continue
		}
		read, err := g.readTo(r, l)
		if err != nil {
			return s, err
		}
		s.Haves = append(s.Haves, haveOf(l, read))
	}
	ids, err := r.EvidenceIDs(room.Row)
	for _, id := range ids[:min(len(ids), maxLogs)] {
		s.Evidence = append(s.Evidence, [16]byte(id))
	}
	return s, err
}

// sync answers a SYNC frame. Only its third step changes anything.
func (g *ledger) sync(ctx context.Context, from identity.DeviceID, body []byte) ([]byte, error) {
	q, err := wire.ParseSync(body)
	if err != nil {
		return nil, flawed("sync_malformed", err)
	}
	var reply wire.Sync
	if q.Three != nil {
		err = g.st.Update(ctx, func(tx *store.Tx) (err error) {
			reply.Three, err = g.third(tx, from, q.Three)
			return err
		})
	} else {
		err = g.st.View(ctx, func(r *store.Reader) (err error) {
			reply, err = g.first(r, from, q)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return reply.Marshal(), nil
}

// contact finds a contact's device, or refuses: whom else could we share a room with.
func contact(r *store.Reader, from identity.DeviceID) (caller, error) {
	c, err := mustCall(r, from)
	if err == nil && c.relation != store.AccountContact {
		err = badly("sync_stranger")
	}
	return c, err
}

func (g *ledger) first(r *store.Reader, from identity.DeviceID, q wire.Sync) (reply wire.Sync, err error) {
	c, err := contact(r, from)
	if err != nil {
		return reply, err
	}
	mine, err := g.digests(r, c.device.Account)
	if err != nil {
		return reply, err
	}
	if digest := wire.DigestRooms(mine); q.One != nil && digest == q.One.Digest {
		return wire.Sync{One: &wire.Sync1{Digest: digest}}, nil
	}
	return wire.Sync{Two: &wire.Sync2{Rooms: mine}}, nil
}

func (g *ledger) third(tx *store.Tx, from identity.DeviceID, q *wire.Sync3) (*wire.Sync3, error) {
	c, err := contact(&tx.Reader, from)
	if err != nil {
		return nil, err
	}
	if err := g.heard(tx, c.device, q.Rooms); err != nil {
		return nil, err
	}
	var ids []wire.RoomID
	for _, room := range q.Rooms {
		ids = append(ids, room.Room)
	}
	states, _, err := g.states(&tx.Reader, c.device.Account, ids)
	return &wire.Sync3{Rooms: states}, err
}

// heard takes what a device says that it holds: of our logs it is the cursor, of others' what we may lack.
func (g *ledger) heard(tx *store.Tx, dev store.Device, rooms []wire.RoomState) error {
	for _, room := range rooms {
		row, found, err := tx.Room(room.Room)
		if err != nil {
			return err
		}
		if found {
			found, err = tx.IsMember(row.Row, dev.Account)
		}
		if err != nil {
			return err
		}
		if !found || row.State != store.RoomOpen {
			continue
		}
		named := map[[32]byte]bool{}
		for _, h := range room.Haves {
			named[h.Log] = true
			if err := g.hears(tx, row, dev, h); err != nil {
				return err
			}
		}
		if err := g.unnamed(tx, row, dev, named); err != nil {
			return err
		}
	}
	return nil
}

// hears is have for a HAVE out of SYNC, which names the room: of a log that is not known here at all, there is something to
// fetch.
func (g *ledger) hears(tx *store.Tx, room store.Room, dev store.Device, h wire.Have) error {
	_, found, err := tx.Log([32]byte(h.Log))
	if err != nil {
		return err
	}
	if found || h.HeadK == wire.NoHead {
		return g.have(tx, dev, h, true)
	}
	logs, err := tx.Undecided(room.Row)
	if err != nil || len(logs) >= undecidedLogs {
		return err
	}
	l, err := tx.AddLog(store.Log{Room: room.Row, ID: h.Log}, nil)
	if err != nil {
		return err
	}
	return g.noteMore(tx, dev, l, h)
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
		if err := g.back(tx, dev, l); err != nil {
			return err
		}
	}
	return nil
}

// back sets the cursor of a device to the beginning of a log.
func (g *ledger) back(tx *store.Tx, dev store.Device, l store.Log) error {
	return tx.SetCursor(store.Cursor{Log: l.Row, Device: dev.Row, HeadK: -1, At: g.ms()})
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
	same, err := g.sameHead(&tx.Reader, l, h)
	if err != nil {
		return err
	}
	if l.Seed == nil {
		return g.foreign(tx, dev, l, h, same)
	}
	if !same {
		return g.claimed(tx, dev, l, int64(h.HeadK))
	}
	return g.move(tx, dev, l, h, replace)
}

// move moves the cursor of a device, if that is anything new.
func (g *ledger) move(tx *store.Tx, dev store.Device, l store.Log, h wire.Have, replace bool) error {
	c, err := tx.Cursor(l.Row, dev.Row)
	if err != nil {
		return err
	}
	n := store.Cursor{
		Log: l.Row, Device: dev.Row, Stored: min(int64(h.Stored), l.Size), Opened: min(int64(h.Opened), int64(h.Stored), l.Size),
		Read: min(int64(h.Read), l.Size), HeadK: -1, At: g.ms(), Refused: c.Refused,
	}
	if h.HeadK != wire.NoHead {
		n.HeadK, n.HeadDigest = int64(h.HeadK), bytes.Clone(h.HeadDigest[:])
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
	room, err := tx.RoomID(l.Room)
	if err != nil {
		return err
	}
	tx.OnCommit(func() {
		g.hub.tell(Change{Kind: ChangedRoom, Room: room}, Change{Kind: ChangedStatus})
		if n.Stored < l.Size {
			g.links.hurry(dev.Digest)
		}
	})
	return tx.SetCursor(n)
}

// foreign notes what a device says to hold of a log of others: more than we do, or another story.
func (g *ledger) foreign(tx *store.Tx, dev store.Device, l store.Log, h wire.Have, same bool) error {
	switch {
	case h.HeadK == wire.NoHead || l.ForkK >= 0:
		return nil
	case int64(h.HeadK) > l.HeadK:
		return g.noteMore(tx, dev, l, h)
	case !same:
		tx.OnCommit(func() { g.links.claim(dev.Digest, l.Row, int64(h.HeadK)) })
	}
	return nil
}

// noteMore remembers that more of a log exists than we hold: FETCH asks for it, unless its author brings it.
func (g *ledger) noteMore(tx *store.Tx, dev store.Device, l store.Log, h wire.Have) error {
	tx.OnCommit(func() { g.links.hurry(dev.Digest) })
	return tx.SetNamed(l.Row, int64(h.HeadK), g.ms())
}

// youngLog is the age below which a log of ours is not ended by a mere word.
const youngLog = 600_000

// claimed deals with a device that says to hold more of a log of ours than we do, or another story: this profile was put back,
// or runs twice, or it is not true. HAVE is not signed, so the header is asked for, which is. Until then nothing more is written
// in that log, but only the first time in ten minutes: somebody who lies must not have us begin one log after the other.
func (g *ledger) claimed(tx *store.Tx, dev store.Device, l store.Log, k int64) error {
	tx.OnCommit(func() { g.links.claim(dev.Digest, l.Row, k) })
	if l.State != store.LogOpen {
		return nil
	}
	g.count("head_claimed")
	first, found, err := tx.Segment(l.Row, 0)
	if err != nil || !found || g.since(first.At) < youngLog {
		return err
	}
	l.State = store.LogClosed
	return tx.SaveLog(l)
}

// turnedDown deals with a segment of ours that a device refused for good. Beyond a fork it was written by one of two copies of
// this profile, or so they say. Sending of the log to that device stops.
func (g *ledger) turnedDown(tx *store.Tx, dev store.Device, l store.Log, k int64, reason uint8) error {
	if reason == wire.RefusedFork {
		if err := g.claimed(tx, dev, l, k); err != nil {
			return err
		}
	}
	c, err := tx.Cursor(l.Row, dev.Row)
	if err != nil {
		return err
	}
	room, err := tx.RoomID(l.Room)
	if err != nil {
		return err
	}
	c.Refused, c.At = int64(reason), g.ms()
	g.count("refused_by_peer")
	tx.OnCommit(func() { g.hub.tell(Change{Kind: ChangedRoom, Room: room}) })
	return tx.SetCursor(c)
}

// haves answers a HAVE frame.
func (g *ledger) haves(ctx context.Context, from identity.DeviceID, body []byte) ([]byte, error) {
	all, err := wire.ParseHaves(body)
	if err != nil {
		return nil, flawed("have_malformed", err)
	}
	return nil, g.st.Update(ctx, func(tx *store.Tx) error {
		c, err := mustCall(&tx.Reader, from)
		if err != nil {
			return err
		}
		for _, h := range all {
			if err := g.have(tx, c.device, h, true); err != nil {
				return err
			}
		}
		return nil
	})
}

// readTo is what our HAVE of a log says was read: 0 unless both sides say so.
func (g *ledger) readTo(r *store.Reader, l store.Log) (int64, error) {
	if !g.me.saysRead() || l.Device == 0 || l.Seed != nil || l.Read == 0 {
		return 0, nil
	}
	dev, found, err := r.DeviceRow(l.Device)
	if err != nil || !found || dev.Flags&cardReadReceipts == 0 {
		return 0, err
	}
	return min(l.Read, l.Opened), nil
}

// sameHead reports whether a HAVE names a header that we hold, byte for byte.
func (g *ledger) sameHead(r *store.Reader, l store.Log, h wire.Have) (bool, error) {
	if h.HeadK == wire.NoHead {
		return true, nil
	}
	if int64(h.HeadK) == l.HeadK {
		return bytes.Equal(l.HeadDigest, h.HeadDigest[:]), nil
	}
	s, found, err := r.Segment(l.Row, int64(h.HeadK))
	return found && bytes.Equal(s.Digest[:], h.HeadDigest[:]), err
}
