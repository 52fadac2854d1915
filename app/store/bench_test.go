package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// receive stores a received segment of per messages of 200 bytes, in the whole transaction that this takes.
func receive(tx *Tx, log, k, per int64) error {
	blob := func(n int) []byte {
		b := make([]byte, n)
		rand.Read(b)
		return b
	}
	var err error
	do := func(query string, args ...any) {
		if err == nil {
			err = tx.exec(query, args...)
		}
	}
	first := k * per
	do("INSERT INTO segments(log, k, digest, header, deps, first, size, sort, view, at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, 1, 0)",
		log, k, blob(32), blob(216), blob(74), first, first+per, first)
	do("INSERT INTO signatures(log, k, day, sig) VALUES(?, ?, 0, ?)", log, k, blob(3373))
	do("DELETE FROM signatures WHERE log = ?1 AND k = (SELECT max(k) FROM signatures WHERE log = ?1 AND k < ?2) AND day = 0 AND keep = 0", log, k)
	text := strings.Repeat("kalo mire tusa novi depa chor ", 7)[:200]
	for idx := first; idx < first+per && err == nil; idx++ {
		var id int64
		id, err = tx.insert("INSERT INTO entries(log, idx, k, leaf, raw, prk, state) VALUES(?, ?, ?, ?, ?, ?, 0)",
			log, idx, k, blob(32), blob(61+256+16), blob(32))
		do("INSERT INTO messages(id, room, sort, tie, idx, sender, kind, sent_at, recv_at, body) VALUES(?, ?, ?, ?, ?, 1, 1, 0, 0, ?)",
			id, log, first, int64(1)<<47-1, idx, text)
	}
	do("UPDATE chains SET ck = ?, next = next + ? WHERE log = ? AND gen = 0", blob(32), per, log)
	do("UPDATE logs SET head_k = ?1, head_digest = ?2, size = ?3, stored = ?3, opened = ?3, whole_k = ?1, tree = ?1 + 1, edge = ?4 WHERE id = ?5",
		k, blob(32), first+per, blob(640), log)
	do("UPDATE rooms SET last_sort = ?, unread = unread + ? WHERE id = ?", first, per, log)
	if k%256 == 255 {
		do("INSERT INTO tree(log, n, hash) VALUES(?, ?, ?)", log, k/256, blob(32))
	}
	return err
}

func benchRooms(tx *Tx, n int64) error {
	var err error
	do := func(query string, args ...any) {
		if err == nil {
			err = tx.exec(query, args...)
		}
	}
	do("INSERT INTO accounts(id, account_id, created_at) VALUES(1, zeroblob(32), 0)")
	do("INSERT INTO devices(id, account, idx, digest, peer_id, pk, cert) VALUES(1, 1, 0, zeroblob(32), x'01', zeroblob(1984), x'')")
	for id := int64(1); id <= n; id++ {
		uid := make([]byte, 32)
		uid[0] = byte(id)
		do("INSERT INTO rooms(id, uid, genesis, kind) VALUES(?, ?, zeroblob(200), 1)", id, uid)
		do("INSERT INTO views(id, room, heads, members) VALUES(?, ?, zeroblob(32), zeroblob(66))", id, id)
		do("INSERT INTO logs(id, log_id, room, device, pk, cert) VALUES(?, ?, ?, 1, zeroblob(1984), zeroblob(8866))", id, uid, id)
		do("INSERT INTO chains(log, gen, ck, next, made_at) VALUES(?, 0, zeroblob(32), 0, 0)", id)
	}
	return err
}

// BenchmarkReceive is how many messages a second are stored and synced: the search index follows 3000 behind, as it does in
// use, and counts. Measured on 2 cores of a shared machine and its SSD.
func BenchmarkReceive(b *testing.B) {
	for _, row := range []struct {
		name    string
		callers int
		per     int64
	}{
		{"alone", 1, 1}, {"16 at once", 16, 1}, {"64 at once", 64, 1}, {"64 to a segment", 1, 64},
	} {
		b.Run(row.name, func(b *testing.B) {
			ctx := context.Background()
			s, err := CreateKey(ctx, Config{Dir: b.TempDir()}, wordsKey)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if err := s.Update(ctx, func(tx *Tx) error { return benchRooms(tx, int64(row.callers)) }); err != nil {
				b.Fatal(err)
			}
			var mu sync.Mutex
			var took []time.Duration
			turns := make(chan int, b.N)
			for i := range b.N {
				turns <- i
			}
			close(turns)
			b.ResetTimer()
			var all sync.WaitGroup
			for c := range row.callers {
				all.Go(func() {
					k := int64(0)
					for i := range turns {
						start := time.Now()
						err := s.Update(ctx, func(tx *Tx) error { return receive(tx, int64(c+1), k, row.per) })
						if err != nil {
							b.Error(err)
							return
						}
						k++
						mu.Lock()
						took = append(took, time.Since(start))
						mu.Unlock()
						if every := indexStep / int(row.per); i%every == every-1 {
							if _, err := s.maintainIndex(ctx); err != nil {
								b.Error(err)
							}
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(int64(b.N)*row.per)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkView is what a small query costs.
func BenchmarkView(b *testing.B) {
	ctx := context.Background()
	s, err := CreateKey(ctx, Config{Dir: b.TempDir()}, wordsKey)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		err := s.View(ctx, func(r *Reader) error {
			_, err := r.one("SELECT v FROM meta WHERE k = ?", func(Row) error { return nil }, "commits")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen is how long it takes from the key to a store that serves, of 20,000 messages.
func BenchmarkOpen(b *testing.B) {
	ctx := context.Background()
	cfg := Config{Dir: b.TempDir()}
	s, err := CreateKey(ctx, cfg, wordsKey)
	if err != nil {
		b.Fatal(err)
	}
	err = s.Update(ctx, func(tx *Tx) error { return benchRooms(tx, 1) })
	for k := int64(0); k < 313 && err == nil; k++ {
		err = s.Update(ctx, func(tx *Tx) error { return receive(tx, 1, k, 64) })
	}
	if err != nil {
		b.Fatal(err)
	}
	s.Close()
	for b.Loop() {
		s, err := OpenKey(ctx, cfg, wordsKey)
		if err == nil {
			err = s.View(ctx, func(r *Reader) error {
				_, err := r.one("SELECT count(*) FROM rooms", func(Row) error { return nil })
				return err
			})
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(fmt.Errorf("closing: %w", err))
		}
		b.StartTimer()
	}
}
