package sealvfs

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

var (
	testKey = [KeySize]byte{1, 2, 3}
	idOne   = [16]byte{1}
	idTwo   = [16]byte{2}
)

// register gives v a name for the time of the test.
func register(t *testing.T, v *VFS) (name string) {
	t.Helper()
	var b [8]byte
	rand.Read(b[:])
	name = "test-" + hex.EncodeToString(b[:])
	vfs.Register(name, v)
	t.Cleanup(func() { vfs.Unregister(name) })
	return name
}

// seal is a VFS on the real file system.
func seal(t *testing.T, id [16]byte, fresh *Fresh) string {
	return register(t, New(vfs.Find(""), testKey, id, fresh))
}

func open(path, name string) (*sqlite3.Conn, error) {
	c, err := sqlite3.Open("file:" + path + "?vfs=" + name)
	if err != nil {
		return nil, err
	}
	if err := Setup(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func mustOpen(t *testing.T, path, name string) *sqlite3.Conn {
	t.Helper()
	c, err := open(path, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func exec(t *testing.T, c *sqlite3.Conn, query string) {
	t.Helper()
	if err := c.Exec(query); err != nil {
		t.Fatalf("%.80s: %v", query, err)
	}
}

func query(c *sqlite3.Conn, query string) (string, error) {
	st, _, err := c.Prepare(query)
	if err != nil {
		return "", err
	}
	defer st.Close()
	var rows []string
	for st.Step() {
		rows = append(rows, st.ColumnText(0))
	}
	return strings.Join(rows, ","), st.Err()
}

func want(t *testing.T, c *sqlite3.Conn, q, v string) {
	t.Helper()
	if got, err := query(c, q); err != nil || got != v {
		t.Fatalf("%s = %.60q, %v, want %q", q, got, err, v)
	}
}

func fill(t *testing.T, c *sqlite3.Conn, n int) {
	t.Helper()
	exec(t, c, "CREATE TABLE IF NOT EXISTS m(id INTEGER PRIMARY KEY, b TEXT)")
	for range n {
		exec(t, c, "INSERT INTO m(b) VALUES('"+strings.Repeat("x", 500)+"')")
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyDB copies a database that is open, as a power cut would leave it.
func copyDB(t *testing.T, from, to string) {
	t.Helper()
	write(t, to, read(t, from))
	write(t, to+"-wal", read(t, from+"-wal"))
}

func TestAWriterSealsUnderTheSaltOfALogThatAnotherRestarted(t *testing.T) {
	for m, survives := range map[mutant]bool{sound: true, rememberedSalt: false} {
		v := New(vfs.Find(""), testKey, idOne, nil)
		v.mutant = m
		if got := secondWriter(t, register(t, v)); got != survives {
			t.Errorf("mutant %d: the acknowledged commit survives: %v, want %v", m, got, survives)
		}
	}
}

// secondWriter reports whether a commit survives a power cut, of a writer whose log another one restarted.
func secondWriter(t *testing.T, name string) bool {
	p := filepath.Join(t.TempDir(), "a.db")
	a := mustOpen(t, p, name)
	exec(t, a, "CREATE TABLE x(v); CREATE TABLE y(v); INSERT INTO x VALUES(0); INSERT INTO y VALUES(0)")
	b := mustOpen(t, p, name)
	for _, c := range []*sqlite3.Conn{a, b} {
		want(t, c, "SELECT v FROM x", "0")
		want(t, c, "SELECT v FROM y", "0")
	}
	exec(t, a, "UPDATE y SET v=1; PRAGMA wal_checkpoint(PASSIVE)")
	exec(t, b, "UPDATE x SET v=2")
	exec(t, a, "UPDATE y SET v=3")
	q := filepath.Join(t.TempDir(), "b.db")
	copyDB(t, p, q)
	c, err := open(q, name)
	if err != nil {
		return false
	}
	defer c.Close()
	v, err := query(c, "SELECT v FROM y")
	return err == nil && v == "3"
}

func TestATransactionLargerThanTheCacheSurvives(t *testing.T) {
	p, name := filepath.Join(t.TempDir(), "a.db"), seal(t, idOne, nil)
	c := mustOpen(t, p, name)
	fill(t, c, 200)
	exec(t, c, "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=10; PRAGMA cache_spill=10; BEGIN")
	for i := range 5 {
		exec(t, c, fmt.Sprintf("UPDATE m SET b=replace(b,'x','%d') WHERE id%%2; UPDATE m SET b=b||'y'", i))
	}
	exec(t, c, "COMMIT")
	for range 3 {
		exec(t, c, "INSERT INTO m(b) VALUES('z')")
	}
	want(t, mustOpen(t, p, name), "PRAGMA integrity_check", "ok")
	q := filepath.Join(t.TempDir(), "b.db")
	copyDB(t, p, q)
	o := mustOpen(t, q, name)
	want(t, o, "SELECT count(*) FROM m", "203")
	want(t, o, "SELECT sum(length(b)) FROM m", "101003")
}

// The newest commit alone cannot be told from a torn tail: that is what the anchor of app/store is for.
func TestADamagedLogIsRefusedAndATornTailIsNot(t *testing.T) {
	d, name := t.TempDir(), seal(t, idOne, nil)
	p := filepath.Join(d, "a.db")
	c := mustOpen(t, p, name)
	fill(t, c, 100)
	log := read(t, p+"-wal")
	for i, at := range []int{5, 70, diskLogHeader + 3, len(log) / 4, len(log) / 2, len(log) / 4 * 3} {
		q := filepath.Join(d, fmt.Sprint(i, ".db"))
		copyDB(t, p, q)
		b := bytes.Clone(log)
		b[at] ^= 1
		write(t, q+"-wal", b)
		c, err := open(q, name)
		if err == nil {
			_, err = query(c, "SELECT count(*) FROM m")
			c.Close()
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d of %d: %v", at, len(log), err)
		}
	}
	q := filepath.Join(d, "tail.db")
	copyDB(t, p, q)
	b := bytes.Clone(log)
	b[len(b)-1] ^= 1
	write(t, q+"-wal", b)
	want(t, mustOpen(t, q, name), "SELECT count(*) FROM m", "99")
}

func TestEveryByteOfAPageIsAuthenticated(t *testing.T) {
	p, name := filepath.Join(t.TempDir(), "a.db"), seal(t, idOne, nil)
	c := mustOpen(t, p, name)
	fill(t, c, 30)
	c.Close()
	good := read(t, p)
	for at := 0; at < len(good); at += 1 + at%97 {
		b := bytes.Clone(good)
		b[at] ^= 0x80
		write(t, p, b)
		said := ""
		c, err := open(p, name)
		if err == nil {
			said, err = query(c, "PRAGMA integrity_check")
			c.Close()
		}
		if !errors.Is(err, ErrDamaged) && !strings.Contains(said, "Failed to read ptrmap") {
			t.Fatalf("byte %d: %.60q, %v", at, said, err)
		}
		os.Remove(p + "-wal")
	}
}

func TestAShortLastPageIsRefused(t *testing.T) {
	p, name := filepath.Join(t.TempDir(), "a.db"), seal(t, idOne, nil)
	c := mustOpen(t, p, name)
	exec(t, c, "CREATE TABLE m(b); INSERT INTO m VALUES(printf('%20000s','x'))")
	c.Close()
	b := read(t, p)
	write(t, p, b[:len(b)-1])
	if _, err := query(mustOpen(t, p, name), "SELECT b FROM m"); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
}

func TestAnOldPageIsRefusedAfterARestart(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a.db")
	f := NewFresh(1, nil)
	name := seal(t, idOne, f)
	c := mustOpen(t, p, name)
	fill(t, c, 30)
	c.Close()
	old := read(t, p)
	c = mustOpen(t, p, name)
	exec(t, c, "UPDATE m SET b='"+strings.Repeat("y", 500)+"'")
	c.Close()
	good := read(t, p)
	saved, ok := ParseVersions(MarshalVersions(f.Pages()))
	if !ok {
		t.Fatal("saved map does not parse")
	}
	name = seal(t, idOne, NewFresh(2, saved))
	for at := 0; at < len(good); at += PageSize {
		b := bytes.Clone(good)
		copy(b[at:at+PageSize], old[at:])
		write(t, p, b)
		c, err := open(p, name)
		if err == nil {
			_, err = query(c, "SELECT sum(length(b)) FROM m")
			c.Close()
		}
		if same := bytes.Equal(b, good); !same && !errors.Is(err, ErrDamaged) || same && err != nil {
			t.Fatalf("page %d: %v", at/PageSize, err)
		}
	}
}

func TestAnOlderFileIsToldFromAnOldPage(t *testing.T) {
	for _, row := range []struct {
		name         string
		known, found []uint64
		older        bool
	}{
		{"the same", []uint64{3, 4, 5}, []uint64{3, 4, 5}, true},
		{"as it was at 3", []uint64{7, 2, 8, 1}, []uint64{3, 2, 1, 1}, true},
		{"shorter, as it was at 3", []uint64{7, 2, 8, 3, 9}, []uint64{3, 2, 1, 3}, true},
		{"one old page", []uint64{7, 2, 8, 1}, []uint64{3, 2, 8, 1}, false},
		{"only the newest page", []uint64{7, 2, 8, 1}, []uint64{7, 2, 3, 1}, true},
		{"written after the map, and one old page", []uint64{7, 2, 8, 1}, []uint64{7, 9, 3, 1}, false},
		{"a page does not open", []uint64{7, 2, 8, 1}, []uint64{3, 0, 1, 1}, false},
		{"cut off", []uint64{7, 2, 8, 1}, []uint64{7, 2, 8}, false},
	} {
		if got := Older(row.known, row.found); got != row.older {
			t.Errorf("%s: Older = %v, want %v", row.name, got, row.older)
		}
	}
}

func TestVersionsAreThoseThatWereWritten(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a.db")
	f := NewFresh(9, nil)
	c := mustOpen(t, p, seal(t, idOne, f))
	fill(t, c, 30)
	c.Close()
	b := read(t, p)
	got, err := New(vfs.Find(""), testKey, idOne, nil).Versions(bytes.NewReader(b), int64(len(b)))
	if err != nil || !bytes.Equal(MarshalVersions(got), MarshalVersions(f.Pages())) {
		t.Errorf("Versions = %v, %v, want %v", got, err, f.Pages())
	}
}

func TestPagesOfAnotherFileDoNotOpen(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a.db")
	c := mustOpen(t, p, seal(t, idOne, nil))
	fill(t, c, 3)
	c.Close()
	if _, err := open(p, seal(t, idTwo, nil)); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
}

func TestAJournalThatSomebodyPutThereIsIgnored(t *testing.T) {
	p, name := filepath.Join(t.TempDir(), "a.db"), seal(t, idOne, nil)
	c := mustOpen(t, p, name)
	fill(t, c, 3)
	c.Close()
	write(t, p+"-journal", bytes.Repeat([]byte{0xd9}, 2000))
	want(t, mustOpen(t, p, name), "SELECT count(*) FROM m", "3")
}

func TestEveryConnectionSyncsItsCommits(t *testing.T) {
	p, name := filepath.Join(t.TempDir(), "a.db"), seal(t, idOne, nil)
	for range 3 {
		c := mustOpen(t, p, name)
		want(t, c, "PRAGMA synchronous", "2")
		want(t, c, "PRAGMA journal_mode", "wal")
		want(t, c, "PRAGMA page_size", "4096")
		want(t, c, "PRAGMA auto_vacuum", "2")
		want(t, c, "PRAGMA foreign_keys", "1")
		want(t, c, "PRAGMA trusted_schema", "0")
		fill(t, c, 1)
	}
}

func TestNewFilesAreBuiltByVacuumBackupAndAttach(t *testing.T) {
	d := t.TempDir()
	c := mustOpen(t, filepath.Join(d, "a.db"), seal(t, idOne, nil))
	build := register(t, NewBuild(vfs.Find(""), testKey, idTwo, nil))
	other := seal(t, idTwo, nil)
	fill(t, c, 200)
	exec(t, c, "DELETE FROM m WHERE id%2; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
	exec(t, c, "VACUUM INTO 'file:"+d+"/b.db?vfs="+build+"'")
	if err := c.Backup("main", "file:"+d+"/c.db?vfs="+build); err != nil {
		t.Fatal(err)
	}
	exec(t, c, "ATTACH 'file:"+d+"/d.db?vfs="+build+"' AS s; PRAGMA s.synchronous=FULL")
	exec(t, c, "CREATE TABLE s.m(id INTEGER PRIMARY KEY, b); INSERT INTO s.m SELECT * FROM main.m; DETACH s")
	for _, n := range []string{"b", "c", "d"} {
		o := mustOpen(t, filepath.Join(d, n+".db"), other)
		want(t, o, "SELECT count(*) FROM m", "100")
		want(t, o, "PRAGMA integrity_check", "ok")
		fill(t, o, 10)
	}
	want(t, c, "PRAGMA integrity_check", "ok")
}

// Byte 1 GiB of the file is SQLite's lock byte: its page is never written. The writing takes a minute.
func TestBeyondTheLockPage(t *testing.T) {
	if os.Getenv("CRYPTEXQ_LONG") == "" {
		t.Skip("writes 1.2 GB; CRYPTEXQ_LONG=1 runs it")
	}
	p, name := filepath.Join(t.TempDir(), "a.db"), seal(t, idOne, NewFresh(1, nil))
	c := mustOpen(t, p, name)
	exec(t, c, "PRAGMA synchronous=OFF; CREATE TABLE m(id INTEGER PRIMARY KEY, b)")
	for range 70 {
		exec(t, c, "INSERT INTO m(b) VALUES(randomblob(16000000))")
	}
	exec(t, c, "PRAGMA wal_checkpoint(TRUNCATE)")
	want(t, c, "SELECT sum(length(b)) FROM m", "1120000000")
	want(t, c, "PRAGMA integrity_check", "ok")
}
