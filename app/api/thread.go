package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// lines writes one object a line and sees to it that each leaves at once.
type lines struct {
	w   *json.Encoder
	out *http.ResponseController
}

// begin starts an answer of several lines: from here on errors travel in a line of their own.
func begin(w http.ResponseWriter) *lines {
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	return &lines{json.NewEncoder(w), http.NewResponseController(w)}
}

func (l *lines) put(o Line) error { return l.w.Encode(o) }

func (l *lines) flush() error { return l.out.Flush() }

// thread reads a room: ?limit, ?before=ID, and with ?follow=1 what comes from then on.
func (s *Server) thread(ctx context.Context, q question, w http.ResponseWriter) error {
	room, err := q.room()
	if err != nil {
		return err
	}
	query := q.r.URL.Query()
	page, err := pageOf(ctx, q, query)
	if err != nil {
		return err
	}
	watcher := q.Watch() // before the first look, so that nothing falls between
	defer watcher.Close()
	if _, err := q.Rooms.Room(ctx, room); err != nil {
		return err
	}
	r := &reader{q: q, room: room, shown: map[app.MessageID]face{}}
	if r.last, err = q.Rooms.LastSeen(ctx); err != nil { // before the first look, too
		return err
	}
	first, err := q.Rooms.Messages(ctx, room, page)
	if err != nil {
		return err
	}
	r.out = begin(w)
	err = r.start(ctx, first)
	if err == nil && query.Get("follow") == "1" {
		err = r.follow(ctx, watcher)
	}
	if err != nil && ctx.Err() == nil {
		_ = r.out.put(Line{Error: Describe(err)}) // whoever reads may have gone
	}
	return nil
}

func pageOf(ctx context.Context, q question, query url.Values) (p app.Page, err error) {
	if text := query.Get("limit"); text != "" {
		if p.Limit, err = strconv.Atoi(text); err != nil || p.Limit < 1 || p.Limit > maxPage {
			return p, &Error{Code: CodeUsage, Message: "limit is a number from 1 to " + strconv.Itoa(maxPage)}
		}
	}
	if text := query.Get("before"); text != "" {
		id, err := parseMessageID(text)
		if err != nil {
			return p, err
		}
		m, err := q.Rooms.Message(ctx, id)
		if err != nil {
			return p, err
		}
		p.Before = &m.Key
	}
	return p, nil
}

// maxPage bounds how much of a thread is read at once.
const maxPage = 100_000

// face is what of a message can change after it was shown.
type face struct {
	state     app.Delivery
	delivered int
	of        int
	forked    bool
}

func faceOf(m app.Message) face { return face{m.State, m.DeliveredTo, m.Of, m.Forked} }

// reader prints a thread, and again what of it changes. Whoever follows gets what became visible since, whatever place it has in
// the thread, and what looks different of the messages that were printed last and of those of ours that are still on their way.
type reader struct {
	q     question
	room  app.RoomID
	out   *lines
	shown map[app.MessageID]face // of those in watched
	watch []app.MessageID        // in the order in which they were printed
	gaps  map[string]Gap         // by account, as last printed
	last  int64                  // what became visible up to this number was printed, if it was asked for
}

// tailLength is how many messages that were printed last are looked at again at least when something changes.
const tailLength = 256

func (r *reader) start(ctx context.Context, page []app.Message) error {
	for _, m := range page {
		if err := r.show(m); err != nil {
			return err
		}
	}
	r.settle(page)
	if err := r.showGaps(ctx); err != nil {
		return err
	}
	return r.out.flush()
}

// show prints a message that is new or looks different.
func (r *reader) show(m app.Message) error {
	old, had := r.shown[m.ID]
	if had && old == faceOf(m) {
		return nil
	}
	r.shown[m.ID] = faceOf(m)
	if !had {
		r.watch = append(r.watch, m.ID)
	}
	return r.out.put(Line{Message: messageObject(m)})
}

func (r *reader) showGaps(ctx context.Context) error {
	all, err := r.q.Rooms.Gaps(ctx, r.room)
	if err != nil {
		return err
	}
	now := map[string]Gap{}
	for _, g := range all {
		o := gapObject(g)
		now[o.From] = *o
		if r.gaps[o.From] == *o {
			continue
		}
		if err := r.out.put(Line{Gap: o}); err != nil {
			return err
		}
	}
	r.gaps = now
	return nil
}

// pace is how often a thread is looked over again at most while changes keep coming; where that takes long, it is done
// a tenth of the time. What is new does not wait for it.
const pace = 100 * time.Millisecond

// follow prints what comes until ctx ends or nobody reads any more.
func (r *reader) follow(ctx context.Context, w *app.Watcher) error {
	due := time.NewTimer(0)
	defer due.Stop()
	wake := make(chan struct{})
	go func() { // ends with ctx, which ends with the request
		for {
			if _, err := w.Next(ctx); err != nil {
				return
			}
			select {
			case wake <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	planned, rest := true, pace
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			err = r.arrived(ctx)
			if !planned {
				planned = true
				due.Reset(rest)
			}
		case <-due.C:
			planned = false
			start := time.Now()
			err = r.again(ctx)
			rest = max(pace, 10*time.Since(start))
		}
		if err != nil {
			return err
		}
		if err := r.out.flush(); err != nil {
			return nil
		}
	}
}

// arrived prints what became visible since it last looked.
func (r *reader) arrived(ctx context.Context) error {
	const step = 200
	for {
		upTo, err := r.q.Rooms.LastSeen(ctx)
		if err != nil || upTo <= r.last {
			return err
		}
		page, err := r.q.Rooms.Messages(ctx, r.room, app.Page{Since: &r.last, Limit: step})
		if err != nil {
			return err
		}
		if r.last = upTo; len(page) == step {
			r.last = page[step-1].Seen
		}
		slices.SortFunc(page, func(a, b app.Message) int { return a.Key.Compare(b.Key) })
		for _, m := range page {
			if err := r.show(m); err != nil {
				return err
			}
		}
		if len(page) < step {
			return nil
		}
	}
}

// again prints what looks different of the messages that are watched and what is missing now.
func (r *reader) again(ctx context.Context) error {
	seen, err := r.q.Rooms.Stored(ctx, r.room, r.watch)
	if err != nil {
		return err
	}
	for _, m := range seen {
		if err := r.show(m); err != nil {
			return err
		}
	}
	r.settle(seen)
	return r.showGaps(ctx)
}

// settle watches the tail, and what of ours is on its way.
func (r *reader) settle(seen []app.Message) {
	if len(seen) <= 2*tailLength {
		return
	}
	r.watch = r.watch[:0]
	for i, m := range seen {
		if i >= len(seen)-tailLength || m.Own && m.State < app.Delivered {
			r.watch = append(r.watch, m.ID)
		} else {
			delete(r.shown, m.ID)
		}
	}
}
