package store

import "strings"

// Setting reads a setting as text, or the given default.
func (r *Reader) Setting(key, otherwise string) (value string, err error) {
	value = otherwise
	_, err = r.one("SELECT v FROM meta WHERE k = ?", func(row Row) error { value = row.Text(0); return nil }, "set."+key)
	return value, err
}

// SetSetting keeps a setting.
func (t *Tx) SetSetting(key, value string) error {
	return t.exec("INSERT INTO meta(k, v) VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v = excluded.v", "set."+key, value)
}

// Number reads a figure that this machine keeps about itself: inc, port and the like; 0 when there is none.
func (r *Reader) Number(key string) (n int64, err error) {
	_, err = r.one("SELECT v FROM meta WHERE k = ?", func(row Row) error { n = row.Int(0); return nil }, key)
	return n, err
}

// SetNumber keeps such a figure.
func (t *Tx) SetNumber(key string, n int64) error {
	return t.exec("INSERT INTO meta(k, v) VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v = excluded.v", key, n)
}

// Secret reads one of the secrets: words, device, host; nil when erased.
func (r *Reader) Secret(key string) (v []byte, err error) {
	_, err = r.one("SELECT v FROM secrets WHERE k = ?", func(row Row) error { v = row.Bytes(0); return nil }, key)
	return v, err
}

// SetSecret keeps a secret; nil erases it.
func (t *Tx) SetSecret(key string, v []byte) error {
	if v == nil {
		return t.exec("DELETE FROM secrets WHERE k = ?", key)
	}
	return t.exec("INSERT INTO secrets(k, v) VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v = excluded.v", key, v)
}

// CountRefused adds to the count of what was refused for a cause.
func (t *Tx) CountRefused(cause string, n uint64, now int64) error {
	return t.exec("INSERT INTO refused(cause, n, last_at) VALUES(?,?,?) ON CONFLICT(cause) DO UPDATE SET n = n + excluded.n, last_at = excluded.last_at", cause, n, now)
}

// RefusedCounts returns what was refused since the profile was made, by cause.
func (r *Reader) RefusedCounts() (map[string]uint64, error) {
	all := map[string]uint64{}
	err := r.each("SELECT cause, n FROM refused", func(row Row) error { all[row.Text(0)] = row.Uint(1); return nil })
	return all, err
}

// Notice is what a person must know until they have dealt with it.
type Notice struct {
	Code, Subject string // Code holds no dot
	At            int64  // ms
}

// AddNotice keeps a notice, once for each code and subject.
func (t *Tx) AddNotice(n Notice) error {
	return t.exec("INSERT INTO meta(k, v) VALUES(?,?) ON CONFLICT(k) DO UPDATE SET v = excluded.v", noticeKey(n.Code, n.Subject), n.At)
}

// DropNotice forgets one.
func (t *Tx) DropNotice(code, subject string) error {
	return t.exec("DELETE FROM meta WHERE k = ?", noticeKey(code, subject))
}

// Notices lists them by code and subject.
func (r *Reader) Notices() (all []Notice, err error) {
	err = r.each("SELECT k, v FROM meta WHERE k >= 'note.' AND k < 'note/' ORDER BY k", func(row Row) error {
		code, subject, _ := strings.Cut(strings.TrimPrefix(row.Text(0), "note."), ".")
		all = append(all, Notice{code, subject, row.Int(1)})
		return nil
	})
	return all, err
}

func noticeKey(code, subject string) string { return "note." + code + "." + subject }

// AddRunning counts the time for which we have been running, in ms.
func (t *Tx) AddRunning(ms int64) error {
	return t.exec("UPDATE meta SET v = v + ? WHERE k = 'ran'", ms)
}
