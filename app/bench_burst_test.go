package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// wire200 is a message of 200 bytes, numbered in its first six.
func wire200(i int) Draft { return Draft{Text: fmt.Sprintf("%06d", i) + strings.Repeat("x", 194)} }

// cable is a Network of one other service in the same process: it costs nothing, so that what a benchmark sees is ours.
type cable struct {
	to  *Service
	as  identity.DeviceID
	cut atomic.Bool // nothing passes
}

func (c *cable) SetPeers([]peer.Known)           {}
func (c *cable) SetTopics([]peer.Topic)          {}
func (c *cable) SetServices(peer.Services) error { return nil }
func (c *cable) Status() peer.Status             { return peer.Status{Peers: 1} }

func (c *cable) Call(ctx context.Context, _ identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	if c.cut.Load() {
		return nil, peer.ErrUnreachable
	}
	return c.to.HandleFrame(ctx, c.as, k, body)
}

func (c *cable) Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error {
	_, err := c.Call(ctx, to, k, body)
	return err
}

var errNoSuchWay = errors.New("a cable has two ends")

func (c *cable) CallBare(context.Context, peer.Address, peer.Kind, []byte) ([]byte, error) {
	return nil, errNoSuchWay
}

func (c *cable) Publish(context.Context, peer.Topic, []byte) error { return errNoSuchWay }

// someone is an account on a real disk whose vault only its words open.
func someone(b *testing.B, name string) *Service {
	b.Helper()
	p, err := OpenProfile(b.TempDir(), Config{})
	if err != nil {
		b.Fatal(err)
	}
	s, _, err := p.CreateUnderWords(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(s.Close(), p.Close()); err != nil {
			b.Error(err)
		}
	})
	return s
}

// plug lets one see the other at the end of a link, as the node does after a handshake.
func plug(b *testing.B, s, other *Service) {
	b.Helper()
	o := other.Self()
	hello := peer.Hello{Account: o.Account, Certificate: o.Device.Certificate, List: o.List, Peer: o.Device.Certificate.Peer}
	if _, err := s.HandleHello(b.Context(), hello); err != nil {
		b.Fatal(err)
	}
	s.HandleFact(peer.PathChanged{Device: o.Device.Certificate.ID(), Peer: hello.Peer, Path: peer.Local, Addr: "/ip4/10.0.0.1/tcp/1"})
}

// until looks each time something changed.
func until(b *testing.B, w *Watcher, done func() bool) {
	b.Helper()
	for !done() {
		if _, err := w.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// pair is two contacts who are linked and talk, and the line from ann to bob.
func pair(b *testing.B) (ann, bob *Service, room RoomID, line *cable) {
	b.Helper()
	ann, bob = someone(b, "ann"), someone(b, "bob")
	ctx, stop := context.WithCancel(b.Context())
	var g errgroup.Group
	line = &cable{to: bob, as: ann.Self().Device.Certificate.ID()}
	g.Go(func() error { return ann.Run(ctx, line) })
	g.Go(func() error { return bob.Run(ctx, &cable{to: ann, as: bob.Self().Device.Certificate.ID()}) })
	b.Cleanup(func() {
		stop()
		if err := g.Wait(); err != nil {
			b.Error(err)
		}
	})
	link, _, err := bob.People.Invite(b.Context(), 1e12)
	if err != nil {
		b.Fatal(err)
	}
	c, err := ann.People.Add(b.Context(), link, "hello")
	if err != nil {
		b.Fatal(err)
	}
	w := bob.Watch()
	defer w.Close()
	plug(b, ann, bob)
	plug(b, bob, ann)
	until(b, w, func() bool {
		all, err := bob.People.Requests(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		return len(all) == 1
	})
	if _, err := bob.People.Accept(b.Context(), ann.me.id); err != nil {
		b.Fatal(err)
	}
	return ann, bob, c.Room, line
}

// BenchmarkBurst is one message of 200 bytes in a burst, from handing in until the author knows that it was stored and opened, with
// both sides in this process and on its disk.
func BenchmarkBurst(b *testing.B) {
	ann, _, room, _ := pair(b)
	w := ann.Watch()
	defer w.Close()
	first, err := ann.Rooms.Send(b.Context(), room, wire200(0))
	if err != nil {
		b.Fatal(err)
	}
	delivered := func(id MessageID) func() bool {
		return func() bool {
			m, err := ann.Rooms.Message(b.Context(), id)
			if err != nil {
				b.Fatal(err)
			}
			return m.State >= Delivered
		}
	}
	until(b, w, delivered(first))
	b.ReportAllocs()
	b.ResetTimer()
	used := processTime()
	last := first
	for i := 0; i < b.N; {
		drafts := make([]Draft, 0, 64)
		for ; i < b.N && len(drafts) < 64; i++ {
			drafts = append(drafts, wire200(i))
		}
		ids, err := ann.Rooms.SendAll(b.Context(), room, drafts)
		if err != nil {
			b.Fatal(err)
		}
		last = ids[len(ids)-1]
	}
	until(b, w, delivered(last))
	b.ReportMetric(float64((processTime()-used).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkAlone is a lone message of 200 bytes, from handing in until the author knows that it was stored and opened, both sides in
// this process and on its disk.
func BenchmarkAlone(b *testing.B) {
	ann, _, room, _ := pair(b)
	w := ann.Watch()
	defer w.Close()
	used := processTime()
	for b.Loop() {
		id, err := ann.Rooms.Send(b.Context(), room, wire200(0))
		if err != nil {
			b.Fatal(err)
		}
		until(b, w, func() bool {
			m, err := ann.Rooms.Message(b.Context(), id)
			if err != nil {
				b.Fatal(err)
			}
			return m.State >= Delivered
		})
	}
	b.ReportMetric(float64((processTime()-used).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkMissed is 1000 messages, each a segment of its own, that were written while the link was down: from when it is there until
// the author knows that all were stored and opened.
func BenchmarkMissed(b *testing.B) {
	ann, bob, room, line := pair(b)
	w := ann.Watch()
	defer w.Close()
	device := bob.Self().Device.Certificate
	var used time.Duration
	var last MessageID
	for b.Loop() {
		b.StopTimer()
		line.cut.Store(true)
		ann.HandleFact(peer.PathChanged{Device: device.ID(), Peer: device.Peer, Path: peer.None})
		for i := range 1000 {
			id, err := ann.Rooms.Send(b.Context(), room, wire200(i))
			if err != nil {
				b.Fatal(err)
			}
			last = id
		}
		before := processTime()
		b.StartTimer()
		line.cut.Store(false)
		plug(b, ann, bob)
		until(b, w, func() bool {
			m, err := ann.Rooms.Message(b.Context(), last)
			if err != nil {
				b.Fatal(err)
			}
			return m.State >= Delivered
		})
		used += processTime() - before
	}
	b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/op")
}
