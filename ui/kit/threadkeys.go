package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Focus gives the thread the keyboard, with the cursor on the newest message in view.
func (t *Thread) Focus() { focus(t) }

// Selected is the text that was selected with the pointer, empty for none.
func (t *Thread) Selected() string {
	if t.chosen == nil {
		return ""
	}
	return t.chosen.selected()
}

// pick comes with the pointer: text in a bubble is being selected. What was selected elsewhere is not any more.
func (t *Thread) pick(p *passage) {
	if t.chosen != nil && t.chosen != p {
		t.chosen.pick(0, 0)
	}
	t.chosen = p
	if !t.focused {
		t.click = true
		focus(t)
		t.click = false
	}
}

func (t *Thread) open(key string) {
	if t.do.OnOpen != nil && key != "" {
		t.do.OnOpen(key)
	}
}

func (t *Thread) menu(key string, at fyne.Position) {
	if t.do.OnMenu != nil && key != "" {
		t.do.OnMenu(key, at)
	}
}

// FocusGained puts the cursor on the newest message in view, unless a click brought the keyboard.
func (t *Thread) FocusGained() {
	t.focused = true
	if !t.click {
		t.setCursor(min(t.last, len(t.entries)-1))
	}
}

// FocusLost takes the cursor away.
func (t *Thread) FocusLost() {
	t.focused = false
	t.setCursor(-1)
}

// setCursor moves the cursor to row i and scrolls as little as brings it into view.
func (t *Thread) setCursor(i int) {
	t.markDirty(t.cursor)
	t.cursor = i
	t.markDirty(i)
	if i >= 0 && i < len(t.entries) {
		t.bringIn(i)
	}
	t.lay()
}

// markDirty makes row i be filled anew: the ring is drawn by the row.
func (t *Thread) markDirty(i int) {
	if r := t.live[i]; r != nil {
		r.bound = false
	}
}

// bringIn scrolls as little as brings row i into view.
func (t *Thread) bringIn(i int) {
	if t.width <= 0 || t.high <= 0 {
		return
	}
	t.begin = -1
	pad := px(threadPad)
	h := t.row(i).height
	top := t.heights.before(i) + pad - t.offset()
	switch {
	case top < pad:
		t.anchor, t.was, t.low, t.end = i, h, t.high-pad-h, false
	case top+h > t.high-pad:
		t.anchor, t.was, t.low, t.end = i, h, pad, false
	}
}

// TypedRune belongs to the composer while the cursor is on no message; on one, keys are commands.
func (t *Thread) TypedRune(r rune) {
	if t.cursor < 0 && t.do.OnRune != nil {
		t.do.OnRune(r)
	}
}

// TypedShortcut copies, or hands the shortcut on to the window.
func (t *Thread) TypedShortcut(s fyne.Shortcut) {
	if _, ok := s.(*fyne.ShortcutCopy); ok {
		t.copy()
		return
	}
	forwardShortcut(t, s)
}

// copy puts what is selected, or the message under the cursor, on the clipboard.
func (t *Thread) copy() {
	s := t.Selected()
	if s == "" && t.cursor >= 0 {
		s = t.entries[t.cursor].m.Text
	}
	if s != "" {
		fyne.CurrentApp().Clipboard().SetContent(s)
	}
}

// TypedKey moves the cursor, opens, or hands the key on.
func (t *Thread) TypedKey(k *fyne.KeyEvent) {
	if len(t.entries) == 0 {
		forwardKey(t, k)
		return
	}
	at := choose(t.cursor < 0, t.last+1, t.cursor)
	switch {
	case k.Name == fyne.KeyEscape && t.do.OnLeave != nil:
		t.do.OnLeave()
		return
	case k.Name == fyne.KeyUp:
		at--
	case k.Name == fyne.KeyDown:
		at++
	case k.Name == fyne.KeyPageUp:
		at = t.beyond(-1)
	case k.Name == fyne.KeyPageDown:
		at = t.beyond(1)
	case k.Name == fyne.KeyHome:
		at = 0
	case k.Name == fyne.KeyEnd:
		at = len(t.entries) - 1
	default:
		t.command(k)
		return
	}
	t.setCursor(max(min(at, len(t.entries)-1), 0))
}

// beyond is the row a view further up or down.
func (t *Thread) beyond(way int) int {
	from := choose(t.cursor < 0, t.last, t.cursor)
	return t.heights.at(t.heights.before(from) + way*t.high*9/10)
}

// command is a key that does something with the message under the cursor.
func (t *Thread) command(k *fyne.KeyEvent) {
	key := t.keyOf(t.cursor)
	switch {
	case key == "":
		forwardKey(t, k)
	case pushes(k):
		t.open(key)
	case k.Name == desktop.KeyMenu, k.Name == fyne.KeyF10 && shiftHeld():
		r := t.live[t.cursor]
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(r)
		t.menu(key, at.AddXY(r.bubbleLeft()+S(GapMedium), r.top+S(GapMedium)))
	case k.Name == fyne.KeyC && t.do.OnKey == nil:
		t.copy()
	case t.do.OnKey != nil:
		t.do.OnKey(key, k)
	default:
		forwardKey(t, k)
	}
}

// jump floats over the thread while the newest message is out of sight, with the number of those that were not seen. It is no stop
// of the Tab key: the key End does the same.
type jump struct {
	base
	back, veil *canvas.Rectangle
	g          *glyph
	badge      *Badge
	hovered    bool
	missed     int
	on         func()
}

func newJump(on func()) *jump {
	j := &jump{back: newRect(), veil: newRect(), g: newGlyph(), badge: NewBadge(), on: on}
	j.extend(j, j.back, j.veil, j.g.Raster, j.badge)
	return j
}

// show says whether it is there, and how many messages were not seen. It returns on.
func (j *jump) show(on bool, missed int) bool {
	if missed != j.missed || on && j.stale() {
		j.missed = missed
		j.badge.Set(Count{Unread: missed})
		j.Refresh()
	}
	return on
}

func (j *jump) least() fyne.Size { return fyne.NewSquareSize(S(40)) }

func (j *jump) arrange(s fyne.Size) {
	put(j.back, 0, 0, s.Width, s.Height)
	put(j.veil, 0, 0, s.Width, s.Height)
	put(j.g.Raster, (s.Width-S(20))/2, (s.Height-S(20))/2, S(20), S(20))
	m := j.badge.MinSize()
	put(j.badge, (s.Width-m.Width)/2, -S(12), m.Width, m.Height)
}

func (j *jump) skin() {
	j.back.FillColor, j.back.StrokeColor, j.back.StrokeWidth, j.back.CornerRadius = C(ColorSide), C(ColorBorder), 1, S(20)
	j.veil.FillColor, j.veil.CornerRadius = choose(j.hovered, C(colorHover), seeThrough(C(colorHover))), S(20)
	j.g.set(IconDown, C(ColorMuted))
}

// Tapped goes to the newest message.
func (j *jump) Tapped(*fyne.PointEvent) { j.on() }

// MouseIn lights it up.
func (j *jump) MouseIn(*desktop.MouseEvent) { j.hovered = true; j.Refresh() }

// MouseMoved is for Fyne.
func (j *jump) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends that.
func (j *jump) MouseOut() { j.hovered = false; j.Refresh() }

// Cursor is a hand.
func (j *jump) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel says where it leads, and how many messages wait there.
func (j *jump) AccessibilityLabel() string {
	if j.missed > 0 {
		return text.Say(text.ThreadMissed, text.N(j.missed))
	}
	return text.Say(text.ThreadJump)
}

// AccessibilityRole is button.
func (j *jump) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
