package chat

import (
	"context"
	"errors"
	"math"
	"sync"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// How many messages of a thread are loaded: step of them at first and with every approach to an end, most at a time.
const (
	step = 400
	most = 2000
)

// query says which messages the thread wants.
type query struct {
	gen     int // of the load; an answer to an older one is dropped
	room    app.RoomID
	open    bool     // a room is open
	opening bool     // nothing of it was shown yet
	after   *app.Key // the place before the first message; nil: the newest ones
	size    int
	shift   *app.Key // the first message, when step older ones are wanted than fit
}

// asked is the query, between Fyne's goroutine, which writes it, and the one that loads.
type asked struct {
	mu sync.Mutex
	q  query // guarded by mu
}

func (a *asked) get() query {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.q
}

// set changes the query; what is being loaded for the old one is dropped.
func (a *asked) set(f func(*query)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(&a.q)
	a.q.gen++
}

// open wants another room, from its newest message.
func (a *asked) open(room app.RoomID) {
	a.set(func(q *query) { *q = query{gen: q.gen, room: room, open: true, opening: true, size: step} })
}

// older wants more before the first message.
func (a *asked) older(first app.Key) {
	a.set(func(q *query) {
		if q.after == nil && q.size < most {
			q.size += step
			return
		}
		q.shift, q.size = &first, most
	})
}

// newer wants more behind the message that stands step rows after the first: the view moves down.
func (a *asked) newer(from app.Key) { a.set(func(q *query) { q.after, q.size = &from, most }) }

// newest wants the end.
func (a *asked) newest() { a.set(func(q *query) { q.after, q.size, q.opening = nil, step, true }) }

// settled takes over where a load found the window of messages to be, if nobody asked for another meanwhile. It reports whether
// the answer is still wanted.
func (a *asked) settled(q query) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.q.gen != q.gen {
		return false
	}
	a.q = q
	a.q.opening = false
	return true
}

// crowd is everybody, as one load found them.
type crowd struct {
	contacts []app.Contact
	requests []app.Request
	nearby   []app.Nearby
	rooms    []app.Room
}

// talk is the open conversation, as one load found it.
type talk struct {
	query    query
	room     app.Room
	contact  *app.Contact // of a chat of two
	standing kit.Standing
	messages []app.Message
	older    bool
	newer    bool
	gaps     []app.Gap
}

// Load asks the messenger for what changed (everything when nothing is named), away from Fyne's goroutine, and returns what is to
// be done on it; nil for nothing.
func (s *Screen) Load(ctx context.Context, changed []app.Change) (apply func(), err error) {
	q := s.asked.get()
	list, thread := wanted(changed, q)
	if !list && !thread {
		return nil, nil
	}
	c := &crowd{}
	if c.contacts, err = s.service.People.Contacts(ctx); err != nil {
		return nil, err
	}
	if err = s.loadRooms(ctx, c); err != nil {
		return nil, err
	}
	var t *talk
	if thread && q.open {
		if t, err = s.loadTalk(ctx, q, c); err != nil {
			return nil, err
		}
	}
	return func() { s.apply(c, t) }, nil
}

// wanted says which halves of the screen a change concerns.
func wanted(changed []app.Change, q query) (list, thread bool) {
	for _, c := range changed {
		switch c.Kind {
		case app.ChangedRoom:
			list, thread = true, thread || q.open && c.Room == q.room
		case app.ChangedPeople, app.ChangedStatus: // who can be reached decides what a message waits for
			list, thread = true, true
		case app.ChangedNearby:
			list = true
		}
	}
	return list || len(changed) == 0, thread || len(changed) == 0
}

func (s *Screen) loadRooms(ctx context.Context, c *crowd) (err error) {
	if c.rooms, err = s.service.Rooms.Rooms(ctx); err != nil {
		return err
	}
	if c.requests, err = s.service.People.Requests(ctx); err != nil {
		return err
	}
	c.nearby, err = s.service.People.Nearby(ctx)
	return err
}

// loadTalk reads the window of messages that is wanted.
func (s *Screen) loadTalk(ctx context.Context, q query, c *crowd) (*talk, error) {
	t := &talk{}
	var err error
	if t.room, err = s.service.Rooms.Room(ctx, q.room); err != nil {
		if errors.Is(err, app.ErrNotFound) {
			return nil, nil // it was just made, or has just gone
		}
		return nil, err
	}
	if t.room.Peer != nil {
		if t.contact = c.find(t.room); t.contact != nil {
			t.standing = Standing(*t.contact, c.contacts)
		}
	}
	if q.opening {
		q.size = firstWindow(t.room.Unread)
	}
	if err := s.loadMessages(ctx, &q, t); err != nil {
		return nil, err
	}
	if !t.newer {
		t.gaps, err = s.service.Rooms.Gaps(ctx, q.room)
	}
	t.query = q
	return t, err
}

// firstWindow is how many messages are loaded of a chat that is opened: what was not read, as far as there is room for it, and
// something before it. Otherwise the New line would stand above the wrong message.
func firstWindow(unread int) int { return min(max(step, unread+step/2), most) }

// loadMessages reads one more than is wanted, to know whether there are more.
func (s *Screen) loadMessages(ctx context.Context, q *query, t *talk) (err error) {
	rooms := s.service.Rooms
	if q.shift != nil {
		before, err := rooms.Messages(ctx, q.room, app.Page{Before: q.shift, Limit: step + 1})
		if err != nil {
			return err
		}
		q.after, q.shift = &app.Key{Sort: math.MinInt64}, nil
		if len(before) > step {
			q.after = &before[0].Key
		}
	}
	if q.after == nil {
		t.messages, err = rooms.Messages(ctx, q.room, app.Page{Limit: q.size + 1})
		if t.older = len(t.messages) > q.size; t.older {
			t.messages = t.messages[1:]
		}
		return err
	}
	t.messages, err = rooms.Messages(ctx, q.room, app.Page{After: q.after, Limit: q.size + 1})
	t.older = q.after.Sort != math.MinInt64
	if t.newer = len(t.messages) > q.size; t.newer {
		t.messages = t.messages[:q.size]
	} else if err == nil { // the end is in the window: from now on it is counted from there
		q.after, q.size = nil, max(len(t.messages), step)
	}
	return err
}

// apply shows what a load found.
func (s *Screen) apply(c *crowd, t *talk) {
	s.side.show(c)
	if t != nil && s.asked.settled(t.query) {
		s.pane.show(t)
	}
}
