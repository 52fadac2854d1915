package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
)

// bar is the scroll bar of a List or a Thread: thin, wider under the pointer.
type bar struct {
	silent
	thumb              *canvas.Rectangle
	total, view, where float32
	hovered, dragged   bool
	from               float32          // where the thumb was when it was taken
	move               func(to float32) // somebody wants to be there
	page               func(down bool)  // somebody clicked beside the thumb
}

func newBar(move func(float32), page func(bool)) *bar {
	b := &bar{thumb: newRect(), move: move, page: page}
	b.extend(b, b.thumb)
	return b
}

// set says how long everything is, how much of it is seen, and from where.
func (b *bar) set(total, view, where float32) {
	if b.total == total && b.view == view && b.where == where {
		return
	}
	b.total, b.view, b.where = total, view, where
	b.arrange(b.Size())
	b.skin()
}

// length is that of the thumb, travel how far it can go.
func (b *bar) length() (length, travel float32) {
	h := b.Size().Height
	if b.total <= b.view || h <= 0 {
		return 0, 0
	}
	length = max(h*b.view/b.total, S(32))
	return min(length, h), max(h-length, 0)
}

func (b *bar) least() fyne.Size { return fyne.NewSize(S(12), S(32)) }

func (b *bar) arrange(s fyne.Size) {
	length, travel := b.length()
	w := choose(b.hovered || b.dragged, S(8), S(4))
	y := float32(0)
	if b.total > b.view {
		y = travel * b.where / (b.total - b.view)
	}
	put(b.thumb, s.Width-w-S(2), y, w, length)
	b.thumb.CornerRadius = w / 2
}

func (b *bar) skin() {
	b.thumb.FillColor = color.Transparent
	if b.total > b.view {
		b.thumb.FillColor = C(theme.ColorNameScrollBar)
	}
}

// MouseIn makes it wider.
func (b *bar) MouseIn(*desktop.MouseEvent) { b.hovered = true; b.Refresh() }

// MouseMoved is for Fyne.
func (b *bar) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends that.
func (b *bar) MouseOut() { b.hovered = false; b.Refresh() }

// Dragged moves the thumb with the pointer.
func (b *bar) Dragged(e *fyne.DragEvent) {
	_, travel := b.length()
	if travel <= 0 {
		return
	}
	if !b.dragged {
		b.dragged, b.from = true, b.thumb.Position().Y
	}
	b.from += e.Dragged.DY
	b.move(min(max(b.from, 0), travel) / travel * (b.total - b.view))
}

// DragEnd lets it go.
func (b *bar) DragEnd() { b.dragged = false; b.Refresh() }

// Tapped beside the thumb goes a page that way.
func (b *bar) Tapped(e *fyne.PointEvent) {
	length, _ := b.length()
	switch y := b.thumb.Position().Y; {
	case e.Position.Y < y:
		b.page(false)
	case e.Position.Y > y+length:
		b.page(true)
	}
}
