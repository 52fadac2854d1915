package app

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// pen writes our own log in one room. What is handed in while one segment is being made and synced shares the next: the
// first who finds nobody writing leads, writes for all that wait, and passes the lead on. So no goroutine waits for work,
// and one caller after another gives one segment each, the same in the simulator every time.
type pen struct {
	*core
	room     int64
	sessions *sessions
	turns    chan struct{} // holds one: whoever has it may touch the own log of the room

	mu      sync.Mutex
	waiting []*stroke // guarded by mu
}

// stroke is one entry to write, and what came of it.
type stroke struct {
	item  wire.Record
	done  chan struct{} // closed when err and the ids are set
	id    MessageID
	err   error
	entry store.Message // the readable form, row and place filled in by the pen; Kind 0 for an entry that no thread shows
}

func newPen(c *core, room int64, s *sessions) *pen {
	p := &pen{core: c, room: room, sessions: s, turns: make(chan struct{}, 1)}
	p.turns <- struct{}{}
	return p
}

// errChanged says that somebody ended the own log while a segment for it was being made: do it again.
var errChanged = errors.New("the own log changed")

// write appends items to the own log and returns when they are on disk. A room's first segment begins with open and card.
func (p *pen) write(ctx context.Context, strokes ...*stroke) error {
	for _, s := range strokes {
		s.done = make(chan struct{})
	}
	p.mu.Lock()
	p.waiting = append(p.waiting, strokes...)
	p.mu.Unlock()
	last := strokes[len(strokes)-1]
	for {
		select {
		case <-last.done:
			return last.err
		case <-p.turns:
		}
		p.lead(ctx, last)
		p.turns <- struct{}{}
	}
}

// lead writes segments until one's own last stroke is done.
func (p *pen) lead(ctx context.Context, last *stroke) {
	for {
		select {
		case <-last.done:
			return
		default:
		}
		p.mu.Lock()
		batch := p.waiting[:min(len(p.waiting), segment.MaxEntries)]
		p.mu.Unlock()
		n, err := p.segment(context.WithoutCancel(ctx), batch)
		if err != nil {
			n = len(batch) // nobody's message is tried again behind their back
		}
		p.mu.Lock()
		p.waiting = p.waiting[n:]
		p.mu.Unlock()
		for _, s := range batch[:n] {
			s.err = err
			close(s.done)
		}
	}
}

// open writes the first segment of our log in a room, if there is none: it says who we are, and that we are in.
func (p *pen) open(ctx context.Context) error {
	<-p.turns
	defer func() { p.turns <- struct{}{} }()
	var has bool
	err := p.st.View(ctx, func(r *store.Reader) (err error) {
		_, has, err = r.OwnLog(p.room)
		return err
	})
	if err != nil || has {
		return err
	}
	_, err = p.segment(ctx, nil)
	return err
}

// segment makes and stores one segment out of as many strokes as fit and returns how many.
func (p *pen) segment(ctx context.Context, batch []*stroke) (n int, err error) {
	for range 3 {
		d, err := p.draft(ctx)
		if err != nil {
			return 0, err
		}
		if n, err = d.fill(batch); err != nil {
			return 0, err
		}
		if err = p.st.UpdateOwn(ctx, func(tx *store.Tx) error { return d.commit(tx, batch[:n]) }); !errors.Is(err, errChanged) {
			return n, err
		}
	}
	return 0, errChanged
}

// draft reads all that the next segment stands on.
func (p *pen) draft(ctx context.Context) (d *draft, err error) {
	d = &draft{pen: p, ms: p.ms()}
	err = p.st.View(ctx, func(r *store.Reader) error { return d.read(r) })
	if err != nil {
		return nil, fmt.Errorf("reading the own log: %w", err)
	}
	return d, nil
}

func (d *draft) read(r *store.Reader) (err error) {
	var found bool
	if d.room, found, err = r.RoomRow(d.pen.room); err != nil || !found {
		return errors.Join(err, errWhen(!found, "the room is gone"))
	}
	if err := d.readLog(r); err != nil {
		return err
	}
	if err := d.readPast(r); err != nil {
		return err
	}
	members, err := r.Members(d.room.Row)
	if err != nil {
		return err
	}
	d.members = len(members)
	if d.gate, err = gateOf(r, d.room.Row); err != nil {
		return err
	}
	return d.readChain(r)
}

// readLog finds the open log of ours, or makes a new one that names the last: the first time, after a rollback, and when
// ours was ended because somebody else holds more of it than we do.
func (d *draft) readLog(r *store.Reader) (err error) {
	var found bool
	if d.log, found, err = r.OwnLog(d.room.Row); err != nil {
		return err
	}
	if found {
		if d.key, err = composite.NewPrivateKey(d.log.Seed); err != nil {
			return err
		}
		d.past, err = segment.ParseTree(d.log.Edge)
		return err
	}
	if d.key, err = composite.GenerateKey(); err != nil {
		return err
	}
	t := segment.LogCertificate{Device: d.pen.me.deviceID(), Room: d.room.ID}
	former, err := r.OwnLogs(d.room.Row)
	if err != nil {
		return err
	}
	if n := len(former); n > 0 && former[n-1].HeadK >= 0 {
		last := former[n-1]
		t.PrevLog, t.PrevK, t.PrevDigest = last.ID, uint64(last.HeadK), [32]byte(last.HeadDigest)
	}
	cert, err := segment.SignLogCertificate(d.pen.me.device.Key, d.key, t)
	if err != nil {
		return err
	}
	d.fresh = true
	d.log = store.Log{
		Room: d.room.Row, ID: cert.Log(), Device: d.pen.me.row, Key: cert.Key, Cert: cert.Raw, Seed: d.key.Seed(),
		ForkK: -1, HeadK: -1, WholeK: -1, CitedK: -1,
	}
	if t.PrevLog != (segment.ID{}) {
		d.log.Previous = t.PrevLog[:]
	}
	d.past = &segment.Tree{}
	return nil
}

// readPast collects the heads of other logs that changed since our last segment and whose whole past is here.
func (d *draft) readPast(r *store.Reader) error {
	logs, err := r.Logs(d.room.Row)
	if err != nil {
		return err
	}
	if d.log.HeadK >= 0 {
		prev, _, err := r.Segment(d.log.Row, d.log.HeadK)
		if err != nil {
			return err
		}
		d.sort = prev.Sort + 1
	}
	for _, l := range logs {
		if l.ID == d.log.ID || l.WholeK < 0 || !d.fresh && l.WholeK <= l.CitedK || len(d.deps) >= segment.MaxEntries {
			continue
		}
		s, found, err := r.Segment(l.Row, l.WholeK)
		if err != nil || !found {
			return errors.Join(err, errWhen(!found, "a head without its segment"))
		}
		d.deps = append(d.deps, segment.Dep{Log: l.ID, K: uint64(l.WholeK), Digest: s.Digest})
		l.CitedK = l.WholeK
		d.cited = append(d.cited, l)
		d.sort = max(d.sort, s.Sort+1)
	}
	d.sort = max(d.sort, d.ms)
	return nil
}
