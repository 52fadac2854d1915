package store

import (
	"context"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// long is a store of one room of two with n messages from each side, one to a segment; theirs come right after ours.
func long(t *testing.T, n int64) *Store {
	t.Helper()
	s, err := CreateKey(context.Background(), Config{Dir: t.TempDir(), Single: true}, wordsKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, s) })
	err = s.Update(context.Background(), func(tx *Tx) error {
		const numbers = "WITH RECURSIVE c(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM c WHERE k < ?1 - 1) "
		for _, q := range []string{
			"INSERT INTO accounts(id, account_id, state, created_at) VALUES(1, zeroblob(32), 3, 0), (2, randomblob(32), 3, 0)",
			"INSERT INTO devices(id, account, idx, digest, peer_id, pk, cert, state, approved) VALUES(1, 1, 0, zeroblob(32), x'01', zeroblob(1984), x'', 1, 1), (2, 2, 0, randomblob(32), x'02', zeroblob(1984), x'', 1, 1)",
			"INSERT INTO rooms(id, uid, genesis, kind) VALUES(1, zeroblob(32), x'', 1)",
			"INSERT INTO members(room, account, role) VALUES(1, 1, 2), (1, 2, 2)",
			"INSERT INTO logs(id, log_id, room, device, pk, seed) VALUES(1, zeroblob(32), 1, 1, zeroblob(1984), x'01'), (2, randomblob(32), 1, 2, zeroblob(1984), NULL)",
		} {
			if err := tx.exec(q); err != nil {
				return err
			}
		}
		for _, q := range []string{
			"INSERT INTO segments(log, k, digest, header, deps, first, size, sort, at) SELECT l.id, k, zeroblob(32), zeroblob(216), x'00', k, k + 1, 2 * k + l.id, 0 FROM c, logs l",
			"INSERT INTO signatures(log, k, day, sig) SELECT 1, k, 0, zeroblob(3373) FROM c WHERE k % 16 = 0",
			"INSERT INTO entries(log, idx, k, leaf, raw, prk, state) SELECT l.id, k, k, zeroblob(32), zeroblob(100), zeroblob(32), 0 FROM c, logs l ORDER BY k, l.id",
			"INSERT INTO messages(id, room, sort, tie, idx, sender, kind, sent_at, recv_at, body) SELECT e.id, 1, 2 * e.idx + e.log, e.log, e.idx, e.log, 3, 0, 0, 'x' FROM entries e WHERE e.idx < ?1",
			"UPDATE logs SET head_k = ?1 - 1, size = ?1, stored = ?1, opened = ?1, whole_k = ?1 - 1, tree = ?1, head_digest = zeroblob(32)",
			"UPDATE rooms SET last_sort = 2 * ?1, unread = ?1",
		} {
			if into, from, ok := strings.Cut(q, " SELECT "); ok && strings.Contains(from, "FROM c") {
				q = numbers + into + " SELECT " + from
			}
			if err := tx.exec(q, n); err != nil {
				return err
			}
		}
		return tx.SetCursor(Cursor{Log: 1, Device: 2, HeadK: -1, At: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// steps is what fn makes SQLite do, in steps of its virtual machine: a measure that no other program on this machine changes.
func steps(t *testing.T, s *Store, fn func(tx *Tx) error) (n int) {
	t.Helper()
	err := s.Update(context.Background(), func(tx *Tx) error {
		for _, st := range tx.c.idle {
			st.Status(sqlite3.STMTSTATUS_VM_STEP, true)
		}
		err := fn(tx)
		for _, st := range tx.c.idle {
			n += st.Status(sqlite3.STMTSTATUS_VM_STEP, true)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What status, lists, pages and couriers ask again and again must not cost more in a room of 16,000 messages than in one of 2,000.
func TestTheCostOfWhatIsAskedOftenDoesNotGrowWithTheRoom(t *testing.T) {
	const few, many = 1000, 8000
	small, large := long(t, few), long(t, many)
	read := func(fn func(r *Reader, n int64) error) func(*Tx, int64) error {
		return func(tx *Tx, n int64) error { return fn(&tx.Reader, n) }
	}
	cursor := func(at func(n int64) int64, then func(tx *Tx, n int64) error) func(*Tx, int64) error {
		return func(tx *Tx, n int64) error {
			if err := tx.SetCursor(Cursor{Log: 1, Device: 2, Stored: at(n), Opened: at(n), HeadK: at(n) - 1, At: 1}); err != nil {
				return err
			}
			return then(tx, n)
		}
	}
	queued := read(func(r *Reader, _ int64) error { _, err := r.CountQueued(); return err })
	none, half, all := func(int64) int64 { return 0 }, func(n int64) int64 { return n / 2 }, func(n int64) int64 { return n }
	for _, row := range []struct {
		name string
		do   func(tx *Tx, n int64) error
	}{
		{"the first segment owed", read(func(r *Reader, _ int64) error { _, _, err := r.SegmentAt(1, 0); return err })},
		{"one in the middle", read(func(r *Reader, n int64) error { _, _, err := r.SegmentAt(1, n/2); return err })},
		{"the next to come", read(func(r *Reader, n int64) error { _, _, err := r.SegmentAt(1, n); return err })},
		{"what is owed", read(func(r *Reader, _ int64) error { _, err := r.Owing(2, 2); return err })},
		{"what is lacking", read(func(r *Reader, _ int64) error { _, err := r.Lacking(2); return err })},
		{"what is closed", read(func(r *Reader, n int64) error { _, err := r.ClosedEntries(2, 0, 64); return err })},
		{"the first closed", read(func(r *Reader, n int64) error { _, err := r.FirstClosed(2, 0, n); return err })},
		{"what is unopened", read(func(r *Reader, _ int64) error { _, err := r.Unopened(2); return err })},
		{"logs that lag", read(func(r *Reader, _ int64) error { _, err := r.Lagging(1); return err })},
		{"a signature", read(func(r *Reader, n int64) error { _, _, err := r.NewestSignature(1, n/2); return err })},
		{"the signature above", read(func(r *Reader, n int64) error { _, _, err := r.SignatureFrom(1, n/2); return err })},
		{"openings", read(func(r *Reader, n int64) error { _, err := r.Openings(1, n/2, n, 256); return err })},
		{"whether anything is there", read(func(r *Reader, _ int64) error { _, err := r.HasSegments(1); return err })},
		{"the newest message", read(func(r *Reader, _ int64) error { _, _, err := r.LastMessage(1, 5); return err })},
		{"a page", read(func(r *Reader, n int64) error { _, err := r.MessagesBefore(1, Key{Sort: n}, 50, 5); return err })},
		{"what came since", read(func(r *Reader, n int64) error { _, err := r.MessagesSince(1, 2*n-10, 50); return err })},
		{"a page since long ago", read(func(r *Reader, n int64) error { _, err := r.MessagesSince(1, n, 50); return err })},
		{"what is held back", read(func(r *Reader, _ int64) error { _, err := r.Overdue(5); return err })},
		{"when something held back shows", read(func(r *Reader, _ int64) error { _, err := r.NextHold(5); return err })},
		{"rooms", read(func(r *Reader, _ int64) error { _, err := r.Rooms(); return err })},
		{"queued, all", cursor(none, queued)},
		{"queued, half", cursor(half, queued)},
		{"queued, none", cursor(all, queued)},
		{"signatures that nobody needs, none confirmed", cursor(none, func(tx *Tx, _ int64) error { return tx.DropConfirmed(1) })},
		{"reading a little", func(tx *Tx, n int64) error { return tx.MarkRead(1, 101) }},
		{"reading on", func(tx *Tx, n int64) error { return tx.MarkRead(1, 201) }},
		{"reading to the middle", func(tx *Tx, n int64) error { return tx.MarkRead(1, n) }},
		{"reading to the end", func(tx *Tx, n int64) error { return tx.MarkRead(1, 2*n) }},
		{"reading back", func(tx *Tx, n int64) error { return tx.MarkRead(1, 5) }},
	} {
		a := steps(t, small, func(tx *Tx) error { return row.do(tx, few) })
		b := steps(t, large, func(tx *Tx) error { return row.do(tx, many) })
		t.Logf("%s: %d, %d", row.name, a, b)
		if b > 2*a+200 {
			t.Errorf("%s: %d steps with %d messages, %d with %d", row.name, a, 2*few, b, 2*many)
		}
	}
}

func TestWhatIsUnreadIsCountedWhereverTheMarkIsSet(t *testing.T) {
	const n = 3000
	s := long(t, n)
	for _, row := range []struct{ mark, unread, read int64 }{
		{0, n, 0}, {101, n - 50, 50}, {100, n - 50, 50}, {103, n - 51, 51}, {4001, 1000, 2000}, {4003, 999, 2001}, {2 * n, 0, n}, {7, 0, n},
	} {
		if err := s.Update(context.Background(), func(tx *Tx) error { return tx.MarkRead(1, row.mark) }); err != nil {
			t.Fatal(err)
		}
		err := s.View(context.Background(), func(r *Reader) error {
			room, _, err := r.RoomRow(1)
			if err != nil {
				return err
			}
			l, _, err := r.LogRow(2)
			if room.Unread != row.unread || l.Read != row.read {
				t.Errorf("read up to %d: %d unread, want %d; their log is read to %d, want %d", row.mark, room.Unread, row.unread, l.Read, row.read)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheSegmentOfAnEntryIsFoundAmongGapsToo(t *testing.T) {
	s := long(t, 70)
	err := s.Update(context.Background(), func(tx *Tx) error {
		return tx.exec("DELETE FROM segments WHERE log = 1 AND (k BETWEEN 3 AND 9 OR k = 12 OR k BETWEEN 20 AND 51 OR k > 66)")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(context.Background(), func(r *Reader) error {
		for i := int64(-1); i < 72; i++ {
			want := i >= 0 && (i < 3 || i > 9) && i != 12 && (i < 20 || i > 51) && i <= 66
			got, found, err := r.SegmentAt(1, i)
			if err != nil || found != want || found && got.K != i {
				t.Errorf("entry %d: segment %d, found %v, %v", i, got.K, found, err)
			}
		}
		_, found, err := r.SegmentAt(99, 0)
		if found {
			t.Error("a log that is not there has a segment")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
