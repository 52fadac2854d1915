package app

import (
	"context"
	"slices"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

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

// hello is what a handshake does on p's side with o at the other end.
func (p *citizen) hello(o *citizen) (peer.Class, error) {
	self := o.svc.Self()
	return p.svc.HandleHello(context.Background(), peer.Hello{
		Account: self.Account, Certificate: self.Device.Certificate, List: self.List, Peer: self.Device.Certificate.Peer,
	})
}

func (p *citizen) path(o *citizen, path peer.Path) {
	if p.svc != nil {
		p.svc.HandleFact(peer.PathChanged{Device: o.device, Peer: o.svc.me.peer, Path: path, Addr: "/ip4/10.0.0.1/tcp/1"})
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
