package chat

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/kit/kittest"
)

var shots = flag.String("shots", "", "a folder for pictures of what the tests draw")

// stage is a screen without a messenger: what it is shown, the test makes up, and what it asks for, the test notes.
type stage struct {
	*Screen
	t     testing.TB
	win   *kittest.Window
	asked []string    // what the window was asked for
	done  func(error) // tells what came of what was asked for last
}

func newStage(t testing.TB, look kit.Look) *stage {
	t.Helper()
	kittest.Dress(t, kit.NewTheme(look))
	g := &stage{t: t}
	note := func(format string, args ...any) { g.asked = append(g.asked, fmt.Sprintf(format, args...)) }
	g.Screen = New(Host{
		Act: func(_ func(context.Context) error, done func(error)) {
			note("act")
			g.done = done
		},
		Again: func() { note("again") }, After: func(time.Duration, func()) {},
		Focus: func(f fyne.Focusable) { g.win.Focus(f) },
		Say:   func(err error) string { return err.Error() }, Now: func() time.Time { return noon },
		Add: func() { note("add") }, Invite: func() { note("invite") }, Requests: func() { note("requests") },
		Contact: func(c app.Contact, why WhyContact) { note("contact %s %d", c.Name, why) }, Closed: func() {},
		Toast: func(n kit.Notice) { note("toast %s", n.Text) },
	})
	g.win = kittest.Show(t, g.Content(), 1108, 732)
	g.SetShown(true)
	return g
}

// shows has the screen show what a load would have found.
func (g *stage) shows(c *crowd, k *talk) {
	g.t.Helper()
	g.Screen.asked.open(k.room.ID)
	g.side.choose(k.room.ID)
	k.query = g.Screen.asked.get()
	g.Screen.service = &app.Service{People: &app.People{}, Rooms: &app.Rooms{}}
	g.apply(c, k)
}

// village is a list of people as somebody has it after a week.
func village() (*crowd, app.Contact) {
	priya, jonas := contactOf(2, "Priya", noon.AddDate(0, 0, -9)), contactOf(3, "Jonas", noon.AddDate(0, 0, -8))
	anselm, other := contactOf(4, "Anselm", noon.AddDate(0, 0, -7)), contactOf(5, "Anselm", noon.AddDate(0, 0, -1))
	hana, mira := contactOf(6, "山田 花子", noon.AddDate(0, 0, -6)), contactOf(7, "Mira", noon.AddDate(0, 0, -5))
	jonas.Verified, jonas.Path, hana.Verified, hana.Path = true, 3, true, 2
	anselm.Namesake, other.Namesake, mira.Approve, hana.Approve = true, true, true, true
	priya.LastSeen = noon.Add(-140 * time.Minute)
	c := &crowd{contacts: []app.Contact{priya, jonas, anselm, other, hana, mira}}
	c.requests = []app.Request{{Name: "Luca", At: noon.Add(-time.Hour), Text: "Hi Ada, Mira gave me your link."}}
	c.nearby = []app.Nearby{{Name: "Tove"}, {Name: "Emil"}}
	c.nearby[0].Account[0], c.nearby[1].Account[0] = 20, 21
	room := func(i byte, p *app.Contact, unread int, last app.Message) app.Room {
		r := app.Room{ID: app.RoomID{i}, Kind: "direct", Name: p.Name, Peer: &p.Account, Unread: unread, Last: &last}
		return r
	}
	said := func(words string, ago time.Duration) app.Message {
		return app.Message{Kind: "text", Text: words, Sent: noon.Add(-ago), Name: "x"}
	}
	waits := own(1, 5*time.Minute, app.ReasonOffline)
	waits.Text = "Can you bring the long cable?"
	draft := room(7, &c.contacts[5], 0, said("See you", time.Hour))
	draft.Draft = "About Thursday: I could"
	c.rooms = []app.Room{
		room(2, &c.contacts[0], 0, waits), room(3, &c.contacts[1], 2, said("Second run is clean. Uploading the log.", 30*time.Minute)),
		draft, room(5, &c.contacts[3], 1, said("Hi!", 26*time.Hour)), room(4, &c.contacts[2], 0, said("Until tomorrow", 27*time.Hour)),
		room(6, &c.contacts[4], 0, said("了解です。ありがとう！", 28*time.Hour)),
		{ID: app.RoomID{1}, Kind: "notes"},
	}
	return c, priya
}

// gate is the conversation with Priya of the design's picture.
func gate(c *crowd) *talk {
	var all []app.Message
	add := func(mine bool, ago time.Duration, state app.Delivery, words string) *app.Message {
		m := app.Message{ID: app.MessageID{Index: uint64(len(all))}, Own: mine, Kind: "text", Text: words, Sent: noon.Add(-ago), Received: noon.Add(-ago), State: state, Name: "Priya", Of: 1, Key: app.Key{Sort: int64(len(all) + 1)}}
		all = append(all, m)
		return &all[len(all)-1]
	}
	add(false, 50*time.Hour, app.Delivered, "Hi! Jonas gave me your link. Is the measuring still on for Thursday?")
	add(true, 49*time.Hour, app.Read, "Yes, ten o'clock at the gate.")
	add(false, 160*time.Minute, app.Delivered, "Perfect. I will bring the spectrum analyser and two spare batteries.")
	add(false, 159*time.Minute, app.Delivered, "https://example.org/map#gate")
	add(true, 150*time.Minute, app.Delivered, "Thank you!")
	add(false, 149*time.Minute, app.Delivered, "日本語のメッセージも正しく表示されますか？")
	add(false, 148*time.Minute, app.Delivered, "مرحبا، هل يعمل النص من اليمين إلى اليسار؟ 👏🎉")
	add(true, 10*time.Minute, app.Delivered, "One more thing: the mast is 12 m high and the socket is on the far side.")
	add(true, 5*time.Minute, app.Queued, "Can you bring the long cable?").Waiting = app.ReasonOffline
	return &talk{room: c.rooms[0], contact: &c.contacts[0], messages: all}
}

func TestTheScreenDrawsAWeekOfConversations(t *testing.T) {
	for name, look := range map[string]kit.Look{"dark": {Variant: kit.Dark}, "light": {Variant: kit.Light}, "large": {Variant: kit.Light, Percent: 150}} {
		t.Run(name, func(t *testing.T) {
			g := newStage(t, look)
			c, _ := village()
			g.shows(c, gate(c))
			wants := []string{
				"Luca wants to talk", "Nearby on this network", "Last seen 09:40", "Priya is offline. It waits here and goes when you are both online.",
				"Can you bring the long cable?. 11:55. Queued on this computer", "Not the Anselm you know", "A new device waits for your yes",
			}
			if look.Percent > 100 { // the list is as long as it was, and shows less
				wants = wants[:5]
			}
			for _, want := range wants {
				if !g.win.Says(want) {
					t.Errorf("%q is not on the screen", want)
				}
			}
			g.win.Shoot(*shots, "week-"+name)
		})
	}
}

func TestANamesakeIsComparedBeforeItIsWrittenTo(t *testing.T) {
	g := newStage(t, kit.Look{Variant: kit.Dark})
	c, _ := village()
	k := &talk{room: c.rooms[3], contact: &c.contacts[3], standing: kit.StandingNamesake, messages: []app.Message{{Kind: "text", Text: "Hi!", Name: "Anselm", Sent: noon}}}
	g.shows(c, k)
	if g.win.Says("Write to Anselm") || !g.win.Says("Another account called Anselm: a new start, or somebody else. Compare before you write.") {
		t.Error("somebody else with a known name can be written to")
	}
	g.win.Shoot(*shots, "namesake")
	g.win.Press("Compare")
	if want := "contact Anselm 1"; g.asked[len(g.asked)-1] != want {
		t.Errorf("Compare asked for %q, want %q", g.asked, want)
	}
}

func TestANewDeviceIsShownOverTheComposer(t *testing.T) {
	g := newStage(t, kit.Look{Variant: kit.Light})
	c, _ := village()
	g.shows(c, &talk{room: c.rooms[2], contact: &c.contacts[5]})
	if !g.win.Says("Mira has a device that is not on the last list.") || !g.win.Says("Write the first message.") {
		t.Error("the new device, or the empty thread, is not explained")
	}
	g.win.Shoot(*shots, "device")
	g.win.Press("Look")
	if want := "contact Mira 2"; g.asked[len(g.asked)-1] != want {
		t.Errorf("Look asked for %q, want %q", g.asked, want)
	}
}

func TestForkAndGapAreShown(t *testing.T) {
	g := newStage(t, kit.Look{Variant: kit.Dark})
	c, _ := village()
	k := gate(c)
	k.messages[3].Forked = true
	k.gaps = []app.Gap{{Name: "Priya", Missing: 2, Asking: 1}}
	k.room.Unread = 2
	g.shows(c, k)
	for _, want := range []string{"2 messages from Priya are missing, asking for them", "Priya's device signed two different stories."} {
		if !g.win.Says(want) {
			t.Errorf("%q is not on the screen", want)
		}
	}
	g.win.Shoot(*shots, "fork-gap")
}

func TestSearchLeavesWhoIsMeantAndEscapeGoesBack(t *testing.T) {
	g := newStage(t, kit.Look{})
	c, _ := village()
	g.shows(c, gate(c))
	g.Search()
	test.Type(g.win.Canvas().Focused(), "jon")
	if len(g.side.shown) != 1 || g.side.shown[0].chat.Title != "Jonas" {
		t.Fatalf("found %d rows", len(g.side.shown))
	}
	g.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if q := g.Screen.asked.get(); q.room != (app.RoomID{3}) || g.side.search.Text() != "" {
		t.Errorf("Return opened %v and left %q", q.room[:1], g.side.search.Text())
	}
	g.Search()
	test.Type(g.win.Canvas().Focused(), "mi")
	g.Escape()
	if len(g.side.shown) != len(g.side.all) || g.win.Canvas().Focused() != g.pane.composer.Focusable() {
		t.Error("Escape did not empty the search and go back to the composer")
	}
}

func TestArrowsStepThroughTheListWithoutTheRequests(t *testing.T) {
	g := newStage(t, kit.Look{})
	c, _ := village()
	g.shows(c, gate(c))
	for _, row := range []struct {
		n    int
		want byte
	}{{1, 3}, {1, 7}, {-1, 3}, {-1, 2}, {-1, 2}} {
		g.Step(row.n)
		if got := g.Screen.asked.get().room[0]; got != row.want {
			t.Fatalf("a step of %d leads to room %d, want %d", row.n, got, row.want)
		}
	}
}

func TestWhatIsNotSeenIsNotRead(t *testing.T) {
	g := newStage(t, kit.Look{})
	c, _ := village()
	k := gate(c)
	k.room.Unread = 1
	g.SetActive(false)
	g.shows(c, k)
	if slicesCount(g.asked, "act") != 0 {
		t.Fatal("messages count as read in a window that nobody sees")
	}
	g.SetShown(false)
	g.SetActive(true)
	if slicesCount(g.asked, "act") != 0 {
		t.Fatal("messages count as read on a page that is not shown")
	}
	g.SetShown(true)
	g.SetShown(true)
	if n := slicesCount(g.asked, "act"); n != 1 {
		t.Errorf("what is seen was said to be read %d times, want once", n)
	}
}

func slicesCount(all []string, s string) (n int) {
	for _, x := range all {
		if x == s {
			n++
		}
	}
	return n
}

// write types words and Return into what has the keyboard.
func (g *stage) write(words string) {
	test.Type(g.win.Canvas().Focused(), words)
	g.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
}

func TestWhatCouldNotBeSentComesBackWithTheReason(t *testing.T) {
	g := newStage(t, kit.Look{})
	c, _ := village()
	g.shows(c, gate(c))
	g.write("on a full disk")
	if got := g.pane.composer.Text(); got != "" {
		t.Fatalf("the composer still holds %q", got)
	}
	g.done(app.ErrFull)
	if got := g.pane.composer.Text(); got != "on a full disk" || g.asked[len(g.asked)-1] != "toast "+app.ErrFull.Error() {
		t.Errorf("the composer holds %q, the last said is %q", got, g.asked[len(g.asked)-1])
	}
}

func TestWhatCouldNotBeSentWaitsInItsOwnChat(t *testing.T) {
	g := newStage(t, kit.Look{})
	c, _ := village()
	g.shows(c, gate(c))
	g.write("for Priya")
	failed := g.done
	g.shows(c, &talk{room: c.rooms[1], contact: &c.contacts[1]})
	failed(app.ErrFull)
	if got := g.pane.composer.Text(); got != "" {
		t.Fatalf("Jonas's composer holds %q", got)
	}
	g.shows(c, gate(c))
	if got := g.pane.composer.Text(); got != "for Priya" {
		t.Errorf("back in the chat the composer holds %q", got)
	}
	g.shows(c, &talk{room: c.rooms[1], contact: &c.contacts[1]})
	g.shows(c, gate(c))
	if got := g.pane.composer.Text(); got != "" {
		t.Errorf("what came back comes back again: %q", got)
	}
}

func TestAGreetingThatFailedIsSaidThoughItWasGivenUp(t *testing.T) {
	g := newStage(t, kit.Look{})
	g.Greet(Greeting{Name: "Tove", Key: "k", Ask: func(context.Context, string) (app.Contact, error) { return app.Contact{}, nil }})
	g.write("hello")
	g.Escape()
	g.done(app.ErrFull)
	if got := g.asked[len(g.asked)-1]; got != "toast "+app.ErrFull.Error() {
		t.Errorf("the last said is %q", got)
	}
}

func TestWhoAsksComesBeforeWhoIsNearby(t *testing.T) {
	g := newStage(t, kit.Look{Variant: kit.Dark})
	c, _ := village()
	for _, row := range []struct {
		shown, head, button, does string
		drop                      func()
	}{
		{"who asks", "Read what they wrote", "Look at the request", "requests", func() { c.requests = nil }},
		{"who is nearby", "Say hello to somebody nearby", "Invite somebody", "invite", func() { c.nearby = nil }},
		{"nobody", "Nobody here yet", "Invite somebody", "invite", func() {}},
	} {
		g.apply(c, nil)
		if !g.win.Says(row.head) || !g.win.Says(row.button) {
			t.Errorf("%s: neither %q nor %q", row.shown, row.head, row.button)
		}
		g.pane.begin.Tapped(nil)
		if got := g.asked[len(g.asked)-1]; got != row.does {
			t.Errorf("%s: the button does %q, want %q", row.shown, got, row.does)
		}
		row.drop()
	}
}

func TestASecondGreetingWaitsForTheFirst(t *testing.T) {
	g := newStage(t, kit.Look{Variant: kit.Light})
	g.Greet(Greeting{Name: "Tove", Key: "k", Ask: func(context.Context, string) (app.Contact, error) { return app.Contact{}, nil }})
	g.write("first")
	g.write("second")
	if n := slicesCount(g.asked, "act"); n != 1 || g.pane.greeting.composer.Text() != "second" {
		t.Errorf("asked %d times, and %q is left in the composer", n, g.pane.greeting.composer.Text())
	}
	g.Escape()
	if !g.win.Says("Nobody here yet") {
		t.Error("Escape does not give the greeting up")
	}
}
