package app

import (
	"bytes"
	"fmt"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
)

// sessions keeps the pairwise ratchets: what we send on, what we receive on, what waits to be acknowledged, and when to begin
// anew. Every step is one transaction with whatever the records announce; the network only carries stored bytes. It opens in
// control.go what comes.
type sessions struct {
	*core
	dir   *directory
	state func(tx *store.Tx, d store.Device) ([]wire.Record, error)                            // what a new session begins with
	apply func(tx *store.Tx, d store.Device, records []wire.Record) error                      // what a message says
	admit func(tx *store.Tx, a *ratchet.Accepted, records []wire.Record) (store.Device, error) // whose INIT it is
	hurry func(d identity.DeviceID)                                                            // something waits for a device
}

const (
	// noSession in a receipt says that its sid is unknown here: the other side begins anew.
	noSession = 1<<64 - 1

	// keyLife is how long no key dies that mail may be under way to.
	keyLife = 45 * day

	// copiesToReset: three copies of one message that do not open over the peer's own link are no accident.
	copiesToReset = 3

	// initRetry is the first pause before a message is sent again over a link; it doubles up to initRetryMax.
	initRetry    = 10_000
	initRetryMax = 600_000

	// resetPause is the pause between two new sessions with one device; it doubles up to resetPauseMax. After a quiet time of
	// resetForget the first is free again.
	resetPause    = 600_000
	resetPauseMax = day
	resetForget   = 7 * day

	// silence is how long a session may go unacknowledged before a newer prekey of the peer's begins another.
	silence = 30 * day

	// maxSessions bounds the sessions with one device, and the INITs that it may send within an hour: each has us make and keep
	// keys.
	maxSessions = 8
	hour        = 3_600_000
)

// queue seals records for a device on the session of highest rank. Without one it does nothing: the INIT will carry them,
// because all that is ever announced can be told anew from state.
func (s *sessions) queue(tx *store.Tx, d store.Device, records ...wire.Record) error {
	if len(records) == 0 {
		return nil
	}
	top, found, err := tx.TopSession(d.Row)
	if err != nil || !found {
		return err
	}
	return s.post(tx, d, top.SID, records)
}

// post seals records on a session, in as many messages as they take. No records at all are a message too: R answers an INIT with
// one, whatever it has to say.
func (s *sessions) post(tx *store.Tx, d store.Device, sid []byte, records []wire.Record) error {
	for {
		part, rest := split(records, ratchet.MaxRecords)
		row, found, err := tx.Session(sid)
		if err != nil || !found {
			return err
		}
		state, err := ratchet.Parse(row.State)
		if err != nil {
			return fmt.Errorf("reading a session: %w", err)
		}
		next, msg, err := state.Seal(wire.MarshalRecords(part))
		if err != nil {
			return fmt.Errorf("sealing for a device: %w", err)
		}
		row.State = next.Marshal()
		if err := tx.SaveSession(row); err != nil {
			return err
		}
		err = tx.AddControl(store.Control{SID: row.SID, I: int64(state.Sent()), Bytes: msg, At: s.ms(), NextAt: s.ms()})
		if err != nil {
			return err
		}
		if records = rest; len(records) == 0 {
			tx.OnCommit(func() { s.hurry(d.Digest) })
			return nil
		}
	}
}

// split takes as many records as fit limit, at least one: none of ours is longer than a message.
func split(records []wire.Record, limit int) (part, rest []wire.Record) {
	for i, r := range records {
		if limit -= 5 + len(r.Body); limit < 0 && i > 0 {
			return records[:i], records[i:]
		}
	}
	return records, nil
}

// ensure begins a session with a device if there is none and its prekey is known. Where there were sessions before, they were
// lost.
func (s *sessions) ensure(tx *store.Tx, d store.Device) error {
	if _, found, err := tx.TopSession(d.Row); err != nil || found {
		return err
	}
	last, err := tx.Reset(d.Row)
	if err != nil {
		return err
	}
	if last.Attempt > 0 {
		return s.restart(tx, d, "no session is left")
	}
	_, err = s.begin(tx, d, 1)
	return err
}

// resting is for how many ms no session may be begun with a device.
func (s *sessions) resting(r store.Reset) int64 {
	wait := r.NextAt - s.ms()
	if wait > resetPauseMax {
		return 0 // the clock was set back since
	}
	return max(0, wait)
}

// begin starts a session: it stores the INIT with all that the device must know, and lets the older sessions close. What does
// not fit the INIT follows in messages of the session.
func (s *sessions) begin(tx *store.Tx, d store.Device, attempt uint32) (bool, error) {
	raw, err := tx.Bundle(d.Row)
	if err != nil || raw == nil {
		return false, err
	}
	rawCert, err := tx.Certificate(d.Row)
	if err != nil {
		return false, err
	}
	cert, err := identity.ParseCertificate(rawCert)
	if err != nil {
		return false, err
	}
	bundle, err := identity.ParseBundle(raw)
	if err != nil {
		return false, err
	}
	closing, err := s.leave(tx, d, nil)
	if err != nil {
		return false, err
	}
	records, err := s.state(tx, d)
	if err != nil {
		return false, err
	}
	part, rest := split(append(records, closing...), ratchet.MaxInitRecords)
	session, init, err := ratchet.Initiate(ratchet.InitConfig{
		Self: s.me.device, Account: s.me.key, Inc: s.me.incarnation(), Peer: cert, Bundle: bundle, Attempt: attempt,
		Records: wire.MarshalRecords(part),
	})
	if err != nil {
		return false, fmt.Errorf("beginning a session: %w", err)
	}
	if err := s.keep(tx, d, session, attempt); err != nil {
		return false, err
	}
	sid := session.ID()
	if err := tx.AddControl(store.Control{SID: sid[:], I: -1, Bytes: init, At: s.ms(), NextAt: s.ms()}); err != nil {
		return false, err
	}
	tx.OnCommit(func() { s.hurry(d.Digest) })
	if len(rest) == 0 {
		return true, nil
	}
	return true, s.post(tx, d, sid[:], rest)
}

// keep stores a new session, and lets the lowest go of more than there is room for.
func (s *sessions) keep(tx *store.Tx, d store.Device, session *ratchet.Session, attempt uint32) error {
	sid, rank := session.ID(), session.Rank()
	if err := tx.SaveSession(store.Session{SID: sid[:], Device: d.Row, Rank: rank[:], State: session.Marshal(), CloseAt: -1, MadeAt: s.ms()}); err != nil {
		return err
	}
	all, err := tx.Sessions(d.Row)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= maxSessions; i-- {
		if bytes.Equal(all[i].SID, sid[:]) {
			continue
		}
		if err := tx.DropSession(all[i].SID); err != nil {
			return err
		}
	}
	last, err := tx.Reset(d.Row)
	if err != nil {
		return err
	}
	last.Attempt = max(last.Attempt, attempt)
	return tx.SaveReset(d.Row, last)
}

// leave tells the peer how far each other session went, and stops sending on it: what waited there is told anew.
func (s *sessions) leave(tx *store.Tx, d store.Device, except []byte) (records []wire.Record, err error) {
	all, err := tx.Sessions(d.Row)
	if err != nil {
		return nil, err
	}
	for _, row := range all {
		if bytes.Equal(row.SID, except) {
			continue
		}
		state, err := ratchet.Parse(row.State)
		if err != nil {
			return nil, err
		}
		c := wire.Close{SID: state.ID(), NS: state.Sent()}
		records = append(records, wire.Record{Kind: wire.RecordClose, Body: c.Marshal()})
		if row.DiesAt == 0 {
			row.DiesAt = s.ms() + keyLife
			if err := tx.SaveSession(row); err != nil {
				return nil, err
			}
		}
	}
	return records, nil
}

// tell says on the session of highest rank all that a device must know, and how far the other sessions went.
func (s *sessions) tell(tx *store.Tx, d store.Device) error {
	top, found, err := tx.TopSession(d.Row)
	if err != nil || !found {
		return err
	}
	records, err := s.state(tx, d)
	if err != nil {
		return err
	}
	closing, err := s.leave(tx, d, top.SID)
	if err != nil {
		return err
	}
	return s.post(tx, d, top.SID, append(records, closing...))
}

// restart begins a session anew, at once the first time, then after 10 minutes, doubling to a day. What waited on the older
// sessions goes: it is told anew from state.
func (s *sessions) restart(tx *store.Tx, d store.Device, why string) error {
	last, err := tx.Reset(d.Row)
	if err != nil || s.resting(last) > 0 {
		return err
	}
	ok, err := s.begin(tx, d, last.Attempt+1)
	if err != nil || !ok {
		return err
	}
	if err := s.dropWaiting(tx, d); err != nil {
		return err
	}
	if last.NextAt > 0 && s.ms()-last.NextAt > resetForget {
		last.N = 0
	}
	last.Attempt++
	last.NextAt = s.ms() + min(int64(resetPauseMax), int64(resetPause)<<min(last.N, 8))
	last.N++
	if err := tx.SaveReset(d.Row, last); err != nil {
		return err
	}
	s.count("session_reset")
	return tx.Audit(auditReset, d.Digest[:], why)
}

// dropWaiting erases what waits to be acknowledged on all sessions with a device but the highest.
func (s *sessions) dropWaiting(tx *store.Tx, d store.Device) error {
	all, err := tx.Sessions(d.Row)
	if err != nil {
		return err
	}
	for _, row := range all[min(1, len(all)):] {
		if err := tx.DropControl(row.SID, 1<<62); err != nil {
			return err
		}
	}
	return nil
}

// lost deals with a session of which the peer, by its own word, cannot take what we have. Unless it is the one that we send on,
// that is of no consequence. known says whether the peer knows it at all: if not, it is erased, and another that the peer has
// shown to know takes its place.
func (s *sessions) lost(tx *store.Tx, d store.Device, row store.Session, known bool, why string) error {
	top, _, err := tx.TopSession(d.Row)
	if err != nil {
		return err
	}
	highest := bytes.Equal(top.SID, row.SID)
	over := !known && row.DiesAt > 0 // we closed it, or they did, before its INIT came
	switch {
	case !highest && over:
		return tx.DropSession(row.SID)
	case !highest:
		return tx.DropControl(row.SID, 1<<62)
	}
	has, err := tx.HasControl(row.SID, -1)
	if err != nil || has && !over {
		return err // its INIT is still under way: the peer will know it
	}
	if known {
		return s.restart(tx, d, why)
	}
	if err := tx.DropSession(row.SID); err != nil {
		return err
	}
	next, found, err := tx.TopSession(d.Row)
	if err != nil {
		return err
	}
	if found && next.Answered {
		return s.tell(tx, d)
	}
	return s.restart(tx, d, why)
}
