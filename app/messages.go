package app

import (
	"context"
	"math"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// clockSlack is how far ahead a header's time may be before its label is the receipt time instead.
const clockSlack = 120_000

// Messages reads a page of a room: the newest before a place, oldest first; or what stands behind a place.
func (m *Rooms) Messages(ctx context.Context, id RoomID, p Page) (all []Message, err error) {
	if p.Limit <= 0 {
		p.Limit = 50
	}
	err = m.st.View(ctx, func(r *store.Reader) error {
		room, found, err := r.Room(id)
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		rows, err := m.page(r, room, p)
		if err != nil {
			return err
		}
		all, err = m.view(r, room, rows)
		return err
	})
	return all, err
}

func (m *Rooms) page(r *store.Reader, room store.Room, p Page) (rows []store.Message, err error) {
	switch {
	case p.After != nil:
		return r.MessagesAfter(room.Row, store.Key(*p.After), p.Limit, m.ms())
	case p.Since != nil:
		return r.MessagesSince(room.Row, *p.Since, p.Limit)
	}
	before := store.Key{Sort: math.MaxInt64}
	if p.Before != nil {
		before = store.Key(*p.Before)
	}
	if rows, err = r.MessagesBefore(room.Row, before, p.Limit, m.ms()); err != nil {
		return nil, err
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows, nil
}

// LastSeen is the highest number that a message could have that is visible now, in whatever room: where Page.Since goes on from.
func (m *Rooms) LastSeen(ctx context.Context) (number int64, err error) {
	err = m.st.View(ctx, func(r *store.Reader) (err error) {
		number, err = r.LastSeen()
		return err
	})
	return number, err
}

// Message is one of them.
func (m *Rooms) Message(ctx context.Context, id MessageID) (msg Message, err error) {
	err = m.st.View(ctx, func(r *store.Reader) error {
		l, found, err := r.Log([32]byte(id.Log))
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		row, found, err := r.Message(l.Row, int64(id.Index))
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		room, _, err := r.RoomRow(l.Room)
		if err != nil {
			return err
		}
		all, err := m.view(r, room, []store.Message{row})
		if err == nil {
			msg = all[0]
		}
		return err
	})
	return msg, err
}

// viewer makes messages out of rows; what it looked up for one serves the others.
type viewer struct {
	*Rooms
	r       *store.Reader
	room    store.Room
	names   map[int64]store.Account
	cursors map[int64]map[int64]store.Cursor // by log and device
	devices []store.Device
	other   *store.Account // of a room of two, once it was asked for
}

func (m *Rooms) view(r *store.Reader, room store.Room, rows []store.Message) ([]Message, error) {
	v := &viewer{Rooms: m, r: r, room: room, names: map[int64]store.Account{}, cursors: map[int64]map[int64]store.Cursor{}}
	var err error
	if v.devices, err = r.RoomDevices(room.Row, m.me.row); err != nil {
		return nil, err
	}
	all := make([]Message, 0, len(rows))
	for _, row := range rows {
		one, err := v.message(row)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (v *viewer) message(row store.Message) (Message, error) {
	a, err := v.account(row.Sender)
	if err != nil {
		return Message{}, err
	}
	msg := Message{
		ID: MessageID{Log: row.LogID, Index: uint64(row.Index)}, Room: v.room.ID, From: a.Account, Name: shownName(a), Own: row.Own,
		Kind: kindName(row.Kind), Text: row.Body, Sent: v.at(row.SentAt), Received: v.at(row.ReceiveAt), State: Delivered,
		Signed: true, Forked: row.Forked, Seen: row.Seen, Key: Key{Sort: row.Sort, Tie: row.Tie, Index: row.Index},
	}
	if row.SentAt > row.ReceiveAt+clockSlack {
		msg.ClockOff, msg.Sent = true, msg.Received
	}
	if !row.Own || !row.Here { // what another copy of this profile wrote came from who has it
		return msg, nil
	}
	return msg, v.delivery(row, &msg)
}

func (v *viewer) account(row int64) (store.Account, error) {
	if a, ok := v.names[row]; ok {
		return a, nil
	}
	a, _, err := v.r.AccountRow(row)
	v.names[row] = a
	return a, err
}

// delivery counts the devices that have stored and opened a message of ours, and says why it is still waiting.
func (v *viewer) delivery(row store.Message, msg *Message) error {
	byDevice, err := v.confirmed(row.Log)
	if err != nil {
		return err
	}
	read := 0
	stored := false
	for _, d := range v.devices {
		c := byDevice[d.Row]
		stored = stored || c.Stored > row.Index
		if c.Stored > row.Index && c.Opened > row.Index {
			msg.DeliveredTo++
			if c.Read > row.Index {
				read++
			}
		}
	}
	msg.Of = len(v.devices)
	switch {
	case v.room.Kind == store.RoomNotes:
		msg.State = Delivered
	case msg.Of > 0 && read == msg.Of:
		msg.State = Read
	case msg.Of > 0 && msg.DeliveredTo == msg.Of:
		msg.State = Delivered
	default:
		msg.State = Queued
		if msg.Of == 0 {
			msg.Of = 1 // somebody whose device we have not met
		}
		msg.Waiting, err = v.reason(byDevice, stored)
		return err
	}
	return nil
}

// confirmed is the last HAVE of each device for a log of ours.
func (v *viewer) confirmed(log int64) (map[int64]store.Cursor, error) {
	if all := v.cursors[log]; all != nil {
		return all, nil
	}
	rows, err := v.r.Cursors(log)
	if err != nil {
		return nil, err
	}
	all := map[int64]store.Cursor{}
	for _, c := range rows {
		all[c.Device] = c
	}
	v.cursors[log] = all
	return all, nil
}

// reason is the one thing that stands in the way, the nearest first.
func (v *viewer) reason(cursors map[int64]store.Cursor, stored bool) (Reason, error) {
	if v.room.Kind == store.RoomDirect {
		if v.other == nil {
			a, err := otherOf(v.r, v.room)
			if err != nil {
				return ReasonNone, err
			}
			v.other = &a
		}
		switch v.other.State {
		case store.AccountBlocked:
			return ReasonBlocked, nil
		case store.AccountAsked:
			if !v.anyPath() {
				return v.unreachable(hostsOf(*v.other, v.devices)), nil
			}
			return ReasonAsked, nil
		}
	}
	for _, d := range v.devices {
		switch {
		case !d.Approved:
			return ReasonApproval, nil
		case cursors[d.Row].Refused != 0:
			return ReasonRefused, nil
		case v.links.path(d.Digest) == peer.None:
			return v.unreachable([]identity.PeerID{identity.PeerID(d.Peer)}), nil
		}
		if why := v.links.reason(d.Digest, v.ms()); why != ReasonNone {
			return why, nil
		}
	}
	if stored {
		return ReasonKey, nil
	}
	return ReasonUnderWay, nil
}

func (v *viewer) anyPath() bool {
	for _, d := range v.devices {
		if v.links.path(d.Digest) != peer.None {
			return true
		}
	}
	return false
}

// unreachable says why nobody at these hosts is reached: they run a version whose handshake we do not know, or it is for want of a
// network. Who is on this machine, as in tests, needs none.
func (v *viewer) unreachable(hosts []identity.PeerID) Reason {
	if v.links.causeOf(hosts) == peer.CauseNewer {
		return ReasonNewer
	}
	if v.links.online() {
		return ReasonOffline
	}
	for _, d := range v.devices {
		if v.links.answered(identity.PeerID(d.Peer)) {
			return ReasonOffline
		}
	}
	return ReasonNetwork
}

// Gaps says what is known to be missing in a room: segments before one that is here, or that others name.
func (m *Rooms) Gaps(ctx context.Context, id RoomID) (all []Gap, err error) {
	err = m.st.View(ctx, func(r *store.Reader) error {
		room, found, err := r.Room(id)
		if err != nil || !found {
			return err
		}
		logs, err := r.Logs(room.Row)
		if err != nil {
			return err
		}
		for _, l := range logs {
			missing := l.Size - l.Stored
			if l.Seed != nil || l.Device == 0 || missing <= 0 {
				continue
			}
			here, err := r.CountEntries(l.Row, l.Stored, l.Size)
			if err != nil {
				return err
			}
			if missing -= here; missing <= 0 {
				continue
			}
			g, err := m.gap(r, room, l, int(missing))
			if err != nil {
				return err
			}
			all = append(all, g)
		}
		return nil
	})
	return all, err
}

func (m *Rooms) gap(r *store.Reader, room store.Room, l store.Log, missing int) (g Gap, err error) {
	d, _, err := r.DeviceRow(l.Device)
	if err != nil {
		return g, err
	}
	a, _, err := r.AccountRow(d.Account)
	if err != nil {
		return g, err
	}
	devices, err := r.RoomDevices(room.Row, m.me.row)
	if err != nil {
		return g, err
	}
	g = Gap{Room: room.ID, From: a.Account, Name: shownName(a), Missing: missing}
	for _, d := range devices {
		if m.links.path(d.Digest) != peer.None {
			g.Asking++
		}
	}
	return g, nil
}
