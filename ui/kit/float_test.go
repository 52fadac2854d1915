package kit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/cryptexq/cryptexq/ui/kit/kittest"
)

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
	kittest.DressIn(t, func(f func()) { f() })
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
