package app

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// town is a few real messengers on disks in memory, one thread and one clock. Nothing happens until somebody steps, and the
// network loses nothing unless a test says so.
type town struct {
	t     testing.TB
	now   time.Time
	all   []*citizen
	calls []call

	// tap sees every call before it is carried. What it answers with done is the reply; the callee never sees the call.
	tap func(c call) (reply []byte, err error, done bool)
	// after sees every reply before the caller does, and may change it.
	after func(c call) ([]byte, error)
}

// call is one frame and what came of it.
type call struct {
	from, to *citizen
	kind     peer.Kind
	body     []byte
	reply    []byte
	err      error
}

func newTown(t testing.TB, names ...string) *town {
	t.Helper()
	w := &town{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, name := range names {
		w.settle(name)
	}
	return w
}

// settle lets somebody new into town.
func (w *town) settle(name string) *citizen {
	w.t.Helper()
	seed, err := identity.NewSeed()
	w.must(err)
	return w.settleAs(name, seed.Words())
}

// settleAs lets somebody in whose account is that of some words: their first device, or another one after the first was lost.
func (w *town) settleAs(name, words string) *citizen {
	w.t.Helper()
	p := &citizen{
		town: w, name: name, words: words, disk: crashfs.New(rand.New(rand.NewSource(int64(len(w.all))))), dir: "/" + name, links: map[*citizen]bool{},
	}
	profile, err := OpenProfile(p.dir, p.config())
	w.must(err)
	seed, err := identity.ParseWords(words)
	w.must(err)
	cfg := profile.config()
	cfg.Fill = profile.fill(seed, name)
	st, err := store.CreateKey(context.Background(), cfg, seed.VaultKey())
	svc, err := profile.opened(context.Background(), st, err)
	w.must(err)
	p.on(svc)
	p.id, p.device = svc.me.id, svc.me.deviceID()
	w.all = append(w.all, p)
	w.t.Cleanup(func() {
		if p.svc != nil {
			if err := p.svc.Close(); err != nil && !p.disk.Dead() {
				w.t.Errorf("closing the vault of %s: %v", name, err)
			}
		}
	})
	return p
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) who(name string) *citizen {
	w.t.Helper()
	for _, p := range w.all {
		if p.name == name {
			return p
		}
	}
	w.t.Fatalf("nobody is called %s", name)
	return nil
}

// wireless is one citizen's view of the network.
type wireless struct{ me *citizen }

func (n *wireless) SetPeers(all []peer.Known)                         { n.me.peers = slices.Clone(all) }
func (n *wireless) SetTopics([]peer.Topic)                            {}
func (n *wireless) SetServices(peer.Services) error                   { return nil }
func (n *wireless) Status() peer.Status                               { return peer.Status{Peers: len(n.me.links)} }
func (n *wireless) Publish(context.Context, peer.Topic, []byte) error { return errNoSuchWay }
func (n *wireless) CallBare(context.Context, peer.Address, peer.Kind, []byte) ([]byte, error) {
	return nil, errNoSuchWay
}

func (n *wireless) Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error {
	_, err := n.Call(ctx, to, k, body)
	return err
}

func (n *wireless) Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	w := n.me.town
	c := call{from: n.me, kind: k, body: slices.Clone(body)}
	for _, p := range w.all {
		if p.device == to {
			c.to = p
		}
	}
	if c.to == nil || c.to.svc == nil || !n.me.links[c.to] {
		return nil, peer.ErrUnreachable
	}
	c.reply, c.err = w.carry(ctx, c)
	w.calls = append(w.calls, c)
	return c.reply, c.err
}

func (w *town) carry(ctx context.Context, c call) ([]byte, error) {
	if w.tap != nil {
		if reply, err, done := w.tap(c); done {
			return reply, err
		}
	}
	c.reply, c.err = c.to.svc.HandleFrame(ctx, c.from.device, c.kind, slices.Clone(c.body))
	if w.after != nil {
		return w.after(c)
	}
	return c.reply, c.err
}

// link connects two, as the node does after a handshake, and reports whether both want it.
func (w *town) link(a, b *citizen) bool {
	w.t.Helper()
	if a.links[b] {
		return true
	}
	for _, p := range [][2]*citizen{{a, b}, {b, a}} {
		class, err := p[0].hello(p[1])
		if err != nil || class == peer.Blocked {
			return false
		}
	}
	a.links[b], b.links[a] = true, true
	a.path(b, peer.Local)
	b.path(a, peer.Local)
	return true
}

func (w *town) unlink(p *citizen) {
	for o := range p.links {
		w.cut(p, o)
	}
}

// cut ends the link of two.
func (w *town) cut(a, b *citizen) {
	delete(a.links, b)
	delete(b.links, a)
	a.path(b, peer.None)
	b.path(a, peer.None)
}

// run lets everybody work until nobody has anything to do now. Time stands still.
func (w *town) run() {
	w.t.Helper()
	for range 3000 {
		busy := false
		for _, p := range w.all {
			if p.svc == nil {
				continue
			}
			did, _, _ := p.svc.Step(context.Background()) // an error is a frame that was not carried
			busy = busy || did
		}
		if !busy {
			return
		}
	}
	last := map[string]int{}
	for _, c := range w.calls[max(0, len(w.calls)-300):] {
		last[fmt.Sprintf("%s > %s %v: %d, %d, %v", c.from.name, c.to.name, c.kind, len(c.body), len(c.reply), c.err)]++
	}
	w.t.Fatalf("somebody never comes to rest: %v", last)
}

// pass lets time go by in steps of a second at most a hundred of them, and everybody work.
func (w *town) pass(d time.Duration) {
	w.t.Helper()
	step := max(time.Second, d/100)
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(step, end.Sub(w.now)))
		w.run()
	}
}

// leap lets time go by at one stroke, and everybody work after it.
func (w *town) leap(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	w.run()
}

// drop loses frames of a kind from p until the returned function is called.
func (w *town) drop(from *citizen, kinds ...peer.Kind) (stop func()) {
	old := w.tap
	w.tap = func(c call) ([]byte, error, bool) {
		if c.from == from && slices.Contains(kinds, c.kind) {
			return nil, peer.ErrUnreachable, true
		}
		if old != nil {
			return old(c)
		}
		return nil, nil, false
	}
	return func() { w.tap = old }
}

// swallow has frames of a kind from p answered without a word, and come to nothing, until the returned function is called.
func (w *town) swallow(from *citizen, kinds ...peer.Kind) (stop func()) {
	old := w.tap
	w.tap = func(c call) ([]byte, error, bool) {
		if c.from == from && slices.Contains(kinds, c.kind) {
			return nil, nil, true
		}
		if old != nil {
			return old(c)
		}
		return nil, nil, false
	}
	return func() { w.tap = old }
}

// sent lists the bodies of the frames of a kind that went from one to another and were answered.
func (w *town) sent(from, to *citizen, k peer.Kind) (bodies [][]byte) {
	for _, c := range w.calls {
		if c.from == from && c.to == to && c.kind == k && c.err == nil {
			bodies = append(bodies, c.body)
		}
	}
	return bodies
}

// friends is a town of two contacts who are linked and have said hello.
func friends(t *testing.T) (w *town, a, b *citizen) {
	t.Helper()
	w = newTown(t, "ann", "bob")
	a, b = w.all[0], w.all[1]
	w.befriend(a, b)
	return w, a, b
}

// befriend has a ask b, and b accept.
func (w *town) befriend(a, b *citizen) {
	w.t.Helper()
	a.ask(b, "hello "+b.name)
	w.link(a, b)
	w.run()
	b.accept(a)
	w.run()
	w.pass(10 * time.Second) // what went out in replies is confirmed
	if got := fmt.Sprint(a.thread(b), b.thread(a)); got != fmt.Sprintf("[hello %s] [hello %s]", b.name, b.name) {
		w.t.Fatalf("befriending %s and %s: %s", a.name, b.name, got)
	}
}
