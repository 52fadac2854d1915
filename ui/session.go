package ui

import (
	"context"
	"sync"

	"github.com/cryptexq/cryptexq/app"
)

// session is an open account and what runs for it: the pump, the hands, and the network part that the program joined to it.
type session struct {
	service *app.Service

	halt  context.CancelFunc // ends pump and hands; nil before start
	leave context.CancelFunc // ends the network part
	near  sync.WaitGroup     // pump and hands
	far   sync.WaitGroup     // the network part
	again chan struct{}      // holds one: the network part is to run again
}

// start lets everything run. left is told when the network part ends by itself.
func (s *session) start(p *pump, h *hands, join func(context.Context) error, left func(error)) {
	var near, far context.Context
	near, s.halt = context.WithCancel(context.Background())
	far, s.leave = context.WithCancel(context.Background())
	s.again = make(chan struct{}, 1)
	watcher := s.service.Watch()
	s.near.Go(func() { p.run(near, watcher) })
	s.near.Go(func() { h.run(near) })
	s.far.Go(func() { s.network(far, join, left) })
}

// network runs the network part, anew whenever it has ended and rejoin asks for it, until ctx ends.
func (s *session) network(ctx context.Context, join func(context.Context) error, left func(error)) {
	for ctx.Err() == nil {
		err := join(ctx)
		if ctx.Err() != nil {
			return
		}
		left(err)
		select {
		case <-ctx.Done():
		case <-s.again:
		}
	}
}

// rejoin runs the network part anew after it has ended.
func (s *session) rejoin() {
	select {
	case s.again <- struct{}{}:
	default:
	}
}

// stop ends everything in order: pump and hands, who finish what a person asked for; the draft that is not stored yet; the network
// part; the vault.
func (s *session) stop(flush func(context.Context) error) {
	if s.halt != nil {
		s.halt()
		s.near.Wait()
		if flush != nil {
			_ = flush(context.Background()) // nobody is there to be told
		}
		s.leave()
		s.far.Wait()
	}
	_ = s.service.Close() // what was committed is on disk whatever it says
}
