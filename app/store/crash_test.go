package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// rig is a store on a disk that loses power: it commits until then, opens again and checks, over and over.
type rig struct {
	fs      *crashfs.FS
	rand    *rand.Rand
	cfg     Config
	writers int
	fullish bool
	badSync float64

	key   []byte   // opens the vault
	maybe [][]byte // perhaps one of these does: changes that were not acknowledged

	mu     sync.Mutex
	acked  map[int64]bool
	last   int64
	opened int
	closed int
	now    time.Time
}

func newRig(t *testing.T, seed int64, single bool) *rig {
	r := rand.New(rand.NewSource(seed))
	g := &rig{fs: crashfs.New(rand.New(rand.NewSource(-seed))), rand: r, writers: 1, key: wordsKey, acked: map[int64]bool{}, now: time.Unix(1e9, 0)}
	if !single {
		g.fs.Shm = t.TempDir()
	}
	g.cfg = Config{Dir: "/profile", FS: g.fs, Single: single, Now: func() time.Time {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.now = g.now.Add(100 * time.Millisecond)
		return g.now
	}}
	s, err := CreateKey(context.Background(), g.cfg, wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(context.Background(), func(tx *Tx) error {
		if err := tx.exec("CREATE TABLE test_rows(id INTEGER PRIMARY KEY, body BLOB, sum BLOB) STRICT"); err != nil {
			return err
		}
		return tx.exec("INSERT INTO meta(k, v) VALUES('test_rows', 0)")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return g
}

// run returns an error when something acknowledged is gone, or there was a false alarm.
func (g *rig) run(rounds int) error {
	for k := range rounds {
		if g.rand.Intn(4) == 0 { // the power may go while it opens
			g.fs.CutPowerAfter(1 + g.rand.Intn(60))
		}
		s, err := g.open()
		if err != nil && !g.fs.Dead() {
			return fmt.Errorf("round %d, opening: %w", k, err)
		}
		if err == nil {
			if err := g.round(s); err != nil {
				return fmt.Errorf("round %d: %w", k, err)
			}
		}
		g.fs.Crash()
	}
	return nil
}

// open opens with the key that fits. One whose change was acknowledged must fit, and the one before must not.
func (g *rig) open() (*Store, error) {
	ctx := context.Background()
	s, err := OpenKey(ctx, g.cfg, g.key)
	for errors.Is(err, ErrPassword) && len(g.maybe) > 0 {
		g.key, g.maybe = g.maybe[0], g.maybe[1:]
		s, err = OpenKey(ctx, g.cfg, g.key)
	}
	if err == nil {
		g.maybe = nil
		s.checkpointEvery, s.checkpointAt = 60, 60
	}
	if err == nil && s.Rolled() {
		s.Close()
		return nil, errors.New("a false alarm")
	}
	return s, err
}

func (g *rig) round(s *Store) error {
	defer s.Close()
	if !g.fs.Dead() {
		g.opened++
		if err := g.check(s); err != nil && !g.fs.Dead() {
			return err
		}
	}
	clean := g.rand.Intn(3) == 0
	g.fs.CutPowerAfter(5 + g.rand.Intn(300))
	if clean { // mostly late enough for Close, or in it
		g.fs.CutPowerAfter(300 + g.rand.Intn(2000))
	}
	g.fs.FailSyncs(g.badSync)
	stop := make(chan struct{})
	var all sync.WaitGroup
	if !g.cfg.Single {
		all.Go(func() { g.read(s, stop) })
	}
	errs := make([]error, g.writers)
	var writers sync.WaitGroup
	for i := range g.writers {
		r := rand.New(rand.NewSource(g.rand.Int63()))
		writers.Go(func() { errs[i] = g.write(s, r, clean) })
	}
	writers.Wait()
	close(stop)
	all.Wait()
	if clean && s.Close() == nil {
		g.closed++
	}
	return errors.Join(errs...)
}

// write commits until the power goes, or for a while.
func (g *rig) write(s *Store, r *rand.Rand, clean bool) error {
	for n := 0; !g.fs.Dead() && (!clean || n < 20); n++ {
		if err := g.step(s, r); err != nil && errors.Is(err, errTest) {
			return err
		}
	}
	return nil
}

var errTest = errors.New("test")

func (g *rig) step(s *Store, r *rand.Rand) error {
	ctx := context.Background()
	switch n := r.Intn(40); {
	case n == 0 && g.writers == 1:
		return g.changeKey(s, r)
	case n == 1:
		_, err := s.Maintain(ctx)
		return err
	case n == 2 && g.fullish:
		g.fs.SetFull(map[bool]int64{true: 1}[r.Intn(2) == 0])
		return nil
	case n == 3:
		return s.Erase(ctx, func(tx *Tx) error { return tx.exec("UPDATE test_rows SET body = body WHERE id = 1") })
	}
	return g.insert(ctx, s, r)
}

// insert adds a row and counts it, in one transaction, of which some are taken back.
func (g *rig) insert(ctx context.Context, s *Store, r *rand.Rand) error {
	g.mu.Lock()
	g.last++
	id := g.last
	g.mu.Unlock()
	body := make([]byte, r.Intn(1500))
	if r.Intn(20) == 0 {
		body = make([]byte, 40_000)
	}
	r.Read(body)
	undo := r.Intn(10) == 0
	told := false
	update := s.Update
	if r.Intn(3) == 0 {
		update = s.UpdateOwn
	}
	err := update(ctx, func(tx *Tx) error {
		tx.OnCommit(func() { told = true })
		if err := insertRow(tx, id, body); err != nil {
			return err
		}
		if r.Intn(5) == 0 {
			if err := tx.Audit(2, body[:min(8, len(body))], "test"); err != nil {
				return err
			}
		}
		if undo {
			return errors.New("undone on purpose")
		}
		return nil
	})
	durable := err == nil || errors.Is(err, ErrAnchor)
	if told != durable {
		return fmt.Errorf("%w: told %v, Update = %v", errTest, told, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if durable {
		g.acked[id] = true
	}
	return err
}

func insertRow(tx *Tx, id int64, body []byte) error {
	sum := rowSum(id, body)
	if err := tx.exec("INSERT INTO test_rows(id, body, sum) VALUES(?, ?, ?)", id, body, sum[:]); err != nil {
		return err
	}
	return tx.exec("UPDATE meta SET v = v + 1 WHERE k = 'test_rows'")
}

func rowSum(id int64, body []byte) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64(bytes.Clone(body), uint64(id)))
}

func (g *rig) changeKey(s *Store, r *rand.Rand) error {
	next := make([]byte, vault.KeySize)
	r.Read(next)
	g.maybe = append(g.maybe, next)
	err := s.AddWordsSlot(next)
	if err == nil {
		g.key, g.maybe = next, nil
	}
	return err
}

// read reads while others write.
func (g *rig) read(s *Store, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
			s.View(context.Background(), func(r *Reader) error {
				return r.each("SELECT id FROM test_rows ORDER BY id DESC LIMIT 20", func(Row) error { return nil })
			})
		}
	}
}

// check reads everything.
func (g *rig) check(s *Store) error {
	ctx := context.Background()
	rows, err := readRows(s)
	if err != nil {
		return err
	}
	for id := range g.acked {
		if !rows[id] {
			return fmt.Errorf("row %d was acknowledged and is gone", id)
		}
	}
	g.acked = rows // those that were not acknowledged may be there, and then must stay
	if err := s.VerifyAudit(ctx); err != nil {
		return err
	}
	if g.opened%10 != 0 {
		return nil
	}
	return s.View(ctx, func(r *Reader) error {
		return r.each("PRAGMA integrity_check", func(row Row) error {
			if said := row.Text(0); said != "ok" {
				return errors.New(said)
			}
			return nil
		})
	})
}

// readRows returns the ids of all rows; it is an error when one is not what was written, or half a transaction is there.
func readRows(s *Store) (rows map[int64]bool, err error) {
	rows = map[int64]bool{}
	err = s.View(context.Background(), func(r *Reader) error {
		err := r.each("SELECT id, body, sum FROM test_rows", func(row Row) error {
			if sum := rowSum(row.Int(0), row.Bytes(1)); !bytes.Equal(sum[:], row.Bytes(2)) {
				return fmt.Errorf("row %d is wrong", row.Int(0))
			}
			rows[row.Int(0)] = true
			return nil
		})
		if err != nil {
			return err
		}
		var n int64
		if _, err := r.one("SELECT v FROM meta WHERE k = 'test_rows'", func(row Row) error {
			n = row.Int(0)
			return nil
		}); err != nil {
			return err
		}
		if n != int64(len(rows)) {
			return fmt.Errorf("half a transaction: %d rows, counted %d", len(rows), n)
		}
		return nil
	})
	return rows, err
}

// seed is where chance begins, rounds how often a test repeats: CRYPTEXQ_SEED and CRYPTEXQ_LONG (a factor) in the
// environment.
func seed() int64 { return int64(env("CRYPTEXQ_SEED", 1)) }

func rounds(n int) int { return n * env("CRYPTEXQ_LONG", 1) }

func env(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func TestPowerCutsLoseNothingAndRaiseNoAlarm(t *testing.T) {
	torn, dropped := 0, 0 // of all rows: in one they may be missing, as chance has it
	for _, row := range []struct {
		name    string
		single  bool
		writers int
		fullish bool
		badSync float64
	}{
		{"one connection", true, 1, false, 0},
		{"three connections", false, 1, false, 0},
		{"three connections, eight at once", false, 8, false, 0},
		{"full disk", false, 1, true, 0},
		{"failing syncs, one connection", true, 1, false, 0.05},
		{"failing syncs, three connections", false, 1, false, 0.05},
		{"failing syncs, full disk, eight at once", false, 8, true, 0.05},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newRig(t, seed(), row.single)
			g.writers, g.fullish, g.badSync = row.writers, row.fullish, row.badSync
			if err := g.run(rounds(43)); err != nil {
				t.Error(err)
			}
			st := g.fs.Stats()
			t.Logf("%d rows, opened %d, closed %d, %d syncs (%d failed), %d writes torn, %d dropped",
				len(g.acked), g.opened, g.closed, st.Syncs, st.FailedSyncs, st.Torn, st.Dropped)
			torn, dropped = torn+st.Torn, dropped+st.Dropped
			if len(g.acked) == 0 || g.closed == 0 {
				t.Error("nothing was tried")
			}
		})
	}
	if torn == 0 || dropped == 0 {
		t.Errorf("%d writes torn, %d dropped: nothing was tried", torn, dropped)
	}
}
