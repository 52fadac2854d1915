package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/app/store/sealvfs"
)

// image is what lies on a disk.
type image map[string][]byte

func (m image) clone() image {
	c := image{}
	for name, b := range m {
		c[name] = bytes.Clone(b)
	}
	return c
}

// find returns the file whose name ends in suffix.
func (m image) find(t *testing.T, suffix string) string {
	t.Helper()
	for name := range m {
		if strings.HasSuffix(name, suffix) {
			return name
		}
	}
	t.Fatalf("no file ends in %s", suffix)
	return ""
}

func snapshot(fs *crashfs.FS) image {
	m := image{}
	for _, name := range fs.Files() {
		m[name] = fs.Bytes(name)
	}
	return m
}

// open opens what is on m; the disk is a new one.
func (m image) open(key []byte) (*Store, error) {
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	for name, b := range m {
		fs.Put(name, b)
	}
	return OpenKey(context.Background(), Config{Dir: "/profile", FS: fs, Single: true}, key)
}

// history is a store at four moments: closed, closed again after many rows were written anew, then with commits in the log,
// and closed after more of them.
type history struct {
	early, late, logged, final image
	rows                       int // in late
	more                       int // and in logged
}

func makeHistory(t *testing.T) history {
	t.Helper()
	g := newRig(t, seed(), true)
	h := history{rows: 300, more: 40}
	r := rand.New(rand.NewSource(seed()))
	write := func(s *Store, from, n int) {
		for id := from; id < from+n; id++ {
			body := make([]byte, r.Intn(900))
			if id%40 == 0 {
				body = make([]byte, 9000)
			}
			r.Read(body)
			err := s.UpdateOwn(context.Background(), func(tx *Tx) error { return insertRow(tx, int64(id), body) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	s := mustOpen(t, g.cfg)
	write(s, 1, h.rows/2)
	mustClose(t, s)
	h.early = snapshot(g.fs)
	s = mustOpen(t, g.cfg)
	write(s, 1+h.rows/2, h.rows/2)
	err := s.Update(context.Background(), func(tx *Tx) error {
		return tx.exec("UPDATE test_rows SET body = zeroblob(10), sum = x'00' WHERE id % 3 = 0")
	})
	if err == nil {
		err = s.Update(context.Background(), func(tx *Tx) error {
			for id := int64(3); id <= int64(h.rows); id += 3 {
				sum := rowSum(id, make([]byte, 10))
				if err := tx.exec("UPDATE test_rows SET sum = ? WHERE id = ?", sum[:], id); err != nil {
					return err
				}
			}
			return tx.Audit(2, nil, "changed")
		})
	}
	if err == nil { // no free pages: they hold nothing, and nobody reads them
		err = s.Update(context.Background(), func(tx *Tx) error {
			return tx.each("PRAGMA incremental_vacuum(1000)", func(Row) error { return nil })
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	h.late = snapshot(g.fs)
	s = mustOpen(t, g.cfg)
	s.checkpointAt = 1 << 30
	write(s, 1+h.rows, h.more)
	h.logged = snapshot(g.fs)
	write(s, 1+h.rows+h.more, h.more)
	mustClose(t, s)
	h.final = snapshot(g.fs)
	return h
}

// verdict is what a store did that somebody had written to.
type verdict uint8

const (
	refused  verdict = iota // with an error
	alarmed                 // served what was written, perhaps not all of it, and raised the alarm
	unharmed                // served all of it
)

// look opens an image and reads everything. What is served and was not written so, or is missing without an alarm, fails
// the test.
func look(t *testing.T, what string, m image, rows int) verdict {
	t.Helper()
	s, err := m.open(wordsKey)
	if err != nil {
		mustName(t, what, err)
		return refused
	}
	defer s.Close()
	got, err := readRows(s)
	if err == nil {
		err = s.VerifyAudit(context.Background())
	}
	if err == nil {
		err = checkAll(s)
	}
	switch {
	case err != nil && s.Rolled():
		return alarmed
	case err != nil:
		mustName(t, what, err)
		return refused
	case s.Rolled():
		return alarmed
	case len(got) != rows:
		t.Errorf("%s: %d rows of %d are served without a word", what, len(got), rows)
	}
	return unharmed
}

// checkAll has the store check its whole file.
func checkAll(s *Store) error {
	s.upkeepMu.Lock()
	s.upkeep = upkeep{check: true}
	s.upkeepMu.Unlock()
	for more := true; more; {
		var err error
		if more, err = s.Maintain(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// mustName fails the test when a refusal does not say which file is concerned.
func mustName(t *testing.T, what string, err error) {
	t.Helper()
	var d *DamagedError
	var f *ForeignError
	if !errors.As(err, &d) && !errors.As(err, &f) && !errors.Is(err, ErrNewer) {
		t.Errorf("%s: refused with %v", what, err)
	}
}

func TestNoFlippedByteIsServed(t *testing.T) {
	h := makeHistory(t)
	r := rand.New(rand.NewSource(seed()))
	for _, row := range []struct {
		name   string
		image  image
		suffix string
		rows   int
		flips  int
	}{
		{"main file", h.late, ".db", h.rows, 250},
		{"log", h.logged, ".db-wal", h.rows + h.more, 200},
		{"anchor", h.late, anchorName, h.rows, 20},
		{"header", h.late, headerName, h.rows, 20},
		{"page versions", h.late, ".cqv", h.rows, 20},
	} {
		name := row.image.find(t, row.suffix)
		if row.name == "page versions" {
			name = filepath.Join("/profile", pagesOf(row.image))
		}
		var count [3]int
		for range rounds(row.flips) {
			m := row.image.clone()
			at, mask := r.Intn(len(m[name])), byte(1+r.Intn(255))
			m[name][at] ^= mask
			count[look(t, row.name, m, row.rows)]++
		}
		t.Logf("%s: %d refused, %d with the alarm, %d harmless", row.name, count[refused], count[alarmed], count[unharmed])
		if main := row.suffix == ".db"; main && count[refused] != rounds(row.flips) {
			t.Errorf("%s: not all refused", row.name)
		}
		if row.suffix == ".db-wal" && count[unharmed] > 0 {
			t.Errorf("%s: %d not noticed", row.name, count[unharmed])
		}
	}
}

// pagesOf is the name of the saved map.
func pagesOf(m image) string {
	for name := range m {
		if strings.HasPrefix(filepath.Base(name), "pages-") {
			return filepath.Base(name)
		}
	}
	return ""
}

func TestNoOldPageIsServed(t *testing.T) {
	h := makeHistory(t)
	name := h.late.find(t, ".db")
	old, good := h.early[name], h.late[name]
	tried := 0
	for at := 0; at < len(old); at += sealvfs.PageSize {
		if bytes.Equal(old[at:at+sealvfs.PageSize], good[at:at+sealvfs.PageSize]) {
			continue
		}
		tried++
		m := h.late.clone()
		copy(m[name][at:], old[at:at+sealvfs.PageSize])
		if got := look(t, "old page", m, h.rows); got != refused {
			t.Errorf("old page %d: %d", at/sealvfs.PageSize, got)
		}
	}
	if t.Logf("%d old pages", tried); tried < 20 {
		t.Error("too few were tried")
	}
}

func TestADatabaseThatWentBackRaisesTheAlarm(t *testing.T) {
	h := makeHistory(t)
	db, wal := h.late.find(t, ".db"), h.logged.find(t, ".db-wal")
	frame := (len(h.logged[wal]) - 100) / (h.more * 3)
	for _, row := range []struct {
		name   string
		from   image
		change func(m image)
		want   verdict
	}{
		{"nothing", h.late, func(image) {}, unharmed},
		{"nothing, and a log", h.logged, func(image) {}, unharmed},
		{"the file of an earlier close", h.late, func(m image) { m[db] = h.early[db] }, alarmed},
		{"that file beside a later run", h.logged, func(m image) { m[db] = h.early[db]; delete(m, wal) }, alarmed},
		{"a log that is gone", h.logged, func(m image) { delete(m, wal) }, alarmed},
		{"a log cut in half", h.logged, func(m image) { m[wal] = m[wal][:len(m[wal])/2] }, alarmed},
		{"the newest commit cut off", h.logged, func(m image) { m[wal] = m[wal][:len(m[wal])-frame] }, alarmed},
		{"a log of an earlier run", h.final, func(m image) { m[wal] = h.logged[wal] }, refused},
		{"an anchor that is gone", h.late, func(m image) { delete(m, "/profile/"+anchorName) }, alarmed},
		{"an anchor of zeros", h.late, func(m image) { clear(m["/profile/"+anchorName]) }, alarmed},
		{"an anchor cut short", h.late, func(m image) { m["/profile/"+anchorName] = m["/profile/"+anchorName][:700] }, alarmed},
		{"page versions that are gone", h.late, func(m image) { delete(m, "/profile/"+pagesOf(m)) }, alarmed},
		{"file and anchor of an earlier close: nobody can tell", h.late, func(m image) {
			clear(m)
			for name, b := range h.early {
				m[name] = b
			}
		}, unharmed},
	} {
		m := row.from.clone()
		row.change(m)
		rows := h.rows
		if _, log := m[wal]; log {
			rows += h.more
		}
		if strings.HasSuffix(row.name, "nobody can tell") {
			rows = h.rows / 2
		}
		if got := look(t, row.name, m, rows); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

func TestTheAlarmStaysUntilItIsAcknowledged(t *testing.T) {
	h := makeHistory(t)
	m := h.late.clone()
	delete(m, "/profile/"+anchorName)
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	for name, b := range m {
		fs.Put(name, b)
	}
	cfg := Config{Dir: "/profile", FS: fs, Single: true}
	ctx := context.Background()
	for k, end := range []func(s *Store){
		func(s *Store) { s.Close() },
		func(s *Store) { fs.CutPowerAfter(1); put(s, "x", 1); s.Close(); fs.Crash() },
		func(s *Store) {
			err := s.Update(ctx, func(tx *Tx) error {
				tx.Acknowledge()
				return errors.New("no")
			})
			if err == nil || !s.Rolled() {
				t.Error("acknowledged by a transaction that was rolled back")
			}
			s.Close()
		},
		func(s *Store) {
			err := s.Update(ctx, func(tx *Tx) error {
				tx.Acknowledge()
				return tx.exec("INSERT OR REPLACE INTO meta(k, v) VALUES('inc', 5)")
			})
			if err != nil || s.Rolled() {
				t.Errorf("Acknowledge: %v, still %v", err, s.Rolled())
			}
			fs.CutPowerAfter(1)
			s.Close()
			fs.Crash()
		},
	} {
		s := mustOpen(t, cfg)
		if !s.Rolled() {
			t.Fatalf("opening %d: no alarm", k)
		}
		rolled := 0
		s.View(ctx, func(r *Reader) error {
			rows, err := r.Audit(100)
			for _, a := range rows {
				if a.Kind == AuditRolled {
					rolled++
				}
			}
			return err
		})
		if rolled != 1 {
			t.Errorf("opening %d: %d rows in the audit log, want 1", k, rolled)
		}
		end(s)
	}
	if s := mustOpen(t, cfg); s.Rolled() {
		t.Error("the alarm came back after it was acknowledged")
	}
}

func TestTheKeyOfOneVaultOpensNoFileOfAnother(t *testing.T) {
	a, b := makeHistory(t).late, makeHistory(t).late // same key of the words, other data key
	m := a.clone()
	m[a.find(t, ".db")] = b[b.find(t, ".db")]
	if _, err := m.open(wordsKey); err == nil {
		t.Error("the database of another vault opens")
	}
	m = a.clone()
	m["/profile/"+anchorName] = b["/profile/"+anchorName]
	if got := look(t, "anchor of another vault", m, 300); got != alarmed {
		t.Errorf("anchor of another vault: %d", got)
	}
}
