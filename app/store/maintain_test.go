package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

// clocked is a store whose time stands still until it is moved.
func clocked(t *testing.T) (s *Store, disk *crashfs.FS, now *time.Time) {
	t.Helper()
	start := time.Unix(1e9, 0)
	now = &start
	disk = crashfs.New(rand.New(rand.NewSource(1)))
	cfg := Config{Dir: "/profile", FS: disk, Single: true, Now: func() time.Time { return *now }}
	return mustCreate(t, cfg), disk, now
}

// idle does all upkeep there is.
func idle(t *testing.T, s *Store) (steps int) {
	t.Helper()
	for more := true; more; steps++ {
		var err error
		if more, err = s.Maintain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if steps > 10_000 {
			t.Fatal("upkeep does not end")
		}
	}
	return steps
}

func onDisk(t *testing.T, s *Store) anchor {
	t.Helper()
	a, found, err := s.anchor.read(s.header.Vault, s.header.File)
	if err != nil || !found {
		t.Fatalf("anchor: %v, %v", found, err)
	}
	return a
}

func TestTheAnchorFollowsOthersCommitsWithinTenSeconds(t *testing.T) {
	s, _, now := clocked(t)
	idle(t, s)
	*now = now.Add(time.Minute)
	if err := put(s, "a", 1); err != nil { // a minute since it was written
		t.Fatal(err)
	}
	if got, want := onDisk(t, s).commits, uint64(commitCount(t, s)); got != want {
		t.Errorf("anchor at %d, want %d", got, want)
	}
	before := onDisk(t, s)
	if err := put(s, "b", 1); err != nil {
		t.Fatal(err)
	}
	if got := onDisk(t, s); got != before {
		t.Error("it was written at once")
	}
	*now = now.Add(4 * time.Second)
	idle(t, s)
	if got := onDisk(t, s); got != before {
		t.Error("it was written after 4 s")
	}
	*now = now.Add(time.Second)
	idle(t, s)
	if got, want := onDisk(t, s).commits, uint64(commitCount(t, s)); got != want {
		t.Errorf("after 5 s the anchor is at %d, want %d", got, want)
	}
	if err := s.UpdateOwn(context.Background(), func(tx *Tx) error { return tx.exec("DELETE FROM meta WHERE k = 'a'") }); err != nil {
		t.Fatal(err)
	}
	if got, want := onDisk(t, s).commits, uint64(commitCount(t, s)); got != want {
		t.Errorf("after an own segment the anchor is at %d, want %d", got, want)
	}
}

func TestATornAnchorLeavesTheOneBefore(t *testing.T) {
	s, disk, _ := clocked(t)
	var last anchor
	for i := range 6 {
		if err := s.UpdateOwn(context.Background(), func(tx *Tx) error { return tx.Audit(2, nil, "x") }); err != nil {
			t.Fatal(err)
		}
		a := onDisk(t, s)
		good := disk.Bytes(s.anchor.path)
		torn := append([]byte{}, good...)
		clear(torn[int(a.turn%2)*anchorSlot:][:anchorSlot])
		disk.Put(s.anchor.path, torn)
		if before := onDisk(t, s); i > 0 && (before != last || before.turn != a.turn-1) {
			t.Errorf("write %d torn: %+v is left, want %+v", i, before, last)
		}
		disk.Put(s.anchor.path, good)
		last = a
	}
}

func TestAnAnchorHasOneForm(t *testing.T) {
	key := [32]byte{1}
	raw := (&anchor{commits: 7, clean: true, alarm: true}).marshal(key)
	if a, ok := parseAnchor(raw, key); !ok || !bytes.Equal(a.marshal(key), raw) {
		t.Fatal("it does not come back")
	}
	for at := range raw {
		b := bytes.Clone(raw)
		b[at] ^= 1
		if _, ok := parseAnchor(b, key); ok {
			t.Errorf("byte %d may change", at)
		}
	}
}

// message writes a message's rows, with no more columns than there must be.
func message(tx *Tx, id int64, text string) error {
	for _, q := range []string{
		"INSERT OR IGNORE INTO accounts(id, account_id, created_at) VALUES(1, zeroblob(32), 0)",
		"INSERT OR IGNORE INTO rooms(id, uid, genesis, kind) VALUES(1, zeroblob(32), x'', 1)",
		"INSERT OR IGNORE INTO logs(id, log_id, room) VALUES(1, zeroblob(32), 1)",
	} {
		if err := tx.exec(q); err != nil {
			return err
		}
	}
	if err := tx.exec("INSERT INTO entries(id, log, idx, k, leaf, state) VALUES(?, 1, ?, 0, zeroblob(32), 0)", id, id); err != nil {
		return err
	}
	return tx.exec("INSERT INTO messages(id, room, sort, tie, idx, sender, kind, sent_at, recv_at, body) VALUES(?, 1, 0, 0, ?, 1, 1, 0, 0, ?)", id, id, text)
}

func found(t *testing.T, s *Store, word string) (n int64) {
	t.Helper()
	err := s.View(context.Background(), func(r *Reader) error {
		_, err := r.one("SELECT count(*) FROM messages_fts WHERE messages_fts MATCH ?", func(row Row) error {
			n = row.Int(0)
			return nil
		}, `"`+word+`"`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheSearchIndexFollowsInSteps(t *testing.T) {
	s, _, _ := clocked(t)
	idle(t, s)
	const n = 2*indexStep + 10
	err := s.Update(context.Background(), func(tx *Tx) error {
		for id := range int64(n) {
			if err := message(tx, id+1, fmt.Sprintf("Köln %d", id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for step, want := range []int64{0, indexStep, 2 * indexStep, n, n} {
		if got := found(t, s, "koln"); got != want {
			t.Errorf("after %d steps %d are found, want %d", step, got, want)
		}
		if more, err := s.Maintain(context.Background()); err != nil || more != (want < n) {
			t.Errorf("step %d: more %v, %v", step, more, err)
		}
	}
	if err := checkAll(s); err != nil {
		t.Error(err)
	}
}

func TestErasedTextLeavesFileLogAndSearch(t *testing.T) {
	s, disk, _ := clocked(t)
	ctx := context.Background()
	if err := s.Update(ctx, func(tx *Tx) error { return message(tx, 1, "unwiederbringlich") }); err != nil {
		t.Fatal(err)
	}
	idle(t, s)
	secure := func(tx *Tx) (v int64) {
		v, err := pragma(tx.c.Conn, "secure_delete")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	err := s.Erase(ctx, func(tx *Tx) error {
		if got := secure(tx); got != 1 {
			t.Errorf("secure_delete = %d while erasing", got)
		}
		return tx.exec("UPDATE messages SET body = NULL WHERE id = 1")
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := found(t, s, "unwiederbringlich"); got != 0 {
		t.Error("it is found")
	}
	if b := disk.Bytes("/profile/" + s.header.Live + "-wal"); len(b) != 0 {
		t.Errorf("the log holds %d bytes", len(b))
	}
	if err := s.Update(ctx, func(tx *Tx) error {
		if got := secure(tx); got != 2 {
			t.Errorf("secure_delete = %d afterwards", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestALogThatAReaderNeedsIsCutOffLater(t *testing.T) {
	dir := t.TempDir()
	s := mustCreate(t, Config{Dir: dir})
	ctx := context.Background()
	err := s.View(ctx, func(*Reader) error {
		done := make(chan error)
		go func() {
			done <- s.Erase(ctx, func(tx *Tx) error { return tx.exec("DELETE FROM meta WHERE k = 'x'") })
		}()
		return <-done
	})
	if err != nil {
		t.Fatal(err)
	}
	_, size, closed, err := OS{}.Read(filepath.Join(dir, s.header.Live+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	closed()
	if cut, err := s.maintainLog(ctx); !cut || err != nil {
		t.Errorf("cut off %v, %v", cut, err)
	}
	_, left, closed, err := OS{}.Read(filepath.Join(dir, s.header.Live+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	closed()
	if size == 0 || left != 0 {
		t.Errorf("the log had %d bytes and has %d", size, left)
	}
}

func TestFreePagesAreGivenBack(t *testing.T) {
	s, disk, _ := clocked(t)
	idle(t, s)
	ctx := context.Background()
	if err := put(s, "big", make([]byte, 3*vacuumFrom*4096)); err != nil {
		t.Fatal(err)
	}
	if err := put(s, "big", 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	size := len(disk.Bytes("/profile/" + s.header.Live))
	idle(t, s)
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if now := len(disk.Bytes("/profile/" + s.header.Live)); size-now < vacuumFrom*4096 {
		t.Errorf("the file had %d bytes and has %d", size, now)
	}
}

func TestTheFileIsCheckedWeeklyAndAfterAnUncleanEnd(t *testing.T) {
	s, disk, now := clocked(t)
	cfg := s.cfg
	checks := func() int { return idle(t, s) - 1 }
	if checks() == 0 {
		t.Error("a new store is never checked")
	}
	for _, row := range []struct {
		name  string
		do    func()
		check bool
	}{
		{"at once again", func() {}, false},
		{"six days later", func() { *now = now.Add(6 * 24 * time.Hour) }, false},
		{"another day later", func() { *now = now.Add(24 * time.Hour) }, true},
		{"after a clean end", func() {
			mustClose(t, s)
			s = mustOpen(t, cfg)
		}, false},
		{"after a power cut", func() {
			put(s, "x", 1)
			disk.CutPowerAfter(1)
			s.Close()
			disk.Crash()
			s = mustOpen(t, cfg)
		}, true},
		{"and again", func() {}, false},
	} {
		row.do()
		if got := checks() > 5; got != row.check {
			t.Errorf("%s: checked %v, want %v", row.name, got, row.check)
		}
	}
}

func TestTheAuditLogCannotBeChanged(t *testing.T) {
	for name, change := range map[string]string{
		"a text":       "UPDATE audit_log SET detail = 'other' WHERE n = 3",
		"a time":       "UPDATE audit_log SET at = at + 1 WHERE n = 3",
		"a row":        "DELETE FROM audit_log WHERE n = 3",
		"the first":    "DELETE FROM audit_log WHERE n = 1",
		"the last":     "DELETE FROM audit_log WHERE n = 5",
		"all":          "DELETE FROM audit_log",
		"a number":     "UPDATE audit_log SET n = 6 WHERE n = 5",
		"none, or nil": "UPDATE audit_log SET subject = NULL WHERE n = 2",
	} {
		s, _, _ := clocked(t)
		ctx := context.Background()
		for i := range 5 {
			err := s.UpdateOwn(ctx, func(tx *Tx) error { return tx.Audit(2+i, []byte{}, strings.Repeat("x", i)) })
			if err != nil {
				t.Fatal(err)
			}
		}
		mustClose(t, s)
		s = mustOpen(t, s.cfg)
		if err := s.VerifyAudit(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(ctx, func(tx *Tx) error { return tx.exec(change) }); err == nil {
			t.Errorf("%s: SQL may change it", name)
		}
		err := s.Update(ctx, func(tx *Tx) error { // somebody with the data key
			return errors.Join(tx.c.Exec("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete"), tx.exec(change))
		})
		if err != nil {
			t.Fatal(name, err)
		}
		if err := s.VerifyAudit(ctx); !errors.Is(err, ErrAudit) {
			t.Errorf("%s: VerifyAudit = %v", name, err)
		}
		if err := checkAll(s); !isDamaged(s.header.Live, RemedyRestore)(err) || !errors.Is(err, ErrAudit) {
			t.Errorf("%s: the check of the file = %v", name, err)
		}
	}
}

func TestWrongPasswordsAreSlowedDown(t *testing.T) {
	var a Attempts
	now := time.Unix(1e9, 0)
	for i, want := range []struct {
		left  int
		pause time.Duration
	}{
		{4, time.Minute},
		{3, time.Minute},
		{2, time.Minute},
		{1, time.Minute},
		{0, time.Minute},
		{0, 2 * time.Minute},
		{0, 4 * time.Minute},
		{0, 8 * time.Minute},
		{0, 15 * time.Minute},
		{0, 15 * time.Minute},
	} {
		if w := a.Wait(now); w != 0 {
			t.Errorf("try %d has to wait %v", i+1, w)
		}
		left, pause := a.Wrong(now)
		if left != want.left || pause != want.pause {
			t.Errorf("wrong one %d: %d left, pause %v, want %d, %v", i+1, left, pause, want.left, want.pause)
		}
		if left == 0 {
			if w := a.Wait(now.Add(time.Second)); w != pause-time.Second {
				t.Errorf("wrong one %d: wait %v after a second of %v", i+1, w, pause)
			}
			now = now.Add(pause)
		}
	}
	a.Right()
	if left, _ := a.Wrong(now); left != 4 {
		t.Errorf("after the right one %d are left", left)
	}
}
