package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// messages reads a whole thread.
func (p *person) messages(ctx context.Context, o *person) ([]app.Message, error) {
	room, ok := p.direct(ctx, o)
	if !ok {
		return nil, nil
	}
	return p.svc.Rooms.Messages(ctx, room.ID, app.Page{Limit: 100_000})
}

// thread is the texts of a conversation as they are shown.
func (p *person) thread(ctx context.Context, o *person) ([]string, error) {
	all, err := p.messages(ctx, o)
	texts := make([]string, 0, len(all))
	for _, m := range all {
		texts = append(texts, m.Text)
	}
	return texts, err
}

// patience is the virtual time that everything may take once the network is well.
const patience = 4 * time.Hour

// heal ends the storm and lets everybody work until nobody has anything left to do and nothing is owed.
func (w *world) heal(ctx context.Context) error {
	w.calm = 1
	w.trace.add("calm")
	clear(w.cut)
	w.late = nil
	for _, p := range w.people {
		p.disk.CutPowerAfter(-1)
		p.fill(false)
		if p.svc != nil && p.disk.Dead() {
			p.crash()
		}
		if p.svc == nil {
			if err := p.restart(ctx); err != nil {
				return err
			}
			if err := w.checkKept(ctx, p); err != nil {
				return err
			}
		}
	}
	for end := w.now.Add(patience); w.now.Before(end); {
		w.connect(ctx)
		if err := w.acceptEverybody(ctx); err != nil {
			return err
		}
		busy := false
		for _, p := range w.people {
			for range 50 {
				did, err := w.step(ctx, p)
				if err != nil {
					return err
				}
				if busy = busy || did; !did {
					break
				}
			}
		}
		if busy {
			w.now = w.now.Add(5 * time.Millisecond)
			continue
		}
		if done, err := w.settled(ctx); err != nil || done {
			return err
		}
		w.now = w.now.Add(time.Second)
	}
	return fmt.Errorf("not everything arrived within %v of calm", patience)
}

func (w *world) acceptEverybody(ctx context.Context) error {
	for _, p := range w.people {
		all, err := p.svc.People.Requests(ctx)
		if err != nil {
			return err
		}
		for _, q := range all {
			if _, err := p.svc.People.Accept(ctx, q.Account); err != nil {
				return err
			}
			w.trace.add("%s accepts", p.name)
		}
	}
	return nil
}

// settled reports whether every accepted message is shown as delivered by its author.
func (w *world) settled(ctx context.Context) (bool, error) {
	for _, a := range w.people {
		for _, b := range w.people {
			if a == b {
				continue
			}
			all, err := a.messages(ctx, b)
			if err != nil {
				return false, err
			}
			for _, m := range all {
				if m.Own && m.State < app.Delivered {
					return false, nil
				}
			}
		}
	}
	return true, nil
}

// checkKept says whether a machine that came back still has what it accepted, and what others were told that it has.
func (w *world) checkKept(ctx context.Context, p *person) error {
	for _, o := range w.people {
		if o == p {
			continue
		}
		texts, err := p.thread(ctx, o)
		if err != nil {
			return err
		}
		for _, s := range w.said {
			if s.from == p && s.to == o && !slices.Contains(texts, s.text) {
				return fmt.Errorf("%s lost its own message %q in a crash", p.name, s.text)
			}
		}
		if o.svc == nil {
			continue
		}
		sent, err := o.messages(ctx, p)
		if err != nil {
			return err
		}
		held, err := p.heldBack(ctx, o)
		if err != nil {
			return err
		}
		for _, m := range sent {
			if m.Own && m.State >= app.Delivered && !slices.Contains(texts, m.Text) && !held {
				return fmt.Errorf("%s was told that %q was delivered, and %s lost it in a crash", o.name, m.Text, p.name)
			}
		}
	}
	return nil
}

// heldBack reports whether messages may be hidden because something before them is missing, or a request waits.
func (p *person) heldBack(ctx context.Context, o *person) (bool, error) {
	room, ok := p.direct(ctx, o)
	if !ok {
		return true, nil
	}
	gaps, err := p.svc.Rooms.Gaps(ctx, room.ID)
	return len(gaps) > 0, err
}

// check is the promise: all there, once, in causal order, the same on both sides.
func (w *world) check(ctx context.Context) error {
	for i, a := range w.people {
		for _, b := range w.people[i+1:] {
			left, err := a.thread(ctx, b)
			if err != nil {
				return err
			}
			right, err := b.thread(ctx, a)
			if err != nil {
				return err
			}
			if !slices.Equal(left, right) {
				return fmt.Errorf("%s and %s see two histories:\n%q\n%q", a.name, b.name, left, right)
			}
			if err := w.checkThread(a, b, left); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *world) checkThread(a, b *person, texts []string) error {
	at := map[string]int{}
	for i, t := range texts {
		if _, twice := at[t]; twice {
			return fmt.Errorf("%s and %s see %q twice", a.name, b.name, t)
		}
		at[t] = i
	}
	for _, s := range w.said {
		if pairOf(s.from, s.to) != pairOf(a, b) {
			continue
		}
		i, here := at[s.text]
		if !here {
			return fmt.Errorf("%q, accepted by %s, never arrived", s.text, s.from.name)
		}
		for _, before := range s.before {
			if j, ok := at[before]; !ok || j > i {
				return fmt.Errorf("%q is shown before %q, which its author had seen", s.text, before)
			}
		}
	}
	return nil
}
