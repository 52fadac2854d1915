package kit

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// restAfter is how long a cursor blinks without a key. Each blink paints the window: a quarter of a core where GL is software.
const restAfter = 10 * time.Second

// input is Fyne's entry without its habits: it hands on the keys and shortcuts that it does not know, lets Tab pass, stops
// blinking, and knows whether Caps Lock seems to be on.
type input struct {
	widget.Entry
	label string // said, not drawn
	keys  func(*fyne.KeyEvent) bool
	focus func(bool)
	moved func() // the cursor is somewhere else, or rests

	shift, caps bool
	holder      bool // it has the keyboard
	resting     bool // it has the keyboard, but the entry below was told otherwise and stands still
	alarm       alarm
}

func newInput(label string) *input {
	i := &input{label: label}
	i.ExtendBaseWidget(i)
	return i
}

// AcceptsTab is false, or nobody would get out of the composer by keyboard: an entry of many lines takes Tab for itself.
func (i *input) AcceptsTab() bool { return false }

// SetText writes something else. A cursor that stands still moves with it.
func (i *input) SetText(s string) {
	i.Entry.SetText(s)
	if i.resting {
		i.tell()
	}
}

// editing are the shortcuts of Fyne's entry that are no types of their own.
func editing(s *desktop.CustomShortcut) bool {
	switch s.KeyName {
	case fyne.KeyLeft, fyne.KeyRight:
		return s.Modifier == fyne.KeyModifierShortcutDefault || s.Modifier == fyne.KeyModifierShortcutDefault|fyne.KeyModifierShift
	case fyne.KeyBackspace, fyne.KeyDelete:
		return s.Modifier == fyne.KeyModifierShortcutDefault
	}
	return false
}

// TypedShortcut edits, or hands the shortcut on to the window: a focused entry swallows them otherwise.
func (i *input) TypedShortcut(s fyne.Shortcut) {
	if c, ok := s.(*desktop.CustomShortcut); ok && !editing(c) {
		forwardShortcut(i, s)
		return
	}
	i.wake()
	i.Entry.TypedShortcut(s)
}

// TypedKey asks the owner first, then edits.
func (i *input) TypedKey(k *fyne.KeyEvent) {
	i.wake() // the owner may empty it, and the cursor that stands still would stay where it was
	if i.keys != nil && i.keys(k) {
		return
	}
	switch k.Name {
	case fyne.KeyBackspace, fyne.KeyDelete, fyne.KeyReturn, fyne.KeyEnter, fyne.KeyUp, fyne.KeyDown, fyne.KeyLeft, fyne.KeyRight,
		fyne.KeyHome, fyne.KeyEnd, fyne.KeyPageUp, fyne.KeyPageDown:
		i.Entry.TypedKey(k)
	case fyne.KeyEscape, fyne.KeyF1, fyne.KeyF2, fyne.KeyF3, fyne.KeyF4, fyne.KeyF5, fyne.KeyF6, fyne.KeyF7, fyne.KeyF8, fyne.KeyF9,
		fyne.KeyF10, fyne.KeyF11, fyne.KeyF12, desktop.KeyMenu:
		forwardKey(i, k)
	}
}

// TypedRune writes a character. A capital without Shift, or a small letter with it, means Caps Lock.
func (i *input) TypedRune(r rune) {
	if unicode.IsUpper(r) || unicode.IsLower(r) {
		i.caps = unicode.IsUpper(r) != (i.shift || shiftHeld())
	}
	i.wake()
	i.Entry.TypedRune(r)
}

// KeyDown remembers Shift.
func (i *input) KeyDown(k *fyne.KeyEvent) {
	i.shift = i.shift || isShift(k)
	i.Entry.KeyDown(k)
}

// KeyUp forgets it.
func (i *input) KeyUp(k *fyne.KeyEvent) {
	if isShift(k) {
		i.shift = false
	}
	i.Entry.KeyUp(k)
}

// MouseDown ends the rest before the entry looks where the pointer is.
func (i *input) MouseDown(e *desktop.MouseEvent) {
	i.wake()
	i.Entry.MouseDown(e)
}

// DoubleTapped selects a word.
func (i *input) DoubleTapped(e *fyne.PointEvent) {
	i.wake()
	i.Entry.DoubleTapped(e)
}

// FocusGained starts the cursor and tells the owner.
func (i *input) FocusGained() {
	i.holder, i.resting = true, false
	i.Entry.FocusGained()
	i.countdown()
	if i.focus != nil {
		i.focus(true)
	}
}

// FocusLost ends both.
func (i *input) FocusLost() {
	i.holder, i.resting, i.shift = false, false, false
	i.alarm.stop()
	i.Entry.FocusLost()
	if i.focus != nil {
		i.focus(false)
	}
}

// countdown lets the cursor blink for another while.
func (i *input) countdown() { i.alarm.set(restAfter, i.rest) }

// rest stops the cursor: the entry is told that it has lost the keyboard, and its owner draws a cursor that stands still. What is
// selected would vanish with it, so that a selection keeps it awake.
func (i *input) rest() {
	if !i.holder || i.resting {
		return
	}
	if i.SelectedText() != "" {
		i.countdown()
		return
	}
	i.resting = true
	i.Entry.FocusLost()
	i.tell()
}

// wake lets it blink again.
func (i *input) wake() {
	if !i.holder {
		return
	}
	if i.resting {
		i.resting = false
		i.Entry.FocusGained()
		i.tell()
	}
	i.countdown()
}

// tell says that the cursor changed.
func (i *input) tell() {
	if i.moved != nil {
		i.moved()
	}
}

// AccessibilityLabel is what is asked for; never what was written, which may be a password.
func (i *input) AccessibilityLabel() string { return i.label }

// AccessibilityRole is text: Fyne knows no role for what is written in.
func (i *input) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// inputBox is the box around an input, with its ring, an icon before it and buttons behind it.
//
// Fyne's entry draws a ring in the colour of its cursor, so that it cannot be switched off alone. Here it is covered: the entry has
// square corners (theme.go), four strips in the colour of the box lie on its edges, and the box draws a ring of its own.
type inputBox struct {
	silent
	in     *input
	back   *canvas.Rectangle
	edge   *canvas.Rectangle // border and ring, above the strips
	caret  *canvas.Rectangle // stands still while the input rests
	strips [4]*canvas.Rectangle
	g      *glyph
	icon   Icon
	left   fyne.CanvasObject
	trail  []fyne.CanvasObject
	radius float32
	rows   int
	bad    bool
}

// newInputBox puts an input into a box; left may be nil.
func newInputBox(in *input, icon Icon, left fyne.CanvasObject, trail ...fyne.CanvasObject) *inputBox {
	b := &inputBox{in: in, back: newRect(), edge: newRect(), caret: newRect(), g: newGlyph(), icon: icon, left: left, trail: trail, radius: inputRadius, rows: 1}
	in.focus = func(bool) { b.Refresh() }
	in.moved = func() { b.Refresh() }
	o := []fyne.CanvasObject{b.back}
	if icon != IconNone {
		o = append(o, b.g.Raster)
	}
	if left != nil {
		o = append(o, left)
	}
	o = append(o, in)
	for i := range b.strips {
		b.strips[i] = newRect()
		o = append(o, b.strips[i])
	}
	b.extend(b, append(append(o, b.edge), append(trail, b.caret)...)...)
	return b
}

// strip is how wide the covered edge of the entry is; entryPad the room that it leaves around its text.
const (
	strip    = 3
	entryPad = 8
	barStrip = entryPad // below a single line: there Fyne shows a scroll bar under what is longer than the field
)

// lead and tail are the room before and behind the input.
func (b *inputBox) lead() float32 {
	switch {
	case b.left != nil:
		return S(2) + b.left.MinSize().Width
	case b.icon != IconNone:
		return S(8 + 16 - 2)
	}
	return S(4)
}

func (b *inputBox) tail() float32 {
	w := S(4)
	for _, o := range b.trail {
		if o.Visible() {
			w += o.MinSize().Width
		}
	}
	return w
}

// textHeight is that of the rows in the input: exactly what Fyne computes, or it shows a scroll bar.
func (b *inputBox) textHeight() float32 {
	return up(fyne.MeasureText("M", TypeBody.size(), fyne.TextStyle{}).Height*float32(b.rows)) + 2*S(entryPad)
}

// textWidth is the room for text in the input.
func (b *inputBox) textWidth() float32 { return b.in.Size().Width - 2*S(entryPad) }

func (b *inputBox) least() fyne.Size {
	return fyne.NewSize(b.lead()+S(60)+b.tail(), max(S(inputHeight), b.textHeight()+S(4)))
}

func (b *inputBox) arrange(s fyne.Size) {
	put(b.back, 0, 0, s.Width, s.Height)
	put(b.edge, 0, 0, s.Width, s.Height)
	put(b.g.Raster, S(8), (s.Height-S(16))/2, S(16), S(16))
	if b.left != nil {
		m := b.left.MinSize()
		put(b.left, S(6), s.Height-m.Height-(S(inputHeight)-m.Height)/2, m.Width, m.Height)
	}
	x := s.Width - S(4)
	for i := len(b.trail) - 1; i >= 0; i-- {
		o := b.trail[i]
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		x -= m.Width
		put(o, x, s.Height-m.Height-(S(inputHeight)-m.Height)/2, m.Width, m.Height)
	}
	h := b.textHeight()
	put(b.in, b.lead(), (s.Height-h)/2, s.Width-b.lead()-b.tail(), h)
	b.cover()
	b.placeCaret()
}

// cover lays the strips over the edge of the entry.
func (b *inputBox) cover() {
	at, s, w := b.in.Position(), b.in.Size(), S(strip)
	put(b.strips[0], at.X, at.Y, s.Width, w)
	low := choose(b.in.MultiLine, w, S(barStrip))
	put(b.strips[1], at.X, at.Y+s.Height-low, s.Width, low)
	put(b.strips[2], at.X, at.Y, w, s.Height)
	put(b.strips[3], at.X+s.Width-w, at.Y, w, s.Height)
}

// placeCaret stands where the cursor of the resting input was. It does not where the text is longer than its room: how far the
// entry has scrolled is its secret.
func (b *inputBox) placeCaret() {
	f := bodyFont()
	var fits bool
	if b.in.MultiLine {
		_, fits = wrap(b.in.Text, b.textWidth(), f, b.rows)
	} else {
		shown := b.in.Text
		if b.in.Password {
			shown = strings.Repeat("•", utf8.RuneCountInString(shown))
		}
		fits = len(shown) < 1000 && f.width(shown) < b.textWidth()
	}
	if !b.in.resting || !fits {
		b.caret.Resize(fyne.Size{})
		return
	}
	at := b.in.Position().Add(b.in.CursorPosition())
	put(b.caret, at.X, at.Y, S(2), f.line())
}

func (b *inputBox) skin() {
	b.back.FillColor, b.back.CornerRadius, b.edge.CornerRadius = C(ColorInput), S(b.radius), S(b.radius)
	for _, s := range b.strips {
		s.FillColor = C(ColorInput)
	}
	b.g.set(b.icon, C(ColorMuted))
	stroke, width := ColorBorder, float32(1)
	if b.in.holder {
		stroke, width = ColorAccent, S(2)
	}
	if b.bad {
		stroke = ColorBad
	}
	b.edge.StrokeColor, b.edge.StrokeWidth, b.edge.FillColor = C(stroke), width, seeThrough(C(stroke))
	b.caret.FillColor = choose(b.in.resting, C(ColorAccent), seeThrough(C(ColorAccent)))
}
