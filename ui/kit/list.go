package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
)

// ListRow is a row of a List, made once and filled again and again. One that has a method SetSelected(bool) is told when it is the
// open one: accent and red do not read well enough on its ground.
type ListRow interface {
	fyne.CanvasObject
	fyne.Accessible
}

// ListSpec says what a List shows.
type ListSpec struct {
	Label  string                   // said, not drawn
	Height float32                  // of every row, at 100 %
	New    func() ListRow           // makes an empty row
	Bind   func(i int, row ListRow) // fills it with entry i
	OnOpen func(i int)              // click, or Return
	OnMenu func(i int, at fyne.Position)
	OnRune func(r rune) // typed while the list has the keyboard: a search may begin
}

// List is a column of rows of one height, of which only the visible ones exist. It is one stop of the Tab key: arrows move a cursor
// in it, Return opens.
type List struct {
	base
	spec     ListSpec
	n        int
	selected int
	cursor   int // under the keyboard, -1 for none
	hovered  int // under the pointer, -1 for none
	focused  bool
	offset   float32

	live  map[int]*listCell
	spare []*listCell
	cells []*listCell // of one pass
	bar   *bar
}

// NewList makes an empty one.
func NewList(s ListSpec) *List {
	l := &List{spec: s, selected: -1, cursor: -1, hovered: -1, live: map[int]*listCell{}}
	l.bar = newBar(l.scrollTo, l.page)
	l.extend(l, l.bar)
	return l
}

// Update shows n entries, number selected as open (-1 for none). Every visible row is filled anew.
func (l *List) Update(n, selected int) {
	l.n, l.selected = n, selected
	if l.cursor >= n {
		l.cursor = n - 1
	}
	for _, c := range l.live {
		c.bound = false
	}
	l.lay()
}

// Select marks another entry as open and brings it into view.
func (l *List) Select(i int) {
	l.selected = i
	l.reveal(i)
	l.lay()
}

// Focus gives it the keyboard.
func (l *List) Focus() { focus(l) }

func (l *List) rowHeight() float32 { return S(l.spec.Height) }

// reveal scrolls as little as brings entry i into view.
func (l *List) reveal(i int) {
	if i < 0 {
		return
	}
	y, h := float32(i)*l.rowHeight(), l.rowHeight()
	if y < l.offset {
		l.offset = y
	} else if y+h > l.offset+l.Size().Height {
		l.offset = y + h - l.Size().Height
	}
}

func (l *List) scrollTo(y float32) {
	l.offset = whole(y)
	l.lay()
}

func (l *List) page(down bool) {
	l.scrollTo(l.offset + choose[float32](down, 1, -1)*l.Size().Height*0.95)
}

// Scrolled is the wheel.
func (l *List) Scrolled(e *fyne.ScrollEvent) { l.scrollTo(l.offset - e.Scrolled.DY) }

// lay fills and places the rows in view.
func (l *List) lay() {
	s, h := l.Size(), l.rowHeight()
	if s.Height <= 0 {
		return
	}
	total := float32(l.n) * h
	l.offset = min(max(l.offset, 0), max(total-s.Height, 0))
	first := int(l.offset / h)
	last := min(int((l.offset+s.Height-1)/h), l.n-1)
	for i, c := range l.live {
		if i < first || i > last {
			delete(l.live, i)
			l.spare = append(l.spare, c)
		}
	}
	l.cells = l.cells[:0]
	for i := first; i <= last; i++ {
		c := l.cell(i)
		c.show(i == l.selected, i == l.hovered, l.focused && i == l.cursor)
		put(c, 0, float32(i)*h-l.offset, s.Width, h)
		l.cells = append(l.cells, c)
	}
	l.list()
	l.bar.set(total, s.Height, l.offset)
	canvas.Refresh(l)
}

// list says what is drawn.
func (l *List) list() {
	l.objs = l.objs[:0]
	for _, c := range l.cells {
		l.objs = append(l.objs, c)
	}
	l.objs = append(l.objs, l.bar)
}

// cell is the row of entry i, filled.
func (l *List) cell(i int) *listCell {
	c := l.live[i]
	if c == nil {
		if n := len(l.spare); n > 0 {
			c, l.spare = l.spare[n-1], l.spare[:n-1]
			c.skin() // the theme may have changed while it lay there
		} else {
			c = newListCell(l.spec.New())
		}
		c.bound = false
		l.live[i] = c
	}
	if !c.bound {
		c.bound = true
		l.spec.Bind(i, c.row)
	}
	return c
}

func (l *List) least() fyne.Size { return fyne.NewSize(S(120), l.rowHeight()) }

func (l *List) arrange(s fyne.Size) {
	w := l.bar.MinSize().Width
	put(l.bar, s.Width-w, 0, w, s.Height)
	l.lay()
}

func (l *List) skin() {
	for _, c := range l.live {
		c.bound = false // the theme may have changed, and with it what rows remember
	}
}

// at is the entry at a height, -1 for none.
func (l *List) at(y float32) int {
	i := int((y + l.offset) / l.rowHeight())
	return choose(i < l.n, i, -1)
}

// Tapped opens.
func (l *List) Tapped(e *fyne.PointEvent) { l.open(l.at(e.Position.Y)) }

// TappedSecondary asks for a menu.
func (l *List) TappedSecondary(e *fyne.PointEvent) {
	if i := l.at(e.Position.Y); i >= 0 && l.spec.OnMenu != nil {
		l.spec.OnMenu(i, e.AbsolutePosition)
	}
}

func (l *List) open(i int) {
	if i < 0 || i >= l.n {
		return
	}
	l.cursor = i
	if l.spec.OnOpen != nil {
		l.spec.OnOpen(i)
	}
}

// MouseIn lights the row under the pointer up.
func (l *List) MouseIn(e *desktop.MouseEvent) { l.hover(l.at(e.Position.Y)) }

// MouseMoved follows it.
func (l *List) MouseMoved(e *desktop.MouseEvent) { l.hover(l.at(e.Position.Y)) }

// MouseOut ends that.
func (l *List) MouseOut() { l.hover(-1) }

func (l *List) hover(i int) {
	if i != l.hovered {
		l.hovered = i
		l.lay()
	}
}

// Cursor is a hand.
func (l *List) Cursor() desktop.Cursor { return desktop.PointerCursor }

// FocusGained draws the ring around the row of the cursor: the open one at first.
func (l *List) FocusGained() {
	l.focused = true
	if l.cursor < 0 {
		l.cursor = max(l.selected, 0)
	}
	l.reveal(l.cursor)
	l.lay()
}

// FocusLost takes it away.
func (l *List) FocusLost() {
	l.focused = false
	l.lay()
}

// TypedRune hands on what is typed.
func (l *List) TypedRune(r rune) {
	if l.spec.OnRune != nil && r != ' ' {
		l.spec.OnRune(r)
	}
}

// TypedKey moves the cursor and opens.
func (l *List) TypedKey(k *fyne.KeyEvent) {
	page := max(int(l.Size().Height/l.rowHeight())-1, 1)
	switch {
	case pushes(k):
		l.open(l.cursor)
		return
	case k.Name == desktop.KeyMenu, k.Name == fyne.KeyF10 && shiftHeld():
		l.menu()
		return
	case k.Name == fyne.KeyUp:
		l.cursor--
	case k.Name == fyne.KeyDown:
		l.cursor++
	case k.Name == fyne.KeyPageUp:
		l.cursor -= page
	case k.Name == fyne.KeyPageDown:
		l.cursor += page
	case k.Name == fyne.KeyHome:
		l.cursor = 0
	case k.Name == fyne.KeyEnd:
		l.cursor = l.n - 1
	default:
		forwardKey(l, k)
		return
	}
	l.cursor = max(min(l.cursor, l.n-1), 0)
	l.reveal(l.cursor)
	l.lay()
}

// menu asks for the menu of the row under the cursor.
func (l *List) menu() {
	c := l.live[l.cursor]
	if c == nil || l.spec.OnMenu == nil {
		return
	}
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(c)
	l.spec.OnMenu(l.cursor, at.AddXY(S(GapLarge), c.Size().Height/2))
}

// AccessibilityLabel is the name of the list, and the row under the cursor.
func (l *List) AccessibilityLabel() string {
	if c := l.live[l.cursor]; c != nil && l.focused {
		return l.spec.Label + ": " + c.AccessibilityLabel()
	}
	return l.spec.Label
}

// AccessibilityRole is container.
func (l *List) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// listCell is a row with the ground that says open, hovered, under the keyboard.
type listCell struct {
	base
	back, veil, ring            *canvas.Rectangle
	row                         ListRow
	selected, hovered, focussed bool
	bound                       bool
}

func newListCell(r ListRow) *listCell {
	c := &listCell{back: newRect(), veil: newRect(), ring: newRect(), row: r}
	c.extend(c, c.back, c.veil, r, c.ring)
	return c
}

// show draws a state.
func (c *listCell) show(selected, hovered, focussed bool) {
	if c.selected == selected && c.hovered == hovered && c.focussed == focussed {
		return
	}
	c.selected, c.hovered, c.focussed = selected, hovered, focussed
	if r, ok := c.row.(interface{ SetSelected(bool) }); ok {
		r.SetSelected(selected)
	}
	c.Refresh()
}

func (c *listCell) least() fyne.Size { return fyne.Size{} }

func (c *listCell) arrange(s fyne.Size) {
	for _, r := range []*canvas.Rectangle{c.back, c.veil, c.ring} {
		put(r, S(GapSmall), 1, s.Width-2*S(GapSmall), s.Height-2)
	}
	put(c.row, 0, 0, s.Width, s.Height)
}

func (c *listCell) skin() {
	for _, r := range []*canvas.Rectangle{c.back, c.veil, c.ring} {
		r.FillColor, r.CornerRadius = color.Transparent, S(12)
	}
	if c.selected {
		c.back.FillColor = C(ColorSelected)
	}
	if c.hovered {
		c.veil.FillColor = C(colorHover)
	}
	ring(c.ring, c.focussed, ColorAccent)
}

// AccessibilityLabel is that of the row.
func (c *listCell) AccessibilityLabel() string { return c.row.AccessibilityLabel() }

// AccessibilityRole is button: a row opens.
func (c *listCell) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
