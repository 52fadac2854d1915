package discovery

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// The hosts of these tests: self is larger than low and smaller than high.
var (
	self = identity.PeerID{37: 5}
	low  = identity.PeerID{37: 1}
	high = identity.PeerID{37: 9}
)

var errGone = errors.New("nobody there")

// attempts is a Try that notes when who was tried.
type attempts struct {
	dialer *Dialer
	start  time.Time
	took   time.Duration

	mu   sync.Mutex
	at   map[identity.PeerID][]time.Duration // guarded by mu
	fail func(identity.PeerID) error         // guarded by mu
}

func (a *attempts) try(ctx context.Context, id identity.PeerID) error {
	a.mu.Lock()
	a.at[id] = append(a.at[id], time.Since(a.start))
	fail := a.fail
	a.mu.Unlock()
	if a.took > 0 {
		select {
		case <-time.After(a.took):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := fail(id)
	if err == nil {
		a.dialer.Up(id)
	}
	return err
}

func (a *attempts) of(id identity.PeerID) []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.at[id])
}

func (a *attempts) answer(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fail = func(identity.PeerID) error { return err }
}

// dialTest runs a scenario in a bubble, with a dialer whose attempts all fail until told otherwise.
func dialTest(t *testing.T, took time.Duration, f func(t *testing.T, d *Dialer, a *attempts)) {
	synctest.Test(t, func(t *testing.T) {
		a := &attempts{start: time.Now(), took: took, at: make(map[identity.PeerID][]time.Duration)}
		a.answer(errGone)
		d := NewDialer(self, a.try)
		a.dialer = d
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		f(t, d, a)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestSmallerPeerIDDialsFirst(t *testing.T) {
	dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
		a.answer(nil)
		d.Want([]identity.PeerID{low, high})
		time.Sleep(500 * time.Millisecond)
		if got := a.of(high); len(got) != 1 || got[0] != 0 {
			t.Errorf("the one with the larger PeerID was dialled at %v, want at once", got)
		}
		if got := a.of(low); len(got) != 0 {
			t.Errorf("the one with the smaller PeerID was dialled at %v, it should have dialled us", got)
		}
		time.Sleep(time.Second)
		if got := a.of(low); len(got) != 1 || got[0] != time.Second {
			t.Errorf("the one with the smaller PeerID was dialled at %v, want after a second", got)
		}
	})
}

func TestWhoDialsUsFirstIsNotDialled(t *testing.T) {
	dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
		d.Want([]identity.PeerID{low})
		time.Sleep(yield / 2)
		d.Up(low)
		time.Sleep(time.Hour)
		if got := a.of(low); len(got) != 0 {
			t.Errorf("dialled at %v", got)
		}
	})
}

func TestBackoffDoublesToAMinute(t *testing.T) {
	dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
		d.Want([]identity.PeerID{high})
		time.Sleep(10 * time.Minute)
		got := a.of(high)
		want := backoffFirst
		for i := 1; i < len(got); i++ {
			gap := got[i] - got[i-1]
			if gap < want*4/5 || gap > want*6/5 {
				t.Errorf("gap %d is %v, want %v and a fifth", i, gap, want)
			}
			want = min(2*want, backoffLast)
		}
		if len(got) < 12 {
			t.Errorf("%d attempts in ten minutes", len(got))
		}
	})
}

func TestHopeStartsOver(t *testing.T) {
	rows := map[string]func(*Dialer){
		"a find":              func(d *Dialer) { d.Hope(high) },
		"a change of network": func(d *Dialer) { d.HopeAll() },
		"a call": func(d *Dialer) {
			go func() { _ = d.Reach(context.Background(), high) }()
		},
	}
	for name, hope := range rows {
		t.Run(name, func(t *testing.T) {
			dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
				d.Want([]identity.PeerID{high})
				time.Sleep(5*time.Minute + 30*time.Second)
				before, now := len(a.of(high)), time.Since(a.start)
				hope(d)
				time.Sleep(1500 * time.Millisecond)
				got := a.of(high)[before:]
				if len(got) < 2 || got[0] != now || got[1]-got[0] > 1200*time.Millisecond {
					t.Errorf("attempts at %v, want at %v and again a second later", got, now)
				}
			})
		})
	}
}

func TestHopeDuringAnAttemptBringsAnother(t *testing.T) {
	dialTest(t, 10*time.Second, func(t *testing.T, d *Dialer, a *attempts) {
		d.Want([]identity.PeerID{high})
		time.Sleep(10 * time.Minute)
		before := a.of(high)
		time.Sleep(time.Until(a.start.Add(before[len(before)-1] + 10*time.Second + 65*time.Second))) // in the next attempt, or just before it
		d.Hope(high)
		time.Sleep(13 * time.Second)
		if n := len(a.of(high)) - len(before); n < 2 {
			t.Errorf("%d attempts after hope", n)
		}
	})
}

func TestChangeOfNetworkEndsAttemptsThatLast(t *testing.T) {
	dialTest(t, 20*time.Second, func(t *testing.T, d *Dialer, a *attempts) {
		d.Want([]identity.PeerID{high})
		time.Sleep(doomed / 2)
		d.HopeAll() // too young to be given up
		time.Sleep(doomed)
		now := time.Since(a.start)
		outcome := make(chan error, 1)
		go func() { outcome <- d.Reach(context.Background(), high) }()
		synctest.Wait()
		d.HopeAll()
		synctest.Wait()
		if got := a.of(high); len(got) != 2 || got[1] != now {
			t.Fatalf("attempts at %v, want at 0 and %v", got, now)
		}
		select {
		case err := <-outcome:
			t.Fatalf("an attempt that was given up is told as an outcome: %v", err)
		default:
		}
		if err := <-outcome; !errors.Is(err, errGone) || time.Since(a.start) != now+20*time.Second {
			t.Errorf("Reach = %v after %v, want the outcome of the second attempt", err, time.Since(a.start)-now)
		}
	})
}

func TestWhoWasHereJustNowIsTriedOften(t *testing.T) {
	dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
		a.answer(nil)
		d.Want([]identity.PeerID{high})
		time.Sleep(time.Hour)
		a.answer(errGone)
		lost := time.Since(a.start)
		d.Down(high)
		time.Sleep(2 * missedFor)
		last, often := lost, 0
		for _, at := range a.of(high)[1:] {
			if at < lost+missedFor && at-last > backoffMissed*6/5 {
				t.Errorf("not tried between %v and %v after it was lost", last-lost, at-lost)
			}
			if at > lost+missedFor+time.Minute {
				often++
			}
			last = at
		}
		if often > 6 {
			t.Errorf("%d attempts in the last four minutes of ten: they go on as if it was lost just now", often)
		}
	})
}

func TestLostLinkIsDialledAgain(t *testing.T) {
	dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
		a.answer(nil)
		d.Want([]identity.PeerID{high})
		time.Sleep(time.Hour)
		d.Down(high)
		time.Sleep(time.Second)
		if got := a.of(high); len(got) != 2 || got[1] != time.Hour {
			t.Errorf("attempts at %v, want at 0 and 1h", got)
		}
		d.Want(nil)
		d.Down(high)
		time.Sleep(time.Hour)
		if got := a.of(high); len(got) != 2 {
			t.Errorf("somebody who is not wanted any more was dialled at %v", got[2:])
		}
		if len(d.peers) != 0 {
			t.Errorf("%d peers are remembered", len(d.peers))
		}
	})
}

// TestLinkThatDiesDuringItsAttemptIsNotForgotten: its end was told before the attempt came back.
func TestLinkThatDiesDuringItsAttemptIsNotForgotten(t *testing.T) {
	dialTest(t, 0, func(t *testing.T, d *Dialer, a *attempts) {
		a.mu.Lock()
		a.fail = func(id identity.PeerID) error {
			d.Up(id)
			d.Down(id)
			a.answer(errGone)
			return nil
		}
		a.mu.Unlock()
		d.try = func(ctx context.Context, id identity.PeerID) error { // without the Up of attempts.try
			a.mu.Lock()
			a.at[id] = append(a.at[id], time.Since(a.start))
			fail := a.fail
			a.mu.Unlock()
			return fail(id)
		}
		d.Want([]identity.PeerID{high})
		time.Sleep(10 * time.Second)
		if got := a.of(high); len(got) < 3 {
			t.Errorf("attempts at %v, want more and more", got)
		}
	})
}

func TestReachTriesOnceForAllWhoWait(t *testing.T) {
	dialTest(t, 2*time.Second, func(t *testing.T, d *Dialer, a *attempts) {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := d.Reach(t.Context(), high); !errors.Is(err, errGone) {
					t.Errorf("Reach = %v, want the error of the attempt", err)
				}
			})
		}
		wg.Wait()
		if err := d.Reach(t.Context(), high); !errors.Is(err, errGone) {
			t.Errorf("Reach right after = %v", err)
		}
		if got := a.of(high); len(got) != 1 {
			t.Errorf("attempts at %v, want one", got)
		}
		a.answer(nil)
		time.Sleep(backoffFirst)
		if err := d.Reach(t.Context(), high); err != nil {
			t.Errorf("Reach = %v", err)
		}
		time.Sleep(time.Hour)
		if got := a.of(high); len(got) != 2 {
			t.Errorf("attempts at %v: somebody who is not wanted is not kept connected", got)
		}
	})
}

func TestReachEndsWhenTheyReachUs(t *testing.T) {
	dialTest(t, time.Hour, func(t *testing.T, d *Dialer, _ *attempts) {
		done := make(chan error, 1)
		go func() { done <- d.Reach(t.Context(), high) }()
		time.Sleep(time.Second)
		d.Up(high)
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Reach = %v", err)
			}
		default:
			t.Error("Reach waits on")
		}
	})
}

func TestReachDoesNotQueueBehindTheHopeless(t *testing.T) {
	dialTest(t, 15*time.Second, func(t *testing.T, d *Dialer, a *attempts) {
		var many []identity.PeerID
		for i := range 200 {
			many = append(many, identity.PeerID{36: 1, 37: byte(i)})
		}
		d.Want(many)
		time.Sleep(time.Second)
		a.mu.Lock()
		if n := len(a.at); n != dialing {
			t.Errorf("%d attempts at a time, want %d", n, dialing)
		}
		a.mu.Unlock()
		_ = d.Reach(t.Context(), high)
		if got := a.of(high); len(got) != 1 || got[0] != time.Second {
			t.Errorf("somebody whom a person wants to talk to was tried at %v, want at 1s", got)
		}
	})
}

func TestReachAfterTheEndIsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDialer(self, func(ctx context.Context, _ identity.PeerID) error { <-ctx.Done(); return ctx.Err() })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() { done <- d.Run(ctx) }()
		go func() { done <- d.Reach(t.Context(), high) }()
		synctest.Wait()
		cancel()
		<-done
		<-done
		if err := d.Reach(t.Context(), high); !errors.Is(err, peer.ErrUnreachable) {
			t.Errorf("Reach = %v, want ErrUnreachable", err)
		}
	})
}
