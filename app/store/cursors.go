package store

// Cursor is the last HAVE of a device for a log of ours.
type Cursor struct {
	Log, Device          int64
	Stored, Opened, Read int64
	HeadK                int64
	HeadDigest           []byte
	At                   int64
	Refused              int64 // reason, 0 none
}

const cursorColumns = "log, device, stored, opened, read, head_k, head_digest, at, coalesce(refused, 0)"

func scanCursor(c *Cursor) func(Row) error {
	return func(r Row) error {
		*c = Cursor{r.Int(0), r.Int(1), r.Int(2), r.Int(3), r.Int(4), r.Int(5), r.Bytes(6), r.Int(7), r.Int(8)}
		return nil
	}
}

// Cursor returns what a device has confirmed of a log; zeros with HeadK -1 before its first HAVE.
func (r *Reader) Cursor(log, device int64) (c Cursor, err error) {
	c = Cursor{Log: log, Device: device, HeadK: -1}
	_, err = r.one("SELECT "+cursorColumns+" FROM cursors WHERE log = ? AND device = ?", scanCursor(&c), log, device)
	return c, err
}

// Cursors lists what everybody has confirmed of a log.
func (r *Reader) Cursors(log int64) (all []Cursor, err error) {
	err = r.each("SELECT "+cursorColumns+" FROM cursors WHERE log = ? ORDER BY device", func(row Row) error {
		var c Cursor
		err := scanCursor(&c)(row)
		all = append(all, c)
		return err
	}, log)
	return all, err
}

// SetCursor keeps what a device has confirmed.
func (t *Tx) SetCursor(c Cursor) error {
	var refused any
	if c.Refused != 0 {
		refused = c.Refused
	}
	return t.exec("INSERT INTO cursors(log, device, stored, opened, read, head_k, head_digest, at, refused) VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(log, device) DO UPDATE SET stored=excluded.stored, opened=excluded.opened, read=excluded.read, head_k=excluded.head_k, head_digest=excluded.head_digest, at=excluded.at, refused=excluded.refused",
		c.Log, c.Device, c.Stored, c.Opened, c.Read, c.HeadK, c.HeadDigest, c.At, refused)
}

// Owing lists the logs of ours in rooms of a device's account of which it has not confirmed everything.
func (r *Reader) Owing(device, account int64) ([]Log, error) {
	return r.logs("SELECT "+logColumns+` FROM members m JOIN logs l ON l.room = m.room AND l.seed IS NOT NULL
		LEFT JOIN cursors c ON c.log = l.id AND c.device = ?1
		WHERE m.account = ?2 AND m.role > 0 AND l.size > coalesce(c.stored, 0) AND c.refused IS NULL ORDER BY l.id`, device, account)
}
