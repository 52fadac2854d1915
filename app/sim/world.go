package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// world is everybody and what happens to them.
type world struct {
	rand    *rand.Rand
	plan    Plan
	now     time.Time
	people  []*person
	links   map[pair]bool // who is connected now
	cut     map[pair]bool // who cannot be
	late    []lateCall
	said    []*saying
	calm    int // not 0: the storm is over
	crashes int
	calls   int
	spoken  int
	trace   trace
}

// saying is a message that was accepted, and what its author had seen before.
type saying struct {
	text   string
	from   *person
	to     *person
	before []string // texts that stood in the author's thread
}

func newWorld(r *rand.Rand, p Plan) *world {
	return &world{rand: r, plan: p, now: epoch, links: map[pair]bool{}, cut: map[pair]bool{}}
}

func (w *world) close() {
	for _, p := range w.people {
		if p.svc != nil {
			_ = p.svc.Close()
		}
	}
}

func (w *world) chance(p float64) bool { return w.rand.Float64() < p }

func (w *world) byDevice(d [32]byte) *person {
	for _, p := range w.people {
		if p.device == d {
			return p
		}
	}
	return nil
}

// run lets people meet, has the storm, heals everything and checks what is left.
func (w *world) run(ctx context.Context) error {
	for i := range w.plan.People {
		p, err := w.newPerson(ctx, i)
		if err != nil {
			return fmt.Errorf("making %d: %w", i, err)
		}
		w.people = append(w.people, p)
	}
	for i, a := range w.people {
		for _, b := range w.people[i+1:] {
			if err := w.ask(ctx, a, b); err != nil {
				return err
			}
		}
	}
	if err := w.storm(ctx); err != nil {
		return err
	}
	if err := w.heal(ctx); err != nil {
		return err
	}
	return w.check(ctx)
}

// ask has one invite the other, sometimes both, so that requests cross.
func (w *world) ask(ctx context.Context, a, b *person) error {
	if w.chance(0.5) {
		a, b = b, a
	}
	if err := w.add(ctx, a, b); err != nil {
		return err
	}
	if w.chance(0.3) {
		return w.add(ctx, b, a)
	}
	return nil
}

func (w *world) add(ctx context.Context, a, b *person) error {
	link, _, err := b.svc.People.Invite(ctx, 96*time.Hour)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("hello %s from %s", b.name, a.name)
	_, err = a.svc.People.Add(ctx, link, text)
	if errors.Is(err, app.ErrKnown) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s adds %s: %w", a.name, b.name, err)
	}
	w.trace.add("%s asks %s", a.name, b.name)
	w.said = append(w.said, &saying{text: text, from: a, to: b})
	return nil
}

// storm mixes acts of people with steps of machines, in an order that the seed says.
func (w *world) storm(ctx context.Context) error {
	for left := w.plan.Messages; left > 0; {
		w.now = w.now.Add(time.Duration(w.rand.IntN(400)) * time.Millisecond)
		if w.chance(0.1) {
			w.now = w.now.Add(time.Duration(w.rand.IntN(90)) * time.Second)
		}
		if err := w.weather(ctx); err != nil {
			return err
		}
		w.connect(ctx)
		for range w.rand.IntN(12) {
			if err := w.stepSomebody(ctx); err != nil {
				return err
			}
		}
		if err := w.deliverLate(ctx); err != nil {
			return err
		}
		if err := w.acceptAll(ctx); err != nil {
			return err
		}
		if w.chance(0.5) {
			said, err := w.speak(ctx)
			if err != nil {
				return err
			}
			if said {
				left--
			} else if w.chance(0.05) {
				left-- // whom nobody answers yet cannot be written to
			}
		}
	}
	return nil
}

// weather crashes machines, starts them again, and cuts and mends connections.
func (w *world) weather(ctx context.Context) error {
	for _, p := range w.people {
		switch {
		case p.svc == nil && !w.now.Before(p.wakeAt):
			if err := p.restart(ctx); err != nil {
				return err
			}
			if err := w.checkKept(ctx, p); err != nil {
				return err
			}
		case p.svc != nil && w.chance(w.plan.Full):
			p.fill(!p.full)
		case p.svc != nil && w.chance(0.01):
			p.skew = time.Duration(w.rand.Int64N(int64(2*w.plan.Skew))) - w.plan.Skew
			w.trace.add("clock %s", p.name)
		case p.svc != nil && p.disk.Dead():
			p.crash()
		case p.svc != nil && w.chance(w.plan.Crash):
			if w.chance(0.5) {
				p.disk.CutPowerAfter(1 + w.rand.IntN(60)) // in the middle of something
			} else {
				p.crash()
			}
		}
	}
	if len(w.people) > 1 && w.chance(w.plan.Cut) {
		a := w.people[w.rand.IntN(len(w.people))]
		b := w.people[w.rand.IntN(len(w.people))]
		if a != b {
			w.cut[pairOf(a, b)] = !w.cut[pairOf(a, b)]
			if w.cut[pairOf(a, b)] {
				w.part(a, b)
			}
		}
	}
	return nil
}

// stepSomebody lets one machine do one thing.
func (w *world) stepSomebody(ctx context.Context) error {
	p := w.people[w.rand.IntN(len(w.people))]
	_, err := w.step(ctx, p)
	return err
}

func (w *world) step(ctx context.Context, p *person) (did bool, err error) {
	if p.svc == nil {
		return false, nil
	}
	did, _, err = p.svc.Step(ctx)
	if p.disk.Dead() {
		p.crash()
		return true, nil
	}
	return did || err != nil, nil // an error is a frame that was lost
}

// deliverLate brings frames that were held up, in any order.
func (w *world) deliverLate(ctx context.Context) error {
	for len(w.late) > 0 && w.chance(0.5) {
		i := w.rand.IntN(len(w.late))
		c := w.late[i]
		w.late = slices.Delete(w.late, i, i+1)
		if c.to.svc == nil || !w.linked(c.from, c.to) {
			continue
		}
		_, err := c.to.svc.HandleFrame(ctx, c.from.device, c.kind, c.body)
		w.trace.add("%s > %s %v again %v", c.from.name, c.to.name, c.kind, err)
		if c.to.disk.Dead() {
			c.to.crash()
		}
	}
	return nil
}

func (w *world) acceptAll(ctx context.Context) error {
	for _, p := range w.people {
		if p.svc == nil || !w.chance(0.3) {
			continue
		}
		all, err := p.svc.People.Requests(ctx)
		for _, q := range all {
			if err == nil {
				_, err = p.svc.People.Accept(ctx, q.Account)
				w.trace.add("%s accepts %v", p.name, err)
			}
		}
		if p.disk.Dead() {
			p.crash()
			continue
		}
		if err != nil && !p.full {
			return fmt.Errorf("%s accepts: %w", p.name, err)
		}
	}
	return nil
}

// speak has somebody write to somebody. Accepted is what Send returned for.
func (w *world) speak(ctx context.Context) (bool, error) {
	a := w.people[w.rand.IntN(len(w.people))]
	b := w.people[w.rand.IntN(len(w.people))]
	if a == b || a.svc == nil {
		return false, nil
	}
	room, ok := a.direct(ctx, b)
	if !ok {
		return false, nil
	}
	w.spoken++ // also for what a crash interrupts: it may have been stored all the same
	s := &saying{text: fmt.Sprintf("%d from %s to %s", w.spoken, a.name, b.name), from: a, to: b}
	seen, err := a.thread(ctx, b)
	gaps, _ := a.heldBack(ctx, b)
	if err == nil {
		if !gaps { // what is shown in spite of a gap before it cannot be named as a past: it is not whole
			s.before = seen
		}
		_, err = a.svc.Rooms.Send(ctx, room.ID, app.Draft{Text: s.text})
	}
	w.trace.add("%s says %q %v", a.name, s.text, err == nil)
	if a.disk.Dead() {
		a.crash()
	} else if err != nil && !a.full {
		return false, fmt.Errorf("%s writes to %s: %w", a.name, b.name, err)
	}
	if err == nil {
		w.said = append(w.said, s)
	}
	return err == nil, nil
}
