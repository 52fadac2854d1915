package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
)

// sessions keeps the pairwise ratchets: what we send on, what we receive on, what waits to be acknowledged, and when to
// begin anew. Every step is one transaction with whatever the records announce; the network only carries stored bytes.
type sessions struct {
	*core
	dir     *directory
	state   func(tx *store.Tx, d store.Device) ([]wire.Record, error)           // what a new session begins with
	apply   func(tx *store.Tx, d store.Device, records []wire.Record) error     // what a message says
	request func(tx *store.Tx, a *ratchet.Accepted) (store.Device, bool, error) // a stranger's INIT
	hurry   func(d identity.DeviceID)                                           // something waits for a device
}

const (
	// noSession in a receipt says that its sid is unknown here: the other side begins anew.
	noSession = 1<<64 - 1

	// keyLife is how long no key dies that mail may be under way to.
	keyLife = 45 * 24 * 3600 * 1000

	// copiesToReset: three copies of one message that do not open over the peer's own link are no accident.
	copiesToReset = 3

	// parkAhead is how far ahead of the next message one is kept.
	parkAhead = 256

	// initRetry is the first pause before an INIT is sent again over a link; it doubles up to initRetryMax.
	initRetry    = 10_000
	initRetryMax = 600_000

	// resetPause is the pause between two new sessions with one device; it doubles up to resetPauseMax.
	resetPause    = 600_000
	resetPauseMax = 86_400_000
)

// queue seals records for a device on the session of highest rank. Without one it does nothing: the INIT will carry them,
// because all that is ever announced can be told anew from state.
func (s *sessions) queue(tx *store.Tx, d store.Device, records ...wire.Record) error {
	if len(records) == 0 {
		return nil
	}
	return s.post(tx, d, records)
}

// post seals a message, which may hold no records: R answers an INIT with one, whatever it has to say.
func (s *sessions) post(tx *store.Tx, d store.Device, records []wire.Record) error {
	row, found, err := tx.TopSession(d.Row)
	if err != nil || !found {
		return err
	}
	state, err := ratchet.Parse(row.State)
	if err != nil {
		return fmt.Errorf("reading a session: %w", err)
	}
	next, msg, err := state.Seal(wire.MarshalRecords(records))
	if err != nil {
		return fmt.Errorf("sealing for a device: %w", err)
	}
	row.State = next.Marshal()
	if err := tx.SaveSession(row); err != nil {
		return err
	}
	tx.OnCommit(func() { s.hurry(d.Digest) })
	return tx.AddControl(store.Control{SID: row.SID, I: int64(state.Sent()), Bytes: msg, At: s.ms(), NextAt: s.ms()})
}

// ensure begins a session with a device if there is none and its prekey is known.
func (s *sessions) ensure(tx *store.Tx, d store.Device) (ready bool, err error) {
	if _, found, err := tx.TopSession(d.Row); err != nil || found {
		return found, err
	}
	last, err := tx.Reset(d.Row)
	if err != nil {
		return false, err
	}
	return s.begin(tx, d, last.Attempt+1)
}

// begin starts a session: it stores the INIT with all that the device must know, and lets the older sessions close.
func (s *sessions) begin(tx *store.Tx, d store.Device, attempt uint32) (bool, error) {
	raw, err := tx.Bundle(d.Row)
	if err != nil || raw == nil {
		return false, err
	}
	cert, err := identity.ParseCertificate(d.Cert)
	if err != nil {
		return false, err
	}
	bundle, err := identity.ParseBundle(raw)
	if err != nil {
		return false, err
	}
	records, err := s.state(tx, d)
	if err != nil {
		return false, err
	}
	closing, err := s.leave(tx, d, nil)
	if err != nil {
		return false, err
	}
	session, init, err := ratchet.Initiate(ratchet.InitConfig{
		Self: s.me.device, Account: s.me.key, Inc: s.me.incarnation(), Peer: cert, Bundle: bundle, Attempt: attempt,
		Records: wire.MarshalRecords(append(records, closing...)),
	})
	if err != nil {
		return false, fmt.Errorf("beginning a session: %w", err)
	}
	if err := s.keep(tx, d, session, attempt); err != nil {
		return false, err
	}
	sid := session.ID()
	tx.OnCommit(func() { s.hurry(d.Digest) })
	return true, tx.AddControl(store.Control{SID: sid[:], I: -1, Bytes: init, At: s.ms(), NextAt: s.ms()})
}

func (s *sessions) keep(tx *store.Tx, d store.Device, session *ratchet.Session, attempt uint32) error {
	sid, rank := session.ID(), session.Rank()
	if err := tx.SaveSession(store.Session{SID: sid[:], Device: d.Row, Rank: rank[:], State: session.Marshal(), CloseAt: -1, MadeAt: s.ms()}); err != nil {
		return err
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

// restart begins a session anew, at once the first time, then after 10 minutes, doubling to a day. What waited on the
// older sessions goes: it is told anew from state.
func (s *sessions) restart(tx *store.Tx, d store.Device, why string) error {
	last, err := tx.Reset(d.Row)
	if err != nil || s.ms() < last.NextAt && last.NextAt <= s.ms()+resetPauseMax {
		return err
	}
	ok, err := s.begin(tx, d, last.Attempt+1)
	if err != nil || !ok {
		return err
	}
	top, _, err := tx.TopSession(d.Row)
	if err != nil {
		return err
	}
	all, err := tx.Sessions(d.Row)
	if err != nil {
		return err
	}
	for _, row := range all {
		if !bytes.Equal(row.SID, top.SID) {
			if err := tx.DropControl(row.SID, 1<<62); err != nil {
				return err
			}
		}
	}
	if last, err = tx.Reset(d.Row); err != nil {
		return err
	}
	last.NextAt = s.ms() + min(int64(resetPauseMax), int64(resetPause)<<min(last.N, 8))
	last.N++
	if err := tx.SaveReset(d.Row, last); err != nil {
		return err
	}
	if err := tx.CountRefused("session_reset", 1, s.ms()); err != nil {
		return err
	}
	return tx.Audit(auditReset, d.Digest[:], why)
}

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
		return nil, refusedFrame("ctl_malformed")
	}
	return s.handleMessage(ctx, from, head, body)
}

// handleInit accepts a session. The dear part runs outside the transaction, which checks again what may have changed.
func (s *sessions) handleInit(ctx context.Context, from identity.DeviceID, init []byte) ([]byte, error) {
	digest := sha256.Sum256(init)
	var prekey store.Prekey
	var seen bool
	a, err := ratchet.Accept(ratchet.AcceptConfig{Self: s.me.device, Inc: s.me.incarnation(), Prekey: func(bundle [32]byte) ([]byte, bool) {
		err := s.st.View(ctx, func(r *store.Reader) (err error) {
			var found bool
			if prekey, found, err = r.Prekey(bundle); err == nil && found {
				seen, err = r.SawInit(prekey.Row, digest)
			}
			return err
		})
		return prekey.Seed, err == nil && !seen && prekey.Seed != nil
	}}, init)
	switch {
	case seen:
		return nil, nil // the same bytes again: our first message on it is under way
	case err != nil:
		s.refuse(ctx, "init")
		return nil, nil
	case a.Certificate.ID() != from:
		return nil, refusedFrame("init_foreign")
	}
	return nil, s.st.Update(ctx, func(tx *store.Tx) error { return s.accept(tx, a, prekey, digest) })
}

// accept keeps a session whose INIT was opened, takes its records and answers at once: the peer repeats the INIT until then.
func (s *sessions) accept(tx *store.Tx, a *ratchet.Accepted, prekey store.Prekey, digest [32]byte) error {
	if seen, err := tx.SawInit(prekey.Row, digest); err != nil || seen {
		return err
	}
	d, ok, err := s.request(tx, a)
	if err != nil || !ok {
		return err
	}
	if a.PeerInc < d.Inc {
		return s.count(tx, "old_inc")
	}
	if err := tx.SetDeviceInc(d.Row, a.PeerInc); err != nil {
		return err
	}
	if err := tx.SeeInit(prekey.Row, digest); err != nil {
		return err
	}
	if err := s.keep(tx, d, a.Session, a.Attempt); err != nil {
		return err
	}
	records, err := wire.ParseRecords(a.Records)
	if err != nil {
		return s.count(tx, "records")
	}
	if err := s.apply(tx, d, records); err != nil {
		return err
	}
	return s.answer(tx, d)
}

// answer is our first message on a session that the peer began: what it must know, and how far the others went.
func (s *sessions) answer(tx *store.Tx, d store.Device) error {
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
	return s.post(tx, d, append(records, closing...))
}

// handleReceipt erases what the peer has opened, or begins anew when it lost the session.
func (s *sessions) handleReceipt(ctx context.Context, from identity.DeviceID, r ratchet.Receipt) error {
	return s.st.Update(ctx, func(tx *store.Tx) error { return s.receipt(tx, from, r) })
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
	if r.NR == noSession {
		return s.lost(tx, d, row, "the peer does not know the session")
	}
	if r.NR > state.Sent() {
		return s.count(tx, "receipt")
	}
	if err := tx.DropControl(row.SID, int64(r.NR)); err != nil || r.NR == state.Sent() {
		return err
	}
	here, err := tx.HasControl(row.SID, int64(r.NR))
	if err != nil || here {
		return err
	}
	return s.lost(tx, d, row, "the peer wants a message that was acknowledged")
}

// lost begins anew if the session is the one that we send on; an older one simply goes.
func (s *sessions) lost(tx *store.Tx, d store.Device, row store.Session, why string) error {
	top, _, err := tx.TopSession(d.Row)
	if err != nil {
		return err
	}
	if !bytes.Equal(top.SID, row.SID) {
		return tx.DropControl(row.SID, 1<<62)
	}
	has, err := tx.HasControl(row.SID, -1)
	if err != nil || has {
		return err // its INIT is still under way: the peer will know it
	}
	return s.restart(tx, d, why)
}

// handleMessage opens a ratchet message, and those that were parked behind it.
func (s *sessions) handleMessage(ctx context.Context, from identity.DeviceID, head ratchet.Head, msg []byte) (reply []byte, err error) {
	err = s.st.Update(ctx, func(tx *store.Tx) error {
		row, found, err := tx.Session(head.SID[:])
		if err != nil {
			return err
		}
		if !found {
			reply = ratchet.Receipt{SID: head.SID, NR: noSession}.Marshal()
			return s.count(tx, "ctl_session")
		}
		d, found, err := tx.DeviceRow(row.Device)
		if err != nil || !found || d.Digest != from {
			return errors.Join(err, refusedFrame("ctl_foreign"))
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
		opened, err := state.Open(msg, s.prekeySeed(tx))
		if err != nil {
			return ratchet.Receipt{SID: head.SID, NR: state.Received()}.Marshal(), s.unopened(tx, d, row, state, head, msg, err)
		}
		if err := s.opened(tx, d, &row, state.Received(), opened, msg); err != nil {
			return nil, err
		}
		state = opened.Next
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

// opened commits one step: the next state, what the peer acknowledges, and the records. The state is saved before the
// records are taken, because they may make us answer on the same session.
func (s *sessions) opened(tx *store.Tx, d store.Device, row *store.Session, i uint64, o *ratchet.Opened, msg []byte) error {
	row.State, row.Answered, row.Failed = o.Next.Marshal(), true, 0
	if err := tx.SaveSession(*row); err != nil {
		return err
	}
	if err := tx.SeeControl(row.SID, int64(i), sha256.Sum256(msg)); err != nil {
		return err
	}
	if err := tx.DropControl(row.SID, int64(o.Ack)); err != nil { // and the INIT, which it answers
		return err
	}
	if err := tx.UnparkControl(row.SID, int64(i)+1); err != nil {
		return err
	}
	records, err := wire.ParseRecords(o.Records)
	if err != nil {
		return s.count(tx, "records")
	}
	if err := s.apply(tx, d, records); err != nil {
		return err
	}
	again, found, err := tx.Session(row.SID)
	if found {
		*row = again
	}
	return err
}

func (s *sessions) prekeySeed(tx *store.Tx) func([32]byte) ([]byte, bool) {
	return func(digest [32]byte) ([]byte, bool) {
		p, found, err := tx.Prekey(digest)
		return p.Seed, found && err == nil
	}
}

// unopened deals with a message that is not the next one, or is and does not open.
func (s *sessions) unopened(tx *store.Tx, d store.Device, row store.Session, state *ratchet.Session, head ratchet.Head, msg []byte, why error) error {
	switch {
	case errors.Is(why, ratchet.ErrOld):
		digest, err := tx.SeenControl(row.SID, int64(head.I))
		sum := sha256.Sum256(msg)
		if err != nil || digest == nil || bytes.Equal(digest, sum[:]) {
			return err
		}
		a, _, err := tx.AccountRow(d.Account)
		if err != nil {
			return err
		}
		return s.notice(tx, auditCopied, "peer_copied", a.Name())
	case errors.Is(why, ratchet.ErrEarly):
		if head.I >= state.Received()+parkAhead {
			return s.count(tx, "ctl_parked") // its number is not authenticated before its turn: damaged copies must not fill the place
		}
		ok, err := tx.ParkControl(row.SID, int64(head.I), msg, s.ms())
		if err == nil && !ok {
			err = s.count(tx, "ctl_parked")
		}
		return err
	}
	if head.I != state.Received() {
		return s.count(tx, "ctl_foreign")
	}
	row.Failed++
	if err := s.count(tx, "ctl_open"); err != nil {
		return err
	}
	if err := tx.SaveSession(row); err != nil || row.Failed < copiesToReset {
		return err
	}
	return s.lost(tx, d, row, "three copies of a message did not open")
}

// closed notes that the peer sends no more on a session than it said.
func (s *sessions) closed(tx *store.Tx, d store.Device, c wire.Close) error {
	row, found, err := tx.Session(c.SID[:])
	if err != nil || !found || row.Device != d.Row {
		return err
	}
	state, err := ratchet.Parse(row.State)
	if err != nil {
		return err
	}
	if state.Received() >= c.NS {
		return tx.DropSession(row.SID)
	}
	row.CloseAt, row.DiesAt = int64(c.NS), s.ms()+keyLife
	return tx.SaveSession(row)
}

// sent puts a message off after it went out, so that it is not sent twice within one round trip.
func (s *sessions) sent(tx *store.Tx, c store.Control) error {
	age := s.ms() - c.At
	return tx.DelayControl(c.SID, c.I, s.ms()+min(initRetryMax, max(initRetry, age)))
}

// refusedFrame makes the node answer no and count the cause.
func refusedFrame(cause string) error { return &peerRefused{Cause: cause} }
