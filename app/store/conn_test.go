package store

import (
	"errors"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// What SQLite sorts or undoes must not lie in a file that nobody seals: each connection keeps it in memory, and the VFS has no
// such file to give.
func TestNothingTemporaryLeavesMemory(t *testing.T) {
	s := mustCreate(t, Config{Dir: t.TempDir()})
	check := func(who string, c *conn) {
		t.Helper()
		for name, want := range map[string]int64{"temp_store": 2, "synchronous": 2, "mmap_size": 0, "trusted_schema": 0, "cell_size_check": 1} {
			if got, err := pragma(c.Conn, name); err != nil || got != want {
				t.Errorf("%s: %s = %d, %v, want %d", who, name, got, err, want)
			}
		}
	}
	sort := func(r *Reader) error {
		const big = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
SELECT count(*) FROM (SELECT DISTINCT i % 9973, hex(zeroblob(500)) || i FROM n ORDER BY 2 DESC)`
		_, err := r.one(big, func(Row) error { return nil })
		return err
	}
	err := s.View(t.Context(), func(r *Reader) error {
		check("reading", r.c)
		return sort(r)
	})
	if err == nil {
		err = s.Update(t.Context(), func(tx *Tx) error {
			check("writing", tx.c)
			return sort(&tx.Reader)
		})
	}
	if err != nil {
		t.Error(err)
	}
	if _, _, err := s.vfs.Open("", vfs.OPEN_TEMP_DB|vfs.OPEN_CREATE); !errors.Is(err, sqlite3.CANTOPEN) {
		t.Errorf("a temporary file without a name: %v", err)
	}
	for _, flag := range []vfs.OpenFlag{vfs.OPEN_TEMP_DB, vfs.OPEN_TRANSIENT_DB, vfs.OPEN_MAIN_JOURNAL, vfs.OPEN_TEMP_JOURNAL, vfs.OPEN_SUBJOURNAL, vfs.OPEN_SUPER_JOURNAL} {
		if _, _, err := s.vfs.OpenFilename(nil, flag|vfs.OPEN_CREATE); !errors.Is(err, sqlite3.CANTOPEN) {
			t.Errorf("a file of kind %#x: %v", flag, err)
		}
	}
}
