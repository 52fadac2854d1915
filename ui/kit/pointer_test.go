package kit

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

func TestScrollBarDragsAndPages(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	window(t, NewStage(th), 700, 600)
	th.Open(Page{Rows: talk(400)})
	b := th.bar
	length, travel := b.length()
	if y := b.thumb.Position().Y; y < travel-1 || length < 32 {
		t.Fatalf("at the end the thumb is at %v of %v, %v long", y, travel, length)
	}
	b.MouseIn(nil)
	if b.thumb.Size().Width != 8 {
		t.Errorf("under the pointer it is %v wide", b.thumb.Size().Width)
	}
	drag := func(dy float32) { b.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, dy)}) }
	drag(-travel / 2)
	if i := th.anchor; i < 120 || i > 280 {
		t.Errorf("dragged to the middle it shows row %d of 400", i)
	}
	drag(-travel)
	b.DragEnd()
	b.MouseOut()
	if th.first != 0 || th.offset() > px(threadPad) {
		t.Errorf("dragged to the top it begins with row %d", th.first)
	}
	b.Tapped(&fyne.PointEvent{Position: fyne.NewPos(5, 590)})
	if y := th.offset(); y < 400 || y > 620 {
		t.Errorf("a page down went to %d", y)
	}
	b.Tapped(&fyne.PointEvent{Position: fyne.NewPos(5, 0)})
	if y := th.offset(); y > px(threadPad) {
		t.Errorf("a page up went to %d", y)
	}
	if err := sound(th); err != nil {
		t.Error(err)
	}
}

func TestJumpButtonIsClicked(t *testing.T) {
	dress(t, Look{})
	newest := 0
	th := NewThread(ThreadDoes{OnNewest: func() { newest++ }})
	w := window(t, NewStage(th), 700, 600)
	rows := talk(100)
	th.Open(Page{Rows: rows})
	th.scrollBy(2000)
	th.Append(saying(500, 3, "tove"))
	at := th.jump.Position().AddXY(20, 20)
	test.MoveMouse(w.Canvas(), at)
	if !th.jump.hovered || th.jump.AccessibilityLabel() != "1 newer message" {
		t.Errorf("under the pointer %v, says %q", th.jump.hovered, th.jump.AccessibilityLabel())
	}
	test.TapCanvas(w.Canvas(), at)
	if !th.AtEnd() || newest != 0 {
		t.Errorf("at the end %v, asked %d times for the newest", th.AtEnd(), newest)
	}
	th.Update(Page{Rows: rows, Newer: true})
	test.TapCanvas(w.Canvas(), at)
	if newest != 1 {
		t.Error("where the newest is not on the page it was not asked for")
	}
}

func TestThreadPagesByKeyboardAndOpensTheMenu(t *testing.T) {
	dress(t, Look{})
	var menus []string
	th := NewThread(ThreadDoes{OnMenu: func(k string, at fyne.Position) { menus = append(menus, fmt.Sprint(k, " ", at.Y > 0 && at.Y < 600)) }})
	w := window(t, NewStage(th), 700, 600)
	th.Open(Page{Rows: talk(100)})
	th.Focus()
	key(w, fyne.KeyPageUp)
	far := th.cursor
	if far > 95 || far < 70 {
		t.Errorf("a page up from 99 went to %d", far)
	}
	key(w, desktop.KeyMenu)
	key(w, fyne.KeyPageDown)
	if th.cursor < 97 {
		t.Errorf("a page down went to %d", th.cursor)
	}
	key(w, fyne.KeyC)
	if got := fyne.CurrentApp().Clipboard().Content(); got != th.entries[th.cursor].m.Text {
		t.Errorf("C copied %q", got)
	}
	if want := []string{fmt.Sprint("m", far, " true")}; !slices.Equal(menus, want) {
		t.Errorf("menus %v, want %v", menus, want)
	}
}

func TestListFollowsThePointer(t *testing.T) {
	dress(t, Look{})
	var menus []int
	typed := ""
	l := NewList(ListSpec{
		Label: "Chats", Height: RowHeight, New: func() ListRow { return NewChatRow() }, Bind: func(i int, r ListRow) { r.(*ChatRow).Set(Chat{Title: fmt.Sprint("chat ", i)}) },
		OnMenu: func(i int, _ fyne.Position) { menus = append(menus, i) }, OnRune: func(r rune) { typed += string(r) },
	})
	w := window(t, NewStage(l), 312, 320)
	l.Update(50, -1)
	test.MoveMouse(w.Canvas(), fyne.NewPos(100, 70))
	if l.hovered != 1 || !l.live[1].hovered || l.live[0].hovered {
		t.Errorf("row %d is lit up, want 1", l.hovered)
	}
	test.MoveMouse(w.Canvas(), fyne.NewPos(100, 200))
	if l.hovered != 3 || l.live[1].hovered {
		t.Errorf("row %d is lit up, want 3", l.hovered)
	}
	l.MouseOut()
	if l.hovered != -1 {
		t.Error("a row stayed lit up")
	}
	test.TapSecondaryAt(l, fyne.NewPos(100, 200))
	l.Focus()
	key(w, fyne.KeyDown)
	key(w, desktop.KeyMenu)
	l.TypedRune('a')
	l.TypedRune(' ')
	if !slices.Equal(menus, []int{3, 1}) || typed != "a" {
		t.Errorf("menus %v, typed %q", menus, typed)
	}
	if got := l.AccessibilityLabel(); got != "Chats: chat 1" {
		t.Errorf("a screen reader says %q", got)
	}
	l.Select(40)
	if c := l.live[40]; c == nil || !c.selected || c.Position().Y+c.Size().Height > 320 {
		t.Error("the selected row is not in view")
	}
	l.page(false)
	if l.offset != 41*RowHeight-320-304 {
		t.Errorf("a page up went to %v", l.offset)
	}
}

func TestClickOnADialogGivesTheKeyboardBack(t *testing.T) {
	dress(t, Look{})
	s := NewStage(Gap(0, 0))
	w := window(t, s, 800, 600)
	d := NewDialog(w.Canvas(), DialogSpec{Title: "Leave?", Confirm: "Leave", Cancel: "Stay", Danger: true})
	d.Open()
	if w.Canvas().Focused() != fyne.Focusable(d.cancel) {
		t.Errorf("%T has the keyboard, want the safe button", w.Canvas().Focused())
	}
	w.Canvas().Unfocus()
	test.Tap(d.card)
	if w.Canvas().Focused() == nil || w.Canvas().Overlays().Top() == nil {
		t.Error("a click on the card took the keyboard away or ended the dialog")
	}
	d.Close()
	s.SetScreen(NewButton("other", IconNone, Primary, nil))
	if s.objs[0] != s.screen || s.screen.Size().Width != 800 {
		t.Error("the other screen is not shown")
	}
}

func TestSelectionFollowsTheScript(t *testing.T) {
	dress(t, Look{})
	p := newPassage(func(*passage) {}, func(*fyne.PointEvent) {})
	for name, s := range map[string]string{"left to right": "one two three four five", "right to left": "مرحبا هل يعمل النص من اليمين", "Japanese": "日本語のメッセージも正しく表示"} {
		p.set(s, 100, bodyFont(), 100)
		p.Resize(fyne.NewSize(100, p.lines.height()))
		for i, l := range p.lines.spans {
			text := s[l.from:l.to]
			for _, e := range clusters(text, len(text)) {
				x, y := p.across(i, l.from+e), (float32(i)+0.5)*p.lines.font.line()
				if got := p.under(fyne.NewPos(x, y)); got != l.from+e {
					t.Errorf("%s: byte %d of line %d stands at %v, and there is byte %d", name, l.from+e, i, x, got)
				}
			}
		}
		p.pick(0, len(s))
		if p.selected() != s || p.marks[0].Size().Width < p.lines.spans[0].width-1 {
			t.Errorf("%s: selected %q, the first line is marked %v wide", name, p.selected(), p.marks[0].Size().Width)
		}
	}
}
