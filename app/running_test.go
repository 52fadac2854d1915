package app

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// journal is what was accepted of one writer, in order.
type journal struct {
	name     string
	from, to *resident
	texts    []string
}

func (j *journal) text(i int) string {
	return fmt.Sprintf("%s of %s to %s: %d", j.name, j.from.name, j.to.name, i)
}

// write sends messages in order, whatever happens meanwhile, and keeps those that were accepted.
func (j *journal) write(n int) {
	for i := range n {
		_, err := j.from.svc.Rooms.Send(j.from.x.t.Context(), j.from.room(j.to), Draft{Text: j.text(i)})
		switch {
		case err == nil:
			j.texts = append(j.texts, j.text(i))
		case !errors.Is(err, ErrBlocked):
			j.from.x.t.Errorf("sending %q: %v", j.text(i), err)
		}
	}
}

// check fails unless the reader's thread has all that was accepted, once each and in order.
func (j *journal) check() {
	var got []string
	prefix, _, _ := strings.Cut(j.text(0), ": ")
	for _, text := range texts(j.to.thread(j.from)) {
		if strings.HasPrefix(text, prefix) {
			got = append(got, text)
		}
	}
	if !slices.Equal(got, j.texts) {
		j.from.x.t.Errorf("%d were accepted; %s sees %d, or in another order:\n%q", len(j.texts), j.to.name, len(got), got)
	}
}

func TestEverybodyTalksAtOnceWhileLinksComeAndGo(t *testing.T) {
	each := 20
	if testing.Short() {
		each = 6
	}
	synctest.Test(t, func(t *testing.T) {
		x, all := newExchange(t, Config{Single: true}, "ann", "bob", "eve")
		defer x.close()
		stop := x.run(all...)
		pairs := [][2]*resident{{all[0], all[1]}, {all[1], all[2]}, {all[2], all[0]}}
		for _, p := range pairs {
			x.befriend(p[0], p[1])
		}
		journals, busy := x.write(pairs, each)
		for _, p := range pairs {
			busy.Go(func() {
				for range each / 2 {
					x.cut(p[0], p[1])
					x.link(p[0], p[1])
				}
			})
		}
		busy.Go(func() { // one cannot make up his mind
			bob, eve := all[1], all[2]
			for range each / 3 {
				x.must(bob.svc.People.Block(t.Context(), eve.svc.me.id))
				x.must(bob.svc.People.Unblock(t.Context(), eve.svc.me.id))
			}
		})
		busy.Go(func() { // and the program is left and begun again, in the middle of everything
			for range 4 {
				stop()
				stop = x.run(all...)
				for _, p := range pairs {
					x.link(p[0], p[1])
				}
			}
		})
		busy.Wait()
		stop()
		stop = x.run(all...)
		for _, p := range pairs {
			x.cut(p[0], p[1])
			x.link(p[0], p[1])
		}
		x.settled(pairs)
		stop()
		x.check(pairs, journals)
	})
}

// The same without the bubble, for stores that have many connections and for a clock that does not wait.
func TestEverybodyTalksAtOnceOnRealDisks(t *testing.T) {
	each := 20
	if testing.Short() {
		each = 6
	}
	before := runtime.NumGoroutine()
	x, all := newExchange(t, Config{}, "ann", "bob", "eve")
	stop := x.run(all...)
	pairs := [][2]*resident{{all[0], all[1]}, {all[1], all[2]}, {all[2], all[0]}}
	for _, p := range pairs {
		x.befriend(p[0], p[1])
	}
	journals, busy := x.write(pairs, each)
	stop() // while they write
	stop = x.run(all...)
	for _, p := range pairs {
		x.link(p[0], p[1])
	}
	busy.Wait()
	x.settled(pairs)
	stop()
	x.check(pairs, journals)
	x.close()
	deadline, tick := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C: // those that have been told to end need a moment
		case <-deadline:
			t.Fatalf("%d goroutines are left of %d more than %d", runtime.NumGoroutine()-before, runtime.NumGoroutine(), before)
		}
	}
}

// write has four write in the chat of each pair, and both look around meanwhile.
func (x *exchange) write(pairs [][2]*resident, each int) (journals []*journal, busy *sync.WaitGroup) {
	busy = &sync.WaitGroup{}
	for _, p := range pairs {
		for w := range 4 {
			j := &journal{name: fmt.Sprintf("writer %d", w), from: p[w%2], to: p[1-w%2]}
			journals = append(journals, j)
			busy.Go(func() { j.write(each) })
		}
		busy.Go(func() { p[0].looksAround(p[1], each) })
		busy.Go(func() { p[1].looksAround(p[0], each) })
	}
	return journals, busy
}

// settled returns when everything has arrived, both ways.
func (x *exchange) settled(pairs [][2]*resident) {
	x.t.Helper()
	for _, p := range pairs {
		p[0].until("all has arrived", func() bool { return p[0].delivered(p[1]) })
		p[1].until("all has arrived", func() bool { return p[1].delivered(p[0]) })
	}
}

// check fails unless each has what was accepted of the others, once and in order, and both of a pair see the same.
func (x *exchange) check(pairs [][2]*resident, journals []*journal) {
	x.t.Helper()
	for _, j := range journals {
		j.check()
	}
	for _, p := range pairs {
		one, other := texts(p[0].thread(p[1])), texts(p[1].thread(p[0]))
		if !slices.Equal(one, other) {
			x.t.Errorf("%s and %s see another order:\n%q\n%q", p[0].name, p[1].name, one, other)
		}
	}
	for _, p := range x.all {
		if n := p.svc.Owner.Notices(); len(n) > 0 {
			x.t.Errorf("%s is told %v", p.name, n)
		}
	}
}

func texts(all []Message) (s []string) {
	for _, m := range all {
		s = append(s, m.Text)
	}
	return s
}

// looksAround does what a window does, and what a person does with it.
func (p *resident) looksAround(o *resident, n int) {
	ctx := p.x.t.Context()
	w := p.svc.Watch()
	defer w.Close()
	for range n {
		all := p.thread(o)
		p.x.must(p.svc.Rooms.MarkRead(ctx, p.room(o), all[len(all)-1].Key))
		p.x.must(p.svc.Rooms.SetDraft(ctx, p.room(o), fmt.Sprint(len(all))))
		_, err := p.svc.Rooms.Rooms(ctx)
		p.x.must(err)
		_, err = p.svc.People.Contacts(ctx)
		p.x.must(err)
		_, err = p.svc.Owner.Status(ctx)
		p.x.must(err)
		p.svc.Owner.Notices()
		w.take()
	}
}

func TestRunEndsAtOnceThoughACallIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, all := newExchange(t, Config{Single: true}, "ann", "bob")
		defer x.close()
		a, b := all[0], all[1]
		stop := x.run(a, b)
		x.befriend(a, b)
		synctest.Wait()
		hung := 0
		a.mu.Lock()
		a.slow = func(ctx context.Context, _ *resident, _ peer.Kind) error {
			hung++
			<-ctx.Done() // nobody answers
			return ctx.Err()
		}
		a.mu.Unlock()
		_, err := a.svc.Rooms.Send(t.Context(), a.room(b), Draft{Text: "one"})
		x.must(err)
		synctest.Wait()
		start := time.Now()
		stop() // were a goroutine of Run's left, the bubble would never end
		if waited := time.Since(start); waited != 0 || hung == 0 {
			t.Errorf("it took %v; %d calls were under way", waited, hung)
		}
		if n := len(a.svc.links.list()); n > 0 {
			t.Errorf("%d links are left", n)
		}
		if m := texts(b.thread(a)); slices.Contains(m, "one") {
			t.Errorf("bob sees %q", m)
		}
		a.mu.Lock()
		a.slow = nil
		a.mu.Unlock()
		stop = x.run(a, b) // and it can run again
		x.link(a, b)
		a.until("it has arrived", func() bool { return a.delivered(b) })
		stop()
	})
}

func TestALinkThatHangsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, all := newExchange(t, Config{Single: true}, "ann", "bob", "eve")
		defer x.close()
		a, b, e := all[0], all[1], all[2]
		stop := x.run(all...)
		x.befriend(a, b)
		x.befriend(a, e)
		a.mu.Lock()
		a.slow = func(ctx context.Context, to *resident, _ peer.Kind) error {
			if to == e {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		a.mu.Unlock()
		for i := range 5 {
			for _, o := range []*resident{e, b} {
				_, err := a.svc.Rooms.Send(t.Context(), a.room(o), Draft{Text: fmt.Sprint(i)})
				x.must(err)
			}
			a.until("bob has it", func() bool { return a.delivered(b) })
		}
		if a.delivered(e) {
			t.Error("what eve never got is said to be delivered")
		}
		stop()
	})
}

func TestWhatWasAcceptedBeforeTheVaultWasClosedIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, all := newExchange(t, Config{Single: true}, "ann", "bob")
		a, b := all[0], all[1]
		stop := x.run(a, b)
		x.befriend(a, b)
		room := a.room(b)
		begun := make(chan struct{})
		accepted, closed := []string{"hello bob"}, 0
		var busy sync.WaitGroup
		busy.Go(func() {
			for i := range 200 {
				if i == 20 {
					close(begun)
				}
				text := fmt.Sprint(i)
				_, err := a.svc.Rooms.Send(t.Context(), room, Draft{Text: text})
				switch {
				case err == nil && closed == 0:
					accepted = append(accepted, text)
				case errors.Is(err, ErrClosed):
					closed++
				default:
					t.Errorf("sending: %v, after %d that found it closed", err, closed)
				}
			}
		})
		<-begun
		stop()
		x.close()
		busy.Wait()
		if _, err := a.svc.Rooms.Rooms(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("reading a closed vault: %v", err)
		}
		a.open()
		defer func() { x.must(a.svc.Close()) }()
		if got := texts(a.thread(b)); closed == 0 || !slices.Equal(got, accepted) {
			t.Errorf("%d were accepted and %d not; afterwards there are %d", len(accepted), closed, len(got))
		}
	})
}
