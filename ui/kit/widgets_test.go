package kit

import (
	"fmt"
	"go/parser"
	"go/token"
	"image/color"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// everything is one of each widget, with what a screen reader says: empty for decoration.
func everything() map[string]fyne.CanvasObject {
	none := func() {}
	code, err := NewQR("CRYPTEXQ", 100)
	if err != nil {
		panic(err)
	}
	badge := NewBadge()
	badge.Set(Count{Unread: 3})
	ticks := NewTicks(ColorMuted, ColorAccent)
	ticks.Set(Ticked{Delivery: DeliveryHeld, Reached: 5, Of: 7})
	meter := NewMeter()
	meter.Set(2, "Fair", ToneWarn)
	bubble := NewBubble()
	bubble.Set(message(7, "Tove", "Hello"), Run{}, 400)
	day := NewLine()
	day.Day("Today")
	chat := NewChatRow()
	chat.Set(Chat{Title: "Priya", When: "14:02", Last: "The cable?", Ticks: Ticked{Delivery: DeliveryQueued}, Count: Count{Unread: 1, Muted: true}})
	off := NewButton("Start", IconNone, Primary, none)
	off.Disable()
	list := chatList(chats())
	thread := NewThread(ThreadDoes{})
	return map[string]fyne.CanvasObject{
		"Online, reachable now": NewAvatar(44, ColorSide).Set(Face{Name: "Online", Online: true}),
		"Delivered to 5 of 7":   ticks,
		"3 unread messages":     badge,
		"Compared by you":       NewSeal(15).Set(StandingCompared),
		"Fair":                  meter,
		"Tove: Hello. 12:07.":   bubble,
		"Today":                 day,
		"Start, not available":  off,
		"Send":                  NewIconButton(IconSend, "Send", none),
		"Nearby, on":            NewSwitch("Nearby", true, nil),
		"Chats":                 list,
		"Messages":              thread,
		"QR code":               code,
		"word":                  NewChip(IconNone, "word", ToneGood),
		"line":                  NewText("line", TypeBody, ColorText),
		"prose":                 NewProse("prose", TypeBody, ColorText),
		"Be warned":             NewBanner(IconWarn, "Be warned", ToneWarn, "", nil),
		"Clock. Right":          NewCheck(CheckItem{Head: "Clock", Body: "Right"}),
		"It is gone":            newToast(Notice{Text: "It is gone"}),
		"Leave?. For good.":     NewDialog(test.Canvas(), DialogSpec{Title: "Leave?", Body: "For good.", Confirm: "Leave"}),
		"Home":                  NewRailButton(IconChat, "Home", none),
		"Lock":                  NewGlyph(IconLock, 16, ColorMuted).Label("Lock"),
		"Password":              newInput("Password"),
		"To the newest message": newJump(none),
		"Forked: this device signed two different stories": func() fyne.CanvasObject {
			p := newPress(none)
			p.set(IconShieldCross, ColorBad, "mark.forked")
			return p
		}(),
		"Priya. The cable?. Queued on this computer. 14:02. 1 unread message. muted": chat,
	}
}

func TestEveryWidgetSaysWhatItIs(t *testing.T) {
	dress(t, Look{})
	for want, o := range everything() {
		a, ok := o.(fyne.Accessible)
		if !ok {
			t.Errorf("%T has no words for who does not see it", o)
			continue
		}
		if got := a.AccessibilityLabel(); got != want {
			t.Errorf("%T says %q, want %q", o, got, want)
		}
		if a.AccessibilityRole() == "" {
			t.Errorf("%T has no role", o)
		}
	}
	for _, o := range []fyne.CanvasObject{NewRule(), NewDot(ColorOK), NewDisc(IconKey, ToneWarn, 32), NewGlyph(IconLock, 16, ColorMuted), NewBox(ColorSide, "", Gap(0, 0))} {
		a := o.(fyne.Accessible)
		if a.AccessibilityLabel() != "" || a.AccessibilityRole() != fyne.AccessibleRoleContainer {
			t.Errorf("%T is decoration, and says %q as %s", o, a.AccessibilityLabel(), a.AccessibilityRole())
		}
	}
}

func TestWhatTakesTheKeyboardHasWords(t *testing.T) {
	dress(t, Look{})
	screen, _, _ := chatScreen()
	w := window(t, screen, 1180, 760)
	c := w.Canvas().(interface{ FocusNext() })
	stops := map[string]int{}
	for range 60 {
		c.FocusNext()
		f := w.Canvas().Focused()
		a, ok := f.(fyne.Accessible)
		if !ok || a.AccessibilityLabel() == "" {
			t.Errorf("%T takes the keyboard and says nothing", f)
		}
		if s := f.(fyne.CanvasObject).Size(); s.Height < smallestPress || s.Width < smallestPress {
			t.Errorf("%T, %q, is only %v", f, a.AccessibilityLabel(), s)
		}
		stops[fmt.Sprintf("%T", f)]++
	}
	for _, want := range []string{"*kit.RailButton", "*kit.IconButton", "*kit.Button", "*kit.input", "*kit.List", "*kit.Thread"} {
		if stops[want] == 0 {
			t.Errorf("Tab never reaches %s", want)
		}
		delete(stops, want)
	}
	if len(stops) > 0 {
		t.Errorf("Tab stops at %v", stops)
	}
}

func TestListAndThreadAreOneStopEach(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	th.Open(Page{Rows: talk(50), Older: true})
	l := chatList(chats())
	w := window(t, NewStage(HFlex(1, Fixed(312, 0, l), th)), 1000, 700)
	th.scrollBy(400) // the jump button is there
	c := w.Canvas().(interface{ FocusNext() })
	var got []fyne.Focusable
	for range 4 {
		c.FocusNext()
		got = append(got, w.Canvas().Focused())
	}
	if want := []fyne.Focusable{l, th, l, th}; !slices.Equal(got, want) {
		t.Errorf("Tab went to %v", got)
	}
}

func TestButtonsArePressedByClickSpaceAndReturn(t *testing.T) {
	dress(t, Look{})
	pressed, window_ := 0, ""
	b := NewButton("Start", IconNone, Primary, func() { pressed++ })
	w := window(t, b, 200, 60)
	w.Canvas().SetOnTypedKey(func(k *fyne.KeyEvent) { window_ += string(k.Name) })
	test.Tap(b)
	w.Canvas().Focus(b)
	for _, k := range []fyne.KeyName{fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter, fyne.KeyEscape, fyne.KeyX} {
		key(w, k)
	}
	if pressed != 4 || window_ != "EscapeX" {
		t.Errorf("pressed %d times, want 4; the window got %q", pressed, window_)
	}
	if b.ring.StrokeWidth == 0 {
		t.Error("with the keyboard it has no ring")
	}
	b.Disable()
	test.Tap(b)
	if pressed != 4 {
		t.Error("it was pressed although it is disabled")
	}
}

func TestSwitchCallsBackOnlyWhenSomebodyTurnsIt(t *testing.T) {
	dress(t, Look{})
	var got []bool
	s := NewSwitch("Nearby", false, func(on bool) { got = append(got, on) })
	w := window(t, s, 100, 60)
	s.SetOn(true)
	test.Tap(s)
	w.Canvas().Focus(s)
	key(w, fyne.KeySpace)
	if want := []bool{false, true}; !slices.Equal(got, want) || !s.On() || s.at != 1 {
		t.Errorf("called back with %v, want %v; on %v, knob at %v", got, want, s.On(), s.at)
	}
}

func TestListShowsOnlyWhatIsInView(t *testing.T) {
	dress(t, Look{})
	var opened []int
	var made, bound int
	l := NewList(ListSpec{
		Label: "Chats", Height: RowHeight, New: func() ListRow { made++; return NewChatRow() },
		Bind:   func(i int, r ListRow) { bound++; r.(*ChatRow).Set(Chat{Title: fmt.Sprint("chat ", i)}) },
		OnOpen: func(i int) { opened = append(opened, i) },
	})
	w := window(t, NewStage(l), 312, 640)
	l.Update(10_000, 3)
	for range 300 {
		l.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -50)})
		for k, c := range l.cells {
			i := int((l.offset + c.Position().Y) / RowHeight)
			if got := c.row.(*ChatRow).chat.Title; got != fmt.Sprint("chat ", i) || k > 11 {
				t.Fatalf("row %d at %v shows %q", k, c.Position().Y, got)
			}
		}
	}
	if made > 12 || bound > 400 {
		t.Errorf("%d rows were made and filled %d times for a view of ten", made, bound)
	}
	test.TapCanvas(w.Canvas(), fyne.NewPos(100, 5))
	l.Focus()
	for _, k := range []fyne.KeyName{fyne.KeyHome, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn, fyne.KeyEnd, fyne.KeyReturn, fyne.KeyUp, fyne.KeyPageUp, fyne.KeySpace} {
		key(w, k)
	}
	if want := []int{234, 2, 9999, 9989}; !slices.Equal(opened, want) {
		t.Errorf("opened %v, want %v", opened, want)
	}
	if l.Update(3, 0); l.cursor != 2 || len(l.cells) != 3 || l.offset != 0 {
		t.Errorf("after it became short: cursor %d, %d rows, offset %v", l.cursor, len(l.cells), l.offset)
	}
	l.Update(0, -1)
	key(w, fyne.KeyReturn)
	if len(l.cells) != 0 || len(opened) != 4 {
		t.Error("an empty list shows or opens something")
	}
}

func TestOpenRowUsesNoColorThatDoesNotReadOnIt(t *testing.T) {
	dress(t, Look{Variant: Dark})
	r := NewChatRow()
	r.Set(Chat{Title: "Mira", Draft: "About Thursday", Count: Count{Unread: 2}, When: "14:00"})
	if r.by.Color != C(ColorBad) || r.when.Color != C(ColorAccent) {
		t.Errorf("a draft is %v, an unread time %v", r.by.Color, r.when.Color)
	}
	r.SetSelected(true)
	if r.by.Color != C(ColorText) || r.when.Color != C(ColorText) {
		t.Errorf("in the open row a draft is %v, an unread time %v", r.by.Color, r.when.Color)
	}
}

func TestDialogHoldsTheKeyboardUntilItIsAnswered(t *testing.T) {
	dress(t, Look{})
	under := NewButton("under", IconNone, Primary, nil)
	stage := NewStage(Centered(under))
	w := window(t, stage, 800, 600)
	var got []string
	stage.AddShortcut(w.Canvas(), &desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl}, func() { got = append(got, "shortcut") })
	name := NewField(FieldSpec{Label: "Name"})
	d := NewDialog(w.Canvas(), DialogSpec{
		Title: "Erase everything?", Body: "Nobody can bring it back.", Content: name, Confirm: "Erase", Cancel: "Keep", Danger: true,
		First: name.Focusable(), OnDone: func() { got = append(got, "erase") }, OnCancel: func() { got = append(got, "keep") },
	})
	d.Open()
	shoot(t, w, "dialog")
	if w.Canvas().Focused() != name.Focusable() {
		t.Fatalf("%T has the keyboard, want the field", w.Canvas().Focused())
	}
	name.in.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl})
	for range 5 {
		w.Canvas().(interface{ FocusNext() }).FocusNext()
		if w.Canvas().Focused() == fyne.Focusable(under) {
			t.Fatal("Tab left the dialog")
		}
	}
	test.Tap(d.confirm)
	if w.Canvas().Overlays().Top() == nil {
		t.Error("it went before it was told to")
	}
	d.Busy(true)
	key(w, fyne.KeyEscape)
	d.Busy(false)
	w.Canvas().Focus(name.Focusable())
	key(w, fyne.KeyEscape)
	if w.Canvas().Overlays().Top() != nil || !slices.Equal(got, []string{"erase", "keep"}) {
		t.Errorf("answers %v", got)
	}
}

func TestDialogFitsTheSmallestWindow(t *testing.T) {
	dress(t, Look{Percent: 100})
	w := window(t, NewStage(Gap(0, 0)), WindowWidth, WindowHeight)
	d := NewDialog(w.Canvas(), DialogSpec{Title: "Leave?", Body: strings.Repeat("A sentence that is long. ", 8), Confirm: "Leave", Cancel: "Stay"})
	d.Open()
	low := d.body.Position().Y + d.body.Size().Height
	if d.body.Position().Y < 0 || low > WindowHeight || d.body.Size().Height != d.inner.MinSize().Height {
		t.Errorf("it stands from %v to %v and needs %v", d.body.Position().Y, low, d.inner.MinSize().Height)
	}
	test.TapCanvas(w.Canvas(), fyne.NewPos(5, 5))
	if w.Canvas().Overlays().Top() != nil {
		t.Error("a click beside it did not end it")
	}
	long := NewDialog(w.Canvas(), DialogSpec{Title: "Long", Body: strings.Repeat("A sentence that is long. ", 200), Confirm: "So be it"})
	long.Open()
	if h := long.body.Size().Height; h != WindowHeight-2*GapLarge || long.inner.Size().Height <= h {
		t.Errorf("a long one is %v high, with %v in it", h, long.inner.Size().Height)
	}
	key(w, fyne.KeyEscape)
	if w.Canvas().Overlays().Top() == nil {
		t.Error("what cannot be cancelled was cancelled")
	}
	long.Close()
}

func TestToastGoesByItselfButNotUnderThePointer(t *testing.T) {
	dress(t, Look{})
	var ticker clock
	s := NewStage(Gap(0, 0))
	s.after = ticker.after
	window(t, s, 800, 600)
	undone := 0
	s.Toast(Notice{Text: "Deleted.", Action: "Undo", On: func() { undone++ }})
	first := s.toast
	ticker.turn(toastActionTime - time.Second)
	if s.toast != first {
		t.Fatal("it went too early")
	}
	first.MouseIn(nil)
	ticker.turn(3 * toastActionTime)
	if s.toast != first {
		t.Fatal("it went under the pointer")
	}
	first.MouseOut()
	ticker.turn(toastActionTime)
	if s.toast != nil {
		t.Fatal("it stayed")
	}
	s.Toast(Notice{Text: "Deleted.", Action: "Undo", On: func() { undone++ }})
	second := s.toast
	s.Toast(Notice{Text: "Copied."})
	if s.toast == second || len(s.objs) != 3 || len(ticker.next) != 1 {
		t.Error("two toasts at a time")
	}
	s.Toast(Notice{Text: "Deleted.", Action: "Undo", On: func() { undone++ }})
	test.Tap(s.toast.action)
	if undone != 1 || s.toast != nil || len(ticker.next) > 0 {
		t.Errorf("undone %d times, toast %v", undone, s.toast)
	}
}

func TestTooltipComesWhenThePointerRests(t *testing.T) {
	dress(t, Look{})
	var ticker clock
	b := NewIconButton(IconPlus, "New chat", nil)
	b.tip.alarm.after = ticker.after
	s := NewStage(Pad(0, 0, 0, 750, Top(b)))
	w := window(t, s, 800, 600)
	test.MoveMouse(w.Canvas(), fyne.NewPos(770, 10))
	ticker.turn(tipDelay / 2)
	test.MoveMouse(w.Canvas(), fyne.NewPos(300, 300))
	ticker.turn(2 * tipDelay)
	if len(s.tip.objs) > 0 {
		t.Fatal("it came although the pointer had left")
	}
	test.MoveMouse(w.Canvas(), fyne.NewPos(770, 10))
	ticker.turn(tipDelay)
	if len(s.tip.objs) == 0 || s.tip.text != "New chat" {
		t.Fatal("it did not come")
	}
	shoot(t, w, "tip")
	if right := s.tip.back.Position().X + s.tip.back.Size().Width; right > 800 {
		t.Errorf("it sticks out of the window: ends at %v", right)
	}
	test.MoveMouse(w.Canvas(), fyne.NewPos(300, 300))
	if len(s.tip.objs) > 0 {
		t.Error("it stayed")
	}
}

func TestTooltipInADialogStandsAboveIt(t *testing.T) {
	dress(t, Look{})
	var ticker clock
	b := NewIconButton(IconCopy, "Copy", nil)
	b.tip.alarm.after = ticker.after
	s := NewStage(Gap(0, 0))
	w := window(t, s, 800, 600)
	d := NewDialog(w.Canvas(), DialogSpec{Title: "Your words", Content: Centered(b), Confirm: "Done"})
	d.Open()
	b.MouseIn(nil)
	ticker.turn(tipDelay)
	if len(d.tip.objs) == 0 || len(s.tip.objs) > 0 {
		t.Error("the tooltip is not in the layer of the dialog")
	}
	b.Tapped(nil)
	if len(d.tip.objs) > 0 {
		t.Error("it stayed after the button was pressed")
	}
	d.Close()
}

func TestAlarmsRingOnceAndNotAfterTheyWereStopped(t *testing.T) {
	dress(t, Look{})
	rang := make(chan int, 3)
	var a alarm
	a.set(0, func() { rang <- 1 })
	if got := <-rang; got != 1 {
		t.Fatal("another alarm rang")
	}
	a.set(time.Hour, func() { rang <- 2 })
	a.set(time.Hour, func() { rang <- 3 })
	a.stop()
	a.stop()
	if len(rang) > 0 {
		t.Error("an alarm rang that was stopped")
	}
}

func TestQRIsWholeModulesWithAMargin(t *testing.T) {
	dress(t, Look{Percent: 130})
	q, err := NewQR("CRYPTEXQ:INVITE1:AFKWQ2T7Z5N3MXD6HR4LUEYB2VJ7GOIC5SPA3WN6KTQ4XMZ2", 200)
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []int{len(q.modules) + 2*quiet, 150, 333} {
		img := q.draw(side, side)
		n := len(q.modules)
		m := side / (n + 2*quiet)
		left := (side - m*n) / 2
		if left < quiet*m {
			t.Errorf("at %d pixels the margin is %d, want at least %d", side, left, quiet*m)
		}
		black := func(x, y int) bool { return img.At(x, y) == color.Color(color.NRGBA{A: 0xFF}) }
		for y := range n {
			for x := range n {
				for _, d := range []int{0, m - 1} {
					if black(left+x*m+d, left+y*m+d) != q.modules[y][x] {
						t.Fatalf("at %d pixels module %d, %d is not what it should be", side, x, y)
					}
				}
			}
		}
		if black(left-1, left-1) || black(0, 0) {
			t.Error("the margin is not white")
		}
	}
	if finder := q.modules[0][:8]; !slices.Equal(finder, []bool{true, true, true, true, true, true, true, false}) {
		t.Errorf("the corner reads %v", finder)
	}
	for _, bad := range []string{"", strings.Repeat("x", MaxQR+1)} {
		if _, err := NewQR(bad, 200); err == nil {
			t.Errorf("a code of %d bytes was made", len(bad))
		}
	}
}

func TestPanelKeepsItsFoot(t *testing.T) {
	dress(t, Look{})
	closed := 0
	foot := NewButton("Block", IconNone, Danger, nil)
	var body []fyne.CanvasObject
	for i := range 60 {
		body = append(body, NewText(fmt.Sprint("line ", i), TypeBody, ColorText))
	}
	p := NewPanel("Contact", func() { closed++ }, VStack(GapSmall, body...), foot)
	w := window(t, NewStage(HFlex(0, Gap(0, 0), p)), 800, 600)
	shoot(t, w, "panel")
	if low := foot.Position().Y + foot.Size().Height; low > 600 || foot.Position().Y < 500 {
		t.Errorf("the foot stands from %v to %v", foot.Position().Y, low)
	}
	if p.Size().Width != PanelWidth {
		t.Errorf("the panel is %v wide", p.Size().Width)
	}
	test.Tap(p.close)
	if closed != 1 {
		t.Error("it cannot be closed")
	}
}

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

func TestNothingNeedsADisplay(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if i.Path.Value == `"fyne.io/fyne/v2/app"` || i.Path.Value == `"C"` {
				t.Errorf("%s imports %s, which needs cgo and a display", name, i.Path.Value)
			}
		}
	}
}
