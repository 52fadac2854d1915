package app

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// herald says what a device must know to read us, and takes what devices say of themselves: the records inside sessions.
type herald struct {
	*core
	dir      *directory
	sessions *sessions
	reader   *opener
	sorter   *sorter
	stir     func(d identity.DeviceID) // something is due to a device
	push     func()                    // the table of peers changed
}

// keysTold bounds the keys that a new session carries: what is beyond is asked for by KEYREQ.
const keysTold = 256

// maxRequests bounds the requests that wait for the person.
const maxRequests = 200

// state is all that a new session with a device begins with. To somebody whose request waits we say nothing.
func (h *herald) state(tx *store.Tx, d store.Device) ([]wire.Record, error) {
	a, found, err := tx.AccountRow(d.Account)
	if err != nil || !found || a.State != store.AccountAsked && a.State != store.AccountContact {
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

// roomState is what opens our log of a room for a device: gates, the current chain, and keys for what it has not opened.
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
		c, found, err := tx.NewestChain(l.Row)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		chain := wire.Chain{Room: room.ID, Log: l.ID, Generation: c.Generation, Index: c.Next, Key: c.Key, Cause: wire.CauseFirst, LogCertificate: l.Cert}
		records = append(records, wire.Record{Kind: wire.RecordChain, Body: chain.Marshal()})
		keys, err := h.keysFor(tx, l, d)
		if err != nil {
			return nil, err
		}
		records = append(records, keys...)
	}
	return records, nil
}

func (h *herald) keysFor(tx *store.Tx, l store.Log, d store.Device) ([]wire.Record, error) {
	cursor, err := tx.Cursor(l.Row, d.Row)
	if err != nil || cursor.Opened >= l.Size {
		return nil, err
	}
	entries, err := tx.Entries(l.Row, cursor.Opened, min(l.Size, cursor.Opened+keysTold))
	if err != nil {
		return nil, err
	}
	keys := wire.Keys{Log: l.ID}
	for _, e := range entries {
		if len(e.PRK) == 32 {
			keys.Keys = append(keys.Keys, wire.IndexedKey{Index: uint64(e.Index), PRK: [32]byte(e.PRK)})
		}
	}
	if len(keys.Keys) == 0 {
		return nil, nil
	}
	return []wire.Record{{Kind: wire.RecordKeys, Body: keys.Marshal()}}, nil
}

// request decides what an INIT is: a session with somebody known, or somebody new who asks us.
func (h *herald) request(tx *store.Tx, acc *ratchet.Accepted) (d store.Device, ok bool, err error) {
	id := identity.AccountOf(acc.Account)
	a, found, err := tx.Account(id)
	if err != nil {
		return d, false, err
	}
	if !found || a.State == store.AccountMet {
		if !introduces(acc.Records) {
			return d, false, h.count(tx, "init_stranger") // a session with a stranger begins with HELLO, or leaves nothing here
		}
		if n, err := tx.CountAccounts(store.AccountAsks); err != nil || n >= maxRequests {
			return d, false, errors.Join(err, h.count(tx, "requests_full"))
		}
		if a, err = tx.AddAccount(id, store.AccountMet, h.ms()); err != nil {
			return d, false, err
		}
	}
	if a.State == store.AccountBlocked {
		return d, false, nil
	}
	if a.Key == nil {
		a.Key = acc.Account.Bytes()
		if err := tx.SetAccountKey(a.Row, a.Key); err != nil {
			return d, false, err
		}
	}
	if d, err = h.dir.addDevice(tx, a, acc.Certificate); err != nil || d.State == store.DeviceRevoked {
		return d, false, err
	}
	return d, true, nil
}

// introduces reports whether an INIT says who somebody is.
func introduces(records []byte) bool {
	all, err := wire.ParseRecords(records)
	return err == nil && slices.ContainsFunc(all, func(r wire.Record) bool { return r.Kind == wire.RecordHello })
}

// apply takes the records of a message, in order. One that is wrong is counted and passed over: the message was authentic,
// and what it says wrongly must not make it come again for ever.
func (h *herald) apply(tx *store.Tx, d store.Device, records []wire.Record) error {
	for _, r := range records {
		a, _, err := tx.AccountRow(d.Account)
		if err != nil {
			return err
		}
		if a.State == store.AccountBlocked {
			return nil
		}
		if err := h.take(tx, a, d, r); err != nil {
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
			return h.count(tx, "record_self")
		}
		if _, _, err := h.dir.learn(tx, o); err != nil {
			return h.count(tx, "record_self")
		}
		return nil
	case wire.RecordHello:
		return h.takeHello(tx, a, d, r.Body)
	case wire.RecordClose:
		c, err := wire.ParseClose(r.Body)
		if err != nil {
			return h.count(tx, "record_close")
		}
		return h.sessions.closed(tx, d, c)
	}
	if a.State == store.AccountMet || a.State == store.AccountDeclined {
		return h.count(tx, "record_stranger")
	}
	switch r.Kind {
	case wire.RecordCard:
		c, err := wire.ParseCard(r.Body)
		if err != nil {
			return h.count(tx, "record_card")
		}
		if err := h.dir.takeCard(tx, d, c); err != nil {
			return h.count(tx, "record_card")
		}
		return nil
	case wire.RecordGate:
		return h.takeGate(tx, d, r.Body)
	case wire.RecordChain:
		return h.takeChain(tx, d, r.Body)
	case wire.RecordKeys:
		return h.takeKeys(tx, d, r.Body)
	}
	return h.count(tx, "record_unknown")
}

// takeHello is how somebody introduces themselves. Requests that cross accept each other.
func (h *herald) takeHello(tx *store.Tx, a store.Account, d store.Device, body []byte) error {
	hello, err := wire.ParseHello(body)
	if err != nil {
		return h.count(tx, "record_hello")
	}
	if hello.Name == "" && hello.Token == nil {
		return nil // an answer without words
	}
	if err := tx.SetTheirName(a.Row, cleanName(hello.Name)); err != nil {
		return err
	}
	if len(hello.Token) > 0 {
		if _, err := tx.UseInvitation(sha256.Sum256(hello.Token), a.Row, h.ms()); err != nil {
			return err
		}
	}
	tx.OnCommit(func() {
		h.hub.tell(Change{Kind: ChangedPeople})
		h.push()
	})
	switch a.State {
	case store.AccountMet:
		if err := tx.SetAccountState(a.Row, store.AccountAsks, h.ms()); err != nil {
			return err
		}
		_, err = openDirect(tx, h.core, a, store.RoomOffered)
		return err
	case store.AccountAsked:
		return h.befriend(tx, a)
	}
	return nil
}

// befriend makes a contact of somebody we asked: they asked too, or said yes.
func (h *herald) befriend(tx *store.Tx, a store.Account) error {
	tx.OnCommit(func() {
		h.hub.tell(Change{Kind: ChangedPeople})
		h.push()
	})
	return tx.SetAccountState(a.Row, store.AccountContact, h.ms())
}

// joined is called when somebody's `open` was read: in a room of two it is their yes.
func (h *herald) joined(tx *store.Tx, room store.Room, author store.Device) error {
	if room.Kind != store.RoomDirect {
		return nil
	}
	a, _, err := tx.AccountRow(author.Account)
	if err != nil || a.State != store.AccountAsked {
		return err
	}
	return h.befriend(tx, a)
}

func (h *herald) takeGate(tx *store.Tx, d store.Device, body []byte) error {
	g, err := wire.ParseGate(body)
	if err != nil {
		return h.count(tx, "record_gate")
	}
	room, ok, err := h.shared(tx, g.Room, d)
	if err != nil || !ok {
		return err
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
func (h *herald) shared(tx *store.Tx, id wire.RoomID, d store.Device) (room store.Room, ok bool, err error) {
	room, found, err := tx.Room(id)
	if err != nil {
		return room, false, err
	}
	if found {
		ok, err = tx.IsMember(room.Row, d.Account)
	}
	if err == nil && !ok {
		err = h.count(tx, "record_room")
	}
	return room, ok, err
}

// takeChain keeps the sender chain of a log, and opens what waited for it. Only the device that the log's certificate names
// may bring it, and a second chain for one generation that does not follow from the first is an alarm.
func (h *herald) takeChain(tx *store.Tx, d store.Device, body []byte) error {
	c, err := wire.ParseChain(body)
	if err != nil {
		return h.count(tx, "record_chain")
	}
	room, ok, err := h.shared(tx, c.Room, d)
	if err != nil || !ok {
		return err
	}
	l, ok, err := h.logOf(tx, room, d, c)
	if err != nil || !ok {
		return err
	}
	row, found, err := tx.Chain(l.Row, c.Generation)
	if err != nil {
		return err
	}
	if found {
		return h.again(tx, d, row, c)
	}
	digest := sha256.Sum256(c.Key[:])
	err = tx.SaveChain(store.Chain{
		Log: l.Row, Generation: c.Generation, Key: c.Key, Next: c.Index, Heads: flat(c.Heads), Given: c.Index, GivenDigest: digest[:],
		Echo: c.Cause == wire.CauseEcho, MadeAt: h.ms(),
	})
	if err != nil {
		return err
	}
	return h.unlock(tx, room, l, d)
}

// unlock opens what a key was waited for, and tells the author and the window.
func (h *herald) unlock(tx *store.Tx, room store.Room, l store.Log, d store.Device) error {
	if _, err := h.reader.open(tx, room, l); err != nil {
		return err
	}
	if err := h.sorter.whole(tx, room); err != nil {
		return err
	}
	tx.OnCommit(func() {
		h.hub.tell(Change{Kind: ChangedRoom, Room: room.ID})
		h.stir(d.Digest)
	})
	return nil
}

// logOf finds the log that a CHAIN is for, or makes it by the certificate that comes with the first.
func (h *herald) logOf(tx *store.Tx, room store.Room, d store.Device, c wire.Chain) (l store.Log, ok bool, err error) {
	l, found, err := tx.Log(c.Log)
	if err != nil {
		return l, false, err
	}
	if found && l.Device != 0 {
		if l.Device != d.Row || l.Room != room.Row {
			return l, false, h.count(tx, "chain_foreign")
		}
		return l, true, nil
	}
	key, err := h.keys.parse(d.Key)
	if err != nil {
		return l, false, err
	}
	cert, err := segment.VerifyLogCertificate(c.LogCertificate, key)
	if err != nil || cert.Device != d.Digest || cert.Room != room.ID || cert.Log() != c.Log {
		return l, false, h.count(tx, "log_certificate")
	}
	var previous []byte
	if cert.PrevLog != (segment.ID{}) {
		previous = bytes.Clone(cert.PrevLog[:])
	}
	if !found {
		l, err = tx.AddLog(store.Log{Room: room.Row, ID: c.Log, Device: d.Row, Key: cert.Key, Cert: cert.Raw, Previous: previous})
		return l, err == nil, err
	}
	if err := tx.DecideLog(l.Row, d.Row, cert.Key, cert.Raw, previous); err != nil {
		return l, false, err
	}
	l.Device, l.Key, l.Cert = d.Row, cert.Key, cert.Raw
	return l, true, nil
}

// again compares a chain that comes a second time with the one that is kept: the same chain further on changes nothing.
func (h *herald) again(tx *store.Tx, d store.Device, row store.Chain, c wire.Chain) error {
	digest := sha256.Sum256(c.Key[:])
	if c.Index == row.Given && bytes.Equal(digest[:], row.GivenDigest) {
		return nil
	}
	kept := group.Chain{Generation: row.Generation, Next: row.Next, Key: row.Key}
	came := group.Chain{Generation: c.Generation, Next: c.Index, Key: c.Key}
	if c.Index >= row.Next && came.Follows(kept) || c.Index < row.Next && kept.Follows(came) {
		return nil
	}
	a, _, err := tx.AccountRow(d.Account)
	if err != nil {
		return err
	}
	if err := h.count(tx, "chain_second"); err != nil {
		return err
	}
	return h.notice(tx, auditCopied, "peer_copied", a.Name())
}

// takeKeys opens entries by the keys that somebody entitled holds.
func (h *herald) takeKeys(tx *store.Tx, d store.Device, body []byte) error {
	k, err := wire.ParseKeys(body)
	if err != nil {
		return h.count(tx, "record_keys")
	}
	l, found, err := tx.Log(k.Log)
	if err != nil || !found || l.Device == 0 {
		return err
	}
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	if ok, err := tx.IsMember(room.Row, d.Account); err != nil || !ok {
		return err
	}
	return h.useKeys(tx, room, l, d, k.Keys)
}

func (h *herald) useKeys(tx *store.Tx, room store.Room, l store.Log, from store.Device, keys []wire.IndexedKey) error {
	author, _, err := tx.DeviceRow(l.Device)
	if err != nil {
		return err
	}
	w := newRound(room, l, author)
	for _, k := range keys {
		entries, err := tx.Entries(l.Row, int64(k.Index), int64(k.Index)+1)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			if err := tx.KeepKey(l.Row, int64(k.Index), k.PRK); err != nil {
				return err
			}
			continue
		}
		if entries[0].State != store.EntryClosed {
			continue
		}
		if _, err := h.reader.withKey(tx, w, entries[0], k.PRK); err != nil {
			return err
		}
	}
	if err := w.save(tx); err != nil {
		return err
	}
	return h.unlock(tx, room, l, from)
}
