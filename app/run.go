package app

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Run sends what is owed, keeps house, and blocks until ctx ends and everything that it started has returned.
func (s *Service) Run(ctx context.Context, n Network) error {
	s.Attach(n)
	s.hub.tell(Change{Kind: ChangedStatus})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.maintain(ctx) })
	g.Go(func() error { return s.dispatch(ctx, g) })
	err := g.Wait()
	s.detach()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// dispatch gives every link a courier, and does the clerk's work between.
func (s *Service) dispatch(ctx context.Context, g *errgroup.Group) error {
	running := map[*link]bool{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		for k := range running {
			select {
			case <-k.ended:
				delete(running, k)
			default:
			}
		}
		for _, k := range s.links.list() {
			if running[k] {
				continue
			}
			running[k] = true
			c := s.courier(k)
			g.Go(func() error { return c.run(ctx) })
		}
		next := s.clerk(ctx)
		timer.Reset(time.Duration(max(0, next-s.ms())) * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-s.stirred:
		case <-timer.C:
		}
	}
	return nil
}

// detach forgets the network, and who was connected by it.
func (s *Service) detach() {
	s.mu.Lock()
	s.net, s.ready = nil, false
	s.mu.Unlock()
	for _, k := range s.links.list() {
		s.links.set(peer.PathChanged{Device: k.device, Peer: k.peer, Path: peer.None})
	}
	s.hub.tell(Change{Kind: ChangedStatus})
}

// maintain lets the store keep itself: search index, space, checks. It rests when there is nothing to do.
func (s *Service) maintain(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := s.st.Maintain(ctx)
		s.try("keeping the store", err)
		wait := time.Second
		if more {
			wait = time.Millisecond
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}
