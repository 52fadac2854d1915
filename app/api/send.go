package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// send stores a message, or, with the type application/x-ndjson, one for each line of the body: both ways at the same
// time, one object a line, so that lines keep their order and are answered as soon as they are stored.
func (s *Server) send(ctx context.Context, q question, w http.ResponseWriter) error {
	room, err := q.room()
	if err != nil {
		return err
	}
	if kind, _, _ := strings.Cut(q.r.Header.Get("Content-Type"), ";"); kind == "application/x-ndjson" {
		return sendLines(ctx, q, room, w)
	}
	var d Draft
	if err := q.read(&d); err != nil {
		return err
	}
	id, err := q.Rooms.Send(ctx, room, app.Draft{Text: d.Text})
	if err != nil {
		return err
	}
	m, err := q.Rooms.Message(ctx, id)
	if err != nil {
		return fmt.Errorf("stored, but not read back: %w", err)
	}
	answer(w, http.StatusOK, messageObject(m))
	return nil
}

// sendLines stops at the first line that is refused: what comes after it might rely on it. Lines that arrive while others
// are being written go to the disk together.
func sendLines(ctx context.Context, q question, room app.RoomID, w http.ResponseWriter) error {
	if _, err := q.Rooms.Room(ctx, room); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil {
		return fmt.Errorf("sending lines: %w", err)
	}
	w.Header().Set("Connection", "close") // the deadline below would hit the next request on it
	out := begin(w)
	if err := out.flush(); err != nil {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	hurried := make(chan struct{})
	context.AfterFunc(ctx, func() {
		_ = control.SetReadDeadline(time.Now()) // ends a read that waits for a line
		close(hurried)
	})
	in := &intake{waiting: make(chan app.Draft, burst)}
	var reading sync.WaitGroup
	reading.Go(func() { in.read(ctx, q.r.Body) })
	defer func() { // nobody may touch request and answer any more
		stop()
		<-hurried
		reading.Wait()
	}()
	err := in.write(ctx, q, room, out)
	if err != nil && ctx.Err() == nil {
		_ = out.put(Line{Error: Describe(err)})
		_ = out.flush()
	}
	return nil
}

// burst is how many lines wait at most, and are written at once: as many as a segment takes.
const burst = 64

// intake holds lines that were read and are not written yet.
type intake struct {
	waiting chan app.Draft // closed when nothing more comes
	err     error          // why, nil at the end; set before waiting is closed
}

func (i *intake) read(ctx context.Context, body io.Reader) {
	defer close(i.waiting)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxBody)
	for lines.Scan() {
		var d Draft
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			i.err = &Error{Code: CodeUsage, Message: fmt.Sprintf("reading a line: %v", err)}
			return
		}
		select {
		case i.waiting <- app.Draft{Text: d.Text}:
		case <-ctx.Done():
			return
		}
	}
	if err := lines.Err(); err != nil {
		i.err = &Error{Code: CodeUsage, Message: fmt.Sprintf("reading lines: %v", err)}
	}
}

// take waits for a line and returns it with those that wait behind it; nothing at the end.
func (i *intake) take() (all []app.Draft) {
	d, ok := <-i.waiting
	for ok {
		if all = append(all, d); len(all) == burst {
			return all
		}
		select {
		case d, ok = <-i.waiting:
		default:
			return all
		}
	}
	return all
}

// write stores what waits, again and again, and prints each message as soon as it is stored.
func (i *intake) write(ctx context.Context, q question, room app.RoomID, out *lines) error {
	for {
		drafts := i.take()
		if len(drafts) == 0 {
			return i.err
		}
		ids, err := q.Rooms.SendAll(ctx, room, drafts)
		stored, readErr := q.Rooms.Stored(ctx, room, ids)
		if readErr != nil {
			return fmt.Errorf("stored, but not read back: %w", readErr)
		}
		for _, m := range stored {
			if err := out.put(Line{Message: messageObject(m)}); err != nil {
				return err
			}
		}
		if err := out.flush(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

// events tells what changed as server-sent events, each change at most once until it was told.
func (s *Server) events(ctx context.Context, q question, w http.ResponseWriter) error {
	watcher := q.Watch()
	defer watcher.Close()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	for {
		if err := control.Flush(); err != nil {
			return nil
		}
		changes, err := watcher.Next(ctx)
		if err != nil {
			return nil
		}
		for _, c := range changes {
			if err := putEvent(w, c); err != nil {
				return nil
			}
		}
	}
}

func putEvent(w io.Writer, c app.Change) error {
	e := Event{Kind: [...]string{"room", "people", "nearby", "status", "lock"}[c.Kind]}
	if c.Kind == app.ChangedRoom {
		e.Room = hexRoom(c.Room)
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: change\ndata: %s\n\n", b)
	return err
}

// seconds reads a number of seconds.
func seconds(text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 1e9 {
		return 0, &Error{Code: CodeUsage, Message: "a time is a number of seconds"}
	}
	return time.Duration(n * float64(time.Second)), nil
}
