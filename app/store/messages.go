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
}

// FlagGrey marks a message that does not count.
const FlagGrey = 4

const messageColumns = `m.id, m.room, m.sort, m.tie, e.log, m.idx, l.log_id, m.sender, m.kind, m.flags, m.sent_at, m.recv_at, coalesce(m.body, ''), m.payload,
	coalesce(m.reply_log, 0), coalesce(m.reply_idx, 0), l.fork_k IS NOT NULL AND e.k >= l.fork_k, m.sender = 1, l.seed IS NOT NULL, coalesce(m.hold_until, 0)`

const messageTables = " FROM messages m JOIN entries e ON e.id = m.id JOIN logs l ON l.id = e.log "

func scanMessage(m *Message) func(Row) error {
	return func(r Row) error {
		*m = Message{
			Row: r.Int(0), Room: r.Int(1), Sort: r.Int(2), Tie: r.Int(3), Log: r.Int(4), Index: r.Int(5), LogID: Digest(r.Bytes(6)), Sender: r.Int(7),
			Kind: int(r.Int(8)), Flags: r.Int(9), SentAt: r.Int(10), ReceiveAt: r.Int(11), Body: r.Text(12), Payload: r.Bytes(13),
			ReplyLog: r.Int(14), ReplyIdx: r.Int(15), Forked: r.Bool(16), Own: r.Bool(17), Here: r.Bool(18), Hold: r.Int(19),
		}
		return nil
	}
}

// AddMessage inserts the readable form of an entry, whose row it shares. hold keeps it off the screen until that time, 0 shows it.
func (t *Tx) AddMessage(m Message) error {
	var hold, replyLog, replyIdx any
	if m.Hold != 0 {
		hold = m.Hold
	}
	if m.ReplyLog != 0 {
		replyLog, replyIdx = m.ReplyLog, m.ReplyIdx
	}
	var body any
	if m.Payload == nil {
		body = m.Body
	}
	return t.exec("INSERT INTO messages(id, room, sort, tie, idx, sender, kind, flags, sent_at, recv_at, body, payload, reply_log, reply_idx, hold_until) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		m.Row, m.Room, m.Sort, m.Tie, m.Index, m.Sender, m.Kind, m.Flags, m.SentAt, m.ReceiveAt, body, m.Payload, replyLog, replyIdx, hold)
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

// MessagesSince lists up to limit messages that were stored after a row, in the order in which they came.
func (r *Reader) MessagesSince(room, row int64, limit int, now int64) ([]Message, error) {
	return r.messages("SELECT "+messageColumns+messageTables+"WHERE m.room = ?1 AND m.id > ?2 AND (m.hold_until IS NULL OR m.hold_until <= ?3 OR m.hold_until > ?3 + 60000) ORDER BY m.id LIMIT ?4", room, row, now, limit)
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

// Held lists the rooms of which a message showed after one time and until another.
func (r *Reader) Held(after, until int64) (rooms []Digest, err error) {
	err = r.each("SELECT DISTINCT r.uid FROM messages m JOIN rooms r ON r.id = m.room WHERE m.hold_until > ? AND m.hold_until <= ?", func(row Row) error {
		rooms = append(rooms, Digest(row.Bytes(0)))
		return nil
	}, after, until)
	return rooms, err
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

// MarkRead moves the read mark of a room to a place, counts what is unread behind it, and notes of each log of others how far
// it was read: all that this says of a log lies before the mark.
func (t *Tx) MarkRead(room, sort int64) error {
	err := t.exec(`UPDATE rooms SET read_sort = max(read_sort, ?2), unread = (SELECT count(*) FROM messages m
		WHERE m.room = ?1 AND m.sort > max(rooms.read_sort, ?2) AND m.sender <> 1) WHERE id = ?1`, room, sort)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE logs SET read = max(read, coalesce((SELECT s.size FROM segments s WHERE s.log = logs.id AND s.sort <= ?2 ORDER BY s.k DESC LIMIT 1), 0))
		WHERE room = ?1 AND seed IS NULL`, room, sort)
}

// CountQueued counts the messages of ours that no other device has confirmed.
func (r *Reader) CountQueued() (n int64, err error) {
	_, err = r.one(`SELECT count(*) FROM logs l JOIN rooms r ON r.id = l.room AND r.kind <> 3 JOIN entries e ON e.log = l.id JOIN messages m ON m.id = e.id
		WHERE l.seed IS NOT NULL AND l.size > coalesce((SELECT max(min(c.stored, c.opened)) FROM cursors c WHERE c.log = l.id), 0)
		AND e.idx >= coalesce((SELECT max(min(c.stored, c.opened)) FROM cursors c WHERE c.log = l.id), 0)`, func(row Row) error { n = row.Int(0); return nil })
	return n, err
}
