package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand"
	"runtime"
	"testing"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// withPassword is a vault on a disk of its own, with the password "old", and what opens it again.
func withPassword(t *testing.T, p vault.Params) (*Store, *crashfs.FS, Config) {
	t.Helper()
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	cfg := Config{Dir: "/profile", FS: fs, Single: true, WordsKey: wordsKey}
	s, err := Create(context.Background(), cfg, []byte("old"), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, fs, cfg
}

// Stretching a new password takes a second, in which somebody ends the program. The keys are wiped at the end, and a header
// that is sealed with wiped keys opens nothing any more.
func TestAChangeOfPasswordThatTheEndOvertakesLeavesTheVaultAsItWas(t *testing.T) {
	s, fs, cfg := withPassword(t, vault.Min)
	before := fs.Bytes(headerPath)
	ended := make(chan error, 1)
	err := s.changeSlots(func(slots [][]byte) ([][]byte, error) {
		go func() { ended <- s.Close() }()
		for !s.closed.Load() {
			runtime.Gosched()
		}
		slot, err := vault.SealSlot(vault.KindWords, bytes.Repeat([]byte{9}, vault.KeySize), vault.Params{}, s.keys.data, s.header.Vault[:])
		return append(slots, slot), err
	})
	if !errors.Is(err, ErrClosed) {
		t.Errorf("changeSlots = %v, want %v", err, ErrClosed)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !bytes.Equal(fs.Bytes(headerPath), before) || !bytes.Equal(fs.Bytes(backupPath), before) {
		t.Error("the header was written by a store that is closed")
	}
	mustOpen(t, cfg)
}

func TestANewPasswordIsNeverStretchedLessThanTheOldOne(t *testing.T) {
	dear := vault.Params{Memory: vault.Min.Memory + 1024, Time: vault.Min.Time + 1, Lanes: vault.Min.Lanes}
	s, _, cfg := withPassword(t, dear)
	params := func(n int) vault.Params {
		s.headerMu.Lock()
		defer s.headerMu.Unlock()
		_, p, err := vault.ParseSlot(s.header.Slots[n])
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := s.ChangePassword([]byte("old"), []byte("new"), vault.Min); err != nil {
		t.Fatal(err)
	}
	if got := params(0); got != dear {
		t.Errorf("after ChangePassword: %+v, want %+v", got, dear)
	}
	if err := errors.Join(s.AddWordsSlot(wordsKey), s.ResetPassword(wordsKey, []byte("newest"), vault.Min)); err != nil {
		t.Fatal(err)
	}
	if got := params(1); got != dear {
		t.Errorf("after ResetPassword: %+v, want %+v", got, dear)
	}
	mustClose(t, s)
	if err := opens(t, cfg, "newest"); err != nil {
		t.Error(err)
	}
}

// Whatever fails while the password is changed, afterwards one of the two opens the vault, and it is the one that the person
// was told. What each case does is done at the n-th change of the disk: write, sync, rename and sync of the folder for each copy.
func TestAChangeOfPasswordIsWholeWhateverFails(t *testing.T) {
	next := bytes.Repeat([]byte{8}, vault.KeySize)
	for name, fail := range map[string]func(fs *crashfs.FS, n int){
		"power":                   func(fs *crashfs.FS, n int) { fs.CutPowerAfter(n) },
		"sync of the first copy":  func(fs *crashfs.FS, _ int) { fs.FailSyncs(1, headerPath+".new") },
		"sync of the second copy": func(fs *crashfs.FS, _ int) { fs.FailSyncs(1, backupPath+".new") },
	} {
		for n := 1; n < 12; n++ {
			fs := crashfs.New(rand.New(rand.NewSource(int64(n))))
			cfg := Config{Dir: "/profile", FS: fs, Single: true}
			s := mustCreate(t, cfg)
			fail(fs, n)
			told := s.AddWordsSlot(next) == nil
			fs.FailSyncs(0)
			s.Close()
			power := fs.Dead()
			if power {
				fs.Crash()
			}
			withOld, withNext := opensWith(cfg, wordsKey), opensWith(cfg, next)
			switch {
			case withOld == withNext:
				t.Errorf("%s, change %d: the old one opens %v, the new one %v", name, n, withOld, withNext)
			case told && withOld:
				t.Errorf("%s, change %d: told that it is changed, and it is not", name, n)
			case !told && withNext && !power:
				t.Errorf("%s, change %d: told that it is not changed, and it is", name, n)
			}
		}
	}
}

func opensWith(cfg Config, key []byte) bool {
	s, err := OpenKey(context.Background(), cfg, key)
	if err == nil {
		s.Close()
	}
	return err == nil
}

// A second copy that cannot be written would keep the old password alive.
func TestASecondCopyThatCannotBeWrittenGoes(t *testing.T) {
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	cfg := Config{Dir: "/profile", FS: fs, Single: true}
	s := mustCreate(t, cfg)
	next := bytes.Repeat([]byte{8}, vault.KeySize)
	fs.FailSyncs(1, backupPath+".new")
	if err := s.AddWordsSlot(next); err != nil {
		t.Errorf("AddWordsSlot = %v", err)
	}
	if fs.Bytes(backupPath) != nil {
		t.Error("the second copy is there, and opens with the old key")
	}
	fs.FailSyncs(0)
	if err := s.AddWordsSlot(wordsKey); err != nil { // what is in memory is what is on disk
		t.Errorf("AddWordsSlot again = %v", err)
	}
	mustClose(t, s)
	if opensWith(cfg, next) || !opensWith(cfg, wordsKey) {
		t.Error("it opens with what was replaced, or not with what replaced it")
	}
	if !bytes.Equal(fs.Bytes(headerPath), fs.Bytes(backupPath)) {
		t.Error("there is no second copy again")
	}
}

// A machine of little memory must not make a vault that it then refuses to open.
func TestStretchingTakesNoMoreMemoryThanOpeningAllows(t *testing.T) {
	for _, row := range []struct {
		limit uint64
		want  uint32 // KiB
	}{
		{1 << 40, vault.Max.Memory},
		{256 << 20, vault.Max.Memory},
		{240 << 20, 240 << 10},
		{64 << 20, vault.Min.Memory},
	} {
		p, err := affordable(vault.Max, row.limit)
		if err != nil || p.Memory != row.want || p.Time != vault.Max.Time || p.Lanes != vault.Max.Lanes {
			t.Errorf("with %d MiB: %+v, %v, want %d KiB", row.limit>>20, p, err, row.want)
		}
	}
	var short *vault.MemoryError
	if _, err := affordable(vault.Min, 63<<20); !errors.As(err, &short) || short.Limit != 63<<20 {
		t.Errorf("with 63 MiB: %v", err)
	}
}
