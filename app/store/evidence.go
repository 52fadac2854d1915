package store

// Evidence is a proof of misbehaviour.
type Evidence struct {
	ID      []byte // 16 bytes
	Kind    int
	Room    int64  // 0: of no room
	Accused Digest // the log, or the account
	Raw     []byte
	At      int64
}

// AddEvidence keeps a proof, which the caller checked, and reports whether it is new.
func (t *Tx) AddEvidence(e Evidence) (bool, error) {
	var room any
	if e.Room != 0 {
		room = e.Room
	}
	err := t.exec("INSERT INTO evidence(id, kind, room, accused, raw, at) VALUES(?,?,?,?,?,?) ON CONFLICT DO NOTHING", e.ID, e.Kind, room, e.Accused[:], e.Raw, e.At)
	return t.changes() > 0, err
}

// CountEvidence counts the proofs of a kind against an account or a log.
func (r *Reader) CountEvidence(kind int, accused Digest) (n int64, err error) {
	_, err = r.one("SELECT count(*) FROM evidence WHERE kind = ? AND accused = ?", func(row Row) error { n = row.Int(0); return nil }, kind, accused[:])
	return n, err
}

// EvidenceIDs lists the ids of the proofs about a room, sorted.
func (r *Reader) EvidenceIDs(room int64) (ids [][]byte, err error) {
	err = r.each("SELECT id FROM evidence WHERE room = ? ORDER BY id", func(row Row) error { ids = append(ids, row.Bytes(0)); return nil }, room)
	return ids, err
}

// Evidence returns a proof.
func (r *Reader) Evidence(id []byte) (raw []byte, err error) {
	_, err = r.one("SELECT raw FROM evidence WHERE id = ?", func(row Row) error { raw = row.Bytes(0); return nil }, id)
	return raw, err
}
