package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

const headerPath, backupPath = "/profile/" + headerName, "/profile/" + backupName

func opens(t *testing.T, cfg Config, pw string) error {
	t.Helper()
	s, err := Open(context.Background(), cfg, []byte(pw))
	if err == nil {
		mustClose(t, s)
	}
	return err
}

func TestAPasswordOpensAndAnotherIsRefused(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s, err := Create(context.Background(), cfg, []byte("u\u0308ber"), vault.Min)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.CheckPassword([]byte("\u00fcber")), s.AddWordsSlot(wordsKey)); err != nil {
		t.Error(err)
	}
	mustClose(t, s)
	if err := opens(t, cfg, "\u00fcber"); err != nil {
		t.Errorf("the same letters, composed: %v", err)
	}
	err = opens(t, cfg, "uber")
	if !errors.Is(err, ErrPassword) || !strings.Contains(err.Error(), headerName) {
		t.Errorf("another: %v", err)
	}
	mustClose(t, mustOpen(t, cfg))
	if _, err := OpenKey(context.Background(), cfg, make([]byte, vault.KeySize)); !errors.Is(err, ErrPassword) {
		t.Errorf("other words: %v", err)
	}
	if _, err := Create(context.Background(), cfg, []byte("x"), vault.Min); !errors.Is(err, ErrExists) {
		t.Errorf("Create over it: %v", err)
	}
}

func TestAnOldPasswordIsDeadOnceTheNewOneIsSet(t *testing.T) {
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	cfg := Config{Dir: "/profile", FS: fs, Single: true}
	s, err := Create(context.Background(), cfg, []byte("old"), vault.Min)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ChangePassword([]byte("wrong"), []byte("new"), vault.Min); !errors.Is(err, ErrPassword) {
		t.Errorf("ChangePassword with a wrong one: %v", err)
	}
	if err := s.ChangePassword([]byte("old"), []byte("new"), vault.Min); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if !bytes.Equal(fs.Bytes(headerPath), fs.Bytes(backupPath)) {
		t.Error("the second copy is another")
	}
	for _, gone := range []string{"", headerPath, backupPath} {
		if gone != "" {
			fs.Put(gone, nil)
		}
		if err := opens(t, cfg, "old"); !errors.Is(err, ErrPassword) {
			t.Errorf("without %q the old one: %v", gone, err)
		}
		if err := opens(t, cfg, "new"); err != nil {
			t.Errorf("without %q the new one: %v", gone, err)
		}
		if gone != "" && !bytes.Equal(fs.Bytes(gone), fs.Bytes(headerPath)) {
			t.Errorf("%s was not written anew", gone)
		}
	}
}

// The header that was there before opens with the old password, and is of an earlier generation.
func TestAnEarlierHeaderBesideTheNewOneIsOverwritten(t *testing.T) {
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	cfg := Config{Dir: "/profile", FS: fs, Single: true}
	s := mustCreate(t, cfg)
	before := fs.Bytes(backupPath)
	next := bytes.Repeat([]byte{8}, vault.KeySize)
	if err := s.AddWordsSlot(next); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	for _, name := range []string{headerPath, backupPath} {
		fs.Put(name, before)
		if _, err := OpenKey(context.Background(), cfg, wordsKey); !errors.Is(err, ErrPassword) {
			t.Errorf("an earlier %s: the former words: %v", name, err)
		}
		s, err := OpenKey(context.Background(), cfg, next)
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		if bytes.Equal(fs.Bytes(name), before) || !bytes.Equal(fs.Bytes(headerPath), fs.Bytes(backupPath)) {
			t.Errorf("%s was not written anew", name)
		}
	}
}

func TestWhatIsWrongWithAVaultNamesFileAndRemedy(t *testing.T) {
	h := makeHistory(t)
	db := h.late.find(t, ".db")
	both := func(b []byte) func(m image) {
		return func(m image) { m[headerPath], m[backupPath] = b, b }
	}
	good := h.late[headerPath]
	newer := bytes.Clone(good)
	newer[3] = '2'
	damaged := bytes.Clone(good)
	damaged[20] ^= 1
	for _, row := range []struct {
		name   string
		change func(m image)
		is     func(err error) bool
		says   []string
	}{
		{"no vault", both(nil), is(ErrNone), []string{"no vault"}},
		{"header damaged", both(damaged), isDamaged(headerName, RemedyCopy), []string{headerName, "put back a copy"}},
		{"header cut off", both(good[:50]), isDamaged(headerName, RemedyCopy), []string{headerName, "put back a copy"}},
		{"header of something else", both([]byte("hello")), isForeign(headerName), []string{headerName, "move it away"}},
		{"header of a later version", both(newer), is(ErrNewer), []string{headerName, "newer version"}},
		{"database gone", func(m image) { delete(m, db) }, isDamaged(db[9:], RemedyRestore), []string{db[9:], "restore a backup"}},
		{"database empty", func(m image) { m[db] = []byte{} }, isDamaged(db[9:], RemedyRestore), []string{db[9:], "restore a backup"}},
		{"database of zeros", func(m image) { clear(m[db]) }, isDamaged(db[9:], RemedyRestore), []string{db[9:], "restore a backup"}},
		{"a plain database", func(m image) { copy(m[db], "SQLite format 3\x00") }, isForeign(db[9:]), []string{db[9:], "move it away"}},
	} {
		m := h.late.clone()
		row.change(m)
		for name, b := range m {
			if b == nil {
				delete(m, name)
			}
		}
		_, err := m.open(wordsKey)
		if err == nil || !row.is(err) {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		for _, word := range row.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", row.name, err, word)
			}
		}
	}
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }

func isDamaged(file string, r Remedy) func(error) bool {
	return func(err error) bool {
		var d *DamagedError
		return errors.As(err, &d) && d.File == file && d.Remedy == r
	}
}

func isForeign(file string) func(error) bool {
	return func(err error) bool {
		var f *ForeignError
		return errors.As(err, &f) && f.File == file && f.Remedy == RemedyMove
	}
}

func TestADatabaseOfALaterVersionIsNotTouched(t *testing.T) {
	fs := crashfs.New(rand.New(rand.NewSource(1)))
	cfg := Config{Dir: "/profile", FS: fs, Single: true}
	s := mustCreate(t, cfg)
	if err := s.writer.conn.Exec("PRAGMA user_version=1000"); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	before := snapshot(fs)
	if _, err := OpenKey(context.Background(), cfg, wordsKey); !errors.Is(err, ErrNewer) {
		t.Errorf("OpenKey = %v, want %v", err, ErrNewer)
	}
	for name, b := range snapshot(fs) {
		if !bytes.Equal(b, before[name]) {
			t.Errorf("%s was written to", name)
		}
	}
}

func TestWordsSetANewPasswordWhenTheOldOneIsForgotten(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s, err := Create(context.Background(), cfg, []byte("forgotten"), vault.Min)
	if err == nil {
		err = s.AddWordsSlot(wordsKey)
	}
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, cfg)
	other := bytes.Repeat([]byte{9}, len(wordsKey))
	if err := s.ResetPassword(other, []byte("a thief's"), vault.Min); !errors.Is(err, ErrPassword) {
		t.Errorf("with other words: %v", err)
	}
	if err := s.ResetPassword(wordsKey, []byte("another"), vault.Min); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	if err := opens(t, cfg, "forgotten"); !errors.Is(err, ErrPassword) {
		t.Errorf("the forgotten one: %v", err)
	}
	if err := opens(t, cfg, "another"); err != nil {
		t.Errorf("the new one: %v", err)
	}
	mustClose(t, mustOpen(t, cfg))
}
