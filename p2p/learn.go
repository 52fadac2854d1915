package p2p

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/event"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"

	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// learn takes what identify brings: signed records of peers in the table, and changes of our own addresses.
func (s *station) learn(ctx context.Context) error {
	sub, err := s.host.EventBus().Subscribe(
		[]any{new(event.EvtPeerIdentificationCompleted), new(event.EvtLocalAddressesUpdated)},
		eventbus.BufSize(256), eventbus.Name("cryptexq"))
	if err != nil {
		return fmt.Errorf("listening for libp2p's events: %w", err)
	}
	defer sub.Close()
	var told []string
	told = s.tellListening(told)
	for {
		select {
		case e := <-sub.Out():
			switch e := e.(type) {
			case event.EvtPeerIdentificationCompleted:
				s.learnRecord(e.Peer, e.SignedPeerRecord)
			case event.EvtLocalAddressesUpdated:
				told = s.tellListening(told)
			}
		case <-s.moved:
			told = s.tellListening(told)
		case <-ctx.Done():
			return nil
		}
	}
}

// learnRecord tells a record that is newer than the one in the table. libp2p has checked its signature.
func (s *station) learnRecord(from corepeer.ID, env *record.Envelope) {
	id, ok := peerID(from)
	if env == nil || !ok {
		return
	}
	r, err := env.Record()
	if err != nil {
		return
	}
	rec, ok := r.(*corepeer.PeerRecord)
	if !ok || rec.PeerID != from || !s.node.table.newer(id, rec.Seq) {
		return
	}
	raw, err := env.Marshal()
	if err != nil {
		return
	}
	s.node.facts.tell(peer.RecordLearned{Peer: id, Seq: rec.Seq, Record: raw})
}

// tellListening tells our addresses if they are not those told last.
func (s *station) tellListening(told []string) []string {
	addrs := advertised(s.host.Network().ListenAddresses(), s.network(), s.host.Addrs())
	now := texts(addrs)
	slices.Sort(now)
	if told != nil && slices.Equal(told, now) {
		return told
	}
	fact := peer.Listening{Addresses: texts(addrs)}
	env, err := record.Seal(corepeer.PeerRecordFromAddrInfo(corepeer.AddrInfo{ID: s.host.ID(), Addrs: addrs}), s.node.key)
	if err == nil {
		fact.Record, err = env.Marshal()
	}
	if err != nil {
		s.node.log.Warn("could not sign our addresses", "err", err)
	}
	s.node.facts.tell(fact)
	return now
}

// watchNetwork looks at the interfaces every three seconds. A change gives reason to hope for every peer, and to doubt every
// link.
func (s *station) watchNetwork(ctx context.Context) error {
	return discovery.Watch(ctx, func(now discovery.Network) {
		s.mu.Lock()
		s.now = now
		s.mu.Unlock()
		s.ranker.moved(now)
		s.dialer.HopeAll()
		poke(s.jolt)
		poke(s.moved)
	})
}

// heard takes a find of the beacon's. For somebody whom we want it is reason to dial, as long as candidates have dials left;
// for all others, only Nearby cares.
func (s *station) heard(f discovery.Find) {
	r, known := s.node.table.row(f.Peer)
	if !known || r.Class == peer.Blocked {
		return
	}
	s.mu.Lock()
	s.learnt[f.Peer] = f.Addresses
	for id := range s.learnt {
		if len(s.learnt) > maxLearnt && id != f.Peer {
			delete(s.learnt, id)
		}
	}
	s.mu.Unlock()
	if s.pool.Newest(f.Peer) == nil && s.hopes.known.Allow() {
		s.dialer.Hope(f.Peer)
	}
}

// maxLearnt bounds the peers whose addresses the beacon has brought; all are in the table.
const maxLearnt = 1024
