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
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// town is a few real messengers on disks in memory, one thread and one clock. Nothing happens until somebody steps, and the
// network loses nothing unless a test says so.
type town struct {
	t     *testing.T
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

// citizen is somebody with a machine.
type citizen struct {
	town   *town
	name   string
	disk   *crashfs.FS
	dir    string
	words  string
	skew   time.Duration
	svc    *Service // nil while the machine is off
	id     identity.AccountID
	device identity.DeviceID
	peers  []peer.Known
	links  map[*citizen]bool
}

func newTown(t *testing.T, names ...string) *town {
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

func (p *citizen) config() Config {
	return Config{Now: func() time.Time { return p.town.now.Add(p.skew) }, Disk: p.disk, Single: true, Window: 1}
}

func (p *citizen) on(svc *Service) {
	p.svc = svc
	svc.Attach(&wireless{p})
}

// off ends the messenger in good order.
func (p *citizen) off() {
	p.town.t.Helper()
	p.town.unlink(p)
	p.town.must(p.svc.Close())
	p.svc = nil
}

// crash takes the power away from a machine.
func (p *citizen) crash() {
	p.town.t.Helper()
	p.town.unlink(p)
	p.disk.CutPowerAfter(1)
	_ = p.svc.Close()
	p.svc = nil
	p.disk.Crash()
}

// start opens the vault again.
func (p *citizen) start() {
	p.town.t.Helper()
	profile, err := OpenProfile(p.dir, p.config())
	p.town.must(err)
	svc, err := profile.UnlockWords(context.Background(), p.words)
	p.town.must(err)
	p.on(svc)
	p.device = svc.me.deviceID()
}

// files is a copy of everything on somebody's disk, for putting back.
func (p *citizen) files() map[string][]byte {
	all := map[string][]byte{}
	for _, name := range p.disk.Files() {
		all[name] = p.disk.Bytes(name)
	}
	return all
}

// putBack makes a disk hold what it held when files was called. The machine is off.
func (p *citizen) putBack(all map[string][]byte) {
	for _, name := range p.disk.Files() {
		p.disk.Put(name, nil)
	}
	for name, data := range all {
		p.disk.Put(name, data)
	}
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

// hello is what a handshake does on p's side with o at the other end.
func (p *citizen) hello(o *citizen) (peer.Class, error) {
	self := o.svc.Self()
	return p.svc.HandleHello(context.Background(), peer.Hello{
		Account: self.Account, Certificate: self.Device.Certificate, List: self.List, Peer: self.Device.Certificate.Peer,
	})
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

func (p *citizen) path(o *citizen, path peer.Path) {
	if p.svc != nil {
		p.svc.HandleFact(peer.PathChanged{Device: o.device, Peer: o.svc.me.peer, Path: path, Addr: "/ip4/10.0.0.1/tcp/1"})
	}
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

// send brings a frame of p's to o past the messenger of p, as an attacker would.
func (p *citizen) send(o *citizen, k peer.Kind, body []byte) ([]byte, error) {
	return o.svc.HandleFrame(context.Background(), p.device, k, body)
}

// update changes somebody's store behind the messenger's back.
func (p *citizen) update(fn func(tx *store.Tx) error) {
	p.town.t.Helper()
	p.town.must(p.svc.st.Update(context.Background(), fn))
}

// view looks into somebody's store.
func (p *citizen) view(fn func(r *store.Reader) error) {
	p.town.t.Helper()
	p.town.must(p.svc.st.View(context.Background(), fn))
}

// deviceOf is what p's store says of o's device.
func (p *citizen) deviceOf(o *citizen) (d store.Device) {
	p.town.t.Helper()
	p.view(func(r *store.Reader) (err error) {
		d, _, err = r.Device(o.device)
		return err
	})
	return d
}

// logsOf is what p's store says of the logs in the room of two with o: of o's, or of p's own.
func (p *citizen) logsOf(o *citizen, own bool) (all []store.Log) {
	p.town.t.Helper()
	room := wire.DirectGenesis(p.id, o.id).ID()
	p.view(func(r *store.Reader) error {
		row, _, err := r.Room(room)
		if err != nil {
			return err
		}
		logs, err := r.Logs(row.Row)
		for _, l := range logs {
			if (l.Seed != nil) == own {
				all = append(all, l)
			}
		}
		return err
	})
	return all
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

// ask has o make a link, and p ask by it.
func (p *citizen) ask(o *citizen, text string) RoomID {
	t := p.town.t
	t.Helper()
	link, _, err := o.svc.People.Invite(context.Background(), 24*time.Hour)
	p.town.must(err)
	c, err := p.svc.People.Add(context.Background(), link, text)
	p.town.must(err)
	return c.Room
}

func (p *citizen) accept(o *citizen) {
	p.town.t.Helper()
	_, err := p.svc.People.Accept(context.Background(), o.id)
	p.town.must(err)
}

// room is the chat of two.
func (p *citizen) room(o *citizen) RoomID {
	p.town.t.Helper()
	rooms, err := p.svc.Rooms.Rooms(context.Background())
	p.town.must(err)
	for _, r := range rooms {
		if r.Peer != nil && *r.Peer == o.id {
			return r.ID
		}
	}
	p.town.t.Fatalf("%s has no room with %s", p.name, o.name)
	return RoomID{}
}

func (p *citizen) say(o *citizen, text string) MessageID {
	p.town.t.Helper()
	id, err := p.svc.Rooms.Send(context.Background(), p.room(o), Draft{Text: text})
	p.town.must(err)
	return id
}

func (p *citizen) messages(o *citizen) []Message {
	p.town.t.Helper()
	all, err := p.svc.Rooms.Messages(context.Background(), p.room(o), Page{Limit: 100_000})
	p.town.must(err)
	return all
}

// thread is what somebody sees of a chat.
func (p *citizen) thread(o *citizen) (texts []string) {
	p.town.t.Helper()
	for _, m := range p.messages(o) {
		texts = append(texts, m.Text)
	}
	return texts
}

// wants fails unless p sees exactly these texts in the chat with o.
func (p *citizen) wants(o *citizen, texts ...string) {
	p.town.t.Helper()
	if got := p.thread(o); !slices.Equal(got, texts) {
		p.town.t.Errorf("%s sees %q, want %q", p.name, got, texts)
	}
}

// message is one of p's by its text.
func (p *citizen) message(o *citizen, text string) Message {
	p.town.t.Helper()
	for _, m := range p.messages(o) {
		if m.Text == text {
			return m
		}
	}
	p.town.t.Fatalf("%s has no message %q", p.name, text)
	return Message{}
}

// state fails unless a message of p's is in that state and waits for that reason.
func (p *citizen) state(o *citizen, text string, state Delivery, why Reason) {
	p.town.t.Helper()
	if m := p.message(o, text); m.State != state || m.Waiting != why {
		p.town.t.Errorf("%q of %s is %v, waiting %q; want %v, %q", text, p.name, m.State, m.Waiting, state, why)
	}
}

// notices lists the codes of what p must know.
func (p *citizen) notices() (codes []string) {
	for _, n := range p.svc.Owner.Notices() {
		codes = append(codes, n.Code)
	}
	slices.Sort(codes)
	return codes
}

func (p *citizen) noticed(code string) bool { return slices.Contains(p.notices(), code) }

// refused is how often something was refused for a cause.
func (p *citizen) refused(cause string) uint64 {
	p.town.t.Helper()
	st, err := p.svc.Owner.Status(context.Background())
	p.town.must(err)
	return st.Refused[cause]
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
