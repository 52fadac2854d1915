package chat

import (
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// noon is the clock of the tests.
var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.Local)

// contactOf is somebody known since a time.
func contactOf(id byte, name string, since time.Time) app.Contact {
	c := app.Contact{Name: name, State: app.Accepted, Since: since}
	c.Account[0] = id
	return c
}

// talkOf is a chat of two with messages.
func talkOf(c *app.Contact, messages ...app.Message) *talk {
	t := &talk{contact: c, messages: messages}
	t.room.Kind = "direct"
	if c != nil {
		t.room.Name, t.room.Peer = c.Name, &c.Account
	}
	return t
}

// own is a message of ours that waits for a reason.
func own(i uint64, ago time.Duration, why app.Reason) app.Message {
	at := noon.Add(-ago)
	return app.Message{ID: app.MessageID{Index: i}, Own: true, Kind: "text", Text: "hello", Sent: at, Received: at, State: app.Queued, Waiting: why, Of: 1}
}

func TestTheLineOverTheComposerSaysWhySomethingWaits(t *testing.T) {
	tove := contactOf(1, "Tove", noon.AddDate(0, 0, -9))
	delivered := own(9, time.Hour, app.ReasonNone)
	delivered.State = app.Delivered
	for _, row := range []struct {
		name string
		give []app.Message
		want string
	}{
		{"nothing", nil, ""},
		{"delivered", []app.Message{delivered}, ""},
		{"offline", []app.Message{own(1, time.Hour, app.ReasonOffline)}, "Tove is offline. It waits here and goes when you are both online."},
		{"two, offline", []app.Message{delivered, own(1, time.Hour, app.ReasonOffline), own(2, 0, app.ReasonOffline)}, "Tove is offline. 2 messages wait here and go when you are both online."},
		{"no network", []app.Message{own(1, 0, app.ReasonNetwork)}, "This computer has no network. It waits here and goes when you and Tove are both online."},
		{"not accepted", []app.Message{own(1, 75*time.Hour, app.ReasonAsked)}, "Sent 3 days ago, not answered. Whether it was read cannot be known."},
		{"just asked", []app.Message{own(1, 0, app.ReasonAsked)}, "Sent just now, not answered. Whether it was read cannot be known."},
		{"no key", []app.Message{own(1, 0, app.ReasonKey)}, "Tove has it and waits for the key that opens it."},
		{"their disk", []app.Message{own(1, 0, app.ReasonFull)}, "Tove's disk is full. It waits here until there is room."},
		{"refused", []app.Message{own(1, 0, app.ReasonRefused)}, "Tove's device refused it. It stays here."},
		{"under way, just now", []app.Message{own(1, time.Second, app.ReasonUnderWay)}, ""},
		{"under way for long", []app.Message{own(1, 3*time.Second, app.ReasonUnderWay)}, "On its way to Tove."},
		{"a reason that is not known", []app.Message{own(1, time.Hour, "moon")}, ""},
	} {
		if got := whyWaits(talkOf(&tove, row.give...), "Tove", noon); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	if d := impatient(talkOf(&tove, own(1, time.Second, app.ReasonUnderWay)), noon); d != time.Second {
		t.Errorf("looked at again after %v, want 1s", d)
	}
}

func TestWhatStandsInTheWayIsSaidInALineOfItsOwn(t *testing.T) {
	tove := contactOf(1, "Tove", noon)
	tove.Approve, tove.Problem = true, app.ReasonNewer
	off := app.Message{Kind: "text", Text: "hi", Sent: noon, Received: noon, ClockOff: true}
	var said []string
	for _, r := range remarks(talkOf(&tove, own(1, time.Hour, app.ReasonApproval), off), noon) {
		said = append(said, r.words)
	}
	want := []string{
		"Tove has a device that is not on the last list. Sending waits for your yes.",
		"Tove runs a newer version: update to talk.",
		"Tove's clock is off. The times are those at which the messages came.",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestOfTwoWithOneNameTheFirstKeepsIt(t *testing.T) {
	known, other := contactOf(1, "Anselm", noon.AddDate(0, 0, -1)), contactOf(2, "anselm", noon)
	known.Namesake, other.Namesake = true, true
	all := []app.Contact{known, other}
	if got := Standing(known, all); got != kit.StandingNew {
		t.Errorf("the one who was known first is %v", got)
	}
	if got := Standing(other, all); got != kit.StandingNamesake {
		t.Errorf("the one who came later is %v", got)
	}
	other.Verified = true
	if got := Standing(other, all); got != kit.StandingCompared {
		t.Errorf("compared, and yet %v", got)
	}
}

func TestTicksSayWhatIsKnownAndNothingMore(t *testing.T) {
	for _, row := range []struct {
		state  app.Delivery
		to, of int
		want   kit.Ticked
	}{
		{app.Queued, 0, 1, kit.Ticked{Delivery: kit.DeliveryQueued}},
		{app.Queued, 1, 2, kit.Ticked{Delivery: kit.DeliveryQueued, Reached: 1, Of: 2}},
		{app.Held, 0, 1, kit.Ticked{Delivery: kit.DeliveryHeld}},
		{app.Delivered, 2, 2, kit.Ticked{Delivery: kit.DeliveryDone}},
		{app.Read, 2, 2, kit.Ticked{Delivery: kit.DeliveryRead}},
	} {
		if got := ticks(app.Message{State: row.state, DeliveredTo: row.to, Of: row.of}); got != row.want {
			t.Errorf("%v to %d of %d: %+v, want %+v", row.state, row.to, row.of, got, row.want)
		}
	}
}

func TestTheNewLineStandsBeforeTheFirstUnreadMessage(t *testing.T) {
	theirs := func(i uint64) app.Message { return app.Message{ID: app.MessageID{Index: i}} }
	all := []app.Message{theirs(1), theirs(2), own(3, 0, app.ReasonNone), theirs(4)}
	for _, row := range []struct {
		unread int
		want   string
	}{{0, ""}, {1, keyOf(all[3])}, {2, keyOf(all[1])}, {3, keyOf(all[0])}, {9, keyOf(all[0])}} {
		if got := freshKey(all, row.unread); got != row.want {
			t.Errorf("%d unread: %q, want %q", row.unread, got, row.want)
		}
	}
}

func TestRowsOfTheThreadAreTruthful(t *testing.T) {
	tove := contactOf(1, "Tove", noon)
	forked := app.Message{ID: app.MessageID{Index: 1}, Name: "Tove", Kind: "text", Text: "yes", Sent: noon, Forked: true}
	unknown := app.Message{ID: app.MessageID{Index: 2}, Name: "Tove", Kind: "unknown", Text: "\x00\x01", Sent: noon.Add(-24 * time.Hour)}
	talk := talkOf(&tove, unknown, forked)
	talk.gaps = []app.Gap{{Name: "Tove", Missing: 2, Asking: 1}, {Name: "Luca", Missing: 1}}
	rows := pageOf(talk, "", noon).Rows
	if len(rows) != 4 {
		t.Fatalf("%d rows, want 4", len(rows))
	}
	for i, want := range []string{
		"This message needs a newer version of CryptexQ.", "yes",
		"2 messages from Tove are missing, asking for them", "1 message from Luca is missing; it comes when they can be reached",
	} {
		if rows[i].Text != want {
			t.Errorf("row %d says %q, want %q", i, rows[i].Text, want)
		}
	}
	if rows[1].Mark != kit.MarkForked || rows[1].Alert != "Tove's device signed two different stories." {
		t.Errorf("a forked message is marked %v %q", rows[1].Mark, rows[1].Alert)
	}
	if rows[0].Day != "Yesterday" || rows[3].Day != "Today" || !rows[3].Notice {
		t.Errorf("days %q and %q, notice %v", rows[0].Day, rows[3].Day, rows[3].Notice)
	}
}

func TestTheListShowsWhoAsksFirstAndWarnsOfNamesakes(t *testing.T) {
	known, other := contactOf(1, "Anselm", noon.AddDate(0, 0, -1)), contactOf(2, "Anselm", noon)
	known.Namesake, other.Namesake = true, true
	c := &crowd{
		contacts: []app.Contact{known, other},
		requests: []app.Request{{Name: "Luca", At: noon}, {Name: "Priya", At: noon}},
		rooms: []app.Room{
			{Kind: "direct", Name: "Anselm", Peer: &other.Account},
			{Kind: "direct", Name: "Anselm", Peer: &known.Account, Unread: 3},
			{Kind: "notes"},
		},
	}
	all := entries(c, noon)
	var said []string
	for _, e := range all {
		said = append(said, e.chat.Title+"|"+e.chat.Warning+"|"+e.chat.Last)
	}
	want := []string{
		"Requests||2 people want to talk: Luca, Priya", "Anselm|Not the Anselm you know|No message yet", "Anselm||No message yet",
		"Notes||Only for you, on this computer",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the list is\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if all[2].chat.Count.Unread != 3 || !all[0].asks {
		t.Error("the numbers are lost")
	}
}

func TestHowSomebodyIsReachedInWords(t *testing.T) {
	c := contactOf(1, "Tove", noon)
	for _, row := range []struct {
		name   string
		change func(*app.Contact)
		want   string
	}{
		{"never", func(*app.Contact) {}, "Not reachable now"},
		{"earlier today", func(c *app.Contact) { c.LastSeen = noon.Add(-140 * time.Minute) }, "Last seen 09:40"},
		{"asked", func(c *app.Contact) { c.State = app.Requested }, "Asked, not answered yet"},
		{"local", func(c *app.Contact) { c.Path = 3 }, "On this network"},
		{"direct", func(c *app.Contact) { c.Path = 2 }, "Connected directly"},
		{"relayed", func(c *app.Contact) { c.Path = 1 }, "Connected through a relay"},
		{"blocked", func(c *app.Contact) { c.Path, c.State = 3, app.Blocked }, "Blocked"},
	} {
		x := c
		row.change(&x)
		if got := Reach(x, noon); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
