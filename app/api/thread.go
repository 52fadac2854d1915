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
	first, err := q.Rooms.Messages(ctx, room, page)
	if err != nil {
		return err
	}
	r := &reader{q: q, room: room, out: begin(w), shown: map[app.MessageID]face{}}
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

// reader prints a thread, and again what of it changes. Messages do not only come at the end: one may have waited for its
// key or for what it answers, and what is delivered now may have been written long ago. So a reader that follows prints
// what arrived, and looks over again at the end of the thread and at everything of ours that is still on its way.
type reader struct {
	q      question
	room   app.RoomID
	out    *lines
	shown  map[app.MessageID]face // of what stands behind anchor, and a little more
	gaps   map[string]Gap         // by account, as last printed
	last   int64                  // highest row that was printed
	anchor app.Key                // looking again begins behind it
}

// tailLength is how many messages at the end of a thread are looked at again at least when something changes.
const tailLength = 256

// before is the place right before another.
func before(k app.Key) app.Key {
	k.Index--
	return k
}

func (r *reader) start(ctx context.Context, page []app.Message) error {
	if len(page) > 0 {
		r.anchor = before(page[0].Key)
	}
	for _, m := range page {
		if err := r.show(m); err != nil {
			return err
		}
	}
	if err := r.showGaps(ctx); err != nil {
		return err
	}
	return r.out.flush()
}

// show prints a message that is new or looks different.
func (r *reader) show(m app.Message) error {
	r.last = max(r.last, m.Row)
	old, had := r.shown[m.ID]
	if had && old == faceOf(m) {
		return nil
	}
	r.shown[m.ID] = faceOf(m)
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

// arrived prints what came since the highest row that was printed.
func (r *reader) arrived(ctx context.Context) error {
	const step = 200
	for r.last > 0 {
		page, err := r.q.Rooms.Messages(ctx, r.room, app.Page{Since: r.last, Limit: step})
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := r.show(m); err != nil {
				return err
			}
		}
		if len(page) < step {
			return nil
		}
	}
	return r.again(ctx) // nothing was there to begin with
}

// again prints what changed behind the anchor and what is missing now, and moves the anchor up.
func (r *reader) again(ctx context.Context) error {
	const step = 2 * tailLength
	var seen []app.Message
	for from := r.anchor; ; from = seen[len(seen)-1].Key {
		page, err := r.q.Rooms.Messages(ctx, r.room, app.Page{After: &from, Limit: step})
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := r.show(m); err != nil {
				return err
			}
		}
		if seen = append(seen, page...); len(page) < step {
			break
		}
	}
	r.settle(seen)
	return r.showGaps(ctx)
}

// settle moves the anchor up: not past the tail, and not past a message of ours that is on its way.
func (r *reader) settle(seen []app.Message) {
	n := max(0, len(seen)-2*tailLength)
	if i := slices.IndexFunc(seen, func(m app.Message) bool { return m.Own && m.State < app.Delivered }); i >= 0 {
		n = min(n, i)
	}
	if n == 0 {
		return
	}
	r.anchor = seen[n-1].Key
	r.shown = map[app.MessageID]face{}
	for _, m := range seen[n:] {
		r.shown[m.ID] = faceOf(m)
	}
}
