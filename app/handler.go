package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// HandleHello says what somebody is to us who has just proven who they are. An error closes the link.
func (s *Service) HandleHello(ctx context.Context, h peer.Hello) (peer.Class, error) {
	class, err := s.dir.meet(ctx, h)
	if err != nil {
		return peer.Stranger, err
	}
	if class != peer.Blocked {
		s.links.met(h)
	}
	return class, nil
}

// HandleFrame stores what a frame brings and returns the reply. It never sends.
func (s *Service) HandleFrame(ctx context.Context, from identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	reply, err := s.frame(ctx, from, k, body)
	switch {
	case errors.Is(err, store.ErrFull):
		return nil, peer.ErrLater
	case err != nil:
		return nil, refusal(err)
	case !s.st.Anchored(): // after the reply was made: it may tell of a segment of ours that a rollback would undo unseen
		return nil, peer.ErrLater
	}
	return reply, nil
}

func (s *Service) frame(ctx context.Context, from identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	switch k {
	case peer.Deliver:
		return s.desk.deliver(ctx, from, body)
	case peer.Have:
		return s.ledger.haves(ctx, from, body)
	case peer.Sync:
		return s.ledger.sync(ctx, from, body)
	case peer.Fetch:
		return s.archive.serveFetch(ctx, from, body)
	case peer.Control:
		return s.sessions.handle(ctx, from, body)
	case peer.KeyReq:
		return s.archive.serveKeys(ctx, from, body)
	case peer.SelfInfo:
		return s.self(ctx, from)
	case peer.Typing, peer.Hint:
		return nil, nil // for screens and mailboxes to come: never stored
	}
	return nil, badly("kind")
}

// self tells anybody whom we did not block who this device is.
func (s *Service) self(ctx context.Context, from identity.DeviceID) ([]byte, error) {
	err := s.st.View(ctx, func(r *store.Reader) error {
		_, _, err := callerOf(r, from)
		return err
	})
	if err != nil {
		return nil, err
	}
	o := s.me.self()
	return o.Marshal(), nil
}

// HandleBare answers frames from outside a link: only a mailbox has such, and this program keeps none yet.
func (s *Service) HandleBare(context.Context, identity.PeerID, peer.Kind, []byte) ([]byte, error) {
	return nil, refusal(badly("no_mailbox"))
}

// ScreenTopic ignores every gossiped message: we have joined no topic.
func (s *Service) ScreenTopic(peer.Topic, []byte) peer.Verdict { return peer.Ignore }

// HandleTopic does as ScreenTopic.
func (s *Service) HandleTopic(context.Context, peer.Topic, []byte) peer.Verdict { return peer.Ignore }
