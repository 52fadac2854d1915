package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// silent is a widget that says nothing to those who do not see it: it is decoration, or the words beside or in it say the same.
type silent struct{ base }

// AccessibilityLabel is empty.
func (*silent) AccessibilityLabel() string { return "" }

// AccessibilityRole is that of a container, which readers pass over.
func (*silent) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// Box is a ground under an object: flat, or rounded with a border.
type Box struct {
	silent
	back   *canvas.Rectangle
	in     fyne.CanvasObject
	ground Token
	border Token // none when empty
	radius float32
}

// NewGround puts a flat colour under an object.
func NewGround(t Token, o fyne.CanvasObject) *Box { return newBox(t, "", 0, o) }

// NewBox puts a rounded ground with a border under an object.
func NewBox(ground, border Token, o fyne.CanvasObject) *Box {
	return newBox(ground, border, cardRadius-2, o)
}

func newBox(ground, border Token, radius float32, o fyne.CanvasObject) *Box {
	b := &Box{back: newRect(), in: o, ground: ground, border: border, radius: radius}
	b.extend(b, b.back, o)
	return b
}

// SetContent shows another object on the ground.
func (b *Box) SetContent(o fyne.CanvasObject) {
	b.in = o
	b.objs = []fyne.CanvasObject{b.back, o}
	b.Refresh()
}

func (b *Box) least() fyne.Size { return b.in.MinSize() }

func (b *Box) arrange(s fyne.Size) {
	put(b.back, 0, 0, s.Width, s.Height)
	put(b.in, 0, 0, s.Width, s.Height)
}

func (b *Box) skin() {
	b.back.FillColor, b.back.CornerRadius, b.back.StrokeWidth = C(b.ground), S(b.radius), 0
	if b.border != "" {
		b.back.StrokeColor, b.back.StrokeWidth = C(b.border), 1
	}
}

// Card is a group with a border, room around it, and possibly a heading.
type Card struct{ Box }

// NewCard puts objects under each other into a card.
func NewCard(gap float32, o ...fyne.CanvasObject) *Card {
	c := &Card{}
	c.back, c.ground, c.border, c.radius = newRect(), ColorSide, ColorLine, cardRadius
	c.in = Pad(GapWide, GapSide, GapWide, GapSide, VStack(gap, o...))
	c.extend(c, c.back, c.in)
	return c
}

// NewHeading is the head of a card: an icon on a soft ground, a title, and a sentence below it.
func NewHeading(i Icon, title, sentence string) fyne.CanvasObject {
	words := VStack(0, NewText(title, TypeSection, ColorText).Bold().Elastic(), NewText(sentence, TypeSecond, ColorMuted).Elastic())
	return Lead(10, NewDisc(i, ToneAccent, 36), words)
}

// Disc is an icon on the soft ground of a tone: a circle, or a rounded square where a card begins.
type Disc struct {
	silent
	back   *canvas.Rectangle
	g      *glyph
	icon   Icon
	tone   Tone
	side   float32
	radius float32
}

// NewDisc makes a rounded square of the given side.
func NewDisc(i Icon, t Tone, side float32) *Disc {
	d := &Disc{back: newRect(), g: newGlyph(), icon: i, tone: t, side: side, radius: inputRadius}
	d.extend(d, d.back, d.g.Raster)
	return d
}

// Round makes it a circle.
func (d *Disc) Round() *Disc { d.radius = d.side / 2; return d }

func (d *Disc) least() fyne.Size { return fyne.NewSquareSize(S(d.side)) }

func (d *Disc) arrange(s fyne.Size) {
	a, b := S(d.side), S(d.side/2)
	put(d.back, (s.Width-a)/2, (s.Height-a)/2, a, a)
	put(d.g.Raster, (s.Width-b)/2, (s.Height-b)/2, b, b)
}

func (d *Disc) skin() {
	d.back.FillColor, d.back.CornerRadius = C(d.tone.ground()), S(d.radius)
	d.g.set(d.icon, C(d.tone.ink()))
}

// Rule is a hairline between two things; it is as long as its room.
type Rule struct {
	silent
	line *canvas.Rectangle
}

// NewRule makes one, lying or standing.
func NewRule() *Rule {
	r := &Rule{line: newRect()}
	r.extend(r, r.line)
	return r
}

func (r *Rule) least() fyne.Size    { return fyne.NewSquareSize(1) }
func (r *Rule) arrange(s fyne.Size) { put(r.line, 0, 0, s.Width, s.Height) }
func (r *Rule) skin()               { r.line.FillColor = C(ColorLine) }

// Dot is a small circle in a colour: the state of a line of a list, next to the words that say it.
type Dot struct {
	silent
	dot   *canvas.Circle
	token Token
}

// NewDot makes one.
func NewDot(t Token) *Dot {
	d := &Dot{dot: canvas.NewCircle(color.Transparent), token: t}
	d.extend(d, d.dot)
	return d
}

// SetColor shows another colour.
func (d *Dot) SetColor(t Token) {
	d.token = t
	d.Refresh()
}

func (d *Dot) least() fyne.Size { return fyne.NewSquareSize(S(8)) }
func (d *Dot) skin()            { d.dot.FillColor = C(d.token) }

func (d *Dot) arrange(s fyne.Size) {
	a := S(8)
	put(d.dot, (s.Width-a)/2, (s.Height-a)/2, a, a)
}
