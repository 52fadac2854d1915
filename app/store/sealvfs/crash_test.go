package sealvfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

// machine commits until the power goes, opens again and checks, over and over.
type machine struct {
	fs    *crashfs.FS
	rand  *rand.Rand
	name  string
	vfs   *VFS
	conns int
	saved []uint64 // page versions as of the last start
	acked int64
	total int64

	fullDisk bool
	badSync  float64
	mutant   mutant
}

const machineSchema = `CREATE TABLE m(id INTEGER PRIMARY KEY, h BLOB, body TEXT, n INTEGER); CREATE TABLE s(k INTEGER PRIMARY KEY, ctr INTEGER, st BLOB);
INSERT INTO s VALUES(1, 0, x'00')`

// run returns an error when something acknowledged is gone, half there or not what it was.
func (m *machine) run(t *testing.T, rounds int) error {
	for k := range rounds {
		fresh := NewFresh(uint32(k), m.saved)
		m.vfs = New(m.fs, testKey, idOne, fresh)
		m.vfs.mutant = m.mutant
		m.name = register(t, m.vfs)
		if err := m.round(k == 0, fresh); err != nil {
			return fmt.Errorf("round %d: %w", k, err)
		}
		if broken, stale := m.vfs.Refused(); broken+stale > 0 {
			return fmt.Errorf("round %d: false alarm", k)
		}
		m.fs.Crash()
	}
	return nil
}

func (m *machine) round(first bool, fresh *Fresh) error {
	conns := make([]*sqlite3.Conn, m.conns)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for i := range conns {
		var err error
		if conns[i], err = m.open(); err != nil {
			return fmt.Errorf("opening: %w", err)
		}
	}
	if first {
		if err := conns[0].Exec(machineSchema); err != nil {
			return err
		}
	}
	if m.rand.Intn(2) == 0 {
		if err := conns[0].Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			return err
		}
		m.saved = fresh.Pages()
	}
	if err := m.check(conns[0]); err != nil {
		return err
	}
	m.fs.CutPowerAfter(5 + m.rand.Intn(600))
	m.fs.FailSyncs(m.badSync)
	return m.work(conns)
}

func (m *machine) open() (*sqlite3.Conn, error) {
	c, err := sqlite3.Open("file:/x/m.db?vfs=" + m.name)
	if err != nil {
		return nil, err
	}
	if m.conns == 1 {
		err = c.Exec("PRAGMA locking_mode=EXCLUSIVE")
	}
	if err == nil {
		err = Setup(c)
	}
	if err == nil { // a small cache: large transactions spill into the log
		err = c.Exec("PRAGMA cache_size=20; PRAGMA wal_autocheckpoint=60")
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// work commits until the power goes.
func (m *machine) work(conns []*sqlite3.Conn) error {
	full := false
	for id := m.acked + 1; !m.fs.Dead(); {
		if m.fullDisk && m.rand.Intn(20) == 0 {
			full = !full
			m.fs.SetFull(map[bool]int64{true: 1}[full])
		}
		switch err := m.commit(conns[m.rand.Intn(len(conns))], id); {
		case err == nil:
			m.acked = id
			m.total++
			id++
		case errors.Is(err, ErrDamaged):
			return err
		}
	}
	return nil
}

func (m *machine) commit(c *sqlite3.Conn, id int64) (err error) {
	body := m.body(id)
	if err := c.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil && !c.GetAutocommit() {
			c.Exec("ROLLBACK")
		}
	}()
	sum := sha256.Sum256([]byte(body))
	if err := c.Exec(fmt.Sprintf("INSERT INTO m VALUES(%d, x'%x', '%s', 0); UPDATE s SET ctr=%d, st=randomblob(700)", id, sum, body, id)); err != nil {
		return err
	}
	if len(body) > 100_000 { // more than the cache holds, twice: frames are rewritten in the log
		const again = "UPDATE m SET n=n+1 WHERE length(body)<500;"
		if err := c.Exec(again + again); err != nil {
			return err
		}
	}
	if m.rand.Intn(5) == 0 {
		return errors.New("rolled back on purpose")
	}
	return c.Exec("COMMIT")
}

func (m *machine) body(id int64) string {
	n := 20 + m.rand.Intn(200)
	switch {
	case m.rand.Intn(30) == 0:
		n = 200_000
	case m.rand.Intn(20) == 0:
		n = 3000 + m.rand.Intn(9000)
	}
	s := fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(id))))
	return strings.Repeat(s+" ", n/len(s)+1)
}

func (m *machine) check(c *sqlite3.Conn) error {
	if said, err := query(c, "PRAGMA integrity_check"); err != nil || said != "ok" {
		return fmt.Errorf("integrity: %.60s %w", said, err)
	}
	counts, err := query(c, "SELECT coalesce(max(id),0) || ' ' || count(*) || ' ' || (SELECT ctr FROM s) FROM m")
	if err != nil {
		return err
	}
	var top, count, counter int64
	fmt.Sscan(counts, &top, &count, &counter)
	if count != top || counter != top {
		return fmt.Errorf("half a transaction: %s", counts)
	}
	if top < m.acked {
		return fmt.Errorf("%d was acknowledged and %d is the last", m.acked, top)
	}
	m.acked = top // one that was not acknowledged may be there
	st, _, err := c.Prepare(fmt.Sprint("SELECT h, body FROM m WHERE id > ", top-30))
	if err != nil {
		return err
	}
	defer st.Close()
	for st.Step() {
		if sum := sha256.Sum256(st.ColumnRawText(1)); string(sum[:]) != string(st.ColumnRawBlob(0)) {
			return errors.New("wrong text")
		}
	}
	return st.Err()
}

func newMachine(t *testing.T, seed int64, conns int) *machine {
	r := rand.New(rand.NewSource(seed))
	fs := crashfs.New(r)
	if conns > 1 {
		fs.Shm = t.TempDir()
	}
	return &machine{fs: fs, rand: r, conns: conns}
}

// powerCuts is how many rounds a row has: each is a second under the race detector on a busy machine, and the store above has 300
// of its own.
func powerCuts() int {
	if testing.Short() {
		return 20
	}
	return 60
}

func TestNothingAcknowledgedIsLostInPowerCuts(t *testing.T) {
	for _, row := range []struct {
		name     string
		conns    int
		fullDisk bool
		badSync  float64
	}{
		{"one connection", 1, false, 0},
		{"three connections", 3, false, 0},
		{"full disk", 3, true, 0},
		{"failing syncs", 1, false, 0.05},
		{"failing syncs and full disk, three connections", 3, true, 0.05},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := newMachine(t, 1, row.conns)
			m.fullDisk, m.badSync = row.fullDisk, row.badSync
			if err := m.run(t, powerCuts()); err != nil {
				t.Error(err)
			}
			st := m.fs.Stats()
			t.Logf("%d commits, %d syncs (%d failed), %d writes torn, %d dropped", m.total, st.Syncs, st.FailedSyncs, st.Torn, st.Dropped)
			if m.total == 0 || st.Torn == 0 || st.Dropped == 0 {
				t.Error("nothing was tried")
			}
		})
	}
}

// A checkpoint that a reader holds up writes pages without a sync of its own. When the sync of the next one fails, the
// system forgets them all, and the log that has them is thrown away after the one that succeeds.
func TestPagesOfAHeldUpCheckpointOutliveAFailedSync(t *testing.T) {
	for m, survives := range map[mutant]bool{sound: true, forgetful: false} {
		fs := crashfs.New(rand.New(rand.NewSource(1)))
		fs.Shm = t.TempDir()
		v := New(fs, testKey, idOne, NewFresh(1, nil))
		v.mutant = m
		name := register(t, v)
		heldUp(t, fs, name)
		fs.Crash()
		c, err := open("/x/m.db", name)
		var got string
		if err == nil {
			got, err = query(c, "SELECT v FROM x")
			c.Close()
		}
		if ok := err == nil && got == "2"; ok != survives {
			t.Errorf("mutant %d: SELECT v FROM x = %q, %v, want it to survive: %v", m, got, err, survives)
		}
	}
}

func heldUp(t *testing.T, fs *crashfs.FS, name string) {
	a, b := mustOpen(t, "/x/m.db", name), mustOpen(t, "/x/m.db", name)
	defer a.Close()
	defer b.Close()
	exec(t, a, "PRAGMA wal_autocheckpoint=0; CREATE TABLE x(v); CREATE TABLE y(v); INSERT INTO x VALUES(1); INSERT INTO y VALUES(1)")
	exec(t, a, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE x SET v=2")
	exec(t, b, "BEGIN")
	want(t, b, "SELECT v FROM x", "2")
	exec(t, a, "UPDATE y SET v=2; PRAGMA wal_checkpoint(PASSIVE)") // writes x only
	exec(t, b, "COMMIT")
	fs.FailSyncs(1, "/x/m.db")
	if said, err := query(a, "PRAGMA wal_checkpoint(PASSIVE)"); err == nil {
		t.Fatalf("the sync did not fail: %s", said)
	}
	fs.FailSyncs(0)
	exec(t, a, "PRAGMA wal_checkpoint(TRUNCATE)")
}

// A test that does not find these mistakes finds nothing.
func TestPowerCutsFindMistakes(t *testing.T) {
	for _, row := range []struct {
		name   string
		mutant mutant
		conns  int
		first  int64 // a seed that is known to find it: others after it take minutes
	}{
		{"the zeros of a rewritten frame as salt", zeroSalt, 1, 1},
		{"frames counted instead of commits", countFrames, 1, 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			for seed := row.first; seed < row.first+10; seed++ {
				m := newMachine(t, seed, row.conns)
				m.mutant = row.mutant
				if err := m.run(t, 40); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Error("not found in 400 power cuts")
		})
	}
}
