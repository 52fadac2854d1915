package ui

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// mesh is a network in memory: whoever has somebody in their table is connected to them, and frames arrive at once.
type mesh struct {
	mu    sync.Mutex
	nodes map[identity.DeviceID]*node // guarded by mu
	links map[[2]identity.DeviceID]bool
	cut   bool        // nobody reaches anybody
	names chan string // those that others nearby were told, "" for none
	work  sync.WaitGroup
	turn  sync.Mutex // one change of the links at a time
}

// node is one person's view of it.
type node struct {
	mesh  *mesh
	self  peer.Self
	svc   *app.Service
	peers []peer.Known // guarded by mesh.mu
}

var _ app.Network = (*node)(nil)

func newMesh(t *testing.T) *mesh {
	m := &mesh{nodes: map[identity.DeviceID]*node{}, links: map[[2]identity.DeviceID]bool{}, names: make(chan string, 8)}
	t.Cleanup(m.work.Wait)
	return m
}

// join is what the program does for an open account: it runs until ctx ends.
func (m *mesh) join(ctx context.Context, s *app.Service) error {
	n := &node{mesh: m, self: s.Self(), svc: s}
	m.mu.Lock()
	m.nodes[n.device()] = n
	m.mu.Unlock()
	s.HandleFact(peer.Listening{Addresses: []string{"/ip4/10.0.0.1/tcp/41952"}})
	err := s.Run(ctx, n)
	m.drop(n)
	m.mu.Lock()
	delete(m.nodes, n.device())
	m.mu.Unlock()
	return err
}

func (n *node) device() identity.DeviceID { return n.self.Device.Certificate.ID() }

func pairOf(a, b *node) [2]identity.DeviceID {
	x, y := a.device(), b.device()
	if slices.Compare(x[:], y[:]) > 0 {
		x, y = y, x
	}
	return [2]identity.DeviceID{x, y}
}

// wants reports whether n has o in its table. The mesh's lock is held.
func (n *node) wants(o *node) bool {
	account := identity.AccountOf(o.self.Account)
	return slices.ContainsFunc(n.peers, func(k peer.Known) bool {
		return k.Account == account && (k.Class == peer.Invited || k.Class == peer.Contact)
	})
}

// connect makes the links that are wanted.
func (m *mesh) connect() {
	m.turn.Lock()
	defer m.turn.Unlock()
	for _, p := range m.wanted() {
		if p[0].meets(p[1]) && p[1].meets(p[0]) {
			m.mu.Lock()
			m.links[pairOf(p[0], p[1])] = true
			m.mu.Unlock()
			p[0].path(p[1], peer.Local)
			p[1].path(p[0], peer.Local)
		}
	}
}

// wanted are the pairs that are to be connected and are not.
func (m *mesh) wanted() (pairs [][2]*node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.nodes {
		for _, b := range m.nodes {
			if a != b && !m.cut && !m.links[pairOf(a, b)] && a.wants(b) {
				pairs = append(pairs, [2]*node{a, b})
			}
		}
	}
	return pairs
}

func (n *node) meets(o *node) bool {
	class, err := n.svc.HandleHello(context.Background(), peer.Hello{
		Account: o.self.Account, Certificate: o.self.Device.Certificate, List: o.self.List, Peer: o.self.Device.Certificate.Peer,
	})
	return err == nil && class != peer.Blocked
}

func (n *node) path(o *node, p peer.Path) {
	f := peer.PathChanged{Device: o.device(), Peer: o.self.Device.Certificate.Peer, Path: p}
	if p != peer.None {
		f.Addr = "/ip4/10.0.0.1/tcp/41952"
	}
	n.svc.HandleFact(f)
}

// drop ends all links of n.
func (m *mesh) drop(n *node) {
	m.turn.Lock()
	defer m.turn.Unlock()
	m.mu.Lock()
	var others []*node
	for _, o := range m.nodes {
		if o != n && m.links[pairOf(n, o)] {
			delete(m.links, pairOf(n, o))
			others = append(others, o)
		}
	}
	m.mu.Unlock()
	for _, o := range others {
		o.path(n, peer.None)
		n.path(o, peer.None)
	}
}

// setCut takes the cable away, or puts it back.
func (m *mesh) setCut(on bool) {
	m.mu.Lock()
	m.cut = on
	all := make([]*node, 0, len(m.nodes))
	for _, n := range m.nodes {
		all = append(all, n)
	}
	m.mu.Unlock()
	if !on {
		m.connect()
		return
	}
	for _, n := range all {
		m.drop(n)
	}
}

// SetPeers connects to who is in the table.
func (n *node) SetPeers(all []peer.Known) {
	n.mesh.mu.Lock()
	n.peers = slices.Clone(all)
	n.mesh.mu.Unlock()
	n.mesh.work.Go(n.mesh.connect)
}

// SetTopics has no gossip to join.
func (n *node) SetTopics([]peer.Topic) {}

// SetNearby notes the name.
func (n *node) SetNearby(name string) error {
	n.mesh.names <- name
	return nil
}

// SetServices has no services.
func (n *node) SetServices(peer.Services) error { return nil }

// Call carries a frame.
func (n *node) Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	n.mesh.mu.Lock()
	o := n.mesh.nodes[to]
	linked := o != nil && n.mesh.links[pairOf(n, o)]
	n.mesh.mu.Unlock()
	if !linked {
		return nil, peer.ErrUnreachable
	}
	return o.svc.HandleFrame(ctx, n.device(), k, slices.Clone(body))
}

// Push carries a frame whose answer nobody waits for.
func (n *node) Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error {
	_, err := n.Call(ctx, to, k, body)
	return err
}

var errNone = errors.New("there is none in this network")

// CallBare has nobody to ask.
func (n *node) CallBare(context.Context, peer.Address, peer.Kind, []byte) ([]byte, error) {
	return nil, errNone
}

// Publish has no topic.
func (n *node) Publish(context.Context, peer.Topic, []byte) error { return errNone }

// Status counts the links.
func (n *node) Status() peer.Status {
	n.mesh.mu.Lock()
	defer n.mesh.mu.Unlock()
	count := 0
	for _, o := range n.mesh.nodes {
		if o != n && n.mesh.links[pairOf(n, o)] {
			count++
		}
	}
	return peer.Status{Peers: count, LAN: count}
}

// friend is somebody else, without a window.
type friend struct {
	*app.Service
	t *testing.T
}

// newFriend makes an account and runs it until the test ends.
func newFriend(t *testing.T, m *mesh, name string) *friend {
	t.Helper()
	p, err := app.OpenProfile(t.TempDir(), app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := p.CreateUnderWords(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := m.join(ctx, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return &friend{s, t}
}

// invite makes an invitation, as soon as there is an address to lead to.
func (f *friend) invite() string {
	f.t.Helper()
	link, _, err := f.People.Invite(f.t.Context(), inviteLife)
	if err != nil {
		f.t.Fatal(err)
	}
	return link
}

// asks returns who asks, waiting for the first.
func (f *friend) asks() app.Request {
	f.t.Helper()
	var all []app.Request
	f.until("a request", func() (bool, error) {
		var err error
		all, err = f.People.Requests(f.t.Context())
		return len(all) > 0 && all[0].Text != "", err
	})
	return all[0]
}

// until watches the friend's account until something is so.
func (f *friend) until(what string, is func() (bool, error)) {
	f.t.Helper()
	w := f.Watch()
	defer w.Close()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	for {
		ok, err := is()
		if err != nil {
			f.t.Fatal(err)
		}
		if ok {
			return
		}
		if _, err := w.Next(ctx); err != nil {
			f.t.Fatalf("%s did not come", what)
		}
	}
}

// texts are the messages of a room, oldest first.
func (f *friend) texts(room app.RoomID) []string {
	f.t.Helper()
	all, err := f.Rooms.Messages(f.t.Context(), room, app.Page{})
	if err != nil {
		f.t.Fatal(err)
	}
	var out []string
	for _, m := range all {
		out = append(out, m.Text)
	}
	return out
}
