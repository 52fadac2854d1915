package app

import (
	"bytes"
	"crypto/sha256"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// Bounds of what somebody may have us keep before we have read any of it.
const (
	maxLogs   = 64   // of one device in one room: a new one begins when a profile was put back
	maxChains = 4096 // of one log, none of them used yet: 45 days of writing, one each ten minutes by day

	askingLogs   = 4  // the same of somebody who is not let in yet, whoever that may be: what is beyond is
	askingChains = 64 // asked for by KEYREQ when they are
)

// takeChain keeps the sender chain of a log, and opens what waited for it. Only the device that the log's certificate names may
// bring it, and a second chain for one generation that does not follow from the first is an alarm.
func (h *herald) takeChain(tx *store.Tx, d store.Device, body []byte) error {
	c, err := wire.ParseChain(body)
	if err != nil {
		return flawed("record_chain", err)
	}
	room, err := h.shared(tx, c.Room, d)
	if err != nil {
		return err
	}
	l, err := h.logOf(tx, room, d, c)
	if err != nil {
		return err
	}
	row, found, err := tx.Chain(l.Row, c.Generation)
	if err != nil {
		return err
	}
	if found {
		return h.again(tx, d, row, c)
	}
	_, most, err := bounds(tx, d)
	if err != nil {
		return err
	}
	if n, err := tx.CountChains(l.Row); err != nil || n >= most {
		return either(err, badly("chains"))
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

// bounds says how many logs in a room, and chains in a log, are kept of a device.
func bounds(tx *store.Tx, d store.Device) (logs, chains int64, err error) {
	let, err := letIn(tx, d)
	if err != nil || !let {
		return askingLogs, askingChains, err
	}
	return maxLogs, maxChains, nil
}

// letIn reports whether a device is of somebody whom we asked or accepted, or of ourselves: nobody who may come in numbers.
func letIn(tx *store.Tx, d store.Device) (bool, error) {
	relation, err := tx.Relation(d.Account)
	return relation == store.AccountAsked || relation == store.AccountContact, err
}

// either is the first of two that is not nil.
func either(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// unlock opens what a key was waited for, and tells the author and the window.
func (h *herald) unlock(tx *store.Tx, room store.Room, l store.Log, d store.Device) error {
	if err := h.reader.open(tx, room, l); err != nil {
		return err
	}
	tx.OnCommit(func() {
		h.hub.tell(Change{Kind: ChangedRoom, Room: room.ID})
		h.stir(d.Digest)
	})
	return nil
}

// logOf finds the log that a CHAIN is for, or makes it by the certificate that comes with the first.
func (h *herald) logOf(tx *store.Tx, room store.Room, d store.Device, c wire.Chain) (l store.Log, err error) {
	l, found, err := tx.Log(c.Log)
	if err != nil {
		return l, err
	}
	if found && l.Device != 0 {
		if l.Device != d.Row || l.Room != room.Row {
			return l, badly("chain_foreign")
		}
		return l, nil
	}
	if found && l.Room != room.Row {
		return l, badly("chain_foreign")
	}
	return h.author(tx, room, d, c.Log, c.LogCertificate)
}

// author names the author of a log by its certificate, and makes the log if nothing of it is here yet.
func (h *herald) author(tx *store.Tx, room store.Room, d store.Device, id segment.ID, raw []byte) (l store.Log, err error) {
	rawCert, err := tx.Certificate(d.Row)
	if err != nil {
		return l, err
	}
	device, err := identity.ParseCertificate(rawCert)
	if err != nil {
		return l, err
	}
	cert, err := segment.VerifyLogCertificate(raw, device.Key)
	if err != nil || cert.Device != d.Digest || cert.Room != room.ID || cert.Log() != id {
		return l, &flaw{"log_certificate", err}
	}
	most, _, err := bounds(tx, d)
	if err != nil {
		return l, err
	}
	if n, err := tx.CountLogs(room.Row, d.Row); err != nil || n >= most {
		return l, either(err, badly("logs"))
	}
	var previous []byte
	if cert.PrevLog != (segment.ID{}) {
		previous = bytes.Clone(cert.PrevLog[:])
	}
	l, err = tx.AddLog(store.Log{Room: room.Row, ID: id, Device: d.Row, Key: cert.Key, Previous: previous}, cert.Raw)
	if err != nil || l.Device != 0 {
		return l, err
	}
	l.Device, l.Key, l.Previous = d.Row, cert.Key, previous
	return l, tx.DecideLog(l.Row, d.Row, cert.Key, cert.Raw, previous)
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
	h.count("chain_second")
	return h.notice(tx, auditCopied, "peer_copied", shownName(a))
}

// takeKeys opens entries by the keys that somebody entitled holds.
func (h *herald) takeKeys(tx *store.Tx, d store.Device, body []byte) error {
	k, err := wire.ParseKeys(body)
	if err != nil {
		return flawed("record_keys", err)
	}
	l, found, err := tx.Log(k.Log)
	if err != nil || !found {
		return err
	}
	if ok, err := tx.IsMember(l.Room, d.Account); err != nil || !ok {
		return either(err, badly("record_room"))
	}
	room, _, err := tx.RoomRow(l.Room)
	if err != nil {
		return err
	}
	_, err = h.useKeys(tx, room, l, d, k.Keys)
	return err
}

// useKeys opens what it has keys for, keeps those of entries that have not come, and reports whether any opened an entry.
func (h *herald) useKeys(tx *store.Tx, room store.Room, l store.Log, from store.Device, keys []wire.IndexedKey) (some bool, err error) {
	for _, k := range keys {
		if err := tx.KeepKey(l.Row, int64(k.Index), k.PRK); err != nil {
			return false, err
		}
	}
	opened, err := h.reader.openMore(tx, room, l)
	if err != nil {
		return false, err
	}
	tx.OnCommit(func() {
		h.hub.tell(Change{Kind: ChangedRoom, Room: room.ID})
		h.stir(from.Digest)
	})
	return opened > 0, nil
}
