package store

// Session is one pairwise ratchet session.
type Session struct {
	SID      []byte
	Device   int64
	Rank     []byte
	State    []byte // as crypto/ratchet marshals it
	Answered bool   // a message of it was opened
	Failed   int    // copies of the message wanted that did not open
	CloseAt  int64  // CLOSE came: dies when nr gets there; -1 without
	DiesAt   int64  // or then, ms; 0 without
	MadeAt   int64
}

const sessionColumns = "sid, device, rank, state, answered, failed, coalesce(close_i, -1), coalesce(dies_at, 0), made_at"

func scanSession(s *Session) func(Row) error {
	return func(r Row) error {
		*s = Session{r.Bytes(0), r.Int(1), r.Bytes(2), r.Bytes(3), r.Bool(4), int(r.Int(5)), r.Int(6), r.Int(7), r.Int(8)}
		return nil
	}
}

// Session finds one by its id.
func (r *Reader) Session(sid []byte) (s Session, found bool, err error) {
	found, err = r.one("SELECT "+sessionColumns+" FROM sessions WHERE sid = ?", scanSession(&s), sid)
	return s, found, err
}

// TopSession is the one of highest rank with a device: what we send on.
func (r *Reader) TopSession(device int64) (s Session, found bool, err error) {
	found, err = r.one("SELECT "+sessionColumns+" FROM sessions WHERE device = ? ORDER BY rank DESC LIMIT 1", scanSession(&s), device)
	return s, found, err
}

// Sessions lists those with a device, the highest rank first.
func (r *Reader) Sessions(device int64) (all []Session, err error) {
	err = r.each("SELECT "+sessionColumns+" FROM sessions WHERE device = ? ORDER BY rank DESC", func(row Row) error {
		var s Session
		err := scanSession(&s)(row)
		all = append(all, s)
		return err
	}, device)
	return all, err
}

// SaveSession inserts or replaces a session.
func (t *Tx) SaveSession(s Session) error {
	var closeAt, dies any
	if s.CloseAt >= 0 {
		closeAt = s.CloseAt
	}
	if s.DiesAt > 0 {
		dies = s.DiesAt
	}
	return t.exec("INSERT INTO sessions(sid, device, rank, state, answered, failed, close_i, dies_at, made_at) VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(sid) DO UPDATE SET state=excluded.state, answered=excluded.answered, failed=excluded.failed, close_i=excluded.close_i, dies_at=excluded.dies_at",
		s.SID, s.Device, s.Rank, s.State, s.Answered, s.Failed, closeAt, dies, s.MadeAt)
}

// DropSessions erases every session: their state may have gone back in time, and none is ever continued from an older one.
func (t *Tx) DropSessions() error { return t.exec("DELETE FROM sessions") }

// DropSession erases a session with all that waits in it.
func (t *Tx) DropSession(sid []byte) error {
	return t.exec("DELETE FROM sessions WHERE sid = ?", sid)
}

// maxClosed bounds the sessions of a device that are remembered as closed.
const maxClosed = 64

// ForgoSession remembers that a device closed a session that is not here, so that it is not taken when it comes.
func (t *Tx) ForgoSession(device int64, sid []byte, now int64) error {
	if err := t.exec("INSERT INTO closed(device, sid, at) VALUES(?,?,?) ON CONFLICT DO NOTHING", device, sid, now); err != nil {
		return err
	}
	return t.exec("DELETE FROM closed WHERE device = ?1 AND sid IN (SELECT sid FROM closed WHERE device = ?1 ORDER BY at DESC, sid LIMIT -1 OFFSET ?2)", device, maxClosed)
}

// ForwentSession reports whether a device closed a session before it came.
func (r *Reader) ForwentSession(device int64, sid []byte) (ok bool, err error) {
	return r.one("SELECT 1 FROM closed WHERE device = ? AND sid = ?", func(Row) error { return nil }, device, sid)
}

// DropForgone forgets those that were closed until a time: no INIT of theirs can be opened any more.
func (t *Tx) DropForgone(until int64) error { return t.exec("DELETE FROM closed WHERE at <= ?", until) }

// Control is a stored CTL message that goes out until it is acknowledged; I is -1 for the INIT.
type Control struct {
	SID    []byte
	I      int64
	Bytes  []byte
	At     int64
	NextAt int64
}

// AddControl keeps a message to send.
func (t *Tx) AddControl(c Control) error {
	return t.exec("INSERT INTO ctl_out(sid, i, bytes, at, next_at) VALUES(?,?,?,?,?)", c.SID, c.I, c.Bytes, c.At, c.NextAt)
}

// DropControl erases the messages of a session below an index; 0 erases the INIT only.
func (t *Tx) DropControl(sid []byte, below int64) error {
	return t.exec("DELETE FROM ctl_out WHERE sid = ? AND i < ?", sid, below)
}

// HasControl reports whether the bytes of a message are still here.
func (r *Reader) HasControl(sid []byte, i int64) (ok bool, err error) {
	return r.one("SELECT 1 FROM ctl_out WHERE sid = ? AND i = ?", func(Row) error { return nil }, sid, i)
}

// controlPause bounds how far ahead a next try can lie: one beyond it was put there before the clock was set back.
const controlPause = 3_600_000

// DueControl lists up to limit messages for a device that are due, in the order in which they must be opened: old sessions first.
func (r *Reader) DueControl(device, now int64, limit int) (all []Control, err error) {
	err = r.each("SELECT o.sid, o.i, o.bytes, o.at, o.next_at FROM sessions s JOIN ctl_out o ON o.sid = s.sid WHERE s.device = ?1 AND (o.next_at <= ?2 OR o.next_at > ?2 + ?4) ORDER BY s.rank, o.i LIMIT ?3", func(row Row) error {
		all = append(all, Control{row.Bytes(0), row.Int(1), row.Bytes(2), row.Int(3), row.Int(4)})
		return nil
	}, device, now, limit, controlPause)
	return all, err
}

// NextControl is when the next message for a device is due, 0 when none waits.
func (r *Reader) NextControl(device int64) (at int64, err error) {
	_, err = r.one("SELECT coalesce(min(o.next_at), 0) FROM sessions s JOIN ctl_out o ON o.sid = s.sid WHERE s.device = ?", func(row Row) error { at = row.Int(0); return nil }, device)
	return at, err
}

// OldestControl is when the oldest unacknowledged message of a session was made, 0 when none is.
func (r *Reader) OldestControl(sid []byte) (at int64, err error) {
	_, err = r.one("SELECT coalesce(min(at), 0) FROM ctl_out WHERE sid = ?", func(row Row) error { at = row.Int(0); return nil }, sid)
	return at, err
}

// HurryControl makes everything for a device due now: it has just come.
func (t *Tx) HurryControl(device, now int64) error {
	return t.exec("UPDATE ctl_out SET next_at = ?1 WHERE next_at > ?1 AND sid IN (SELECT sid FROM sessions WHERE device = ?2)", now, device)
}

// DelayControl puts the next try of a message off.
func (t *Tx) DelayControl(sid []byte, i, next int64) error {
	return t.exec("UPDATE ctl_out SET next_at = ? WHERE sid = ? AND i = ?", next, sid, i)
}

// ParkedControl returns a message that came too early.
func (r *Reader) ParkedControl(sid []byte, i int64) (raw []byte, err error) {
	_, err = r.one("SELECT bytes FROM ctl_parked WHERE sid = ? AND i = ?", func(row Row) error { raw = row.Bytes(0); return nil }, sid, i)
	return raw, err
}

// ParkControl keeps a message that came too early, within 256 messages and 1 MiB a session; it reports whether there was room.
func (t *Tx) ParkControl(sid []byte, i int64, raw []byte, now int64) (ok bool, err error) {
	var n, size int64
	if _, err := t.one("SELECT count(*), coalesce(sum(length(bytes)), 0) FROM ctl_parked WHERE sid = ?", func(row Row) error {
		n, size = row.Int(0), row.Int(1)
		return nil
	}, sid); err != nil || n >= 256 || size+int64(len(raw)) > 1<<20 {
		return false, err
	}
	return true, t.exec("INSERT INTO ctl_parked(sid, i, bytes, at) VALUES(?,?,?,?) ON CONFLICT DO NOTHING", sid, i, raw, now)
}

// UnparkControl erases what is parked below an index.
func (t *Tx) UnparkControl(sid []byte, below int64) error {
	return t.exec("DELETE FROM ctl_parked WHERE sid = ? AND i < ?", sid, below)
}

// SeenControl returns the digest of an opened message, nil when it is over 256 messages ago.
func (r *Reader) SeenControl(sid []byte, i int64) (digest []byte, err error) {
	_, err = r.one("SELECT digest FROM ctl_seen WHERE sid = ? AND i = ?", func(row Row) error { digest = row.Bytes(0); return nil }, sid, i)
	return digest, err
}

// SeeControl keeps the digest of an opened message, and of 256 in all.
func (t *Tx) SeeControl(sid []byte, i int64, digest Digest) error {
	if err := t.exec("INSERT INTO ctl_seen(sid, i, digest) VALUES(?,?,?) ON CONFLICT DO NOTHING", sid, i, digest[:]); err != nil {
		return err
	}
	return t.exec("DELETE FROM ctl_seen WHERE sid = ? AND i <= ?", sid, i-256)
}

// Reset is how often and when sessions with a device were begun anew.
type Reset struct {
	Attempt uint32 // highest known
	N       int64  // how often we did
	NextAt  int64
}

// Reset returns the record of a device.
func (r *Reader) Reset(device int64) (s Reset, err error) {
	_, err = r.one("SELECT attempt, n, next_at FROM resets WHERE device = ?", func(row Row) error {
		s = Reset{uint32(row.Int(0)), row.Int(1), row.Int(2)}
		return nil
	}, device)
	return s, err
}

// SaveReset keeps it.
func (t *Tx) SaveReset(device int64, s Reset) error {
	return t.exec("INSERT INTO resets(device, attempt, n, next_at) VALUES(?,?,?,?) ON CONFLICT(device) DO UPDATE SET attempt=excluded.attempt, n=excluded.n, next_at=excluded.next_at",
		device, s.Attempt, s.N, s.NextAt)
}

// DropOldSessions erases sessions whose time is over: closed by the other side, or replaced, and no mail under way.
func (t *Tx) DropOldSessions(now int64) error {
	return t.exec("DELETE FROM sessions WHERE dies_at IS NOT NULL AND dies_at <= ?", now)
}
