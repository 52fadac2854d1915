package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

// simulated is a store on a simulated disk, with one connection.
func simulated(t *testing.T) (*Store, *crashfs.FS) {
	t.Helper()
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	return mustCreate(t, Config{Dir: "/profile", FS: fs, Single: true, Now: func() time.Time { return time.Unix(1e9, 0) }}), fs
}

func commitCount(t *testing.T, s *Store) int64 {
	t.Helper()
	n, _ := get(t, s, "commits")
	return n
}

// crowd makes n updates wait behind one that runs, and returns their errors, in order, when all are done.
func crowd(t *testing.T, s *Store, n int, update func(i int) error) []error {
	t.Helper()
	running, release := make(chan struct{}), make(chan struct{})
	errs := make([]error, n)
	var all sync.WaitGroup
	all.Go(func() {
		err := s.Update(context.Background(), func(*Tx) error {
			close(running)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-running
	for i := range n {
		all.Go(func() { errs[i] = update(i) })
		for waiting(s) <= i {
			runtime.Gosched()
		}
	}
	close(release)
	all.Wait()
	return errs
}

func waiting(s *Store) int {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return len(s.queue.waiting)
}

func TestUpdatesThatWaitAreCommittedTogether(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	before := commitCount(t, s)
	errs := crowd(t, s, 100, func(i int) error { return put(s, fmt.Sprint("key ", i), i) })
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := commitCount(t, s) - before; got != 3 { // the one that ran, 64, 36
		t.Errorf("%d commits, want 3", got)
	}
	for i := range 100 {
		if v, found := get(t, s, fmt.Sprint("key ", i)); !found || v != int64(i) {
			t.Errorf("key %d = %d, %v", i, v, found)
		}
	}
}

func TestOneCallerMakesOneCommitForEachUpdate(t *testing.T) {
	s, _ := simulated(t)
	before := commitCount(t, s)
	for i := range 5 {
		if err := put(s, "a", i); err != nil {
			t.Fatal(err)
		}
	}
	if got := commitCount(t, s) - before; got != 5 {
		t.Errorf("%d commits, want 5", got)
	}
}

func TestAnErrorInAGroupUndoesNothingOfTheOthers(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	wrong := errors.New("wrong")
	errs := crowd(t, s, 9, func(i int) error {
		return s.Update(context.Background(), func(tx *Tx) error {
			if err := tx.exec("INSERT INTO meta(k, v) VALUES(?, 1)", fmt.Sprint("key ", i)); err != nil {
				return err
			}
			if err := tx.Audit(2, nil, fmt.Sprint("row ", i)); err != nil {
				return err
			}
			switch i % 3 {
			case 1:
				return wrong
			case 2: // an error of SQLite
				return tx.exec("INSERT INTO meta(k, v) VALUES('commits', 1)")
			}
			return nil
		})
	})
	for i, err := range errs {
		_, found := get(t, s, fmt.Sprint("key ", i))
		if good := i%3 == 0; good != (err == nil) || good != found {
			t.Errorf("update %d: %v, found %v", i, err, found)
		}
	}
	if err := s.VerifyAudit(context.Background()); err != nil {
		t.Error(err)
	}
	var rows []AuditRow
	s.View(context.Background(), func(r *Reader) (err error) {
		rows, err = r.Audit(10)
		return err
	})
	if len(rows) != 3 || rows[0].Detail != "row 6" || rows[2].Detail != "row 0" {
		t.Errorf("audit log: %+v", rows)
	}
}

func TestAnUpdateWhoseTimeRanOutBeforeItsTurnDoesNotRun(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(context.Background())
	errs := crowd(t, s, 3, func(i int) error {
		if i != 1 {
			return put(s, fmt.Sprint("key ", i), i)
		}
		done := make(chan error)
		go func() { done <- s.Update(ctx, func(*Tx) error { t.Error("it ran"); return nil }) }()
		for waiting(s) <= i {
			runtime.Gosched()
		}
		cancel()
		err := <-done
		return errors.Join(err, put(s, "key 1", 1))
	})
	if !errors.Is(errs[1], context.Canceled) || errs[0] != nil || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
}

func TestALeaderWhoseTimeRanOutFinishesForTheOthers(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	err := s.Update(ctx, func(tx *Tx) error {
		go func() { done <- put(s, "b", 2) }()
		for waiting(s) == 0 {
			runtime.Gosched()
		}
		cancel()
		return tx.exec("INSERT INTO meta(k, v) VALUES('a', 1)")
	})
	if err != nil {
		t.Errorf("Update = %v: its turn had come", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	for k, want := range map[string]int64{"a": 1, "b": 2} {
		if v, _ := get(t, s, k); v != want {
			t.Errorf("%s = %d, want %d", k, v, want)
		}
	}
}

func TestAPanicGoesToTheCallerAndLeavesTheStoreUsable(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	var other error
	var all sync.WaitGroup
	func() {
		defer func() {
			if r := recover(); r != "mine" {
				t.Errorf("recovered %v", r)
			}
		}()
		s.Update(context.Background(), func(*Tx) error {
			all.Go(func() { other = put(s, "b", 1) })
			for waiting(s) == 0 {
				runtime.Gosched()
			}
			panic("mine")
		})
	}()
	all.Wait()
	if other != nil {
		t.Errorf("the update after it: %v", other)
	}
	if err := put(s, "c", 1); err != nil {
		t.Error(err)
	}
	if _, found := get(t, s, "b"); !found {
		t.Error("b is not there")
	}
}

func TestNobodyIsToldBeforeTheSync(t *testing.T) {
	s, fs := simulated(t)
	wal := filepath.Join("/profile", s.header.Live+"-wal")
	var last []crashfs.Event
	fs.Trace(func(e crashfs.Event) { last = append(last, e) })
	for _, own := range []bool{false, true} {
		last = nil
		told := false
		update := s.Update
		if own {
			update = s.UpdateOwn
		}
		err := update(context.Background(), func(tx *Tx) error {
			tx.OnCommit(func() {
				told = true
				if n := fs.Unsynced(wal); n > 0 {
					t.Errorf("own %v: told with %d writes not synced", own, n)
				}
				if fs.Unsynced("/profile/"+anchorName) > 0 {
					t.Errorf("own %v: told before the anchor was synced", own)
				}
				log := slices.Index(last, crashfs.Event{Op: crashfs.Sync, Name: wal})
				anchor := slices.Index(last, crashfs.Event{Op: crashfs.Sync, Name: "/profile/" + anchorName})
				if log < 0 || own && anchor < log {
					t.Errorf("own %v: synced log at %d, anchor at %d, of %v", own, log, anchor, last)
				}
			})
			return tx.exec("INSERT OR REPLACE INTO meta(k, v) VALUES('a', 1)")
		})
		if err != nil || !told {
			t.Errorf("own %v: %v, told %v", own, err, told)
		}
	}
}

func TestHooksRunInOrderAndOnlyForWhatIsDurable(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	var mu sync.Mutex
	var told []int
	errs := crowd(t, s, 6, func(i int) error {
		return s.Update(context.Background(), func(tx *Tx) error {
			tx.OnCommit(func() {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, i)
			})
			if i == 3 {
				return errors.New("no")
			}
			return nil
		})
	})
	if !slices.Equal(told, []int{0, 1, 2, 4, 5}) || errs[3] == nil {
		t.Errorf("told %v, errors %v", told, errs)
	}
}

func TestAnAnchorThatIsNotWrittenIsSaid(t *testing.T) {
	s, fs := simulated(t)
	fs.FailSyncs(1, "/profile/"+anchorName)
	told := false
	err := s.UpdateOwn(context.Background(), func(tx *Tx) error {
		tx.OnCommit(func() { told = true })
		return tx.exec("INSERT INTO meta(k, v) VALUES('a', 1)")
	})
	if !errors.Is(err, ErrAnchor) || !told {
		t.Errorf("UpdateOwn = %v, told %v", err, told)
	}
	if _, found := get(t, s, "a"); !found {
		t.Error("it is not stored")
	}
	if err := put(s, "b", 1); err != nil {
		t.Errorf("of others, where the anchor may be late: %v", err)
	}
	fs.FailSyncs(0)
	if err := s.UpdateOwn(context.Background(), func(*Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestAViewDoesNotChangeWhileItRuns(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	if err := put(s, "a", 1); err != nil {
		t.Fatal(err)
	}
	err := s.View(context.Background(), func(r *Reader) error {
		done := make(chan error)
		go func() { done <- put(s, "a", 2) }()
		if err := <-done; err != nil {
			return err
		}
		_, err := r.one("SELECT v FROM meta WHERE k = 'a'", func(row Row) error {
			if row.Int(0) != 1 {
				t.Errorf("it saw %d", row.Int(0))
			}
			return nil
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := get(t, s, "a"); v != 2 {
		t.Errorf("afterwards: %d", v)
	}
}

func TestAViewEndsWithItsContext(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(context.Background())
	err := s.View(ctx, func(r *Reader) error {
		n := 0
		return r.each("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", func(Row) error {
			if n++; n == 10 {
				cancel()
			}
			return nil
		})
	})
	if err != context.Canceled {
		t.Errorf("View = %v", err)
	}
	get(t, s, "commits")
}

func TestReadersCannotWrite(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	err := s.View(context.Background(), func(r *Reader) error { return r.c.run("INSERT INTO meta(k, v) VALUES('a', 1)") })
	if err == nil {
		t.Error("a View wrote")
	}
	if _, found := get(t, s, "a"); found {
		t.Error("it is there")
	}
}

func TestAfterCloseEverythingIsRefused(t *testing.T) {
	for _, single := range []bool{true, false} {
		s := mustCreate(t, Config{Dir: t.TempDir(), Single: single})
		mustClose(t, s)
		mustClose(t, s)
		ctx := context.Background()
		_, maintain := s.Maintain(ctx)
		for name, err := range map[string]error{
			"Update": put(s, "a", 1), "View": s.View(ctx, func(*Reader) error { return nil }),
			"Maintain": maintain, "Flush": s.Flush(ctx), "AddWordsSlot": s.AddWordsSlot(wordsKey),
		} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("single %v: %s = %v", single, name, err)
			}
		}
	}
}

func TestValuesComeBackAsTheyWereBound(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	err := s.Update(context.Background(), func(tx *Tx) error {
		_, err := tx.one("SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?", func(r Row) error {
			if r.Int(0) != -1 || r.Int(1) != math.MinInt64 || r.Uint(2) != math.MaxInt64 || r.Uint(3) != math.MaxUint32 {
				t.Error("numbers")
			}
			if r.Int(4) != 255 || !r.Bool(5) || r.Text(6) != "grüße\x00!" || string(r.Bytes(7)) != "b\x00" {
				t.Error("small ones and texts")
			}
			if b := r.Bytes(8); b == nil || len(b) != 0 || r.Null(8) {
				t.Error("an empty blob is not NULL")
			}
			if r.Bytes(9) != nil || !r.Null(9) || r.Int(9) != 0 || r.Text(9) != "" {
				t.Error("NULL")
			}
			return nil
		}, -1, int64(math.MinInt64), uint64(math.MaxInt64), uint32(math.MaxUint32), uint8(255), true, "grüße\x00!", []byte("b\x00"), []byte{}, nil)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for name, a := range map[string]any{"beyond 63 bits": uint64(1 << 63), "a type that nobody binds": 1.5} {
		if err := put(s, "x", a); err == nil {
			t.Errorf("%s: bound", name)
		}
	}
}

func TestOneQueryCanRunWithinItself(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	const q = "SELECT v FROM meta WHERE k IN ('commits', 'ran')"
	rows := 0
	err := s.View(context.Background(), func(r *Reader) error {
		return r.each(q, func(Row) error {
			return r.each(q, func(Row) error { rows++; return nil })
		})
	})
	if err != nil || rows != 4 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestQueriesAreOneStatement(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	for _, q := range []string{"", "-- nothing", "SELECT 1; SELECT 2", "SELEC"} {
		err := s.Update(context.Background(), func(tx *Tx) error { return tx.exec(q) })
		if err == nil || !strings.Contains(err.Error(), "preparing") {
			t.Errorf("%q: %v", q, err)
		}
	}
}
