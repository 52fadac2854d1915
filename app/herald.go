package app

import (
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// herald says what a device must know to read us, and takes what devices say of themselves: the records inside sessions. Who is
// let in by them stands in requests.go, what they open in chains.go.
type herald struct {
	*core
	dir      *directory
	sessions *sessions
	reader   *opener
	stir     func(d identity.DeviceID) // something is due to a device
	push     func()                    // the table of peers changed
}

const (
	// keysTold bounds the keys that a new session carries: what is beyond is asked for by KEYREQ.
	keysTold = 256

	// maxGates bounds the gate secrets of a room: a room of two needs one, crossing requests make it two.
	maxGates = 16
)

// state is all that a new session with a device begins with. To somebody whose request waits we say nothing, and nothing to a
// device that is not on the newest list, or new without the person's yes: whoever has it would read from then on.
func (h *herald) state(tx *store.Tx, d store.Device) ([]wire.Record, error) {
	a, found, err := tx.AccountRow(d.Account)
	if err != nil || !found || a.State != store.AccountAsked && a.State != store.AccountContact || !d.Trusted() {
		return nil, err
	}
	var records []wire.Record
	if a.State == store.AccountAsked {
		hello := wire.Hello{Name: h.me.called(), Token: tokenOf(a)}
		records = append(records, wire.Record{Kind: wire.RecordHello, Body: hello.Marshal()})
	}
	records = append(records, cardRecord(h.me))
	rooms, err := tx.RoomsOf(a.Row)
	if err != nil {
		return nil, err
	}
	for _, room := range rooms {
		if room.State != store.RoomOpen {
			continue
		}
		more, err := h.roomState(tx, room, d)
		if err != nil {
			return nil, err
		}
		records = append(records, more...)
	}
	return records, nil
}

func cardRecord(a *account) wire.Record {
	card := a.card()
	return wire.Record{Kind: wire.RecordCard, Body: card.Marshal()}
}

func tokenOf(a store.Account) []byte {
	if a.Invitation == nil {
		return nil
	}
	inv, err := identity.ParseInvitation(string(a.Invitation))
	if err != nil || inv.Token == [16]byte{} {
		return nil
	}
	return inv.Token[:]
}

// roomState is what opens our logs of a room for a device: gates, the current chain, and keys for what it has not opened. A log
// that has ended and of which it opened all is said no more.
func (h *herald) roomState(tx *store.Tx, room store.Room, d store.Device) (records []wire.Record, err error) {
	gates, err := tx.Gates(room.Row)
	if err != nil {
		return nil, err
	}
	for _, g := range gates {
		record := wire.Gate{Room: room.ID, Secret: g.Secret}
		records = append(records, wire.Record{Kind: wire.RecordGate, Body: record.Marshal()})
	}
	logs, err := tx.OwnLogs(room.Row)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		cursor, err := tx.Cursor(l.Row, d.Row)
		if err != nil {
			return nil, err
		}
		if l.State != store.LogOpen && cursor.Opened >= l.Size {
			continue
		}
		c, found, err := tx.NewestChain(l.Row)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		cert, err := tx.LogCertificate(l.Row)
		if err != nil {
			return nil, err
		}
		chain := wire.Chain{Room: room.ID, Log: l.ID, Generation: c.Generation, Index: c.Next, Key: c.Key, Cause: wire.CauseFirst, LogCertificate: cert}
		records = append(records, wire.Record{Kind: wire.RecordChain, Body: chain.Marshal()})
		keys, err := h.keysFor(tx, l, cursor)
		if err != nil {
			return nil, err
		}
		records = append(records, keys...)
	}
	return records, nil
}

func (h *herald) keysFor(tx *store.Tx, l store.Log, cursor store.Cursor) ([]wire.Record, error) {
	openings, err := tx.Openings(l.Row, cursor.Opened, l.Size, keysTold)
	if err != nil || len(openings) == 0 {
		return nil, err
	}
	keys := wire.Keys{Log: l.ID}
	for _, o := range openings {
		keys.Keys = append(keys.Keys, wire.IndexedKey{Index: uint64(o.Index), PRK: o.PRK})
	}
	return []wire.Record{{Kind: wire.RecordKeys, Body: keys.Marshal()}}, nil
}

// apply takes the records of a message, in order. One that is wrong is counted and passed over: the message was authentic, and
// what it says wrongly must not make it come again for ever.
func (h *herald) apply(tx *store.Tx, d store.Device, records []wire.Record) error {
	for _, r := range records {
		a, _, err := tx.AccountRow(d.Account)
		if err != nil {
			return err
		}
		if a.State == store.AccountBlocked {
			return nil
		}
		if err := h.excuse(h.take(tx, a, d, r)); err != nil {
			return err
		}
	}
	return nil
}

func (h *herald) take(tx *store.Tx, a store.Account, d store.Device, r wire.Record) error {
	switch r.Kind {
	case wire.RecordSelf:
		o, err := wire.ParseSelfObject(r.Body)
		if err != nil {
			return flawed("record_self", err)
		}
		_, err = h.dir.learn(tx, o)
		return err
	case wire.RecordHello:
		return h.takeHello(tx, a, d, r.Body)
	case wire.RecordClose:
		c, err := wire.ParseClose(r.Body)
		if err != nil {
			return flawed("record_close", err)
		}
		return h.sessions.closed(tx, d, c)
	}
	if a.State == store.AccountMet || a.State == store.AccountDeclined {
		return badly("record_stranger")
	}
	switch r.Kind {
	case wire.RecordCard:
		c, err := wire.ParseCard(r.Body)
		if err != nil {
			return flawed("record_card", err)
		}
		return h.dir.takeCard(tx, d, c)
	case wire.RecordGate:
		return h.takeGate(tx, d, r.Body)
	case wire.RecordChain:
		return h.takeChain(tx, d, r.Body)
	case wire.RecordKeys:
		return h.takeKeys(tx, d, r.Body)
	}
	return badly("record_unknown")
}

func (h *herald) takeGate(tx *store.Tx, d store.Device, body []byte) error {
	g, err := wire.ParseGate(body)
	if err != nil {
		return flawed("record_gate", err)
	}
	room, err := h.shared(tx, g.Room, d)
	if err != nil {
		return err
	}
	all, err := tx.Gates(room.Row)
	if err != nil {
		return err
	}
	if len(all) >= maxGates {
		return badly("gates")
	}
	tag := group.GateSecret(g.Secret).Tag()
	return tx.AddGate(room.Row, store.GateSecret{Tag: tag[:], Secret: g.Secret, Heads: flat(g.Heads), MadeAt: h.ms()})
}

func flat(heads [][32]byte) []byte {
	b := []byte{}
	for _, h := range heads {
		b = append(b, h[:]...)
	}
	return b
}

// shared finds a room that a device's account is a member of.
func (h *herald) shared(tx *store.Tx, id wire.RoomID, d store.Device) (room store.Room, err error) {
	room, found, err := tx.Room(id)
	if err != nil {
		return room, err
	}
	if found {
		found, err = tx.IsMember(room.Row, d.Account)
	}
	if err == nil && !found {
		err = badly("record_room")
	}
	return room, err
}
