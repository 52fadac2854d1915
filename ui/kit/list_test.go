package kit

import (
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

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
