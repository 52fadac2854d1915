package store

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/vault"
)

// wordsKey opens the vaults of most tests: without a password there is nothing to stretch.
var wordsKey = bytes.Repeat([]byte{7}, vault.KeySize)

func mustCreate(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := CreateKey(context.Background(), cfg, wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustOpen(t *testing.T, cfg Config) *Store {
	t.Helper()
	s, err := OpenKey(context.Background(), cfg, wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustClose(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// put writes a setting, which stands for anything.
func put(s *Store, k string, v any) error {
	return s.Update(context.Background(), func(tx *Tx) error {
		return tx.exec("INSERT OR REPLACE INTO meta(k, v) VALUES(?, ?)", k, v)
	})
}

func get(t *testing.T, s *Store, k string) (v int64, found bool) {
	t.Helper()
	err := s.View(context.Background(), func(r *Reader) (err error) {
		found, err = r.one("SELECT v FROM meta WHERE k = ?", func(row Row) error {
			v = row.Int(0)
			return nil
		}, k)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v, found
}

func TestWhatWasCommittedIsThereAfterReopening(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s := mustCreate(t, cfg)
	if err := put(s, "a", 5); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	s = mustOpen(t, cfg)
	if v, found := get(t, s, "a"); !found || v != 5 {
		t.Errorf("after reopening: %d, %v", v, found)
	}
	if s.Rolled() {
		t.Error("an alarm after a clean end")
	}
}

func TestAnErrorUndoesItsOwnTransactionOnly(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	wrong := errors.New("wrong")
	err := s.Update(context.Background(), func(tx *Tx) error {
		tx.OnCommit(func() { t.Error("told of a commit that was none") })
		if err := tx.exec("INSERT INTO meta(k, v) VALUES('a', 1)"); err != nil {
			return err
		}
		return wrong
	})
	if err != wrong {
		t.Errorf("Update = %v, want %v", err, wrong)
	}
	if _, found := get(t, s, "a"); found {
		t.Error("it is there")
	}
	if err := put(s, "b", 1); err != nil {
		t.Error(err)
	}
}
