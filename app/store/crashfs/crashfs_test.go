package crashfs

import (
	"bytes"
	"errors"
	"math/rand"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// crashes calls fn on many disks, which then lose power, and counts what name holds.
func crashes(t *testing.T, name string, fn func(f *FS)) (seen map[string]int) {
	t.Helper()
	seen = map[string]int{}
	for s := range int64(200) {
		f := New(rand.New(rand.NewSource(s)))
		fn(f)
		f.Crash()
		if b := f.Bytes(name); b == nil {
			seen["gone"]++
		} else {
			seen[string(b)]++
		}
	}
	return seen
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func only(t *testing.T, seen map[string]int, allowed ...string) {
	t.Helper()
	for _, a := range allowed {
		if seen[a] == 0 {
			t.Errorf("never %q", a)
		}
		delete(seen, a)
	}
	for s, n := range seen {
		t.Errorf("%d times %.40q", n, s)
	}
}

func TestWhatWasSyncedSurvives(t *testing.T) {
	only(t, crashes(t, "/d/a", func(f *FS) {
		must(t, f.Replace("/d/a", []byte("one")), f.Patch("/d/a", 0, []byte("two")))
	}), "two")
}

func TestANameThatIsReplacedIsAsBeforeOrAsAfter(t *testing.T) {
	for n := 1; n <= 4; n++ {
		seen := crashes(t, "/d/a", func(f *FS) {
			must(t, f.Replace("/d/a", []byte("one")))
			f.CutPowerAfter(n)
			if err := f.Replace("/d/a", []byte("two")); err == nil || !f.Dead() {
				t.Fatal("the power did not go")
			}
		})
		switch {
		case n < 3: // writing and syncing the new file
			only(t, seen, "one")
		default: // renaming it, and syncing the folder
			only(t, seen, "one", "two")
		}
	}
}

func TestANewFileMayBeGoneUntilItsFolderIsSynced(t *testing.T) {
	for _, row := range []struct {
		flags vfs.OpenFlag
		may   []string
	}{
		{vfs.OPEN_MAIN_DB, []string{"gone", "x"}},
		{vfs.OPEN_WAL, []string{"x"}}, // whose first sync syncs the folder
	} {
		only(t, crashes(t, "/d/a", func(f *FS) {
			x, _, err := f.Open("/d/a", row.flags|vfs.OPEN_CREATE|vfs.OPEN_READWRITE)
			must(t, err)
			_, err = x.WriteAt([]byte("x"), 0)
			must(t, err, x.Sync(0))
		}), row.may...)
	}
}

func TestUnsyncedWritesAreKeptDroppedOrTornAtSectors(t *testing.T) {
	old, now := bytes.Repeat([]byte("o"), 3*sector), bytes.Repeat([]byte("n"), 3*sector)
	seen := crashes(t, "/d/a", func(f *FS) {
		must(t, f.Replace("/d/a", old))
		x, _, err := f.Open("/d/a", vfs.OPEN_READWRITE)
		must(t, err)
		_, err = x.WriteAt(now, 0)
		must(t, err)
		if n := f.Unsynced("/d/a"); n != 1 {
			t.Errorf("%d writes not synced", n)
		}
	})
	for s := range seen {
		for at := 0; at < len(s); at += sector {
			if part := s[at : at+sector]; part != string(old[:sector]) && part != string(now[:sector]) {
				t.Fatal("a sector is torn")
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d states of 8", len(seen))
	}
}

func TestAFailedSyncForgetsWhatWasPending(t *testing.T) {
	only(t, crashes(t, "/d/a", func(f *FS) {
		must(t, f.Replace("/d/a", []byte("one")))
		f.FailSyncs(1, "/d/b")
		must(t, f.Patch("/d/a", 0, []byte("ONE")))
		f.FailSyncs(1)
		if err := f.Patch("/d/a", 0, []byte("two")); err == nil {
			t.Error("the sync did not fail")
		}
		f.FailSyncs(0)
		if got := f.Bytes("/d/a"); string(got) != "two" {
			t.Errorf("it reads %q", got)
		}
		must(t, f.Patch("/d/a", 2, []byte("!")))
	}), "ON!")
}

func TestAFullDiskRefusesWhatDoesNotFit(t *testing.T) {
	f := New(rand.New(rand.NewSource(1)))
	f.SetFull(10)
	must(t, f.Replace("/d/a", []byte("12345")))
	if err := f.Replace("/d/b", []byte("123456")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Replace = %v", err)
	}
	if names, _ := f.List("/d"); len(names) != 1 {
		t.Errorf("files: %v", names)
	}
	must(t, f.Patch("/d/a", 0, []byte("abcde")))
	f.SetFull(0)
	must(t, f.Replace("/d/b", []byte("123456")))
}

func TestWithoutPowerNothingWorks(t *testing.T) {
	f := New(rand.New(rand.NewSource(1)))
	must(t, f.Replace("/d/a", []byte("one")))
	f.CutPowerAfter(1)
	if err := f.Patch("/d/a", 0, []byte("x")); err == nil || !f.Dead() {
		t.Fatal("the power did not go")
	}
	_, _, open := f.Open("/d/a", vfs.OPEN_READWRITE)
	_, _, _, read := f.Read("/d/a")
	_, list := f.List("/d")
	_, _, lock := f.Lock("/d/lock")
	for name, err := range map[string]error{
		"Open": open, "Read": read, "List": list, "Lock": lock, "Delete": f.Delete("/d/a", false),
		"Replace": f.Replace("/d/a", nil), "Patch": f.Patch("/d/a", 0, nil), "Remove": f.Remove("/d/a"), "MakeDir": f.MakeDir("/d"),
	} {
		if err == nil {
			t.Errorf("%s works", name)
		}
	}
	f.Crash()
	if f.Dead() || f.Bytes("/d/a") == nil {
		t.Error("it does not come back")
	}
}

func TestOneWriterAtATime(t *testing.T) {
	f := New(rand.New(rand.NewSource(1)))
	must(t, f.Replace("/d/a", nil))
	a, _, err := f.Open("/d/a", vfs.OPEN_READWRITE)
	must(t, err)
	b, _, err := f.Open("/d/a", vfs.OPEN_READWRITE)
	must(t, err, a.Lock(vfs.LOCK_SHARED), b.Lock(vfs.LOCK_SHARED), a.Lock(vfs.LOCK_RESERVED))
	if err := b.Lock(vfs.LOCK_RESERVED); err != sqlite3.BUSY {
		t.Errorf("a second writer: %v", err)
	}
	if err := a.Lock(vfs.LOCK_EXCLUSIVE); err != sqlite3.BUSY {
		t.Errorf("alone beside a reader: %v", err)
	}
	must(t, b.Unlock(vfs.LOCK_NONE), a.Lock(vfs.LOCK_EXCLUSIVE))
	if err := b.Lock(vfs.LOCK_SHARED); err != sqlite3.BUSY {
		t.Errorf("a reader beside one who is alone: %v", err)
	}
	must(t, a.Close(), b.Lock(vfs.LOCK_SHARED))
}

func TestTheSameSeedIsTheSameDisk(t *testing.T) {
	run := func() []byte {
		f := New(rand.New(rand.NewSource(7)))
		for i := range 20 {
			must(t, f.Replace("/d/a", bytes.Repeat([]byte{byte(i)}, 3000)))
			x, _, err := f.Open("/d/b", vfs.OPEN_READWRITE|vfs.OPEN_CREATE)
			must(t, err)
			x.WriteAt(bytes.Repeat([]byte{byte(i)}, 5000), int64(i*300))
			f.Crash()
		}
		return append(f.Bytes("/d/a"), f.Bytes("/d/b")...)
	}
	if !bytes.Equal(run(), run()) {
		t.Error("two runs differ")
	}
}
