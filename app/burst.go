package app

import (
	"context"
	"strings"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// SendAll stores messages in their order, in as few segments as they fit in. It returns the names of those that are stored;
// with an error these are the ones before the first that is not.
func (m *Rooms) SendAll(ctx context.Context, id RoomID, drafts []Draft) ([]MessageID, error) {
	room, err := m.writable(ctx, id)
	if err != nil {
		return nil, err
	}
	var strokes []*stroke
	for _, d := range drafts {
		text := cleanText(d.Text)
		switch {
		case strings.TrimSpace(text) == "":
			err = ErrEmpty
		case len(text) > MaxText:
			err = ErrTooLong
		}
		if err != nil {
			break
		}
		body := wire.Text{Body: text}
		strokes = append(strokes, &stroke{
			item:  wire.Record{Kind: wire.ItemText, Body: body.Marshal()},
			entry: store.Message{Kind: int(wire.ItemText), Body: text},
		})
	}
	if len(strokes) == 0 {
		return nil, err
	}
	_ = m.pen(room.Row).write(ctx, strokes...) // what it says of the last is among what each says
	ids := make([]MessageID, 0, len(strokes))
	for _, s := range strokes {
		if s.err != nil {
			return ids, s.err
		}
		ids = append(ids, s.id)
	}
	return ids, err
}

// Stored reads messages of a room by their names, in the order of these: what SendAll stored, in one look instead of one each.
func (m *Rooms) Stored(ctx context.Context, id RoomID, names []MessageID) (all []Message, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	err = m.st.View(ctx, func(r *store.Reader) error {
		room, found, err := r.Room(id)
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		logs := map[segment.ID]store.Log{}
		rows := make([]store.Message, 0, len(names))
		for _, name := range names {
			l, known := logs[name.Log]
			if !known {
				if l, found, err = r.Log([32]byte(name.Log)); err != nil || !found || l.Room != room.Row {
					return either(err, ErrNotFound)
				}
				logs[name.Log] = l
			}
			row, found, err := r.Message(l.Row, int64(name.Index))
			if err != nil || !found {
				return either(err, ErrNotFound)
			}
			rows = append(rows, row)
		}
		all, err = m.view(r, room, rows)
		return err
	})
	return all, err
}
