package p2p

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/event"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"

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
	addrs := s.tellable(s.host.Network().ListenAddresses(), s.host.Addrs())
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
