package kit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// composing is a composer with the keyboard, and what it called.
func composing(t *testing.T, limit int) (c *Composer, w fyne.Window, calls *[]string) {
	t.Helper()
	dress(t, Look{})
	calls = &[]string{}
	call := func(s string) { *calls = append(*calls, s) }
	c = NewComposer(ComposerSpec{
		OnSend: func(s string) { call("send " + s) }, OnUp: func() { call("up") }, OnEscape: func() { call("escape") },
		OnAttach: func() {}, OnEmoji: func() {}, Limit: limit,
	})
	w = window(t, NewStage(VFlex(0, NewGround(ColorThread, Gap(0, 0)), c)), 700, 400)
	c.Focus()
	if !c.Focused() {
		t.Fatal("the composer did not get the keyboard")
	}
	return c, w, calls
}

func TestEnterSendsAndShiftEnterBeginsALine(t *testing.T) {
	c, w, calls := composing(t, 0)
	test.Type(c.in, "  hello")
	c.in.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	key(w, fyne.KeyReturn)
	c.in.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	test.Type(c.in, "there ")
	if c.Text() != "  hello\nthere " || len(*calls) != 0 {
		t.Fatalf("Shift and Enter: text %q, calls %q", c.Text(), *calls)
	}
	key(w, fyne.KeyReturn)
	key(w, fyne.KeyReturn)
	if !slices.Equal(*calls, []string{"send hello\nthere"}) || c.Text() != "" {
		t.Errorf("Enter, twice: text %q, calls %q", c.Text(), *calls)
	}
}

func TestRefusedMessageComesBackBeforeWhatWasWrittenSince(t *testing.T) {
	c, w, calls := composing(t, 0)
	test.Type(c.in, "first")
	key(w, fyne.KeyEnter)
	test.Type(c.in, "second")
	c.Restore("first")
	if c.Text() != "first\nsecond" || len(*calls) != 1 {
		t.Errorf("text %q, calls %q", c.Text(), *calls)
	}
	test.Type(c.in, "!")
	if c.Text() != "first\nsecond!" {
		t.Errorf("the cursor is not at the end: %q", c.Text())
	}
}

func TestComposerKeysLeadAway(t *testing.T) {
	c, w, calls := composing(t, 0)
	key(w, fyne.KeyUp)
	key(w, fyne.KeyEscape)
	test.Type(c.in, "x")
	key(w, fyne.KeyUp)
	if !slices.Equal(*calls, []string{"up", "escape"}) {
		t.Errorf("calls %q", *calls)
	}
}

func TestComposerHandsUnknownShortcutsToTheWindow(t *testing.T) {
	c, w, _ := composing(t, 0)
	var got []string
	stage := w.Content().(*Stage)
	for _, k := range []fyne.KeyName{fyne.KeyK, fyne.KeyN, fyne.KeyF, fyne.Key1, fyne.KeyI, fyne.KeyL, fyne.KeyPlus} {
		stage.AddShortcut(w.Canvas(), &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierControl}, func() { got = append(got, "Ctrl+"+string(k)) })
	}
	for _, k := range []fyne.KeyName{fyne.KeyUp, fyne.KeyDown} {
		stage.AddShortcut(w.Canvas(), &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierAlt}, func() { got = append(got, "Alt+"+string(k)) })
	}
	w.Canvas().SetOnTypedKey(func(k *fyne.KeyEvent) { got = append(got, string(k.Name)) })
	c.in.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl})
	c.in.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyPlus, Modifier: fyne.KeyModifierControl})
	c.in.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyDown, Modifier: fyne.KeyModifierAlt})
	key(w, fyne.KeyF1)
	key(w, fyne.KeyF6)
	if want := []string{"Ctrl+K", "Ctrl++", "Alt+Down", "F1", "F6"}; !slices.Equal(got, want) {
		t.Errorf("the window got %q, want %q", got, want)
	}
}

func TestComposerStillEdits(t *testing.T) {
	c, _, _ := composing(t, 0)
	test.Type(c.in, "one two three")
	clip := fyne.CurrentApp().Clipboard()
	c.in.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyBackspace, Modifier: fyne.KeyModifierShortcutDefault})
	if c.Text() != "one two " {
		t.Errorf("Ctrl and Backspace left %q", c.Text())
	}
	c.in.TypedShortcut(&fyne.ShortcutSelectAll{})
	c.in.TypedShortcut(&fyne.ShortcutCut{Clipboard: clip})
	if c.Text() != "" || clip.Content() != "one two " {
		t.Errorf("cut: text %q, clipboard %q", c.Text(), clip.Content())
	}
	c.in.TypedShortcut(&fyne.ShortcutPaste{Clipboard: clip})
	c.in.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyLeft, Modifier: fyne.KeyModifierShortcutDefault})
	test.Type(c.in, "and ")
	if c.Text() != "one and two " {
		t.Errorf("Ctrl and Left, then typed: %q", c.Text())
	}
	c.in.TypedShortcut(&fyne.ShortcutUndo{})
	if c.Text() == "one and two " {
		t.Error("undo did nothing")
	}
}

func TestComposerGrowsToSixLines(t *testing.T) {
	c, _, _ := composing(t, 0)
	one := c.MinSize().Height
	for lines, want := range map[string]float32{"a": 0, "a\nb\nc": 2, strings.Repeat("a\n", 20): composerRows - 1} {
		c.SetText(lines)
		if got := c.MinSize().Height - one; got < want*18 || got > want*20 {
			t.Errorf("with %d lines it is %v higher than with one, want about %v", strings.Count(lines, "\n")+1, got, want*19)
		}
	}
	c.SetText(strings.Repeat("words that wrap ", 20))
	if c.box.rows < 3 {
		t.Errorf("long text takes %d rows", c.box.rows)
	}
	c.SetText("")
	if c.MinSize().Height != one {
		t.Error("it did not shrink again")
	}
}

func TestComposerSaysHowMuchIsTooLong(t *testing.T) {
	c, w, calls := composing(t, 10)
	c.SetText("ten bytes!")
	if c.send.Disabled() || c.over.text != "" {
		t.Error("what fits is said to be too long")
	}
	c.SetText("eleven byte")
	key(w, fyne.KeyReturn)
	if len(*calls) != 0 || !c.send.Disabled() || c.over.text != "1 byte too long" {
		t.Errorf("calls %q, disabled %v, says %q", *calls, c.send.Disabled(), c.over.text)
	}
}

func TestTabLeavesTheComposer(t *testing.T) {
	c, w, _ := composing(t, 0)
	if c.in.AcceptsTab() {
		t.Error("the composer takes Tab for itself")
	}
	w.Canvas().(interface{ FocusNext() }).FocusNext()
	if c.Focused() || w.Canvas().Focused() == nil {
		t.Errorf("after Tab %T has the keyboard", w.Canvas().Focused())
	}
}

func TestTypedElsewhereGoesIntoTheComposer(t *testing.T) {
	c, w, _ := composing(t, 0)
	w.Canvas().Unfocus()
	c.Type('h')
	test.Type(c.in, "i")
	if c.Text() != "hi" || !c.Focused() {
		t.Errorf("text %q, focused %v", c.Text(), c.Focused())
	}
}

func TestCursorStopsBlinkingAfterTenSeconds(t *testing.T) {
	c, w, _ := composing(t, 0)
	var ticker clock
	c.in.alarm.stop()
	c.in.alarm.after = ticker.after
	test.Type(c.in, "some words")
	ticker.turn(restAfter - time.Second)
	test.Type(c.in, "!")
	ticker.turn(restAfter - time.Second)
	if c.in.resting {
		t.Fatal("a key did not keep it awake")
	}
	ticker.turn(2 * time.Second)
	if !c.in.resting || c.box.caret.Size().IsZero() || c.box.caret.Position().X < 80 {
		t.Fatalf("after ten seconds: resting %v, caret at %v", c.in.resting, c.box.caret.Position())
	}
	key(w, fyne.KeyBackspace)
	test.Type(c.in, "?")
	if c.Text() != "some words?" || c.in.resting || !c.box.caret.Size().IsZero() {
		t.Errorf("woken up: text %q, resting %v, caret %v", c.Text(), c.in.resting, c.box.caret.Size())
	}
	c.in.TypedShortcut(&fyne.ShortcutSelectAll{})
	ticker.turn(3 * restAfter)
	if c.in.resting || c.in.SelectedText() == "" {
		t.Error("a selection vanished")
	}
	w.Canvas().Unfocus()
	if len(ticker.next) > 0 {
		t.Error("without the keyboard it still waits")
	}
}

func TestTheCursorThatStandsStillGoesWithTheText(t *testing.T) {
	c, w, calls := composing(t, 0)
	var ticker clock
	c.in.alarm.stop()
	c.in.alarm.after = ticker.after
	rests := func(words string) {
		test.Type(c.in, words)
		ticker.turn(2 * restAfter)
		if x := c.box.caret.Position().X; !c.in.resting || c.box.caret.Size().IsZero() || x < 80 {
			t.Fatalf("resting %v, caret at %v, %v", c.in.resting, x, c.box.caret.Size())
		}
	}
	rests("a draft of some words")
	c.SetText("")
	if x := c.box.caret.Position().X; x > 40 {
		t.Errorf("in the next chat, whose composer is empty, the cursor stands at %v", x)
	}
	rests("words that are sent")
	key(w, fyne.KeyReturn)
	if c.in.resting || !c.box.caret.Size().IsZero() || !slices.Contains(*calls, "send words that are sent") {
		t.Errorf("after sending: resting %v, caret %v, calls %q", c.in.resting, c.box.caret.Size(), *calls)
	}
}

func TestPasswordIsSeenWhileItIsChosen(t *testing.T) {
	dress(t, Look{})
	var changes []string
	f := NewField(FieldSpec{Label: "Password", Secret: true, Suggest: func() string { return "five words that are suggested" }})
	f.OnChanged = func(s string) { changes = append(changes, s) }
	w := window(t, f, 400, 90)
	if f.in.Password {
		t.Fatal("a new password is hidden while it is typed")
	}
	test.Type(f.in, "ab")
	test.Tap(f.eye)
	if !f.in.Password || f.eye.AccessibilityLabel() != "Show what is written" {
		t.Errorf("after a click on the eye: hidden %v, the eye says %q", f.in.Password, f.eye.AccessibilityLabel())
	}
	suggest := f.box.trail[0].(*Button)
	test.Tap(suggest)
	if f.in.Password || f.Text() != "five words that are suggested" || !f.in.holder {
		t.Errorf("a suggestion: hidden %v, text %q, focused %v", f.in.Password, f.Text(), f.in.holder)
	}
	if want := []string{"a", "ab", "five words that are suggested"}; !slices.Equal(changes, want) {
		t.Errorf("changes %q, want %q", changes, want)
	}
	if label := w.Canvas().Focused().(fyne.Accessible).AccessibilityLabel(); label != "Password" {
		t.Errorf("a screen reader says %q", label)
	}
}

func TestKnownPasswordIsHidden(t *testing.T) {
	dress(t, Look{})
	submitted := ""
	f := NewField(FieldSpec{Label: "Password", Secret: true, Hidden: true})
	f.OnSubmit = func(s string) { submitted = s }
	w := window(t, f, 400, 90)
	f.Focus()
	test.Type(f.in, "secret words")
	clip := fyne.CurrentApp().Clipboard()
	clip.SetContent("before")
	f.in.TypedShortcut(&fyne.ShortcutSelectAll{})
	f.in.TypedShortcut(&fyne.ShortcutCopy{Clipboard: clip})
	if clip.Content() != "before" {
		t.Error("a hidden password was copied")
	}
	key(w, fyne.KeyReturn)
	if submitted != "secret words" || !f.in.Password {
		t.Errorf("submitted %q, hidden %v", submitted, f.in.Password)
	}
}

func TestFieldSaysWhatIsWrong(t *testing.T) {
	dress(t, Look{})
	f := NewField(FieldSpec{Label: "Password", Hint: "At least ten characters."})
	window(t, f, 400, 90)
	f.SetWrong("This password does not fit.")
	if f.hint.Text() != "This password does not fit." || f.box.edge.StrokeColor != C(ColorBad) || f.in.AccessibilityLabel() != "Password. This password does not fit." {
		t.Errorf("says %q in %v, a screen reader %q", f.hint.Text(), f.box.edge.StrokeColor, f.in.AccessibilityLabel())
	}
	f.SetWrong("")
	if f.hint.Text() != "At least ten characters." || f.box.edge.StrokeColor == C(ColorBad) || f.in.AccessibilityLabel() != "Password" {
		t.Errorf("taken back: says %q, a screen reader %q", f.hint.Text(), f.in.AccessibilityLabel())
	}
}

func TestCapsLockIsNoticed(t *testing.T) {
	dress(t, Look{})
	f := NewField(FieldSpec{Label: "Password"})
	window(t, f, 400, 90)
	f.Focus()
	shift := &fyne.KeyEvent{Name: desktop.KeyShiftRight}
	for _, row := range []struct {
		r     rune
		shift bool
		want  bool
	}{{'a', false, false}, {'A', true, false}, {'A', false, true}, {'1', false, true}, {'a', true, true}, {'a', false, false}} {
		if row.shift {
			f.in.KeyDown(shift)
		}
		f.in.TypedRune(row.r)
		f.in.KeyUp(shift)
		if f.CapsLock() != row.want {
			t.Errorf("after %q with Shift %v: Caps Lock %v, want %v", row.r, row.shift, f.CapsLock(), row.want)
		}
	}
}

func TestFieldKeepsItsLimit(t *testing.T) {
	dress(t, Look{})
	f := NewField(FieldSpec{Label: "Name", Limit: 4})
	window(t, f, 400, 90)
	test.Type(f.in, "äöüßxyz")
	if f.Text() != "äöüß" {
		t.Errorf("text %q, want four characters", f.Text())
	}
}
