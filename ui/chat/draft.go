package chat

import (
	"context"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// draftPause is how long what was typed waits before it is stored, with all that is typed meanwhile.
const draftPause = time.Second

// draft is the unsent text of the open conversation: what stands in the composer, and what is stored of it.
type draft struct {
	screen *Screen
	room   app.RoomID
	text   string
	stored string
	waits  bool
}

// begin turns to another conversation, with what is stored there.
func (d *draft) begin(room app.RoomID, stored string) {
	d.room, d.text, d.stored = room, stored, stored
}

// typed notes what stands in the composer, and stores it a little later.
func (d *draft) typed(s string) {
	d.text = s
	if d.waits || d.text == d.stored {
		return
	}
	d.waits = true
	d.screen.host.After(draftPause, func() {
		d.waits = false
		d.store(nil)
	})
}

// store keeps what was typed; then may be nil.
func (d *draft) store(then func()) {
	work := d.flush()
	if work == nil {
		return
	}
	d.screen.host.Act(work, func(err error) {
		if err == nil && then != nil {
			then()
		}
	})
}

// flush returns what stores the draft, nil when it is stored.
func (d *draft) flush() func(context.Context) error {
	if d.text == d.stored || d.screen.service == nil {
		return nil
	}
	room, words := d.room, d.text
	d.stored = words
	return func(ctx context.Context) error { return d.screen.service.Rooms.SetDraft(ctx, room, words) }
}
