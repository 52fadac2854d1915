package app

import (
	"context"
	"errors"
	"math/rand"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// everything is each change that there can be among a few rooms.
func everything(rooms int) (all []Change) {
	for i := range rooms {
		all = append(all, Change{Kind: ChangedRoom, Room: RoomID{byte(i)}})
	}
	return append(all, Change{Kind: ChangedPeople}, Change{Kind: ChangedNearby}, Change{Kind: ChangedStatus}, Change{Kind: ChangedLock})
}

func TestWhoTellsNeverWaitsForWhoWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{}
		idle := h.watch() // nobody ever asks it
		start := time.Now()
		var tellers sync.WaitGroup
		for i := range 50 {
			tellers.Go(func() {
				for range 200 {
					h.tell(everything(8)[i%12])
				}
			})
		}
		tellers.Wait() // were one of them to wait, the bubble would be deadlocked
		if waited := time.Since(start); waited != 0 {
			t.Errorf("telling took %v", waited)
		}
		if n := len(idle.take()); n != 12 {
			t.Errorf("it holds %d changes of 12 that there are", n)
		}
	})
}

func TestNoWatcherMissesTheLastState(t *testing.T) {
	keys := everything(5)
	rapid.Check(t, func(t *rapid.T) {
		tellers, watchers := rapid.IntRange(1, 6).Draw(t, "tellers"), rapid.IntRange(1, 4).Draw(t, "watchers")
		seed := rapid.Int64().Draw(t, "seed")
		h := &hub{}
		states := make([]atomic.Int64, len(keys)) // what a window would read when it is told
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		seen := make([][]int64, watchers)
		var watching, telling sync.WaitGroup
		for i := range watchers {
			w := h.watch()
			seen[i] = make([]int64, len(keys))
			watching.Go(func() {
				for {
					changes, err := w.Next(ctx)
					if err != nil {
						return
					}
					for _, c := range changes {
						at := slices.Index(keys, c)
						seen[i][at] = states[at].Load()
					}
				}
			})
		}
		for i := range tellers {
			telling.Go(func() {
				r := rand.New(rand.NewSource(seed + int64(i)))
				for range 60 {
					at := r.Intn(len(keys))
					states[at].Add(1)
					h.tell(keys[at], keys[r.Intn(len(keys))])
				}
			})
		}
		telling.Wait()
		for w := range h.all { // what is told is taken, before the watching ends
			for {
				w.mu.Lock()
				left := len(w.list)
				w.mu.Unlock()
				if left == 0 {
					break
				}
				w.wake <- struct{}{} // it holds one: this returns when the watcher has come round
			}
		}
		stop()
		watching.Wait()
		for i := range seen {
			for at := range keys {
				if got, want := seen[i][at], states[at].Load(); got != want {
					t.Fatalf("watcher %d saw state %d of %v last, it is %d", i, got, keys[at], want)
				}
			}
		}
	})
}

func TestAWatcherHoldsEachChangeOnceInTheOrderOfTheFirst(t *testing.T) {
	h := &hub{}
	w := h.watch()
	all := everything(3)
	for range 1000 {
		for _, c := range all {
			h.tell(c)
		}
		h.tell(all[len(all)-1], all[0])
	}
	if got, err := w.Next(t.Context()); err != nil || !slices.Equal(got, all) {
		t.Errorf("Next = %v, %v", got, err)
	}
	if len(w.set) != 0 || len(w.list) != 0 {
		t.Error("what was taken is still held")
	}
}

func TestNextWaitsUntilSomethingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{}
		w := h.watch()
		var got []Change
		go func() { got, _ = w.Next(t.Context()) }()
		synctest.Wait()
		if got != nil {
			t.Fatalf("with nothing told it returns %v", got)
		}
		h.tell(Change{Kind: ChangedPeople})
		synctest.Wait()
		if !slices.Equal(got, []Change{{Kind: ChangedPeople}}) {
			t.Errorf("Next = %v", got)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if _, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with nothing more: %v", err)
		}
	})
}

func TestWhoWatchesNoMoreIsForgotten(t *testing.T) {
	h := &hub{}
	for range 100 {
		w := h.watch()
		h.tell(Change{Kind: ChangedStatus})
		w.Close()
		w.Close()
		h.tell(Change{Kind: ChangedPeople})
		if got := w.take(); slices.Contains(got, Change{Kind: ChangedPeople}) {
			t.Fatal("it is told on")
		}
	}
	if len(h.all) != 0 {
		t.Errorf("%d watchers are kept", len(h.all))
	}
}
