package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
)

// handle takes a CTL frame and returns the receipt that answers it.
func (s *sessions) handle(ctx context.Context, from identity.DeviceID, body []byte) ([]byte, error) {
	if ratchet.IsInit(body) {
		return s.handleInit(ctx, from, body)
	}
	if r, err := ratchet.ParseReceipt(body); err == nil {
		return nil, s.handleReceipt(ctx, from, r)
	}
	head, err := ratchet.ParseHead(body)
	if err != nil {
		return nil, flawed("ctl_malformed", err)
	}
	return s.handleMessage(ctx, from, head, body)
}

// handleInit accepts a session. The dear part runs outside the transaction, which checks again what may have changed. What is
// wrong with an INIT is not told: it gets no answer, as one that is refused because we do not want it. One whose session was closed
// before it came is answered as a message of a session that we do not know.
func (s *sessions) handleInit(ctx context.Context, from identity.DeviceID, init []byte) ([]byte, error) {
	err := s.st.View(ctx, func(r *store.Reader) error {
		_, _, err := callerOf(r, from)
		return err
	})
	if err != nil {
		return nil, err
	}
	sid, err := s.openInit(ctx, from, init)
	if errors.Is(err, errForgone) {
		return ratchet.Receipt{SID: sid, NR: noSession}.Marshal(), s.excuse(err)
	}
	return nil, s.excuse(err)
}

// errForgone says that the other side closed a session before its INIT came.
var errForgone = errors.New("the session was closed already")

func (s *sessions) openInit(ctx context.Context, from identity.DeviceID, init []byte) (sid [16]byte, err error) {
	digest := sha256.Sum256(init)
	var prekey store.Prekey
	var seen bool
	var failed error
	a, err := ratchet.Accept(ratchet.AcceptConfig{Self: s.me.device, Inc: s.me.incarnation(), Prekey: func(bundle [32]byte) ([]byte, bool) {
		failed = s.st.View(ctx, func(r *store.Reader) (err error) {
			var found bool
			if prekey, found, err = r.Prekey(bundle); err == nil && found {
				seen, err = r.SawInit(prekey.Row, digest)
			}
			return err
		})
		return prekey.Seed, failed == nil && !seen && prekey.Seed != nil
	}}, init)
	switch {
	case failed != nil:
		return sid, failed
	case seen:
		return sid, nil // the same bytes again: our first message on it is under way
	case err != nil:
		return sid, flawed("init", err)
	case a.Certificate.ID() != from:
		return sid, badly("init_foreign")
	case a.PeerInc >= far:
		return sid, badly("init_inc")
	}
	records, err := wire.ParseRecords(a.Records)
	if err != nil {
		return sid, flawed("init_records", err)
	}
	return a.Session.ID(), s.st.Update(ctx, func(tx *store.Tx) error { return s.accept(tx, a, records, prekey, digest) })
}

// accept keeps a session whose INIT was opened, takes its records and answers at once: the peer repeats the INIT until then.
func (s *sessions) accept(tx *store.Tx, a *ratchet.Accepted, records []wire.Record, prekey store.Prekey, digest [32]byte) error {
	if seen, err := tx.SawInit(prekey.Row, digest); err != nil || seen {
		return err
	}
	d, err := s.admit(tx, a, records)
	if err != nil {
		return err
	}
	if a.PeerInc < d.Inc {
		return badly("old_inc")
	}
	sid := a.Session.ID()
	if forgone, err := tx.ForwentSession(d.Row, sid[:]); err != nil || forgone {
		return either(err, &flaw{"init_closed", errForgone})
	}
	if err := s.notTooMany(tx, d); err != nil {
		return err
	}
	if a.PeerInc > d.Inc { // the peer began anew: a prekey from before would not be answered
		if err := errors.Join(tx.SetDeviceInc(d.Row, a.PeerInc), tx.DropBundle(d.Row)); err != nil {
			return err
		}
		d.Inc = a.PeerInc
	}
	if err := tx.SeeInit(prekey.Row, digest); err != nil {
		return err
	}
	if err := s.keep(tx, d, a.Session, a.Attempt); err != nil {
		return err
	}
	if err := s.apply(tx, d, records); err != nil {
		return err
	}
	if d, _, err = tx.DeviceRow(d.Row); err != nil { // a list may have come along
		return err
	}
	return s.tell(tx, d)
}

// notTooMany refuses more sessions within an hour than anybody needs.
func (s *sessions) notTooMany(tx *store.Tx, d store.Device) error {
	all, err := tx.Sessions(d.Row)
	if err != nil {
		return err
	}
	lately := 0
	for _, row := range all {
		if s.since(row.MadeAt) < hour {
			lately++
		}
	}
	if lately >= maxSessions {
		return badly("init_flood")
	}
	return nil
}

// handleReceipt erases what the peer has opened, or begins anew when it lost the session.
func (s *sessions) handleReceipt(ctx context.Context, from identity.DeviceID, r ratchet.Receipt) error {
	return s.st.Update(ctx, func(tx *store.Tx) error {
		if _, err := mustCall(&tx.Reader, from); err != nil {
			return err
		}
		return s.receipt(tx, from, r)
	})
}

func (s *sessions) receipt(tx *store.Tx, from identity.DeviceID, r ratchet.Receipt) error {
	row, found, err := tx.Session(r.SID[:])
	if err != nil || !found {
		return err
	}
	d, found, err := tx.DeviceRow(row.Device)
	if err != nil || !found || d.Digest != from {
		return err
	}
	state, err := ratchet.Parse(row.State)
	if err != nil {
		return err
	}
	switch {
	case r.NR == noSession:
		return s.lost(tx, d, row, false, "the peer does not know the session")
	case r.NR > state.Sent():
		s.count("receipt_ahead")
		return s.lost(tx, d, row, true, "the peer opened messages that we never sent")
	}
	if err := tx.DropControl(row.SID, int64(r.NR)); err != nil || r.NR == state.Sent() {
		return err
	}
	here, err := tx.HasControl(row.SID, int64(r.NR))
	if err != nil || here {
		return err
	}
	return s.lost(tx, d, row, true, "the peer wants a message that was acknowledged")
}

// handleMessage opens a ratchet message, and those that were parked behind it.
func (s *sessions) handleMessage(ctx context.Context, from identity.DeviceID, head ratchet.Head, msg []byte) (reply []byte, err error) {
	var known bool
	err = s.st.View(ctx, func(r *store.Reader) error {
		if _, _, err := callerOf(r, from); err != nil {
			return err
		}
		_, known, err = r.Session(head.SID[:])
		return err
	})
	if err != nil {
		return nil, err
	}
	if !known {
		s.count("ctl_session")
		return ratchet.Receipt{SID: head.SID, NR: noSession}.Marshal(), nil
	}
	err = s.st.Update(ctx, func(tx *store.Tx) error {
		row, found, err := tx.Session(head.SID[:])
		if err != nil || !found {
			return err
		}
		d, found, err := tx.DeviceRow(row.Device)
		if err != nil {
			return err
		}
		if !found || d.Digest != from {
			return badly("ctl_foreign")
		}
		reply, err = s.take(tx, d, row, head, msg)
		return err
	})
	return reply, err
}

func (s *sessions) take(tx *store.Tx, d store.Device, row store.Session, head ratchet.Head, msg []byte) ([]byte, error) {
	state, err := ratchet.Parse(row.State)
	if err != nil {
		return nil, err
	}
	for msg != nil {
		opened, err := s.openWith(tx, state, msg)
		if err != nil {
			if err := s.unopened(tx, d, row, state, head, msg, err); err != nil {
				return nil, err
			}
			break
		}
		found, err := s.opened(tx, d, &row, state.Received(), opened, msg)
		if err != nil {
			return nil, err
		}
		state = opened.Next
		if !found {
			break // the peer closed the session that it spoke on
		}
		if msg, err = tx.ParkedControl(row.SID, int64(state.Received())); err != nil {
			return nil, err
		}
		if msg != nil {
			if head, err = ratchet.ParseHead(msg); err != nil {
				return nil, err
			}
		}
	}
	if row.CloseAt >= 0 && state.Received() >= uint64(row.CloseAt) {
		if err := tx.DropSession(row.SID); err != nil {
			return nil, err
		}
	}
	return ratchet.Receipt{SID: state.ID(), NR: state.Received()}.Marshal(), nil
}

// openWith opens a message, with our prekey where the session still hangs on it. Trouble of our own is no message that does not
// open.
func (s *sessions) openWith(tx *store.Tx, state *ratchet.Session, msg []byte) (*ratchet.Opened, error) {
	var failed error
	opened, err := state.Open(msg, func(digest [32]byte) ([]byte, bool) {
		p, found, err := tx.Prekey(digest)
		failed = err
		return p.Seed, found && err == nil
	})
	if failed != nil {
		return nil, failed
	}
	switch {
	case err == nil:
		return opened, nil
	case errors.Is(err, ratchet.ErrOld), errors.Is(err, ratchet.ErrEarly), errors.Is(err, ratchet.ErrKey), errors.Is(err, ratchet.ErrAuth):
		return nil, &flaw{"ctl_open", err}
	}
	return nil, err
}

// opened commits one step: the next state, what the peer acknowledges, and the records. The state is saved before the records
// are taken, because they may make us answer on the same session. It reports whether there still is a session after that.
func (s *sessions) opened(tx *store.Tx, d store.Device, row *store.Session, i uint64, o *ratchet.Opened, msg []byte) (found bool, err error) {
	row.State, row.Answered, row.Failed = o.Next.Marshal(), true, 0
	err = errors.Join(
		tx.SaveSession(*row),
		tx.SeeControl(row.SID, int64(i), sha256.Sum256(msg)),
		tx.DropControl(row.SID, int64(o.Ack)), // and the INIT, which it answers
		tx.UnparkControl(row.SID, int64(i)+1),
	)
	if err != nil {
		return false, err
	}
	records, err := wire.ParseRecords(o.Records)
	if err != nil {
		s.count("ctl_records")
		return true, nil
	}
	if err := s.apply(tx, d, records); err != nil {
		return false, err
	}
	again, found, err := tx.Session(row.SID)
	if found {
		*row = again
	}
	return found, err
}

// unopened deals with a message that is not the next one, or is and does not open. Other errors stay.
func (s *sessions) unopened(tx *store.Tx, d store.Device, row store.Session, state *ratchet.Session, head ratchet.Head, msg []byte, why error) error {
	switch {
	case errors.Is(why, ratchet.ErrOld):
		return s.old(tx, d, row, head, msg)
	case errors.Is(why, ratchet.ErrEarly):
		ok, err := letIn(tx, d) // of anybody else it comes again in its turn
		if err == nil && ok {
			ok, err = tx.ParkControl(row.SID, int64(head.I), msg, s.ms())
		}
		if err == nil && !ok {
			s.count("ctl_parked")
		}
		return err
	}
	if err := s.excuse(why); err != nil {
		return err
	}
	if head.I != state.Received() {
		return nil // of the other direction: our own words came back
	}
	row.Failed++
	if err := tx.SaveSession(row); err != nil || row.Failed < copiesToReset {
		return err
	}
	return s.restart(tx, d, "three copies of a message did not open")
}

// old compares a message whose number was opened with what was opened: other bytes say that two devices use the session.
func (s *sessions) old(tx *store.Tx, d store.Device, row store.Session, head ratchet.Head, msg []byte) error {
	digest, err := tx.SeenControl(row.SID, int64(head.I))
	sum := sha256.Sum256(msg)
	if err != nil || digest == nil || bytes.Equal(digest, sum[:]) {
		return err
	}
	s.count("ctl_other_bytes")
	a, _, err := tx.AccountRow(d.Account)
	if err != nil {
		return err
	}
	return s.notice(tx, auditCopied, "peer_copied", shownName(a))
}

// closed notes that the peer sends no more on a session than it said.
func (s *sessions) closed(tx *store.Tx, d store.Device, c wire.Close) error {
	row, found, err := tx.Session(c.SID[:])
	if err == nil && !found {
		return tx.ForgoSession(d.Row, c.SID[:], s.ms()) // its INIT may still be under way
	}
	if err != nil || row.Device != d.Row {
		return err
	}
	state, err := ratchet.Parse(row.State)
	if err != nil {
		return err
	}
	if state.Received() >= c.NS {
		return tx.DropSession(row.SID)
	}
	if c.NS >= far {
		return badly("record_close")
	}
	row.CloseAt, row.DiesAt = int64(c.NS), s.ms()+keyLife
	return tx.SaveSession(row)
}

// sent puts a message off after it went out, so that it is not sent twice within one round trip.
func (s *sessions) sent(tx *store.Tx, c store.Control) error {
	age := min(s.since(c.At), initRetryMax)
	return tx.DelayControl(c.SID, c.I, s.ms()+max(initRetry, age))
}
