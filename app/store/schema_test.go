package store

import (
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
)

// loaded is the schema in memory.
func loaded(t *testing.T) *sqlite3.Conn {
	t.Helper()
	c, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := fts5.Register(c); err != nil {
		t.Fatal(err)
	}
	for _, step := range migrations() {
		if err := c.Exec("PRAGMA foreign_keys=ON; " + step); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// column returns a column of every row.
func column(t *testing.T, c *sqlite3.Conn, query string, i int) (rows []string) {
	t.Helper()
	st, _, err := c.Prepare(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer st.Close()
	for st.Step() {
		rows = append(rows, st.ColumnText(i))
	}
	if st.Err() != nil {
		t.Fatalf("%s: %v", query, st.Err())
	}
	return rows
}

// scans reports whether query reads a whole table, or sorts.
func scans(t *testing.T, c *sqlite3.Conn, query string) (plan string, bad bool) {
	t.Helper()
	plan = strings.Join(column(t, c, "EXPLAIN QUERY PLAN "+query, 3), "; ")
	return plan, plan == "" || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE")
}

// Deleting a row looks for those that refer to it: without an index that reads their whole table. Accounts and devices are
// never deleted.
func TestDeletingARowReadsNoWholeTable(t *testing.T) {
	c := loaded(t)
	queries := column(t, c, `SELECT 'SELECT 1 FROM ' || m.name || ' WHERE ' || group_concat(f."from", '=1 AND ') || '=1'
FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE f."table" NOT IN ('accounts', 'devices') GROUP BY m.name, f.id`, 0)
	if len(queries) < 20 {
		t.Fatalf("%d foreign keys", len(queries))
	}
	for _, q := range queries {
		if plan, bad := scans(t, c, q); bad {
			t.Errorf("%s: %s", q, plan)
		}
	}
}

func TestQueriesOfTheHotPathsUseAnIndex(t *testing.T) {
	c := loaded(t)
	for _, q := range []string{
		"SELECT * FROM messages WHERE room=1 AND (sort, tie, idx) < (9, 9, 9) ORDER BY sort DESC, tie DESC, idx DESC LIMIT 50",
		"SELECT * FROM rooms WHERE next IS NULL AND archived=0 ORDER BY pinned DESC, last_sort DESC",
		"SELECT * FROM devices WHERE peer_id=x'00'",
		"SELECT room, secret FROM gates WHERE tag=x'00'",
		"SELECT log_id, stored, opened, read, head_k, head_digest FROM logs WHERE room=1",
		"SELECT id, head_k FROM logs WHERE room=1 AND seed IS NOT NULL AND state=0",
		"SELECT header, deps FROM segments WHERE log=1 AND k BETWEEN 5 AND 9 ORDER BY k DESC",
		"SELECT k, sig FROM signatures WHERE log=1 AND k>=5 ORDER BY k LIMIT 1",
		"SELECT raw FROM entries WHERE log=1 AND idx BETWEEN 5 AND 69 ORDER BY idx",
		"SELECT * FROM entries WHERE log=1 AND state=1 ORDER BY idx",
		"SELECT hash FROM tree WHERE log=1 AND n BETWEEN 0 AND 7 ORDER BY n",
		"SELECT log, k FROM waits WHERE log_id=x'00' AND parent_k<=5",
		"SELECT * FROM gaps WHERE next_at <= 5 ORDER BY next_at LIMIT 100",
		"SELECT l.id, c.stored FROM cursors c JOIN logs l ON l.id=c.log WHERE c.device=1 AND c.stored<l.size AND c.refused IS NULL",
		"SELECT slot, blob_id FROM mail WHERE ask_at <= 5 ORDER BY ask_at LIMIT 256",
		"SELECT * FROM key_requests WHERE next_at <= 5 ORDER BY next_at LIMIT 100",
		"SELECT sid, state FROM sessions WHERE device=1 ORDER BY rank DESC LIMIT 1",
		"SELECT * FROM ctl_out WHERE next_at <= 5 ORDER BY next_at LIMIT 100",
		"DELETE FROM ctl_out WHERE sid=x'00' AND i<5",
		"SELECT seed FROM prekeys WHERE digest=x'00'",
		"SELECT * FROM targets WHERE next_at <= 5 ORDER BY next_at LIMIT 100",
		"SELECT * FROM certificates WHERE log=1 AND k>=17 ORDER BY k LIMIT 1",
		"SELECT id FROM evidence WHERE room=1",
		"SELECT id FROM messages WHERE expires_at < 5 ORDER BY expires_at LIMIT 100",
	} {
		if plan, bad := scans(t, c, q); bad {
			t.Errorf("%s: %s", q, plan)
		}
	}
}

func TestTheSchemaRefusesWhatCannotBe(t *testing.T) {
	c := loaded(t)
	if err := c.Exec("PRAGMA foreign_keys=OFF"); err != nil { // what refuses must be the column
		t.Fatal(err)
	}
	for _, q := range []string{
		"INSERT INTO accounts(id, account_id, created_at) VALUES(1, zeroblob(31), 0)",
		"INSERT INTO signatures(log, k, day, sig) VALUES(1, 1, 0, x'')",
		"INSERT INTO segments(log, k, digest, header, deps, first, size, sort, at) VALUES(1, 1, zeroblob(32), zeroblob(192), x'00', 1, 2, 1, 0)",
		"INSERT INTO key_requests(at, next_at) VALUES(0, 0)",
		"INSERT INTO evidence VALUES(zeroblob(16), 1, NULL, x'', zeroblob(65537), 0)",
		"INSERT INTO meta(k) VALUES('x')",
	} {
		if c.Exec(q) == nil {
			t.Errorf("accepted: %s", q)
		}
	}
}

func TestAMigrationIsDoneOnceAndWhollyOrNotAtAll(t *testing.T) {
	c := loaded(t)
	if err := c.Exec("PRAGMA user_version=1"); err != nil {
		t.Fatal(err)
	}
	steps := append(migrations()[:1:1], "CREATE TABLE added(a)", "CREATE TABLE third(a); CREATE TABLE added(a)")
	for range 2 {
		if err := migrate(c, steps); err == nil {
			t.Error("a step that fails is reported as done")
		}
		version, _ := pragma(c, "user_version")
		tables := column(t, c, "SELECT name FROM sqlite_schema WHERE name IN ('added', 'third')", 0)
		commits := column(t, c, "SELECT v FROM meta WHERE k = 'commits'", 0)
		if version != 2 || len(tables) != 1 || tables[0] != "added" || commits[0] != "1" {
			t.Errorf("version %d, tables %v, commits %v", version, tables, commits)
		}
	}
	steps[2] = "CREATE TABLE third(a)"
	if err := migrate(c, steps); err != nil {
		t.Error(err)
	}
	if err := migrate(c, steps[:2]); err != ErrNewer {
		t.Errorf("an older program: %v, want %v", err, ErrNewer)
	}
}

func TestSearchForgetsWhatIsDeletedAndFollowsEdits(t *testing.T) {
	s, _, _ := clocked(t)
	idle(t, s)
	for _, row := range []struct {
		name, change string
		indexed      bool
		koln, bonn   int64
	}{
		{"written", "", true, 1, 0},
		{"edited twice before the next step", "UPDATE messages SET body = 'koln again'; UPDATE messages SET body = 'Bonn'", true, 0, 1},
		{"edited, not yet indexed", "UPDATE messages SET body = 'Köln'", false, 0, 0},
		{"emptied", "UPDATE messages SET body = NULL", true, 0, 0},
		{"written anew", "UPDATE messages SET body = 'Bonn und Köln'", true, 1, 1},
		{"its room deleted", "DELETE FROM rooms", true, 0, 0},
	} {
		err := s.Update(t.Context(), func(tx *Tx) error {
			if row.change == "" {
				return message(tx, 1, "Köln")
			}
			return tx.c.Exec(row.change)
		})
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if row.indexed {
			idle(t, s)
		}
		if k, b := found(t, s, "koln"), found(t, s, "bonn"); k != row.koln || b != row.bonn {
			t.Errorf("%s: found %d and %d, want %d and %d", row.name, k, b, row.koln, row.bonn)
		}
	}
	if err := s.Update(t.Context(), func(tx *Tx) error {
		return tx.exec("INSERT INTO messages_fts(messages_fts, rank) VALUES('integrity-check', 1)")
	}); err != nil {
		t.Error(err)
	}
}
