package sim

import (
	"context"
	"errors"
	"slices"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Mesh is one person's view of the simulated network. It carries a call at once, or loses it on the way there or back, or
// carries it a second time later: to the caller, a reply that comes late is a reply that was lost.
type Mesh struct {
	w     *world
	owner *person
	peers []peer.Known
}

var _ app.Network = (*Mesh)(nil)

// SetPeers keeps the table: who is in it is dialled.
func (m *Mesh) SetPeers(all []peer.Known) { m.peers = slices.Clone(all) }

// SetTopics does nothing: there is no gossip among two.
func (m *Mesh) SetTopics([]peer.Topic) {}

// SetServices does nothing: nobody is nearby here.
func (m *Mesh) SetServices(peer.Services) error { return nil }

// Call carries a frame.
func (m *Mesh) Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	w := m.w
	w.calls++
	other := w.byDevice(to)
	if other == nil || other.svc == nil || !w.linked(m.owner, other) {
		return nil, peer.ErrUnreachable
	}
	if w.calm == 0 && w.chance(w.plan.Again) {
		w.late = append(w.late, lateCall{from: m.owner, to: other, kind: k, body: slices.Clone(body)})
	}
	if w.calm == 0 && w.chance(w.plan.Loss) {
		w.trace.add("%s > %s %v lost", m.owner.name, other.name, k)
		return nil, peer.ErrUnreachable
	}
	reply, err := other.svc.HandleFrame(ctx, m.owner.device, k, slices.Clone(body))
	if other.disk.Dead() || other.failed(err) {
		w.trace.add("%s > %s %v died", m.owner.name, other.name, k)
		return nil, peer.ErrUnreachable
	}
	if w.calm == 0 && w.chance(w.plan.Loss) {
		w.trace.add("%s > %s %v reply lost", m.owner.name, other.name, k)
		return nil, peer.ErrUnreachable
	}
	w.trace.add("%s > %s %v %d %d %v", m.owner.name, other.name, k, len(body), len(reply), err)
	return reply, err
}

// Push is a call of which nobody waits for the answer.
func (m *Mesh) Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error {
	_, err := m.Call(ctx, to, k, body)
	return err
}

var errNone = errors.New("there is none in the simulation")

// CallBare has nobody to ask.
func (m *Mesh) CallBare(context.Context, peer.Address, peer.Kind, []byte) ([]byte, error) {
	return nil, errNone
}

// Publish has no topic.
func (m *Mesh) Publish(context.Context, peer.Topic, []byte) error { return errNone }

// Status counts the links.
func (m *Mesh) Status() peer.Status {
	n := 0
	for _, o := range m.w.people {
		if o != m.owner && m.w.linked(m.owner, o) {
			n++
		}
	}
	return peer.Status{Peers: n}
}

// lateCall is a frame that arrives a second time, or for the first time after its caller gave up.
type lateCall struct {
	from, to *person
	kind     peer.Kind
	body     []byte
}

// pair names a link, the lower person first.
type pair struct{ a, b int }

func pairOf(a, b *person) pair { return pair{min(a.index, b.index), max(a.index, b.index)} }

func (w *world) linked(a, b *person) bool { return w.links[pairOf(a, b)] }

// wanted reports whether either of two has the other in its table.
func wanted(a, b *person) bool {
	has := func(p, q *person) bool {
		return p.svc != nil && slices.ContainsFunc(p.mesh.peers, func(k peer.Known) bool {
			return k.Account == q.account && k.Class != peer.Blocked && k.Class != peer.Stranger
		})
	}
	return has(a, b) || has(b, a)
}

// connect makes the links that may be and are wanted. Both sides check each other first, as the handshake has them do.
func (w *world) connect(ctx context.Context) {
	for i, a := range w.people {
		for _, b := range w.people[i+1:] {
			p := pairOf(a, b)
			if w.links[p] || w.cut[p] || a.svc == nil || b.svc == nil || !wanted(a, b) {
				continue
			}
			okA := a.hello(ctx, b)
			okB := b.hello(ctx, a)
			if okA && okB {
				w.links[p] = true
				w.trace.add("link %s %s", a.name, b.name)
				a.path(b, peer.Local)
				b.path(a, peer.Local)
			}
		}
	}
}

// part ends the link of two.
func (w *world) part(a, b *person) {
	p := pairOf(a, b)
	if !w.links[p] {
		return
	}
	delete(w.links, p)
	w.trace.add("part %s %s", a.name, b.name)
	a.path(b, peer.None)
	b.path(a, peer.None)
}
