package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// Sizes of upkeep's steps.
const (
	indexStep  = 3000 // messages: 0.1 s, and the search index follows ten thousand a second
	vacuumStep = 256  // pages
	vacuumFrom = 1024 // free pages, 4 MB, below which giving them back is not worth the writing

	checkEvery = 7 * 24 * time.Hour
)

// upkeep is what Maintain remembers between steps.
type upkeep struct {
	check  bool     // a check of the whole file is due
	tables []string // still to be checked, while one is under way
}

// Maintain does one bounded step of upkeep and reports whether there is more to do: the anchor, when commits have waited
// for it; the search index, 3000 messages at a time; cutting off the log after something was erased; giving free pages
// back; and after an unclean end, or weekly, a check of the whole file, a table at a time, and of the audit log. Call it when idle, at least
// every few seconds. A check that finds damage returns a *DamagedError.
func (s *Store) Maintain(ctx context.Context) (more bool, err error) {
	s.upkeepMu.Lock()
	defer s.upkeepMu.Unlock()
	for _, step := range []func(context.Context) (did bool, err error){
		s.maintainAnchor, s.maintainLog, s.maintainIndex, s.maintainSpace, s.maintainCheck,
	} {
		if did, err := step(ctx); did || err != nil {
			return did, s.diagnose(err)
		}
	}
	return false, nil
}

func (s *Store) maintainAnchor(context.Context) (bool, error) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.ended {
		return false, ErrClosed
	}
	now := s.cfg.Now()
	if !s.anchor.soon(now) {
		return false, nil
	}
	return true, s.anchor.write(now)
}

// Flush writes the log back to the main file and cuts it off, when no View runs, and writes the anchor. The log may hold
// what was erased since; so it is due when the window is locked.
func (s *Store) Flush(ctx context.Context) error {
	s.connMu.Lock()
	s.cut = true
	s.connMu.Unlock()
	if _, err := s.maintainLog(ctx); err != nil {
		return s.diagnose(err)
	}
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if s.ended {
		return ErrClosed
	}
	return s.anchor.write(s.cfg.Now())
}

func (s *Store) maintainLog(context.Context) (did bool, err error) {
	s.connMu.Lock()
	defer s.connMu.Unlock()
	if !s.cut || s.writer.conn == nil {
		return false, nil
	}
	defer s.writer.mend()
	defer s.guard(&err, &s.writer)
	err = s.checkpoint(sqlite3.CHECKPOINT_TRUNCATE)
	return !s.cut, ignoreBusy(err)
}

// maintainIndex takes messages that wait into the search index. That is not done where they are stored, because it would
// halve the speed of receiving.
func (s *Store) maintainIndex(ctx context.Context) (bool, error) {
	var waiting bool
	err := s.View(ctx, func(r *Reader) (err error) {
		waiting, err = r.one("SELECT 1 FROM unindexed LIMIT 1", func(Row) error { return nil })
		return err
	})
	if err != nil || !waiting {
		return false, err
	}
	return true, s.Update(ctx, (*Tx).index)
}

// index is one step of the search index.
func (t *Tx) index() error {
	const some = "SELECT id FROM unindexed ORDER BY id LIMIT "
	n := strconv.Itoa(indexStep)
	if err := t.exec("INSERT INTO messages_fts(rowid, body) SELECT id, body FROM messages WHERE id IN (" + some + n + ")"); err != nil {
		return err
	}
	return t.exec("DELETE FROM unindexed WHERE id IN (" + some + n + ")")
}

func (s *Store) maintainSpace(ctx context.Context) (bool, error) {
	var free int64
	err := s.View(ctx, func(r *Reader) error {
		_, err := r.one("PRAGMA freelist_count", func(row Row) error {
			free = row.Int(0)
			return nil
		})
		return err
	})
	if err != nil || free < vacuumFrom {
		return false, err
	}
	return true, s.Update(ctx, func(tx *Tx) error {
		return tx.each("PRAGMA incremental_vacuum("+strconv.Itoa(vacuumStep)+")", func(Row) error { return nil })
	})
}

// maintainCheck checks one table, if a check is due.
func (s *Store) maintainCheck(ctx context.Context) (bool, error) {
	due, err := s.checkDue(ctx)
	if err != nil || !due {
		return false, err
	}
	u := &s.upkeep
	if u.tables == nil {
		u.tables, err = s.toCheck(ctx)
		return true, err
	}
	check := s.checkTable
	if u.tables[0] == auditLog {
		check = s.checkAudit
	}
	if err := check(ctx, u.tables[0]); err != nil {
		return false, err
	}
	if u.tables = u.tables[1:]; len(u.tables) > 0 {
		return true, nil
	}
	u.tables, u.check = nil, false
	return true, s.Update(ctx, func(tx *Tx) error {
		return tx.exec("INSERT OR REPLACE INTO meta(k, v) VALUES('checked', ?)", s.cfg.Now().UnixMilli())
	})
}

// toCheck names what a check goes through.
func (s *Store) toCheck(ctx context.Context) ([]string, error) {
	var names []string
	err := s.View(ctx, func(r *Reader) error {
		return r.each("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name", func(row Row) error {
			names = append(names, row.Text(0))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return append(names, auditLog), nil
}

func (s *Store) checkDue(ctx context.Context) (bool, error) {
	if s.upkeep.check {
		return true, nil
	}
	err := s.View(ctx, func(r *Reader) error {
		var last int64
		_, err := r.one("SELECT v FROM meta WHERE k = 'checked'", func(row Row) error {
			last = row.Int(0)
			return nil
		})
		s.upkeep.check = s.cfg.Now().UnixMilli()-last >= checkEvery.Milliseconds()
		return err
	})
	return s.upkeep.check, err
}

func (s *Store) checkTable(ctx context.Context, name string) error {
	var said string
	err := s.View(ctx, func(r *Reader) error {
		return r.each(`PRAGMA quick_check("`+strings.ReplaceAll(name, `"`, `""`)+`")`, func(row Row) error {
			if said == "" {
				said = row.Text(0)
			}
			return nil
		})
	})
	if err != nil || said == "ok" {
		return err
	}
	return &DamagedError{s.header.Live, RemedyRestore, fmt.Errorf("table %s: %s", name, said)}
}

// auditLog stands among the tables that are checked for the audit log as a whole; no table has this name.
const auditLog = ""

func (s *Store) checkAudit(ctx context.Context, _ string) error {
	err := s.VerifyAudit(ctx)
	if errors.Is(err, ErrAudit) {
		return &DamagedError{s.header.Live, RemedyRestore, err}
	}
	return err
}

func ignoreBusy(err error) error {
	if e, ok := err.(interface{ Temporary() bool }); ok && e.Temporary() {
		return nil
	}
	return err
}
