package sim

import (
	"context"
	"errors"
	"fmt"
	mrand "math/rand"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// person is somebody with a machine: a disk that may lose power, a clock that is off, and a messenger while it is on.
type person struct {
	w       *world
	index   int
	name    string
	skew    time.Duration
	disk    *crashfs.FS
	words   string
	account identity.AccountID
	device  identity.DeviceID
	svc     *app.Service // nil while the machine is off
	mesh    *Mesh
	wakeAt  time.Time // when it comes back
	full    bool      // its disk has no room
}

func (w *world) newPerson(ctx context.Context, index int) (*person, error) {
	p := &person{
		w: w, index: index, name: string(rune('a' + index)), disk: crashfs.New(mrand.New(mrand.NewSource(int64(w.rand.Uint64() >> 1)))),
		skew: time.Duration(w.rand.Int64N(int64(2*w.plan.Skew))) - w.plan.Skew,
	}
	profile, err := app.OpenProfile("/"+p.name, p.config())
	if err != nil {
		return nil, err
	}
	svc, words, err := profile.CreateUnderWords(ctx, p.name)
	if err != nil {
		return nil, err
	}
	p.words = words
	self := svc.Self()
	p.account, p.device = identity.AccountOf(self.Account), self.Device.Certificate.ID()
	p.on(svc)
	return p, nil
}

func (p *person) config() app.Config {
	return app.Config{Now: func() time.Time { return p.w.now.Add(p.skew) }, Disk: p.disk, Single: true, Window: 1}
}

func (p *person) on(svc *app.Service) {
	p.svc, p.mesh = svc, &Mesh{w: p.w, owner: p}
	svc.Attach(p.mesh)
	p.mustStep()
}

// mustStep lets the messenger push its table down.
func (p *person) mustStep() {
	if p.svc != nil {
		_, _, _ = p.svc.Step(context.Background())
	}
}

// failed reports whether an error came from a disk that lost its power.
func (p *person) failed(err error) bool {
	return err != nil && p.disk.Dead()
}

// fill takes all room from the disk, or gives it back.
func (p *person) fill(on bool) {
	p.full = on
	p.w.trace.add("full %s %v", p.name, on)
	p.disk.SetFull(map[bool]int64{true: 1}[on])
}

// crash takes the power away: what was not synced is gone, or torn.
func (p *person) crash() {
	if p.svc == nil {
		return
	}
	p.w.crashes++
	p.w.trace.add("crash %s", p.name)
	for _, o := range p.w.people {
		if o != p {
			p.w.part(p, o)
		}
	}
	p.disk.CutPowerAfter(0)
	_ = p.svc.Close()
	p.svc = nil
	p.disk.Crash()
	p.fill(false)
	p.wakeAt = p.w.now.Add(time.Duration(p.w.rand.IntN(30_000)) * time.Millisecond)
}

// restart opens the vault again with the words, which cost no stretching.
func (p *person) restart(ctx context.Context) error {
	profile, err := app.OpenProfile("/"+p.name, p.config())
	if err != nil {
		return err
	}
	svc, err := profile.UnlockWords(ctx, p.words)
	if err != nil {
		return fmt.Errorf("%s does not open its vault after a crash: %w", p.name, err)
	}
	for _, n := range svc.Owner.Notices() {
		return errors.Join(fmt.Errorf("%s is warned of %s after a crash: a false alarm", p.name, n.Code), svc.Close())
	}
	p.w.trace.add("start %s", p.name)
	p.on(svc)
	return nil
}

// hello is what the handshake does: o stands at the other end.
func (p *person) hello(ctx context.Context, o *person) bool {
	self := o.svc.Self()
	class, err := p.svc.HandleHello(ctx, peer.Hello{
		Account: self.Account, Certificate: self.Device.Certificate, List: self.List, Peer: self.Device.Certificate.Peer,
	})
	return err == nil && class != peer.Blocked
}

func (p *person) path(o *person, path peer.Path) {
	if p.svc != nil {
		p.svc.HandleFact(peer.PathChanged{Device: o.device, Peer: o.peerID(), Path: path, Addr: "/ip4/10.0.0.1/tcp/1"})
	}
}

func (p *person) peerID() (id identity.PeerID) {
	copy(id[:], p.device[:])
	return id
}

// direct is the conversation with somebody, and whether it is open.
func (p *person) direct(ctx context.Context, o *person) (app.Room, bool) {
	rooms, err := p.svc.Rooms.Rooms(ctx)
	if err != nil {
		return app.Room{}, false
	}
	for _, r := range rooms {
		if r.Peer != nil && *r.Peer == o.account {
			return r, true
		}
	}
	return app.Room{}, false
}
