package app

import (
	"context"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Rooms is every conversation we are in.
type Rooms struct {
	*core
	sessions *sessions
	links    *links

	mu   sync.Mutex
	pens map[int64]*pen // one a room, made when first written in; guarded by mu
}

func (m *Rooms) pen(room int64) *pen {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pens == nil {
		m.pens = map[int64]*pen{}
	}
	p := m.pens[room]
	if p == nil {
		p = newPen(m.core, room, m.sessions, m.links)
		m.pens[room] = p
	}
	return p
}

// open writes our first segment in a room if there is none.
func (m *Rooms) open(ctx context.Context, room int64) error { return m.pen(room).open(ctx) }

// introduce tells the devices of somebody what opens our log of a room.
func (m *Rooms) introduce(ctx context.Context, id identity.AccountID) error {
	return m.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found {
			return err
		}
		devices, err := tx.Devices(a.Row)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if !d.Trusted() {
				continue
			}
			if err := m.sessions.tell(tx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// enter writes what opens our logs in rooms that we are in and have written nothing in yet: the power went right after we had
// said yes.
func (m *Rooms) enter(ctx context.Context) error {
	var rooms []store.Room
	err := m.st.View(ctx, func(r *store.Reader) (err error) {
		rooms, err = r.Unentered()
		return err
	})
	for _, room := range rooms {
		err = either(err, m.open(ctx, room.Row))
	}
	return err
}

// Send stores a message and returns its name. From then on it survives a power cut; what became of it, its state says.
func (m *Rooms) Send(ctx context.Context, id RoomID, d Draft) (MessageID, error) {
	text := cleanText(d.Text)
	if strings.TrimSpace(text) == "" {
		return MessageID{}, ErrEmpty
	}
	if len(text) > MaxText {
		return MessageID{}, ErrTooLong
	}
	room, err := m.writable(ctx, id)
	if err != nil {
		return MessageID{}, err
	}
	body := wire.Text{Body: text}
	s := &stroke{
		item:  wire.Record{Kind: wire.ItemText, Body: body.Marshal()},
		entry: store.Message{Kind: int(wire.ItemText), Body: text},
	}
	if err := m.pen(room.Row).write(ctx, s); err != nil {
		return MessageID{}, err
	}
	return s.id, nil
}

// writable finds a room that we may write in.
func (m *Rooms) writable(ctx context.Context, id RoomID) (room store.Room, err error) {
	err = m.st.View(ctx, func(r *store.Reader) error {
		var found bool
		if room, found, err = r.Room(id); err != nil || !found {
			return either(err, ErrNotFound)
		}
		if room.Kind != store.RoomDirect {
			return nil
		}
		a, err := otherOf(r, room)
		if err != nil {
			return err
		}
		switch a.State {
		case store.AccountBlocked:
			return ErrBlocked
		case store.AccountAsks, store.AccountDeclined:
			return ErrNotFound // accept first
		}
		return m.approved(r, a)
	})
	return room, err
}

// approved refuses to write while the only devices of somebody are new ones that nobody said yes to.
func (m *Rooms) approved(r *store.Reader, a store.Account) error {
	devices, err := r.Devices(a.Row)
	if err != nil {
		return err
	}
	waits := false
	for _, d := range devices {
		if d.State != store.DeviceValid {
			continue
		}
		if d.Approved {
			return nil
		}
		waits = true
	}
	if waits {
		return ErrApproval
	}
	return nil
}

// otherOf is the other account of a room of two.
func otherOf(r *store.Reader, room store.Room) (store.Account, error) {
	members, err := r.Members(room.Row)
	if err != nil {
		return store.Account{}, err
	}
	for _, m := range members {
		if m.Account != store.Own {
			a, _, err := r.AccountRow(m.Account)
			return a, err
		}
	}
	return store.Account{}, nil
}

// Rooms lists the conversations, the newest message first. What is only offered to us is among the requests instead.
func (m *Rooms) Rooms(ctx context.Context) (all []Room, err error) {
	err = m.st.View(ctx, func(r *store.Reader) error {
		rows, err := r.Rooms()
		if err != nil {
			return err
		}
		for _, row := range rows {
			room, shown, err := m.describe(r, row)
			if err != nil {
				return err
			}
			if shown {
				all = append(all, room)
			}
		}
		return nil
	})
	return all, err
}

// Room is one of them.
func (m *Rooms) Room(ctx context.Context, id RoomID) (room Room, err error) {
	err = m.st.View(ctx, func(r *store.Reader) error {
		row, found, err := r.Room(id)
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		room, _, err = m.describe(r, row)
		return err
	})
	return room, err
}

func (m *Rooms) describe(r *store.Reader, row store.Room) (room Room, shown bool, err error) {
	room = Room{
		ID: row.ID, Name: row.Title, Kind: [...]string{"", "direct", "group", "notes"}[row.Kind], Unread: int(row.Unread),
		Policy: [...]string{"signed", "verified"}[row.Policy], Offered: row.State == store.RoomOffered, Draft: row.Draft, Active: m.at(row.LastSort),
	}
	members, err := r.Members(row.Row)
	if err != nil {
		return room, false, err
	}
	room.Members, shown = len(members), row.State != store.RoomOffered
	if row.Kind == store.RoomDirect {
		a, err := otherOf(r, row)
		if err != nil {
			return room, false, err
		}
		id := identity.AccountID(a.Account)
		room.Name, room.Peer = shownName(a), &id
		shown = shown && a.State != store.AccountDeclined
	}
	last, found, err := r.LastMessage(row.Row, m.ms())
	if err != nil || !found {
		return room, shown, err
	}
	one, err := m.view(r, row, []store.Message{last})
	if err != nil {
		return room, false, err
	}
	room.Last = &one[0]
	return room, shown, nil
}

// Find says which room a name, an ID or the unique beginning of one means. A chat of two goes by its contact.
func (m *Rooms) Find(ctx context.Context, which string) (RoomID, error) {
	rooms, err := m.Rooms(ctx)
	if err != nil {
		return RoomID{}, err
	}
	c := choose[RoomID](which)
	for _, room := range rooms {
		ids := []string{hex.EncodeToString(room.ID[:])}
		name := room.Name
		switch {
		case room.Kind == "notes":
			name = "notes"
		case room.Peer != nil:
			ids = []string{room.Peer.String(), ids[0]}
		}
		c.offer(room.ID, name, ids...)
	}
	return c.one()
}

// MarkRead says that everything up to a place was read.
func (m *Rooms) MarkRead(ctx context.Context, id RoomID, upTo Key) error {
	err := m.st.Update(ctx, func(tx *store.Tx) error {
		room, found, err := tx.Room(id)
		if err != nil || !found || room.ReadSort >= upTo.Sort && room.Unread == 0 {
			return err
		}
		tx.OnCommit(func() { m.hub.tell(Change{Kind: ChangedRoom, Room: id}) })
		return tx.MarkRead(room.Row, upTo.Sort)
	})
	if err == nil && m.me.saysRead() {
		m.links.hurryAll()
	}
	return err
}

// SetDraft keeps an unsent text.
func (m *Rooms) SetDraft(ctx context.Context, id RoomID, text string) error {
	return m.st.Update(ctx, func(tx *store.Tx) error {
		room, found, err := tx.Room(id)
		if err != nil || !found {
			return err
		}
		return tx.SetDraft(room.Row, text)
	})
}
