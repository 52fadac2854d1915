package chat

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// entry is a row of the list: a conversation, or the row of those who ask.
type entry struct {
	room  app.RoomID
	asks  bool   // the row of requests; room is not set
	words string // what a search looks through
	chat  kit.Chat
}

// entries are the rows of the list: who asks, then the conversations, the newest first.
func entries(c *crowd, now time.Time) []entry {
	var all []entry
	if len(c.requests) > 0 {
		all = append(all, requestRow(c.requests, now))
	}
	for _, room := range c.rooms {
		all = append(all, roomRow(room, c, now))
	}
	return all
}

// requestRow stands for everybody who asks: strangers do not fill the list.
func requestRow(requests []app.Request, now time.Time) entry {
	names := make([]string, 0, 3)
	for _, q := range requests[:min(len(requests), cap(names))] {
		names = append(names, kit.Clean(q.Name))
	}
	return entry{asks: true, chat: kit.Chat{
		Face: kit.Face{Icon: kit.IconUser}, Title: text.Say(text.ListRequests), Count: kit.Count{Unread: len(requests)},
		When: text.When(requests[0].At.Local(), now), Last: text.Say(text.ListAsks, text.N(len(requests)), text.With("names", strings.Join(names, ", "))),
	}}
}

// roomRow is one conversation.
func roomRow(r app.Room, c *crowd, now time.Time) entry {
	row := kit.Chat{Title: r.Name, Draft: r.Draft, Count: kit.Count{Unread: r.Unread}, Face: kit.Face{Key: hex.EncodeToString(r.ID[:]), Name: r.Name, Room: true}}
	switch {
	case r.Kind == kindNotes:
		row.Title, row.Face = text.Say(text.Notes), kit.Face{Icon: kit.IconFile}
		row.Last = text.Say(text.NotesWhat)
	case r.Peer != nil:
		row.Face = kit.Face{Key: r.Peer.String(), Name: r.Name}
		row.Last = text.Say(text.ListNothing)
		personRow(&row, r, c)
	}
	lastLine(&row, r, now)
	return entry{room: r.ID, words: strings.ToLower(row.Title), chat: row}
}

// kindNotes is the room that only its owner is in.
const kindNotes = "notes"

// personRow adds what is known of the other one of a chat of two.
func personRow(row *kit.Chat, r app.Room, c *crowd) {
	contact := c.find(r)
	if contact == nil {
		return
	}
	row.Face.Online = reached(*contact)
	row.Standing = Standing(*contact, c.contacts)
	switch {
	case row.Standing == kit.StandingNamesake:
		row.Warning = text.Say(text.ListNamesake, text.Name(kit.Clean(r.Name)))
	case contact.Approve:
		row.Warning = text.Say(text.ListDevice)
	case contact.State == app.Blocked:
		row.Warning = text.Say(text.ListBlocked)
	}
}

// find is the contact of a chat of two.
func (c *crowd) find(r app.Room) *app.Contact {
	for i := range c.contacts {
		if r.Peer != nil && c.contacts[i].Account == *r.Peer {
			return &c.contacts[i]
		}
	}
	return nil
}

// reached reports whether somebody can be reached now.
func reached(c app.Contact) bool { return c.Path > 0 && c.State != app.Blocked }

// Standing is what is known about who somebody is. Of two accounts with one name the one that was known first keeps it: otherwise
// anybody who asks under a name could put the warning on whom they imitate.
func Standing(c app.Contact, all []app.Contact) kit.Standing {
	if c.Verified {
		return kit.StandingCompared
	}
	if !c.Namesake {
		return kit.StandingNew
	}
	for _, o := range all {
		if o.Account != c.Account && strings.EqualFold(o.Name, c.Name) && o.Since.Before(c.Since) {
			return kit.StandingNamesake
		}
	}
	return kit.StandingNew
}

// lastLine adds the last message.
func lastLine(row *kit.Chat, r app.Room, now time.Time) {
	m := r.Last
	if m == nil {
		return
	}
	row.When = text.When(m.Sent.Local(), now)
	row.Last = said(*m)
	if m.Own {
		row.Ticks = ticks(*m)
	} else if r.Peer == nil && r.Kind != kindNotes {
		row.Author = m.Name
	}
}

// said is what a message says, in a kind that this version knows.
func said(m app.Message) string {
	if m.Kind != "text" {
		return text.Say(text.MessageUnknown)
	}
	return m.Text
}

// ticks are how far a message of ours has come.
func ticks(m app.Message) kit.Ticked {
	t := kit.Ticked{Delivery: [...]kit.Delivery{kit.DeliveryQueued, kit.DeliveryHeld, kit.DeliveryDone, kit.DeliveryRead}[m.State]}
	if m.State < app.Delivered && m.DeliveredTo > 0 {
		t.Reached, t.Of = m.DeliveredTo, m.Of
	}
	return t
}

// keyOf is the key of a message in the thread.
func keyOf(m app.Message) string {
	return hex.EncodeToString(m.ID.Log[:]) + "." + strconv.FormatUint(m.ID.Index, 10)
}

// pageOf is the page of a thread.
func pageOf(t *talk, fresh string, now time.Time) kit.Page {
	p := kit.Page{Fresh: fresh, Older: t.older, Newer: t.newer, Faces: t.room.Peer == nil && t.room.Kind != kindNotes}
	p.Rows = make([]kit.ThreadMessage, 0, len(t.messages)+len(t.gaps))
	names := map[string]string{}
	for _, m := range t.messages {
		p.Rows = append(p.Rows, messageRow(m, names, now))
	}
	for _, g := range t.gaps {
		p.Rows = append(p.Rows, gapRow(g, p.Rows, now))
	}
	return p
}

// messageRow is one message. names keeps the long form of accounts: a thread has few of them and many messages.
func messageRow(m app.Message, names map[string]string, now time.Time) kit.ThreadMessage {
	at := m.Sent.Local()
	row := kit.ThreadMessage{
		Key: keyOf(m), Name: m.Name, Text: said(m), At: at, Day: text.Day(at, now), Time: text.Clock(at), Out: m.Own,
	}
	raw := string(m.From[:])
	if names[raw] == "" {
		names[raw] = m.From.String()
	}
	row.From = names[raw]
	if m.Own {
		row.Ticks = ticks(m)
	}
	if m.Forked {
		row.Mark, row.Alert = kit.MarkForked, text.Say(text.MessageForked, text.Name(kit.Clean(m.Name)))
	}
	return row
}

// gapRow says what is known to be missing; it stands behind the newest message, because nobody knows its place.
func gapRow(g app.Gap, before []kit.ThreadMessage, now time.Time) kit.ThreadMessage {
	row := kit.ThreadMessage{Key: "gap " + g.From.String(), Notice: true, Icon: kit.IconClock, Tone: kit.ToneWarn, At: now, Day: text.Day(now, now)}
	if n := len(before); n > 0 {
		row.At, row.Day = before[n-1].At, before[n-1].Day
	}
	name := text.Name(kit.Clean(g.Name))
	if g.Asking > 0 {
		row.Text = text.Say(text.GapAsking, text.N(g.Missing), name)
	} else {
		row.Text = text.Say(text.GapWaiting, text.N(g.Missing), name)
	}
	return row
}

// freshKey is the first message that was not read when a chat of so many unread ones was opened; empty where all were.
func freshKey(messages []app.Message, unread int) string {
	key := ""
	for i := len(messages) - 1; i >= 0 && unread > 0; i-- {
		if !messages[i].Own {
			key = keyOf(messages[i])
			unread--
		}
	}
	return key
}
