package store

// Tx changes the store. It is valid while the function runs that it was given to, and on the goroutine that runs it, which
// need not be the caller's.
type Tx struct {
	Reader
	j     *job
	audit head // of the audit log, with what this batch appended
}

// exec executes a statement; arguments are as for each.
func (t *Tx) exec(query string, args ...any) error { return t.c.run(query, args...) }

// insert executes an INSERT and returns the row's id.
func (t *Tx) insert(query string, args ...any) (rowid int64, err error) {
	if err := t.c.run(query, args...); err != nil {
		return 0, err
	}
	return t.c.LastInsertRowID(), nil
}

// changes is how many rows the last statement inserted, changed or deleted.
func (t *Tx) changes() int64 { return t.c.Changes() }

// OnCommit runs f after the transaction is durable, before Update returns, in the order of the calls and with no other
// transaction begun; not when it is rolled back. It runs also when Update then returns ErrAnchor. f must not call the
// store.
func (t *Tx) OnCommit(f func()) { t.j.hooks = append(t.j.hooks, f) }

// Acknowledge takes back the alarm that Rolled reports, once this transaction is durable. It belongs into the transaction
// that writes the new inc and ends the logs that may have gone back.
func (t *Tx) Acknowledge() { t.j.acknowledges = true }
