package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// Relay lays the objects of a container out again at the size that it has, after one of them was exchanged or became higher.
func Relay(c *fyne.Container) {
	if c.Layout != nil {
		c.Layout.Layout(c.Objects, c.Size())
	}
	canvas.Refresh(c)
}

// Over puts a panel at the right edge of a pane: beside what is there, or over it in a window that is narrower than NarrowWidth.
// While the panel is hidden the pane has all the room.
func Over(pane, panel fyne.CanvasObject) *fyne.Container {
	return container.New(over{}, pane, panel)
}

// over is Over.
type over struct{}

func (over) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (over) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := S(PanelWidth)
	switch {
	case !o[1].Visible():
		put(o[0], 0, 0, s.Width, s.Height)
	case s.Width < S(NarrowWidth-RailWidth-ListWidth):
		put(o[0], 0, 0, s.Width, s.Height)
		put(o[1], 0, 0, s.Width, s.Height)
	default:
		put(o[0], 0, 0, s.Width-w, s.Height)
		put(o[1], s.Width-w, 0, w, s.Height)
	}
}

// Roomy puts an object of a fixed width left of another, where there is room for both; otherwise it is left out.
func Roomy(width float32, left, rest fyne.CanvasObject) *fyne.Container {
	return container.New(roomy{width}, left, rest)
}

// roomy is Roomy.
type roomy struct{ width float32 }

func (r roomy) MinSize(o []fyne.CanvasObject) fyne.Size { return o[1].MinSize() }

func (r roomy) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := S(r.width)
	if s.Width-w < o[1].MinSize().Width {
		put(o[0], -w, 0, w, s.Height) // out of sight; hiding it would walk the tree
		w = 0
	} else {
		put(o[0], 0, 0, w, s.Height)
	}
	put(o[1], w, 0, s.Width-w, s.Height)
}

// Beneath puts an object under a list: directly below its last row while there is room, at the lower edge when the list is longer.
func Beneath(l *List, below fyne.CanvasObject) *fyne.Container {
	return container.New(beneath{l}, l, below)
}

// beneath is Beneath.
type beneath struct{ list *List }

func (b beneath) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[0].MinSize()
	return fyne.NewSize(m.Width, m.Height+o[1].MinSize().Height)
}

func (b beneath) Layout(o []fyne.CanvasObject, s fyne.Size) {
	h := fill(o[1], s.Width)
	top := min(float32(b.list.n)*b.list.rowHeight(), max(s.Height-h, b.list.rowHeight()))
	put(o[0], 0, 0, s.Width, top)
	put(o[1], 0, top, s.Width, min(h, s.Height-top))
}

// Snug puts a mark right behind a name. A name that is too long for both becomes shorter.
func Snug(gap float32, name *Text, mark fyne.CanvasObject) *fyne.Container {
	return container.New(snug{gap}, name, mark)
}

// snug is Snug.
type snug struct{ gap float32 }

func (n snug) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[1].MinSize()
	return fyne.NewSize(S(24)+S(n.gap)+m.Width, max(o[0].MinSize().Height, m.Height))
}

func (n snug) Layout(o []fyne.CanvasObject, s fyne.Size) {
	m, name := o[1].MinSize(), o[0].MinSize()
	room := s.Width
	if m.Width > 0 {
		room -= m.Width + S(n.gap)
	}
	w := max(min(name.Width, room), 0)
	put(o[0], 0, (s.Height-name.Height)/2, w, name.Height)
	put(o[1], w+S(n.gap), (s.Height-m.Height)/2, m.Width, m.Height)
}

// Columns puts objects beside each other in columns of one width, each at least so wide, and begins another line where they do not
// fit. The objects of a line are of one height.
func Columns(least, gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(&columns{least: least, gap: gap}, o...)
}

// columns is Columns. It remembers the width that it was last given: how high it becomes depends on it.
type columns struct{ least, gap, width float32 }

// each is how many columns there are in a width, and how wide they are.
func (c *columns) each(n int, width float32) (across int, wide float32) {
	gap := S(c.gap)
	across = max(min(int((width+gap)/(S(c.least)+gap)), n), 1)
	return across, (width - gap*float32(across-1)) / float32(across)
}

func (c *columns) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := fyne.NewSize(S(c.least), 0)
	across, _ := c.each(len(o), max(c.width, S(c.least)))
	for from := 0; from < len(o); from += across {
		high := float32(0)
		for _, x := range o[from:min(from+across, len(o))] {
			k := x.MinSize()
			high, m.Width = max(high, k.Height), max(m.Width, k.Width)
		}
		m.Height += high + S(c.gap)
	}
	m.Height = max(m.Height-S(c.gap), 0)
	return m
}

func (c *columns) Layout(o []fyne.CanvasObject, s fyne.Size) {
	c.width = s.Width
	across, wide := c.each(len(o), s.Width)
	y := float32(0)
	for from := 0; from < len(o); from += across {
		line, high := o[from:min(from+across, len(o))], float32(0)
		for _, x := range line {
			high = max(high, fill(x, whole(wide)))
		}
		if across == len(o) {
			high = max(high, s.Height)
		}
		for i, x := range line {
			put(x, float32(i)*(wide+S(c.gap)), y, whole(wide), high)
		}
		y += high + S(c.gap)
	}
}
