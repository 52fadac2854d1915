package store

// States of a log.
const (
	LogOpen   = 0
	LogClosed = 1 // continued by another one
	LogFrozen = 2 // forked
)

// Log is the chain of segments of one device in one room. Its certificate is read by LogCertificate.
type Log struct {
	Row, Room  int64
	ID         Digest
	Device     int64 // 0 while its certificate has not come
	Key        []byte
	Seed       []byte // ours only
	Previous   []byte
	State      int
	ForkK      int64 // -1 without a fork
	HeadK      int64 // the newest header here, -1 with none
	HeadDigest []byte
	Size       int64 // entries up to it
	Stored     int64 // first entry missing
	Opened     int64
	Read       int64
	WholeK     int64 // the newest whose whole past is here
	CitedK     int64 // what our deps named last
	Tree       int64 // headers under Edge, which all follow each other
	Edge       []byte
}

const logColumns = "l.id, l.room, l.log_id, coalesce(l.device, 0), l.pk, l.seed, l.previous, l.state, coalesce(l.fork_k, -1), l.head_k, l.head_digest, l.size, l.stored, l.opened, l.read, l.whole_k, l.cited_k, l.tree, l.edge"

func scanLog(l *Log) func(Row) error {
	return func(r Row) error {
		*l = Log{
			Row: r.Int(0), Room: r.Int(1), ID: Digest(r.Bytes(2)), Device: r.Int(3), Key: r.Bytes(4), Seed: r.Bytes(5),
			Previous: r.Bytes(6), State: int(r.Int(7)), ForkK: r.Int(8), HeadK: r.Int(9), HeadDigest: r.Bytes(10), Size: r.Int(11),
			Stored: r.Int(12), Opened: r.Int(13), Read: r.Int(14), WholeK: r.Int(15), CitedK: r.Int(16), Tree: r.Int(17), Edge: r.Bytes(18),
		}
		return nil
	}
}

// Log finds a log by its id.
func (r *Reader) Log(id Digest) (l Log, found bool, err error) {
	found, err = r.one("SELECT "+logColumns+" FROM logs l WHERE l.log_id = ?", scanLog(&l), id[:])
	return l, found, err
}

// LogRow finds a log by row.
func (r *Reader) LogRow(row int64) (l Log, found bool, err error) {
	found, err = r.one("SELECT "+logColumns+" FROM logs l WHERE l.id = ?", scanLog(&l), row)
	return l, found, err
}

// Logs lists the logs of a room in the order of their ids.
func (r *Reader) Logs(room int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM logs l WHERE l.room = ? ORDER BY l.log_id", room)
}

// LogsOf lists the logs of a device in a room.
func (r *Reader) LogsOf(room, device int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM logs l WHERE l.room = ? AND l.device = ? ORDER BY l.id", room, device)
}

// Lacking lists the logs in the open rooms of an account of which more is known to exist than is here.
func (r *Reader) Lacking(account int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM members m JOIN rooms r ON r.id = m.room AND r.state = 0 JOIN logs l ON l.room = r.id WHERE m.account = ? AND m.role > 0 AND l.fork_k IS NULL AND (l.head_k >= l.tree OR l.named_k > l.head_k) ORDER BY l.log_id", account)
}

// Unopened lists the logs in the open rooms of an account that hold more than is opened.
func (r *Reader) Unopened(account int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM members m JOIN rooms r ON r.id = m.room AND r.state = 0 JOIN logs l ON l.room = r.id WHERE m.account = ? AND m.role > 0 AND l.opened < l.size ORDER BY l.log_id", account)
}

// LogsBy lists the logs of a device of which something is here, in rooms that are open.
func (r *Reader) LogsBy(device int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM logs l JOIN rooms r ON r.id = l.room WHERE l.device = ? AND l.head_k >= 0 AND r.state = 0 ORDER BY l.id", device)
}

// Undecided lists the logs of a room whose author is not known yet.
func (r *Reader) Undecided(room int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM logs l WHERE l.room = ? AND l.device IS NULL ORDER BY l.id", room)
}

// Lagging lists the logs of others in a room that hold segments whose whole past is not known to be here.
func (r *Reader) Lagging(room int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM logs l WHERE l.room = ? AND l.seed IS NULL AND l.whole_k < l.tree - 1 ORDER BY l.log_id", room)
}

// CountLogs counts the logs of a device in a room.
func (r *Reader) CountLogs(room, device int64) (n int64, err error) {
	_, err = r.one("SELECT count(*) FROM logs WHERE room = ? AND device = ?", func(row Row) error { n = row.Int(0); return nil }, room, device)
	return n, err
}

// LogCertificate returns the certificate of a log, nil when it has not come.
func (r *Reader) LogCertificate(row int64) (raw []byte, err error) {
	_, err = r.one("SELECT cert FROM logs WHERE id = ?", func(row Row) error { raw = row.Bytes(0); return nil }, row)
	return raw, err
}

// OwnLog is the log of ours that is open in a room.
func (r *Reader) OwnLog(room int64) (l Log, found bool, err error) {
	found, err = r.one("SELECT "+logColumns+" FROM logs l WHERE l.room = ? AND l.seed IS NOT NULL AND l.state = 0 ORDER BY l.id DESC LIMIT 1", scanLog(&l), room)
	return l, found, err
}

// OwnLogs lists all logs of ours in a room, closed ones too.
func (r *Reader) OwnLogs(room int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+" FROM logs l WHERE l.room = ? AND l.seed IS NOT NULL ORDER BY l.id", room)
}

func (r *Reader) logs(query string, args ...any) (all []Log, err error) {
	err = r.each(query, func(row Row) error {
		var l Log
		err := scanLog(&l)(row)
		all = append(all, l)
		return err
	}, args...)
	return all, err
}

// AddLog inserts a log with its certificate, nil when that has not come, or returns the one that is there.
func (t *Tx) AddLog(l Log, cert []byte) (Log, error) {
	old, found, err := t.Log(l.ID)
	if err != nil || found {
		return old, err
	}
	var device any
	if l.Device != 0 {
		device = l.Device
	}
	l.ForkK, l.HeadK, l.WholeK, l.CitedK = -1, -1, -1, -1
	l.Row, err = t.insert("INSERT INTO logs(log_id, room, device, pk, cert, seed, previous) VALUES(?,?,?,?,?,?,?)",
		l.ID[:], l.Room, device, l.Key, cert, l.Seed, l.Previous)
	return l, err
}

// DecideLog names the author of a log, by its certificate.
func (t *Tx) DecideLog(row, device int64, key, cert []byte, previous []byte) error {
	return t.exec("UPDATE logs SET device = ?, pk = ?, cert = ?, previous = ? WHERE id = ?", device, key, cert, previous, row)
}

// SaveLog writes back everything of a log that a step moves.
func (t *Tx) SaveLog(l Log) error {
	var fork any
	if l.ForkK >= 0 {
		fork = l.ForkK
	}
	return t.exec("UPDATE logs SET state=?, fork_k=?, head_k=?, head_digest=?, size=?, stored=?, opened=?, read=?, whole_k=?, cited_k=?, tree=?, edge=? WHERE id=?",
		l.State, fork, l.HeadK, l.HeadDigest, l.Size, l.Stored, l.Opened, l.Read, l.WholeK, l.CitedK, l.Tree, l.Edge, l.Row)
}

// SetCited notes which header of a log our own deps named last.
func (t *Tx) SetCited(row, k int64) error {
	return t.exec("UPDATE logs SET cited_k = ? WHERE id = ?", k, row)
}

// Segment is a stored segment without its entries.
type Segment struct {
	Log, K     int64
	Digest     Digest
	Header     []byte
	Deps       []byte
	First, End int64 // entries before it, and with it
	Sort       int64
	At         int64
}

const segmentColumns = "log, k, digest, header, deps, first, size, sort, at"

func scanSegment(s *Segment) func(Row) error {
	return func(r Row) error {
		*s = Segment{r.Int(0), r.Int(1), Digest(r.Bytes(2)), r.Bytes(3), r.Bytes(4), r.Int(5), r.Int(6), r.Int(7), r.Int(8)}
		return nil
	}
}

// Segment finds one by its log and k.
func (r *Reader) Segment(log, k int64) (s Segment, found bool, err error) {
	found, err = r.one("SELECT "+segmentColumns+" FROM segments WHERE log = ? AND k = ?", scanSegment(&s), log, k)
	return s, found, err
}

// SegmentAt finds the segment of a log of ours that holds the entry with an absolute index.
func (r *Reader) SegmentAt(log, index int64) (s Segment, found bool, err error) {
	s, found, err = r.newestWith(log, func(s Segment) bool { return s.First <= index })
	return s, found && s.End > index, err
}

// Segments lists up to limit segments of a log from k on.
func (r *Reader) Segments(log, from int64, limit int) (all []Segment, err error) {
	err = r.each("SELECT "+segmentColumns+" FROM segments WHERE log = ? AND k >= ? ORDER BY k LIMIT ?", func(row Row) error {
		var s Segment
		err := scanSegment(&s)(row)
		all = append(all, s)
		return err
	}, log, from, limit)
	return all, err
}

// AddSegment inserts a segment.
func (t *Tx) AddSegment(s Segment) error {
	return t.exec("INSERT INTO segments("+segmentColumns+") VALUES(?,?,?,?,?,?,?,?,?)", s.Log, s.K, s.Digest[:], s.Header, s.Deps, s.First, s.End, s.Sort, s.At)
}

// SetSegmentSort corrects the place of a segment and of its messages, and shows them: its past is whole.
func (t *Tx) SetSegmentSort(log, k, first, end, sort int64) error {
	if err := t.exec("UPDATE segments SET sort = ? WHERE log = ? AND k = ? AND sort <> ?", sort, log, k, sort); err != nil {
		return err
	}
	const those = " WHERE id IN (SELECT id FROM entries WHERE log = ?2 AND idx >= ?3 AND idx < ?4)"
	if err := t.exec("UPDATE messages SET sort = ?1"+those+" AND sort <> ?1", sort, log, first, end); err != nil {
		return err
	}
	held, err := t.one("SELECT ?1 FROM messages"+those+" AND hold_until IS NOT NULL LIMIT 1", func(Row) error { return nil }, sort, log, first, end)
	if err != nil || !held {
		return err
	}
	number, err := t.Numbers(end - first)
	if err != nil {
		return err
	}
	return t.exec("UPDATE messages SET hold_until = NULL, seen = ?1 + idx - ?3"+those+" AND hold_until IS NOT NULL", number, log, first, end)
}

const day = 86_400_000

// AddSignature keeps the signature of a header and lets the one before it go, which this one covers: one a day stays.
func (t *Tx) AddSignature(log, k int64, sig []byte, now int64) error {
	if err := t.exec("INSERT INTO signatures(log, k, day, sig) VALUES(?,?,?,?)", log, k, now/day, sig); err != nil {
		return err
	}
	return t.exec("DELETE FROM signatures WHERE log = ?1 AND k = (SELECT max(k) FROM signatures WHERE log = ?1 AND k < ?2) AND day = ?3 AND keep = 0", log, k, now/day)
}

// KeepSignature inserts a signature and lets none go: our own segments travel with theirs until everybody has them.
func (t *Tx) KeepSignature(log, k int64, sig []byte, now int64) error {
	return t.exec("INSERT INTO signatures(log, k, day, sig) VALUES(?,?,?,?)", log, k, now/day, sig)
}

// DropSignatures lets up to limit signatures below k go that a newer one covers, but for one a day and the first of the log:
// without that, which comes with the log's key, nobody who lost the log could begin to take it. It reports whether any went.
func (t *Tx) DropSignatures(log, below int64, limit int) (bool, error) {
	err := t.exec("DELETE FROM signatures WHERE id IN (SELECT s.id FROM signatures s WHERE s.log = ?1 AND s.k > 0 AND s.k < ?2 AND s.keep = 0 AND EXISTS(SELECT 1 FROM signatures n WHERE n.log = ?1 AND n.k > s.k AND n.day = s.day) LIMIT ?3)", log, below, limit)
	return t.changes() > 0, err
}

// DropConfirmed does DropSignatures for every log of ours, below what all valid devices of the room's members have confirmed.
func (t *Tx) DropConfirmed(limit int) error {
	type log struct{ row, stored int64 }
	var logs []log
	err := t.each(`SELECT l.id, coalesce((SELECT min(coalesce(c.stored, 0)) FROM members m JOIN devices d ON d.account = m.account AND d.state = 1
			LEFT JOIN cursors c ON c.log = l.id AND c.device = d.id WHERE m.room = l.room AND m.role > 0 AND d.account <> 1), l.size)
		FROM logs l WHERE l.seed IS NOT NULL AND l.head_k > 0`, func(row Row) error {
		logs = append(logs, log{row.Int(0), row.Int(1)})
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range logs {
		s, found, err := t.newestWith(l.row, func(s Segment) bool { return s.End <= l.stored })
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if _, err := t.DropSignatures(l.row, s.K, limit); err != nil {
			return err
		}
	}
	return nil
}

// Signature returns the signature of a header, nil when it went.
func (r *Reader) Signature(log, k int64) (sig []byte, err error) {
	_, err = r.one("SELECT sig FROM signatures WHERE log = ? AND k = ?", func(row Row) error { sig = row.Bytes(0); return nil }, log, k)
	return sig, err
}

// NewestSignature returns the newest signed header of a log at or above k.
func (r *Reader) NewestSignature(log, k int64) (at int64, sig []byte, err error) {
	at = -1
	_, err = r.one("SELECT k, sig FROM signatures WHERE log = ? AND k >= ? ORDER BY k DESC LIMIT 1", func(row Row) error {
		at, sig = row.Int(0), row.Bytes(1)
		return nil
	}, log, k)
	return at, sig, err
}

// SignatureFrom returns the oldest signed header of a log at or above k, -1 when there is none.
func (r *Reader) SignatureFrom(log, k int64) (at int64, sig []byte, err error) {
	at = -1
	_, err = r.one("SELECT k, sig FROM signatures WHERE log = ? AND k >= ? ORDER BY k LIMIT 1", func(row Row) error {
		at, sig = row.Int(0), row.Bytes(1)
		return nil
	}, log, k)
	return at, sig, err
}

// HasSegments reports whether anything of a room is here.
func (r *Reader) HasSegments(room int64) (ok bool, err error) {
	return r.one("SELECT 1 FROM logs l JOIN segments s ON s.log = l.id WHERE l.room = ? LIMIT 1", func(Row) error { return nil }, room)
}

// SetTreeBlock keeps the hash over 256 headers.
func (t *Tx) SetTreeBlock(log, n int64, hash Digest) error {
	return t.exec("INSERT INTO tree(log, n, hash) VALUES(?,?,?) ON CONFLICT DO NOTHING", log, n, hash[:])
}

// TreeBlock returns the hash over headers 256n to 256n+255.
func (r *Reader) TreeBlock(log, n int64) (hash []byte, err error) {
	_, err = r.one("SELECT hash FROM tree WHERE log = ? AND n = ?", func(row Row) error { hash = row.Bytes(0); return nil }, log, n)
	return hash, err
}

// Opening is what opens an entry.
type Opening struct {
	Index int64
	PRK   Digest
}

// Openings lists up to limit of what opens the entries of a log with first <= index < end.
func (r *Reader) Openings(log, first, end int64, limit int) (all []Opening, err error) {
	err = r.each("SELECT idx, prk FROM entries WHERE log = ? AND idx >= ? AND idx < ? AND prk IS NOT NULL ORDER BY idx LIMIT ?", func(row Row) error {
		all = append(all, Opening{row.Int(0), Digest(row.Bytes(1))})
		return nil
	}, log, first, end, limit)
	return all, err
}

// SetWhole notes the newest segment of a log whose whole past is here.
func (t *Tx) SetWhole(row, k int64) error {
	return t.exec("UPDATE logs SET whole_k = ? WHERE id = ?", k, row)
}

// SetLogKey keeps the key of a log that was known by its id only.
func (t *Tx) SetLogKey(row int64, key []byte) error {
	return t.exec("UPDATE logs SET pk = ? WHERE id = ?", key, row)
}

// LogBytes is how much the entries of a log weigh.
func (r *Reader) LogBytes(log int64) (n int64, err error) {
	_, err = r.one("SELECT coalesce(sum(length(raw)), 0) FROM entries WHERE log = ?", func(row Row) error { n = row.Int(0); return nil }, log)
	return n, err
}

// SetOpened notes the first entry of a log that is not opened.
func (t *Tx) SetOpened(row, opened int64) error {
	return t.exec("UPDATE logs SET opened = ? WHERE id = ?", opened, row)
}

// CountEntries counts the entries that are here with first <= index < end.
func (r *Reader) CountEntries(log, first, end int64) (n int64, err error) {
	_, err = r.one("SELECT count(*) FROM entries WHERE log = ? AND idx >= ? AND idx < ?", func(row Row) error { n = row.Int(0); return nil }, log, first, end)
	return n, err
}

// SetNamed notes the highest header of a log that somebody says to hold, and when that was first said.
func (t *Tx) SetNamed(row, k, now int64) error {
	return t.exec("UPDATE logs SET named_k = max(named_k, ?1), named_at = CASE WHEN named_k <= head_k THEN ?2 ELSE named_at END WHERE id = ?3", k, now, row)
}

// Unname forgets it: who said so had nothing to show.
func (t *Tx) Unname(row int64) error {
	return t.exec("UPDATE logs SET named_k = -1, named_at = 0 WHERE id = ?", row)
}

// Named returns it; -1 without.
func (r *Reader) Named(row int64) (k, at int64, err error) {
	k = -1
	_, err = r.one("SELECT named_k, named_at FROM logs WHERE id = ?", func(row Row) error { k, at = row.Int(0), row.Int(1); return nil }, row)
	return k, at, err
}

// CloseOwnLogs ends every open log of ours: the next segment of each room begins a new one.
func (t *Tx) CloseOwnLogs() error {
	return t.exec("UPDATE logs SET state = 1 WHERE seed IS NOT NULL AND state = 0")
}
