package link

import (
	"context"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestSilenceIsNoticedWhateverTheClocksDo(t *testing.T) {
	rows := map[string]struct {
		mono, wall time.Duration // what the two clocks say has passed
		want       time.Duration
	}{
		"nothing odd":                 {time.Minute, time.Minute, time.Minute},
		"the machine slept":           {time.Second, time.Hour, time.Hour},
		"the wall clock was set back": {time.Minute, -time.Hour, time.Minute},
		"and set forward":             {time.Second, 24 * time.Hour, 24 * time.Hour},
	}
	for name, r := range rows {
		var m moment
		now := time.Now()
		m.begin(now.Add(-r.mono))
		m.wall.Store(now.Add(-r.wall).UnixNano())
		if got := m.ago(); got < r.want || got > r.want+time.Second {
			t.Errorf("%s: %v ago, want %v", name, got, r.want)
		}
		m.touch()
		if got := m.ago(); got > time.Second {
			t.Errorf("%s: %v ago, want now", name, got)
		}
	}
}

// TestOnlyTalkIsTalk: what devices compare by themselves every few minutes must not have a link watched as if people talked.
func TestOnlyTalkIsTalk(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	waiting, answer := make(chan struct{}), make(chan struct{})
	b.frame = func(_ context.Context, _ identity.DeviceID, k peer.Kind, _ []byte) ([]byte, error) {
		if k == peer.Fetch {
			close(waiting)
			<-answer
		}
		return nil, nil
	}
	l := join(t, a, b)
	b.eventually(t, "b has the link", func() bool { return b.ups == 1 })
	back := b.pool.Newest(a.id())
	for k, talk := range map[peer.Kind]bool{peer.Sync: false, peer.Have: false, peer.Typing: true, peer.Deliver: true} {
		for _, end := range []*Link{l, back} {
			end.spoke.wall.Store(time.Now().Add(-time.Hour).UnixNano())
		}
		if _, err := l.Call(t.Context(), k, nil); err != nil {
			t.Fatal(err)
		}
		for _, end := range []*Link{l, back} {
			if got := end.Idle() < time.Minute; got != talk {
				t.Errorf("%s counts as talk: %v at one end, want %v", k, got, talk)
			}
		}
	}
	if l.Waits() {
		t.Error("everything is answered, and the link waits")
	}
	done := make(chan error, 1)
	go func() { _, err := l.Call(t.Context(), peer.Fetch, nil); done <- err }()
	<-waiting
	if !l.Waits() || back.Waits() {
		t.Error("who has asked waits, and nobody else")
	}
	close(answer)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
