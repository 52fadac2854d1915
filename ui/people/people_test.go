package people

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/kit/kittest"
)

var shots = flag.String("shots", "", "a folder for pictures of what the tests draw")

// noon is the clock of the tests.
var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.Local)

// number is a safety number.
const number = "12345 23456 34567 45678 56789 67890 78901 89012 90123 01234 11111 22222"

// stage is a screen without a messenger.
type stage struct {
	*Screen
	win   *kittest.Window
	asked []string // what the window was asked for
	yes   func()   // of the question that was asked last
}

func newStage(t testing.TB, look kit.Look) *stage {
	t.Helper()
	kittest.Dress(t, kit.NewTheme(look))
	g := &stage{}
	note := func(format string, args ...any) { g.asked = append(g.asked, fmt.Sprintf(format, args...)) }
	g.Screen = New(Host{
		Act:   func(func(context.Context) error, func(error)) { note("act") },
		Again: func() { note("again") }, Focus: func(f fyne.Focusable) { g.win.Focus(f) },
		Say: func(err error) string { return err.Error() }, SayLink: func(err error) string { return err.Error() },
		Now: func() time.Time { return noon }, Toast: func(n kit.Notice) { note("toast %s", n.Text) },
		Copy: func(s string) { note("copy %s", s) }, Paste: func() string { return "pasted" },
		Confirm: func(s kit.DialogSpec, yes func()) {
			note("confirm %s", s.Title)
			g.yes = yes
		},
		Visible: func(on bool) { note("visible %v", on) },
		Greet:   func(n app.Nearby) { note("greet %s", n.Name) }, GreetLink: func(link, account string, until time.Time) { note("greet link") },
		Open: func(app.RoomID) { note("open") }, Close: func() { note("close") }, Back: func() { note("back") },
		Standing: func(c app.Contact, _ []app.Contact) kit.Standing { return kit.StandingNew }, Reach: func(app.Contact, time.Time) string { return "On this network" },
	})
	g.win = kittest.Show(t, g.Content(), 1108, 732)
	return g
}

// last is what the window was asked for last.
func (g *stage) last() string {
	if len(g.asked) == 0 {
		return ""
	}
	return g.asked[len(g.asked)-1]
}

// tove is a contact.
func tove() app.Contact {
	c := app.Contact{Name: "Tove", State: app.Accepted, Since: noon}
	c.Account[0] = 1
	return c
}

func TestANewDeviceIsExplainedBeforeItIsAccepted(t *testing.T) {
	g := newStage(t, kit.Look{Variant: kit.Light})
	c := tove()
	c.Approve = true
	g.win.Change(g.Panel(c), kit.PanelWidth, 732)
	g.apply(&crowd{contacts: []app.Contact{c}, known: known{gen: g.Screen.asked.now(), found: true, contact: c, number: number}})
	if !g.win.Says("A new device of Tove") || !g.win.Says("Ask Tove by a way you trust whether it is theirs.") {
		t.Error("the new device is not explained")
	}
	if f, ok := g.PanelFirst().(fyne.Accessible); !ok || f.AccessibilityLabel() != "It is theirs" {
		t.Error("the keyboard does not go to the question")
	}
	g.win.Shoot(*shots, "panel-device")
	g.win.Press("It is theirs")
	if g.last() != "act" {
		t.Errorf("a yes asked for %q", g.last())
	}
}

func TestAPanelOfSomebodyNeverMetSaysWhyThereIsNoNumber(t *testing.T) {
	g := newStage(t, kit.Look{})
	g.win.Change(g.Panel(tove()), kit.PanelWidth, 732)
	if !g.win.Says("There is a number to compare as soon as Tove could be reached once.") || g.win.Says("They match") {
		t.Error("a number is offered that is not there")
	}
}

func TestAnAnswerAboutSomebodyElseIsDropped(t *testing.T) {
	g := newStage(t, kit.Look{})
	g.win.Change(g.Panel(tove()), kit.PanelWidth, 732)
	old := g.Screen.asked.now()
	mira := tove()
	mira.Name, mira.Account[0] = "Mira", 2
	g.win.Change(g.Panel(mira), kit.PanelWidth, 732)
	g.apply(&crowd{known: known{gen: old, found: true, contact: tove(), number: number}})
	if g.win.Says("Tove") {
		t.Error("the panel of Mira shows Tove")
	}
}

func TestManyStrangersDoNotFillThePage(t *testing.T) {
	g := newStage(t, kit.Look{})
	c := &crowd{name: "Ada", visible: true}
	for i := range 50 {
		q := app.Request{Name: fmt.Sprint("Stranger ", i), Text: "hello", At: noon}
		q.Account[0] = byte(i)
		n := app.Nearby{Name: fmt.Sprint("Neighbour ", i)}
		n.Account[0] = byte(i)
		c.requests, c.nearby = append(c.requests, q), append(c.nearby, n)
	}
	g.apply(c)
	all := strings.Join(g.win.Words(), "\n")
	if n := strings.Count(all, "Accept"); n != requestRows {
		t.Errorf("%d requests are drawn, want %d", n, requestRows)
	}
	if n := strings.Count(all, "Neighbour "); n != nearbyRows*2 { // face and name
		t.Errorf("%d neighbours are drawn, want %d", n/2, nearbyRows)
	}
	if !strings.Contains(all, "30 more") || !strings.Contains(all, "42 more") {
		t.Error("that there are more is not said")
	}
}

func TestWhoWalksThroughThePageByKeyboardKeepsTheirPlace(t *testing.T) {
	g := newStage(t, kit.Look{})
	load := func(seen time.Time) *crowd {
		asked := tove()
		asked.State, asked.Name, asked.LastSeen, asked.Account[0] = app.Requested, "Emil", seen, 9
		q := app.Request{Name: "Luca", Text: "hi", At: noon}
		return &crowd{name: "Ada", requests: []app.Request{q}, contacts: []app.Contact{asked}}
	}
	g.apply(load(noon))
	for _, o := range test.LaidOutObjects(g.win.Content()) {
		if a, ok := o.(fyne.Accessible); ok && a.AccessibilityLabel() == "Accept" {
			g.win.Canvas().Focus(o.(fyne.Focusable))
		}
	}
	before := g.win.Canvas().Focused()
	if before == nil {
		t.Fatal("Accept cannot have the keyboard")
	}
	g.apply(load(noon.Add(time.Minute))) // only a time has changed that is not drawn
	for _, o := range test.LaidOutObjects(g.win.Content()) {
		if o == before.(fyne.CanvasObject) {
			return
		}
	}
	t.Error("what has the keyboard was taken away though nothing had changed")
}

func TestBlockingIsAskedForFirst(t *testing.T) {
	g := newStage(t, kit.Look{})
	c := tove()
	g.win.Change(g.Panel(c), kit.PanelWidth, 732)
	g.win.Press("Block")
	if g.last() != "confirm Block Tove?" {
		t.Fatalf("asked for %q", g.asked)
	}
	g.yes()
	if g.last() != "act" {
		t.Errorf("a yes asked for %q", g.last())
	}
}

func TestThePageDrawsAllThreeWays(t *testing.T) {
	for name, look := range map[string]kit.Look{"dark": {Variant: kit.Dark}, "light": {Variant: kit.Light}, "large": {Variant: kit.Light, Percent: 150}} {
		t.Run(name, func(t *testing.T) {
			g := newStage(t, look)
			asked := tove()
			asked.State, asked.Name, asked.Since = app.Requested, "Anselm", noon.Add(-75*time.Hour)
			c := &crowd{
				name: "Ada", visible: true, network: true, contacts: []app.Contact{asked},
				nearby:   []app.Nearby{{Name: "Tove"}, {Name: "Jonas", Known: app.Accepted}},
				requests: []app.Request{{Name: "Luca", Text: "Hi Ada, Mira gave me your link. Can I join the field test?", Token: true, At: noon}},
			}
			g.page.link, g.page.until = "cryptexq:"+strings.Repeat("AFKWQ2T7Z5", 16), noon.Add(26*time.Hour)
			g.apply(c)
			for _, want := range []string{"They see you as Ada", "You know them", "For one person, until tomorrow, 14:00", "Sent 3 days ago, not answered.", "1 for you, 1 on its way"} {
				if !g.win.Says(want) {
					t.Errorf("%q is not on the page", want)
				}
			}
			g.win.Shoot(*shots, "people-"+name)
		})
	}
}

func TestWhatANeighbourIsToUsIsNotMadeUp(t *testing.T) {
	for known, want := range map[app.Relation]string{
		"": "Say hello", app.Accepted: "You know them", app.Pending: "Asks you", app.Requested: "Asked", app.Blocked: "Blocked",
	} {
		g := newStage(t, kit.Look{})
		g.apply(&crowd{nearby: []app.Nearby{{Name: "Jonas", Known: known}}})
		if !g.win.Says(want) {
			t.Errorf("a neighbour who is %q: %q is not on the page: %q", known, want, g.win.Words())
		}
	}
}

func TestALongFirstMessageIsReadBeforeItIsAnswered(t *testing.T) {
	g := newStage(t, kit.Look{})
	long := strings.Repeat("many words ", 200)
	q := app.Request{Name: "Luca", Text: long, At: noon}
	g.apply(&crowd{requests: []app.Request{q}})
	want := "“" + strings.TrimSpace(long[:quoted]) + "…”"
	if !g.win.Says(want) {
		t.Errorf("%q is not on the page", want)
	}
	if high := g.page.asking.MinSize().Height; high > 250 {
		t.Errorf("one request takes a height of %v", high)
	}
}

func TestACodeThatHasExpiredIsNotShownAnyMore(t *testing.T) {
	g := newStage(t, kit.Look{})
	g.page.link, g.page.until = "cryptexq:AFKWQ2T7Z5", noon.Add(time.Minute)
	g.apply(&crowd{name: "Ada", network: true})
	if !g.win.Says("For one person, until today, 12:01") || !g.win.Says("Copy link") {
		t.Fatal("the code is not shown")
	}
	g.page.until = noon
	g.apply(&crowd{name: "Ada", network: true})
	if g.win.Says("Copy link") || !g.win.Says("Make a code") {
		t.Error("a code that has expired can still be copied")
	}
}
