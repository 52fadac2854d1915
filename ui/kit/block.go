package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// block is wrapped text as a part of a widget.
type block struct {
	text     string
	font     font
	width    float32
	most     int
	complete bool // nothing was left out

	spans  []span
	labels []*canvas.Text // as many as were ever needed
}

// flow breaks a text into at most most lines of a width, unless that is done.
func (b *block) flow(text string, width float32, f font, most int) {
	if b.text == text && b.width == width && b.font == f && b.most == most {
		return
	}
	b.text, b.width, b.font, b.most = text, width, f, most
	b.spans, b.complete = nil, true
	if text != "" {
		b.spans, b.complete = wrap(text, width, f, most)
	}
	for len(b.labels) < len(b.spans) {
		b.labels = append(b.labels, newLabel())
	}
	for i, s := range b.spans {
		l := b.labels[i]
		l.Text, l.TextSize, l.TextStyle = visual(text[s.from:s.to], s.rtl), f.size, f.style
	}
}

// height is that of the lines.
func (b *block) height() float32 { return float32(len(b.spans)) * b.font.line() }

// widest is the width of the longest line, in whole pixels.
func (b *block) widest() float32 {
	var w float32
	for _, s := range b.spans {
		w = max(w, s.width)
	}
	return up(w)
}

// paint gives the lines a colour.
func (b *block) paint(c color.Color) {
	for i := range b.spans {
		b.labels[i].Color = c
	}
}

// left is where a line begins in a width.
func (b *block) left(i int, width float32, centered bool) float32 {
	switch s := b.spans[i]; {
	case centered:
		return (width - s.width) / 2
	case s.rtl:
		return width - s.width
	}
	return 0
}

// place puts the lines under each other.
func (b *block) place(x, y, width float32, centered bool) {
	h := b.font.line()
	for i := range b.spans {
		centred(b.labels[i], x+b.left(i, width, centered), y+float32(i)*h, h)
	}
}

// in adds the lines to what a widget draws.
func (b *block) in(o []fyne.CanvasObject) []fyne.CanvasObject {
	for i := range b.spans {
		o = append(o, b.labels[i])
	}
	return o
}
