package kit

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

func TestSelectedTextIsCopiedAndTheComposerKeepsTheRest(t *testing.T) {
	dress(t, Look{})
	typed := ""
	th := NewThread(ThreadDoes{OnRune: func(r rune) { typed += string(r) }})
	th.Open(Page{Rows: []ThreadMessage{message(1, "tove", "one two three"), message(2, "tove", "four")}})
	stage := NewStage(th)
	w := window(t, stage, 600, 400)
	searched := false
	stage.AddShortcut(w.Canvas(), &desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl}, func() { searched = true })
	p := th.live[0].bubble.words
	space := bodyFont().width("one ")
	p.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary, PointEvent: fyne.PointEvent{Position: fyne.NewPos(space, 5)}})
	p.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(space+bodyFont().width("two"), 5)}})
	if th.Selected() != "two" || th.cursor != -1 {
		t.Fatalf("selected %q, cursor %d", th.Selected(), th.cursor)
	}
	if w.Canvas().Focused() != fyne.Focusable(th) {
		t.Fatalf("%T has the keyboard, want the thread", w.Canvas().Focused())
	}
	th.TypedShortcut(&fyne.ShortcutCopy{})
	if got := fyne.CurrentApp().Clipboard().Content(); got != "two" {
		t.Errorf("copied %q", got)
	}
	th.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl})
	th.TypedRune('h')
	if !searched || typed != "h" {
		t.Errorf("the shortcut came through: %v; typed %q", searched, typed)
	}
	other := th.live[1].bubble.words
	other.MouseDown(&desktop.MouseEvent{Button: desktop.MouseButtonPrimary})
	other.DoubleTapped(&fyne.PointEvent{Position: fyne.NewPos(5, 5)})
	if th.Selected() != "four" || p.selected() != "" {
		t.Errorf("selected %q here and %q there", th.Selected(), p.selected())
	}
}

func TestBubbleKeepsLongTextShortUntilAllIsWanted(t *testing.T) {
	dress(t, Look{})
	var wanted []string
	th := NewThread(ThreadDoes{OnExpand: func(k string) { wanted = append(wanted, k) }})
	window(t, th, 600, 5000)
	m := message(1, "mallory", strings.Repeat("spam\n", 5000))
	th.Open(Page{Rows: []ThreadMessage{m}})
	b := th.live[0].bubble
	if n := len(b.words.lines.spans); n != shortLines || !b.cut {
		t.Fatalf("%d lines of a long text, cut %v", n, b.cut)
	}
	short := th.live[0].height
	test.TapAt(b, b.more.Position().AddXY(2, 4))
	if !slices.Equal(wanted, []string{"m1"}) {
		t.Fatalf("wanted %v", wanted)
	}
	m.Full = true
	th.Change(m)
	if n := len(th.live[0].bubble.words.lines.spans); n != fullLines || th.live[0].height < 20*short {
		t.Errorf("%d lines when all is wanted", n)
	}
}

func TestBubbleCallsBackWhatWasHit(t *testing.T) {
	dress(t, Look{})
	var got []string
	say := func(what string) func(string) { return func(k string) { got = append(got, what+" "+k) } }
	th := NewThread(ThreadDoes{OnOpen: say("open"), OnQuote: say("quote"), OnMenu: func(k string, at fyne.Position) { got = append(got, "menu "+k) }})
	m := message(1, "tove", "The mast is twelve metres high")
	m.Quote, m.Mark, m.Alert = Quote{Key: "far", Name: "Ada", Text: "How high?"}, MarkForked, "Two stories."
	w := window(t, th, 600, 400)
	th.Open(Page{Rows: []ThreadMessage{m}})
	b := th.live[0].bubble
	test.Tap(b.mark)
	test.TapAt(b, fyne.NewPos(40, 20))
	test.TapAt(b, fyne.NewPos(20, b.textTop+b.words.lines.height()+4))
	test.TapSecondary(b)
	test.TapSecondary(b.words)
	shoot(t, w, "bubble")
	if want := []string{"open m1", "quote far", "open m1", "menu m1", "menu m1"}; !slices.Equal(got, want) {
		t.Errorf("called back %v, want %v", got, want)
	}
}

func TestRowsReadOutWhoWhatWhenAndHow(t *testing.T) {
	reply := message(7, "Tove", "Twelve metres")
	reply.Quote = Quote{Key: "m1", Name: "Ada"}
	reply.Mark = MarkVerified
	mine := out(message(8, "Ada", "Thanks"), DeliveryHeld)
	mine.Ticks = Ticked{Delivery: DeliveryHeld, Reached: 5, Of: 7}
	for want, m := range map[string]ThreadMessage{
		"Tove, in reply to Ada: Twelve metres. 12:07. Verified.": reply,
		"You: Thanks. 12:08. Delivered to 5 of 7.":               mine,
		"You: Thanks. 12:08. Queued on this computer.":           out(message(8, "Ada", "Thanks"), DeliveryQueued),
		"You: Thanks. 12:08. Read.":                              out(message(8, "Ada", "Thanks"), DeliveryRead),
	} {
		if got := readOut(m); got != want {
			t.Errorf("reads %q, want %q", got, want)
		}
	}
}
