package kit

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
)

// passage is the text of a message. It can be selected with the pointer, and is no stop of the Tab key: Fyne's selectable label
// is one, and swallows every key and shortcut once it was clicked. Whoever holds it keeps the keyboard, and copies for it.
type passage struct {
	base
	lines    block
	from, to int // what is selected, in bytes; from may be behind to
	marks    []*canvas.Rectangle

	picked func(*passage)         // the pointer went down in it
	menu   func(*fyne.PointEvent) // a menu is wanted
}

func newPassage(picked func(*passage), menu func(*fyne.PointEvent)) *passage {
	p := &passage{picked: picked, menu: menu}
	p.extend(p)
	return p
}

// set shows another text, in a width and at most so many lines.
func (p *passage) set(s string, width float32, f font, most int) {
	if s != p.lines.text {
		p.from, p.to = 0, 0
	}
	p.lines.flow(s, width, f, most)
	p.list()
}

// list says what is drawn: the marks under the lines.
func (p *passage) list() {
	p.objs = p.objs[:0]
	if p.from != p.to {
		for i := range p.lines.spans {
			p.objs = append(p.objs, p.marks[i])
		}
	}
	p.objs = p.lines.in(p.objs)
}

// selected is the text under the marks.
func (p *passage) selected() string {
	a, b := min(p.from, p.to), max(p.from, p.to)
	return p.lines.text[a:b]
}

// pick selects what lies between two places.
func (p *passage) pick(from, to int) {
	p.from, p.to = from, to
	for len(p.marks) < len(p.lines.spans) {
		p.marks = append(p.marks, newRect())
	}
	p.list()
	p.Refresh()
}

func (p *passage) least() fyne.Size { return fyne.Size{} }

func (p *passage) skin() {
	p.lines.paint(C(ColorText))
	for _, m := range p.marks {
		m.FillColor = C(theme.ColorNameSelection)
	}
}

func (p *passage) arrange(s fyne.Size) {
	p.lines.place(0, 0, s.Width, false)
	if p.from == p.to {
		return
	}
	a, b, h := min(p.from, p.to), max(p.from, p.to), p.lines.font.line()
	for i, l := range p.lines.spans {
		x0, x1 := p.across(i, max(a, l.from)), p.across(i, min(b, l.to))
		if b <= l.from || a >= l.to {
			x1 = x0
		}
		put(p.marks[i], min(x0, x1), float32(i)*h, max(x1-x0, x0-x1), h)
	}
}

// across is where in line i the byte at stands. In a line from right to left it counts from the right: good for a line of one
// direction, near enough for a mixed one.
func (p *passage) across(i, at int) float32 {
	l := p.lines.spans[i]
	text := p.lines.text[l.from:l.to]
	w := p.lines.font.width(text[:min(max(at-l.from, 0), len(text))])
	left := p.lines.left(i, p.Size().Width, false)
	if l.rtl {
		return left + l.width - w
	}
	return left + w
}

// under is the byte that is nearest to a place.
func (p *passage) under(at fyne.Position) int {
	if len(p.lines.spans) == 0 {
		return 0
	}
	i := min(max(int(at.Y/p.lines.font.line()), 0), len(p.lines.spans)-1)
	l := p.lines.spans[i]
	ends := clusters(p.lines.text[l.from:l.to], l.to-l.from)
	best, near := l.from, abs(p.across(i, l.from)-at.X)
	for _, e := range ends {
		if d := abs(p.across(i, l.from+e) - at.X); d < near {
			best, near = l.from+e, d
		}
	}
	return best
}

func abs(v float32) float32 { return max(v, -v) }

// MouseDown begins a selection.
func (p *passage) MouseDown(e *desktop.MouseEvent) {
	if e.Button != desktop.MouseButtonPrimary {
		return
	}
	p.picked(p)
	at := p.under(e.Position)
	p.pick(at, at)
}

// MouseUp is for Fyne.
func (p *passage) MouseUp(*desktop.MouseEvent) {}

// Dragged extends it.
func (p *passage) Dragged(e *fyne.DragEvent) { p.pick(p.from, p.under(e.Position)) }

// DragEnd is for Fyne.
func (p *passage) DragEnd() {}

// DoubleTapped selects a word.
func (p *passage) DoubleTapped(e *fyne.PointEvent) {
	at, text := p.under(e.Position), p.lines.text
	from := strings.LastIndexAny(text[:at], " \n") + 1
	to := strings.IndexAny(text[at:], " \n")
	if to < 0 {
		to = len(text) - at
	}
	p.pick(from, at+to)
}

// TappedSecondary asks for a menu.
func (p *passage) TappedSecondary(e *fyne.PointEvent) { p.menu(e) }

// Cursor is that of text.
func (p *passage) Cursor() desktop.Cursor { return desktop.TextCursor }

// AccessibilityLabel is the text.
func (p *passage) AccessibilityLabel() string { return p.lines.text }

// AccessibilityRole is container: the bubble around it reads it out.
func (p *passage) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
