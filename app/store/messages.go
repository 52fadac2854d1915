package store

// Message is one row of a thread.
type Message struct {
	Row, Room int64
	Sort, Tie int64
	Log       int64
	Index     int64
	LogID     Digest
	Sender    int64
	Kind      int
	Flags     int64
	SentAt    int64
	ReceiveAt int64
	Body      string
	Payload   []byte
	ReplyLog  int64
	ReplyIdx  int64
	Forked    bool // beyond the fork point of its log
	Own       bool // we wrote it
	Here      bool // in a log of which we have the key, not another copy of this profile
	Hold      int64
	Seen      int64 // its number in the order in which messages became visible, from the sequence of Row; in AddMessage 0: now, with its entry
}

// FlagGrey marks a message that does not count.
const FlagGrey = 4

const messageColumns = `m.id, m.room, m.sort, m.tie, e.log, m.idx, l.log_id, m.sender, m.kind, m.flags, m.sent_at, m.recv_at, coalesce(m.body, ''), m.payload,
	coalesce(m.reply_log, 0), coalesce(m.reply_idx, 0), l.fork_k IS NOT NULL AND e.k >= l.fork_k, m.sender = 1, l.seed IS NOT NULL, coalesce(m.hold_until, 0), coalesce(m.seen, m.id)`

const messageTables = " FROM messages m JOIN entries e ON e.id = m.id JOIN logs l ON l.id = e.log "

func scanMessage(m *Message) func(Row) error {
	return func(r Row) error {
		*m = Message{
			Row: r.Int(0), Room: r.Int(1), Sort: r.Int(2), Tie: r.Int(3), Log: r.Int(4), Index: r.Int(5), LogID: Digest(r.Bytes(6)), Sender: r.Int(7),
			Kind: int(r.Int(8)), Flags: r.Int(9), SentAt: r.Int(10), ReceiveAt: r.Int(11), Body: r.Text(12), Payload: r.Bytes(13),
			ReplyLog: r.Int(14), ReplyIdx: r.Int(15), Forked: r.Bool(16), Own: r.Bool(17), Here: r.Bool(18), Hold: r.Int(19), Seen: r.Int(20),
		}
		return nil
	}
}

// AddMessage inserts the readable form of an entry, whose row it shares. hold keeps it off the screen until that time, 0 shows it.
func (t *Tx) AddMessage(m Message) error {
	var hold, seen, replyLog, replyIdx any
	if m.Hold != 0 {
		hold = m.Hold
	} else if m.Seen != 0 {
		seen = m.Seen
	}
	if m.ReplyLog != 0 {
		replyLog, replyIdx = m.ReplyLog, m.ReplyIdx
	}
	var body any
	if m.Payload == nil {
		body = m.Body
	}
	return t.exec("INSERT INTO messages(id, room, sort, tie, idx, sender, kind, flags, sent_at, recv_at, body, payload, reply_log, reply_idx, hold_until, seen) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		m.Row, m.Room, m.Sort, m.Tie, m.Index, m.Sender, m.Kind, m.Flags, m.SentAt, m.ReceiveAt, body, m.Payload, replyLog, replyIdx, hold, seen)
}

// NoteMessage moves the room's newest place, and counts an unread one.
func (t *Tx) NoteMessage(room, sort int64, unread int) error {
	return t.exec("UPDATE rooms SET last_sort = max(last_sort, ?), unread = unread + ? WHERE id = ?", sort, unread, room)
}

// Key is the place of a message in its thread; the zero value stands before everything.
type Key struct{ Sort, Tie, Index int64 }

// A message is held back for seconds; one whose time lies further ahead was held before the clock was set back, and shows.

// MessagesBefore lists up to limit messages of a room that stand before a place, newest first, those still held back left out.
func (r *Reader) MessagesBefore(room int64, before Key, limit int, now int64) ([]Message, error) {
	return r.messages("SELECT "+messageColumns+messageTables+`WHERE m.room = ?1 AND (m.sort, m.tie, m.idx) < (?2, ?3, ?4) AND (m.hold_until IS NULL OR m.hold_until <= ?5 OR m.hold_until > ?5 + 60000)
		ORDER BY m.sort DESC, m.tie DESC, m.idx DESC LIMIT ?6`, room, before.Sort, before.Tie, before.Index, now, limit)
}

// MessagesAfter lists up to limit messages that stand behind a place, oldest first.
func (r *Reader) MessagesAfter(room int64, after Key, limit int, now int64) ([]Message, error) {
	return r.messages("SELECT "+messageColumns+messageTables+`WHERE m.room = ?1 AND (m.sort, m.tie, m.idx) > (?2, ?3, ?4) AND (m.hold_until IS NULL OR m.hold_until <= ?5 OR m.hold_until > ?5 + 60000)
		ORDER BY m.sort, m.tie, m.idx LIMIT ?6`, room, after.Sort, after.Tie, after.Index, now, limit)
}

// MessagesSince lists up to limit messages of a room that became visible after a number, in that order. Most have the number of
// their row, so that it costs what has come since in all rooms. What is held back has none until it is released.
func (r *Reader) MessagesSince(room, number int64, limit int) ([]Message, error) {
	return r.messages("SELECT "+messageColumns+messageTables+`WHERE m.id IN (
			SELECT id FROM (SELECT id FROM messages WHERE id > ?2 AND +room = ?1 AND seen IS NULL AND hold_until IS NULL ORDER BY id LIMIT ?3)
			UNION ALL SELECT id FROM (SELECT id FROM messages WHERE room = ?1 AND seen > ?2 ORDER BY seen LIMIT ?3))
		ORDER BY coalesce(m.seen, m.id) LIMIT ?3`, room, number, limit)
}

// LastSeen is the highest number that a message could have that is visible now.
func (r *Reader) LastSeen() (number int64, err error) {
	_, err = r.one("SELECT seq FROM sqlite_sequence WHERE name = 'entries'", func(row Row) error { number = row.Int(0); return nil })
	return number, err
}

// Numbers takes n numbers for messages that become visible later than their entries came, and returns the first.
func (t *Tx) Numbers(n int64) (first int64, err error) {
	_, err = t.one("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'entries' RETURNING seq", func(row Row) error { first = row.Int(0) - n + 1; return nil }, n)
	return first, err
}

// Message finds one by its log and index.
func (r *Reader) Message(log, index int64) (m Message, found bool, err error) {
	found, err = r.one("SELECT "+messageColumns+messageTables+"WHERE e.log = ? AND e.idx = ?", scanMessage(&m), log, index)
	return m, found, err
}

// LastMessage is the newest shown one of a room.
func (r *Reader) LastMessage(room, now int64) (m Message, found bool, err error) {
	found, err = r.one("SELECT "+messageColumns+messageTables+"WHERE m.room = ?1 AND (m.hold_until IS NULL OR m.hold_until <= ?2 OR m.hold_until > ?2 + 60000) ORDER BY m.sort DESC, m.tie DESC, m.idx DESC LIMIT 1", scanMessage(&m), room, now)
	return m, found, err
}

// NextHold is when the next held message shows, 0 when none waits.
func (r *Reader) NextHold(now int64) (at int64, err error) {
	_, err = r.one("SELECT coalesce(min(hold_until), 0) FROM messages WHERE hold_until > ?", func(row Row) error { at = row.Int(0); return nil }, now)
	return at, err
}

// overdue is what was held back and is shown at ?1 or before: it only waits for its number.
const overdue = " FROM messages m WHERE (m.hold_until <= ?1 OR m.hold_until > ?1 + 60000)"

// Overdue lists the rooms that have messages whose wait is over and that Release has not numbered.
func (r *Reader) Overdue(now int64) (rooms []Digest, err error) {
	err = r.each("SELECT uid FROM rooms WHERE id IN (SELECT m.room"+overdue+") ORDER BY id", func(row Row) error {
		rooms = append(rooms, Digest(row.Bytes(0)))
		return nil
	}, now)
	return rooms, err
}

// Release numbers the messages whose wait is over: from now on MessagesSince lists them.
func (t *Tx) Release(now int64) error {
	var ids []int64
	err := t.each("SELECT m.id"+overdue+" ORDER BY m.hold_until, m.id", func(row Row) error { ids = append(ids, row.Int(0)); return nil }, now)
	if err != nil || len(ids) == 0 {
		return err
	}
	number, err := t.Numbers(int64(len(ids)))
	for i, id := range ids {
		if err == nil {
			err = t.exec("UPDATE messages SET hold_until = NULL, seen = ? WHERE id = ?", number+int64(i), id)
		}
	}
	return err
}

func (r *Reader) messages(query string, args ...any) (all []Message, err error) {
	err = r.each(query, func(row Row) error {
		var m Message
		err := scanMessage(&m)(row)
		all = append(all, m)
		return err
	}, args...)
	return all, err
}

// countedExactly is how many messages between two marks are looked at to count those that were read; beyond it the logs say it.
const countedExactly = 1000

// MarkRead moves the read mark of a room to a place, takes from what is unread what lies before it, and notes of each log of
// others how far it was read.
func (t *Tx) MarkRead(room, sort int64) error {
	var from, last, unread int64
	_, err := t.one("SELECT read_sort, last_sort, unread FROM rooms WHERE id = ?", func(row Row) error {
		from, last, unread = row.Int(0), row.Int(1), row.Int(2)
		return nil
	}, room)
	if err != nil {
		return err
	}
	to := max(from, sort)
	behind, err := t.markLogs(room, to)
	if err != nil {
		return err
	}
	if to >= last {
		unread = 0
	} else if unread, err = t.unreadFrom(room, from, to, unread, behind); err != nil {
		return err
	}
	return t.exec("UPDATE rooms SET read_sort = ?, unread = ? WHERE id = ?", to, unread, room)
}

// unreadFrom is what stays unread when the mark moves: unread less what others wrote between, or, where much lies there, what is
// behind it.
func (r *Reader) unreadFrom(room, from, to, unread, behind int64) (int64, error) {
	var passed, theirs int64
	_, err := r.one("SELECT count(*), coalesce(sum(sender <> 1), 0) FROM (SELECT sender FROM messages WHERE room = ? AND sort > ? AND sort <= ? LIMIT ?)", func(row Row) error {
		passed, theirs = row.Int(0), row.Int(1)
		return nil
	}, room, from, to, countedExactly+1)
	if passed > countedExactly {
		return min(unread, behind), err
	}
	return max(0, unread-theirs), err
}

// markLogs notes of each log of others in a room that it was read up to a place, and returns how many opened entries of them lie
// behind it.
func (t *Tx) markLogs(room, sort int64) (behind int64, err error) {
	logs, err := t.Logs(room)
	if err != nil {
		return 0, err
	}
	for _, l := range logs {
		if l.Seed != nil {
			continue
		}
		s, found, err := t.newestWith(l.Row, func(s Segment) bool { return s.Sort <= sort })
		if err != nil {
			return 0, err
		}
		read := int64(0)
		if found {
			read = min(l.Opened, s.End)
		}
		behind += l.Opened - read
		if read <= l.Read {
			continue
		}
		if err := t.exec("UPDATE logs SET read = ? WHERE id = ?", read, l.Row); err != nil {
			return 0, err
		}
	}
	return behind, nil
}

// CountQueued counts the messages of ours that no other device has confirmed. What an own log holds beside messages stands in its
// first segment.
func (r *Reader) CountQueued() (n int64, err error) {
	_, err = r.one(`SELECT coalesce(sum(max(0, size - confirmed - (SELECT count(*) FROM entries e WHERE e.log = q.id AND e.idx >= confirmed AND e.idx < 64
			AND NOT EXISTS(SELECT 1 FROM messages m WHERE m.id = e.id)))), 0)
		FROM (SELECT l.id, l.size, coalesce((SELECT max(min(c.stored, c.opened)) FROM cursors c WHERE c.log = l.id), 0) AS confirmed
			FROM logs l JOIN rooms r ON r.id = l.room AND r.kind <> 3 WHERE l.seed IS NOT NULL) q`, func(row Row) error { n = row.Int(0); return nil })
	return n, err
}
