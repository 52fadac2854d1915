package store

// States of an entry.
const (
	EntryOpened  = 0
	EntryClosed  = 1 // its key has not come
	EntryGrey    = 2 // not accepted
	EntryErased  = 3
	EntryForeign = 4 // not for us
)

// Entry is one entry of a segment.
type Entry struct {
	Row, Log, Index, K int64
	Leaf               Digest
	Raw                []byte
	PRK                []byte
	State              int
}

const entryColumns = "id, log, idx, k, leaf, raw, prk, state"

func scanEntry(e *Entry) func(Row) error {
	return func(r Row) error {
		*e = Entry{r.Int(0), r.Int(1), r.Int(2), r.Int(3), Digest(r.Bytes(4)), r.Bytes(5), r.Bytes(6), int(r.Int(7))}
		return nil
	}
}

// Entries lists the entries of a log with first <= index < end.
func (r *Reader) Entries(log, first, end int64) ([]Entry, error) {
	return r.entries("SELECT "+entryColumns+" FROM entries WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx", log, first, end)
}

// Raws lists the bytes of the entries of a log with first <= index < end, without those that are here no more.
func (r *Reader) Raws(log, first, end int64) (raws [][]byte, err error) {
	err = r.each("SELECT raw FROM entries WHERE log = ? AND idx >= ? AND idx < ? AND raw IS NOT NULL ORDER BY idx", func(row Row) error {
		raws = append(raws, row.Bytes(0))
		return nil
	}, log, first, end)
	return raws, err
}

// ClosedEntries lists up to limit entries of a log that wait for a key, from an index on.
func (r *Reader) ClosedEntries(log, from int64, limit int) ([]Entry, error) {
	return r.entries("SELECT "+entryColumns+" FROM entries WHERE log = ? AND idx >= ? AND state = 1 ORDER BY idx LIMIT ?", log, from, limit)
}

func (r *Reader) entries(query string, args ...any) (all []Entry, err error) {
	err = r.each(query, func(row Row) error {
		var e Entry
		err := scanEntry(&e)(row)
		all = append(all, e)
		return err
	}, args...)
	return all, err
}

// AddEntry inserts an entry and returns its row.
func (t *Tx) AddEntry(e Entry) (int64, error) {
	return t.insert("INSERT INTO entries(log, idx, k, leaf, raw, prk, state) VALUES(?,?,?,?,?,?,?)", e.Log, e.Index, e.K, e.Leaf[:], e.Raw, e.PRK, e.State)
}

// OpenEntry keeps the only opening of an entry.
func (t *Tx) OpenEntry(row int64, prk []byte, state int) error {
	return t.exec("UPDATE entries SET prk = ?, state = ? WHERE id = ?", prk, state, row)
}

// FirstClosed is the index of the first entry at or after from, below end, that is not opened; end when all are.
func (r *Reader) FirstClosed(log, from, end int64) (index int64, err error) {
	index = end
	_, err = r.one("SELECT idx FROM entries WHERE log = ? AND state = 1 AND idx >= ? AND idx < ? ORDER BY idx LIMIT 1", func(row Row) error { index = row.Int(0); return nil }, log, from, end)
	return index, err
}
