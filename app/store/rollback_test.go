package store

import (
	"bytes"
	"errors"
	"math/rand"
	"testing"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/app/store/sealvfs"
)

// An older anchor beside the newest database looks like a crash. But its epoch would be used a second time, and page versions
// that repeat no longer tell an old page from a new one.
func TestAnAnchorThatWentBackRaisesTheAlarmAndRepeatsNoEpoch(t *testing.T) {
	h := makeHistory(t)
	m := h.late.clone()
	m["/profile/"+anchorName] = h.early["/profile/"+anchorName]
	m["/profile/"+pagesOf(h.early)] = h.early["/profile/"+pagesOf(h.early)]
	if got := look(t, "anchor and page versions of an earlier close", m, h.rows); got != alarmed {
		t.Errorf("anchor and page versions of an earlier close: %d, want %d", got, alarmed)
	}
	before, err := h.late.open(wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	after, err := m.open(wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if got, want := after.anchor.get().epoch, before.anchor.get().epoch; got < want {
		t.Errorf("it goes on in epoch %d, want %d or more", got, want)
	}
	rows, err := readRows(after)
	if err != nil || len(rows) != h.rows {
		t.Errorf("%d rows, %v, want %d", len(rows), err, h.rows)
	}
}

// After a crash the map of page versions that was saved knows nothing of the run that crashed. What is read since is known.
func TestAPageFromBeforeACrashIsRefusedOnceItsSuccessorWasRead(t *testing.T) {
	h := makeHistory(t)
	db := h.late.find(t, ".db")
	disk := crashfs.New(rand.New(rand.NewSource(1)))
	for name, b := range h.late {
		disk.Put(name, b)
	}
	cfg := Config{Dir: "/profile", FS: disk, Single: true}
	s := mustOpen(t, cfg)
	change := func(body byte) {
		err := s.Erase(t.Context(), func(tx *Tx) error { // written back at once
			b := bytes.Repeat([]byte{body}, 100)
			sum := rowSum(1, b)
			return tx.exec("UPDATE test_rows SET body = ?, sum = ? WHERE id = 1", b, sum[:])
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change(1)
	old := disk.Bytes(db)
	change(2)
	disk.CutPowerAfter(1)
	s.Close()
	disk.Crash()
	s = mustOpen(t, cfg)
	if err := checkAll(s); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	m := snapshot(disk)
	tried := 0
	for at := 0; at < len(old); at += sealvfs.PageSize {
		if bytes.Equal(old[at:at+sealvfs.PageSize], m[db][at:at+sealvfs.PageSize]) {
			continue
		}
		tried++
		put := m.clone()
		copy(put[db][at:], old[at:at+sealvfs.PageSize])
		// Of the page that was written last, the one with the number of commits, nobody can say that not all is older: the alarm.
		if got := look(t, "page from before the crash", put, h.rows); got == unharmed {
			t.Errorf("page %d from before the crash is served without a word", at/sealvfs.PageSize)
		}
	}
	if tried < 2 {
		t.Errorf("%d pages were tried", tried)
	}
}

// After a clean end there is no log. One that lies there is of another time, and SQLite would write its pages over newer ones.
func TestALogBesideACleanEndIsRefusedAndDoesNoHarm(t *testing.T) {
	h := makeHistory(t)
	wal := h.logged.find(t, ".db-wal")
	m := h.final.clone()
	m[wal] = h.logged[wal]
	before := m.clone()
	disk := crashfs.New(rand.New(rand.NewSource(1)))
	for name, b := range m {
		disk.Put(name, b)
	}
	cfg := Config{Dir: "/profile", FS: disk, Single: true}
	var foreign *ForeignError
	if _, err := OpenKey(t.Context(), cfg, wordsKey); !errors.As(err, &foreign) || "/profile/"+foreign.File != wal {
		t.Fatalf("OpenKey = %v, want a complaint about %s", err, wal)
	}
	for name, b := range snapshot(disk) {
		if !bytes.Equal(b, before[name]) {
			t.Errorf("%s was written to", name)
		}
	}
	disk.Put(wal, nil) // moved away
	if got := look(t, "the log moved away", snapshot(disk), h.rows+2*h.more); got != unharmed {
		t.Errorf("with the log moved away: %d, want %d", got, unharmed)
	}
}

func TestAFileThatLostItsEndIsRefused(t *testing.T) {
	h := makeHistory(t)
	db := h.late.find(t, ".db")
	for _, pages := range []int{1, 2, 10} {
		m := h.late.clone()
		m[db] = m[db][:len(m[db])-pages*sealvfs.PageSize]
		if got := look(t, "cut short", m, h.rows); got != refused {
			t.Errorf("%d pages shorter: %d, want %d", pages, got, refused)
		}
	}
}
