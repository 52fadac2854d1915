package app

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// exchange is a network in memory for messengers that run, each with goroutines of its own. Most tests that use it stand in a
// bubble: its clock goes on when nobody has anything to do, and it ends only when every goroutine has. In there each store has one
// connection: where there are more, SQLite waits for one under a lock, by a clock that stands still then.
type exchange struct {
	t   *testing.T
	cfg Config

	mu  sync.Mutex
	all map[identity.DeviceID]*resident // guarded by mu
}

// resident is somebody whose messenger runs.
type resident struct {
	x      *exchange
	name   string
	svc    *Service
	dir    string
	words  string
	device identity.DeviceID

	mu    sync.Mutex
	links map[*resident]bool                                         // guarded by mu
	slow  func(ctx context.Context, to *resident, k peer.Kind) error // before a call of ours is carried; nil carries at once; guarded by mu
}

func newExchange(t *testing.T, cfg Config, names ...string) (x *exchange, all []*resident) {
	t.Helper()
	x = &exchange{t: t, cfg: cfg, all: map[identity.DeviceID]*resident{}}
	for _, name := range names {
		p := &resident{x: x, name: name, dir: t.TempDir(), links: map[*resident]bool{}}
		profile, err := OpenProfile(p.dir, p.x.cfg)
		x.must(err)
		p.svc, p.words, err = profile.CreateUnderWords(t.Context(), name)
		x.must(err)
		p.device = p.svc.me.deviceID()
		x.all[p.device] = p
		all = append(all, p)
	}
	return x, all
}

func (x *exchange) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// open opens somebody's vault again.
func (p *resident) open() {
	p.x.t.Helper()
	profile, err := OpenProfile(p.dir, p.x.cfg)
	p.x.must(err)
	p.svc, err = profile.UnlockWords(p.x.t.Context(), p.words)
	p.x.must(err)
}

// close closes every vault.
func (x *exchange) close() {
	x.t.Helper()
	for _, p := range x.all {
		x.must(p.svc.Close())
	}
}

func (p *resident) SetPeers([]peer.Known)                             {}
func (p *resident) SetTopics([]peer.Topic)                            {}
func (p *resident) SetServices(peer.Services) error                   { return nil }
func (p *resident) Publish(context.Context, peer.Topic, []byte) error { return errNoSuchWay }
func (p *resident) Status() peer.Status                               { return peer.Status{} }
func (p *resident) CallBare(context.Context, peer.Address, peer.Kind, []byte) ([]byte, error) {
	return nil, errNoSuchWay
}

func (p *resident) Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error {
	_, err := p.Call(ctx, to, k, body)
	return err
}

func (p *resident) Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	p.x.mu.Lock()
	o := p.x.all[to]
	p.x.mu.Unlock()
	p.mu.Lock()
	linked, slow := o != nil && p.links[o], p.slow
	p.mu.Unlock()
	if !linked {
		return nil, peer.ErrUnreachable
	}
	if slow != nil {
		if err := slow(ctx, o, k); err != nil {
			return nil, err
		}
	}
	reply, err := o.svc.HandleFrame(ctx, p.device, k, body)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return reply, err
}

// link connects two both ways, as nodes do after a handshake.
func (x *exchange) link(a, b *resident) {
	for _, p := range [][2]*resident{{a, b}, {b, a}} {
		self := p[1].svc.Self()
		h := peer.Hello{Account: self.Account, Certificate: self.Device.Certificate, List: self.List, Peer: self.Device.Certificate.Peer}
		if class, err := p[0].svc.HandleHello(x.t.Context(), h); err != nil || class == peer.Blocked {
			return
		}
	}
	for _, p := range [][2]*resident{{a, b}, {b, a}} {
		p[0].mu.Lock()
		p[0].links[p[1]] = true
		p[0].mu.Unlock()
		p[0].svc.HandleFact(peer.PathChanged{Device: p[1].device, Peer: p[1].svc.me.peer, Path: peer.Local, Addr: "/ip4/10.0.0.1/tcp/1"})
	}
}

// cut ends the link of two.
func (x *exchange) cut(a, b *resident) {
	for _, p := range [][2]*resident{{a, b}, {b, a}} {
		p[0].mu.Lock()
		delete(p[0].links, p[1])
		p[0].mu.Unlock()
		p[0].svc.HandleFact(peer.PathChanged{Device: p[1].device, Peer: p[1].svc.me.peer, Path: peer.None})
	}
}

// run has everybody's messenger run until stop is called, which returns when all of them have ended.
func (x *exchange) run(all ...*resident) (stop func()) {
	ctx, cancel := context.WithCancel(x.t.Context())
	var running sync.WaitGroup
	for _, p := range all {
		running.Go(func() {
			if err := p.svc.Run(ctx, p); err != nil {
				x.t.Errorf("Run of %s: %v", p.name, err)
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// befriend has a ask b, and b accept.
func (x *exchange) befriend(a, b *resident) {
	x.t.Helper()
	link, _, err := b.svc.People.Invite(x.t.Context(), time.Hour)
	x.must(err)
	_, err = a.svc.People.Add(x.t.Context(), link, "hello "+b.name)
	x.must(err)
	x.link(a, b)
	b.until("asked", func() bool {
		_, err := b.svc.People.Accept(x.t.Context(), a.svc.me.id)
		return err == nil
	})
	a.until("accepted", func() bool {
		c, err := a.svc.People.Contact(x.t.Context(), b.svc.me.id)
		return err == nil && c.State == Accepted
	})
}

// until looks each time something changes, for an hour at most.
func (p *resident) until(what string, done func() bool) {
	p.x.t.Helper()
	ctx, stop := context.WithTimeout(p.x.t.Context(), time.Hour)
	defer stop()
	w := p.svc.Watch()
	defer w.Close()
	for !done() {
		if _, err := w.Next(ctx); err != nil {
			p.x.t.Fatalf("%s waits for ever until %s", p.name, what)
		}
	}
}

func (p *resident) room(o *resident) RoomID {
	id, err := p.svc.Rooms.Find(p.x.t.Context(), o.name)
	p.x.must(err)
	return id
}

func (p *resident) thread(o *resident) []Message {
	all, err := p.svc.Rooms.Messages(p.x.t.Context(), p.room(o), Page{Limit: 100_000})
	p.x.must(err)
	return all
}

// delivered reports whether all that p wrote to o has arrived there.
func (p *resident) delivered(o *resident) bool {
	return !slices.ContainsFunc(p.thread(o), func(m Message) bool { return m.Own && m.State < Delivered })
}
