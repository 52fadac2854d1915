package store

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

func TestAFullDiskIsSaidAndKeepsWhatWasAccepted(t *testing.T) {
	for _, single := range []bool{true, false} {
		g := newRig(t, seed(), single)
		s := mustOpen(t, g.cfg)
		r := rand.New(rand.NewSource(seed()))
		accepted := map[int64]bool{}
		id := int64(0)
		insert := func() error {
			id++
			body := make([]byte, 3000)
			r.Read(body)
			err := s.UpdateOwn(context.Background(), func(tx *Tx) error { return insertRow(tx, id, body) })
			if err == nil {
				accepted[id] = true
			}
			return err
		}
		check := func(when string) {
			t.Helper()
			rows, err := readRows(s)
			if err != nil || len(rows) != len(accepted) {
				t.Fatalf("%s: %d rows, %v, want %d", when, len(rows), err, len(accepted))
			}
		}
		g.fs.SetFull(1_500_000)
		var err error
		for err == nil {
			err = insert()
		}
		if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("single %v: %v, want %v", single, err, ErrFull)
		}
		check("full")
		g.fs.SetFull(1)
		for range 5 {
			if err := insert(); !errors.Is(err, ErrFull) {
				t.Errorf("single %v, still full: %v", single, err)
			}
		}
		if err := s.Close(); !errors.Is(err, ErrFull) {
			t.Errorf("single %v: Close = %v", single, err)
		}
		s = mustOpen(t, g.cfg) // on the full disk
		check("opened while full")
		if s.Rolled() {
			t.Errorf("single %v: a false alarm", single)
		}
		g.fs.SetFull(0)
		if err := insert(); err != nil {
			t.Errorf("single %v, room again: %v", single, err)
		}
		check("room again")
		mustClose(t, s)
	}
}

func TestAVaultThatDoesNotFitIsNotThere(t *testing.T) {
	for _, size := range []int64{1, 5000, 100_000, 600_000} {
		disk := crashfs.New(rand.New(rand.NewSource(1)))
		cfg := Config{Dir: "/profile", FS: disk, Single: true}
		disk.SetFull(size)
		if _, err := CreateKey(context.Background(), cfg, wordsKey); !errors.Is(err, ErrFull) {
			t.Errorf("%d bytes: CreateKey = %v", size, err)
		}
		if exists(disk, "/profile") {
			t.Errorf("%d bytes: a vault is there", size)
		}
		disk.SetFull(0)
		mustClose(t, mustCreate(t, cfg))
	}
}

// Creation is cut off all along its changes, and at every one of the last: what is left is a whole vault or none.
func TestAVaultIsWholeOrNotThere(t *testing.T) {
	whole, all := 0, changesOfCreation(t)
	for n := 1; n < all+30; n++ {
		if n < all-40 {
			n += all / 40
		}
		disk := crashfs.New(rand.New(rand.NewSource(int64(n))))
		cfg := Config{Dir: "/profile", FS: disk, Single: true}
		disk.CutPowerAfter(n)
		s, err := CreateKey(context.Background(), cfg, wordsKey)
		if err == nil {
			s.Close()
		}
		done := err == nil
		disk.Crash()
		switch there := exists(disk, "/profile"); {
		case !there && done:
			t.Fatalf("change %d: made, and gone", n)
		case there:
			whole++
			s := mustOpen(t, cfg)
			if s.Rolled() {
				t.Errorf("change %d: a false alarm", n)
			}
			if err := checkAll(s); err != nil {
				t.Errorf("change %d: %v", n, err)
			}
			s.Close()
		}
	}
	if t.Logf("%d changes, %d whole vaults", all, whole); whole < 10 {
		t.Error("creation never ended")
	}
}

func changesOfCreation(t *testing.T) (n int) {
	disk := crashfs.New(rand.New(rand.NewSource(1)))
	disk.Trace(func(crashfs.Event) { n++ })
	mustCreate(t, Config{Dir: "/profile", FS: disk, Single: true})
	return n
}

func TestNothingReadableIsOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := mustCreate(t, Config{Dir: dir})
	words := []string{"Donaudampfschiff", "rendezvous", "kaleidoscope"}
	for i := range 400 {
		err := s.UpdateOwn(context.Background(), func(tx *Tx) error {
			text := strings.Repeat(words[i%3]+" ", 30)
			if err := tx.Audit(2, []byte(words[0]), words[1]); err != nil {
				return err
			}
			return tx.exec("INSERT INTO meta(k, v) VALUES(?, ?)", fmt.Sprint(words[2], i), text)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look := func(when string) {
		secrets := [][]byte{[]byte("SQLite format 3"), []byte("CREATE TABLE"), []byte("audit_log"), s.keys.data[:8], s.keys.page[:8], wordsKey[:16]}
		for _, w := range words {
			secrets = append(secrets, []byte(w), []byte(w[:6]))
		}
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			for _, secret := range secrets {
				if bytes.Contains(b, secret) {
					t.Errorf("%s: %s holds %q", when, e.Name(), secret)
				}
			}
			sealed := strings.HasSuffix(name, ".db") || strings.HasSuffix(name, ".db-wal")
			if ratio := compressed(b); sealed && len(b) > 100_000 && ratio < 0.999 {
				t.Errorf("%s: %s shrinks to %.4f", when, e.Name(), ratio)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	look("open")
	data, page := s.keys.data, s.keys.page
	mustClose(t, s)
	if s.keys.data != ([32]byte{}) || s.keys.page != ([32]byte{}) {
		t.Error("Close did not wipe the keys")
	}
	s.keys.data, s.keys.page = data, page
	look("closed")
}

func compressed(b []byte) float64 {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	w.Write(b)
	w.Close()
	return float64(out.Len()) / float64(max(1, len(b)))
}
