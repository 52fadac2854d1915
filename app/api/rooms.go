package api

import (
	"context"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// room is the conversation that the path names.
func (q question) room() (app.RoomID, error) { return parseRoom(q.r.PathValue("room")) }

func rooms(ctx context.Context, q question) (any, error) {
	all, err := q.Rooms.Rooms(ctx)
	out := []Room{}
	for _, r := range all {
		out = append(out, roomObject(r))
	}
	return out, err
}

func findRoom(ctx context.Context, q question) (any, error) {
	id, err := q.Rooms.Find(ctx, q.r.URL.Query().Get("room"))
	return Found{ID: hexRoom(id)}, err
}

func room(ctx context.Context, q question) (any, error) {
	id, err := q.room()
	if err != nil {
		return nil, err
	}
	r, err := q.Rooms.Room(ctx, id)
	return roomObject(r), err
}

// markRead notes that everything up to a message was read.
func markRead(ctx context.Context, q question) (any, error) {
	var in struct {
		UpTo string `json:"up_to"`
	}
	if err := q.read(&in); err != nil {
		return nil, err
	}
	room, err := q.room()
	if err != nil {
		return nil, err
	}
	id, err := parseMessageID(in.UpTo)
	if err != nil {
		return nil, err
	}
	m, err := q.Rooms.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	return struct{}{}, q.Rooms.MarkRead(ctx, room, m.Key)
}

// states in the order in which a message passes through them.
var states = map[string]app.Delivery{"": app.Queued, "queued": app.Queued, "held": app.Held, "delivered": app.Delivered, "read": app.Read}

// message is one message, at once or, with ?wait=STATE&timeout_s=N, as soon as it is that far.
func message(ctx context.Context, q question) (any, error) {
	id, err := parseMessageID(q.r.PathValue("message"))
	if err != nil {
		return nil, err
	}
	query := q.r.URL.Query()
	want, ok := states[query.Get("wait")]
	if !ok {
		return nil, &Error{Code: CodeUsage, Message: "wait is one of queued, held, delivered, read"}
	}
	timeout, err := seconds(query.Get("timeout_s"), 30*time.Second)
	if err != nil {
		return nil, err
	}
	return await(ctx, q, id, want, timeout)
}

// await looks at a message each time its room changes.
func await(ctx context.Context, q question, id app.MessageID, want app.Delivery, timeout time.Duration) (any, error) {
	watcher := q.Watch()
	defer watcher.Close()
	limited, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	for {
		m, err := q.Rooms.Message(ctx, id)
		if err != nil {
			return nil, err
		}
		if m.State >= want {
			return messageObject(m), nil
		}
		if _, err := watcher.Next(limited); err != nil {
			if ctx.Err() == nil {
				err = errTimeout
			}
			return nil, err
		}
	}
}
