package store

import (
	"context"
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// Reader reads one state of the store. It is valid while the function runs that it was given to, and on its goroutine.
type Reader struct {
	s *Store
	c *conn
}

// each calls scan for every row of query, in order, until scan returns an error. Queries are constants, values are bound:
// nil, int, int64, uint64 below 2^63, uint32, uint8, bool, string or []byte.
func (r *Reader) each(query string, scan func(row Row) error, args ...any) error {
	st, err := r.c.take(query)
	if err != nil {
		return err
	}
	defer r.c.put(query, st)
	if err := bind(st, args); err != nil {
		return err
	}
	for st.Step() {
		if err := scan(Row{st}); err != nil {
			return err
		}
	}
	return st.Err()
}

// one calls scan for the first row of query and reports whether there was one.
func (r *Reader) one(query string, scan func(row Row) error, args ...any) (found bool, err error) {
	st, err := r.c.take(query)
	if err != nil {
		return false, err
	}
	defer r.c.put(query, st)
	if err := bind(st, args); err != nil {
		return false, err
	}
	if !st.Step() {
		return false, st.Err()
	}
	return true, scan(Row{st})
}

// Row is the current row of a query. Columns count from 0; a column of another type is converted as SQLite does.
type Row struct{ st *sqlite3.Stmt }

// Int is an integer column, 0 for NULL.
func (r Row) Int(i int) int64 { return r.st.ColumnInt64(i) }

// Uint is an integer column that was bound as an unsigned number.
func (r Row) Uint(i int) uint64 { return uint64(r.st.ColumnInt64(i)) }

// Bool is an integer column, true when it is not 0.
func (r Row) Bool(i int) bool { return r.st.ColumnInt64(i) != 0 }

// Text is a text column, "" for NULL.
func (r Row) Text(i int) string { return r.st.ColumnText(i) }

// Bytes is a copy of a blob column: nil for NULL, not nil when it is empty.
func (r Row) Bytes(i int) []byte {
	if r.Null(i) {
		return nil
	}
	return append([]byte{}, r.st.ColumnRawBlob(i)...)
}

// Null reports whether a column is NULL.
func (r Row) Null(i int) bool { return r.st.ColumnType(i) == sqlite3.NULL }

// View calls fn with the newest committed state, which does not change while fn runs. Two can run at once; a third waits.
// fn must not call View or Update. When ctx ends, the query that runs is interrupted and the error is that of ctx.
func (s *Store) View(ctx context.Context, fn func(r *Reader) error) (err error) {
	p, err := s.takeReader(ctx)
	if err != nil {
		return err
	}
	defer s.putReader(p)
	defer s.guard(&err, p)
	err = s.view(ctx, p, fn)
	if ctx.Err() != nil && errors.Is(err, sqlite3.INTERRUPT) {
		return ctx.Err()
	}
	return s.diagnose(err)
}

func (s *Store) view(ctx context.Context, p *place, fn func(r *Reader) error) error {
	if p.conn == nil {
		c, err := s.dial(s.role())
		if err != nil {
			return err
		}
		p.conn = c
	}
	c := p.conn
	if err := s.snapshot(c); err != nil {
		return err
	}
	old := c.SetInterrupt(ctx)
	err := fn(&Reader{s, c})
	c.SetInterrupt(old)
	if e := c.run("ROLLBACK"); err == nil {
		err = e
	}
	return err
}

// role is what a View needs: with a single connection it is the writer's.
func (s *Store) role() role {
	if s.cfg.Single {
		return writing
	}
	return reading
}

// snapshot begins a reading transaction. What it sees is fixed by its first query, so that is made here, while no commit
// is between its sync and its anchor: nobody reads a segment of ours that the anchor does not know.
func (s *Store) snapshot(c *conn) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if err := c.run("BEGIN"); err != nil {
		return err
	}
	err := c.run("SELECT 1 FROM meta WHERE k = 'commits'")
	if err != nil {
		c.run("ROLLBACK")
	}
	return err
}

// place holds a connection that can be replaced.
type place struct {
	conn   *conn // nil: to be opened
	broken bool  // to be closed
}

// mend closes a broken connection; the next use opens another.
func (p *place) mend() {
	if p.broken && p.conn != nil {
		p.conn.close()
		p.conn = nil
	}
	p.broken = false
}

// guard turns the driver's panic on out-of-memory, which it raises where a damaged file names sizes that cannot be, into
// damage. Any other panic goes on, with the connection given up.
func (s *Store) guard(err *error, p *place) {
	r := recover()
	if r == nil {
		return
	}
	p.broken = true
	e, ok := r.(error)
	if !ok || !strings.HasPrefix(e.Error(), "sqlite3: ") {
		panic(r)
	}
	*err = &DamagedError{s.header.Live, RemedyRestore, e}
}

func (s *Store) takeReader(ctx context.Context) (*place, error) {
	if s.cfg.Single {
		s.connMu.Lock()
		if s.ended {
			s.connMu.Unlock()
			return nil, ErrClosed
		}
		return &s.writer, nil
	}
	select {
	case p, ok := <-s.readers:
		if !ok {
			return nil, ErrClosed
		}
		return p, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) putReader(p *place) {
	p.mend()
	if s.cfg.Single {
		s.connMu.Unlock()
		return
	}
	s.readers <- p
}
