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

	"fyne.io/fyne/v2"
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
