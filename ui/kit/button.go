package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Rank is how loud a button is.
type Rank uint8

// The ranks. A screen has one Primary at most.
const (
	Primary Rank = iota
	Second
	Ghost
	Good
	Danger
	Link
)

// colors are text and ground of a rank; no ground is an empty token.
func (r Rank) colors() (ink, ground Token) {
	switch r {
	case Second:
		return ColorText, ColorTint
	case Ghost:
		return ColorMuted, ""
	case Good:
		return ColorOn, ColorOK
	case Danger:
		return ColorBad, ColorSoftBad
	case Link:
		return ColorAccent, ""
	}
	return ColorOn, ColorAccent
}

// Button is a word that does something, 38 high, or 28 when small.
type Button struct {
	control
	back, veil, ring *canvas.Rectangle
	label            *canvas.Text
	g                *glyph
	text             string
	icon             Icon
	rank             Rank
	small            bool
}

// NewButton makes one; the icon may be IconNone.
func NewButton(s string, i Icon, r Rank, on func()) *Button {
	b := &Button{back: newRect(), veil: newRect(), ring: newRect(), label: newLabel(), g: newGlyph(), text: s, icon: i, rank: r}
	b.push = on
	b.extend(b, b.back, b.veil, b.label)
	if i != IconNone {
		b.objs = append(b.objs, b.g.Raster)
	}
	b.objs = append(b.objs, b.ring)
	return b
}

// Small makes it 28 high.
func (b *Button) Small() *Button { b.small = true; return b }

// Set gives it another word, and another icon in place of the one it has.
func (b *Button) Set(s string, i Icon) {
	b.text, b.icon = s, i
	b.Refresh()
}

func (b *Button) font() font {
	return font{choose(b.small || b.rank == Link, TypePreview, TypeBody).size(), fyne.TextStyle{Bold: true}}
}

// side is the room left and right of the words.
func (b *Button) side() float32 {
	switch {
	case b.rank == Link:
		return S(4)
	case b.small:
		return S(12)
	}
	return S(16)
}

// lead is the room that the icon takes.
func (b *Button) lead() float32 { return choose(b.icon == IconNone, 0, S(24)) }

func (b *Button) least() fyne.Size {
	h := choose[float32](b.small || b.rank == Link, smallHeight, buttonHeight)
	return fyne.NewSize(up(b.font().width(b.text))+b.lead()+2*b.side(), S(h))
}

func (b *Button) arrange(s fyne.Size) {
	put(b.back, 0, 0, s.Width, s.Height)
	put(b.veil, 0, 0, s.Width, s.Height)
	put(b.ring, 1, 1, s.Width-2, s.Height-2)
	b.label.Text = ellipsize(b.text, s.Width-b.lead()-S(8), b.font())
	w := b.lead() + b.label.MinSize().Width
	x := max((s.Width-w)/2, S(4))
	put(b.g.Raster, x, (s.Height-S(18))/2, S(18), S(18))
	centred(b.label, x+b.lead(), 0, s.Height)
}

func (b *Button) skin() {
	ink, ground := b.rank.colors()
	if b.off {
		ink, ground = ColorMuted, choose(ground == "", "", ColorTint)
	}
	b.label.TextSize, b.label.TextStyle, b.label.Color = b.font().size, b.font().style, C(ink)
	b.g.set(b.icon, C(ink))
	radius := S(choose[float32](b.small || b.rank == Link, 8, inputRadius))
	b.back.FillColor, b.back.CornerRadius = color.Transparent, radius
	if ground != "" {
		b.back.FillColor = C(ground)
	}
	b.veil.FillColor, b.veil.CornerRadius = color.Transparent, radius
	if b.hovered && !b.off {
		b.veil.FillColor = C(colorHover)
	}
	b.ring.CornerRadius = radius - 1
	ring(b.ring, b.focused, ColorText)
}

// AccessibilityLabel is the word on it.
func (b *Button) AccessibilityLabel() string { return b.spoken(b.text) }

// IconButton is a button without words; a tooltip says what it does, and so does a screen reader.
type IconButton struct {
	control
	back, veil, ring *canvas.Rectangle
	g                *glyph
	icon             Icon
	rank             Rank
	name             string
	small            bool
	tip              tipper
}

// NewIconButton makes a quiet one. The name is said, not drawn.
func NewIconButton(i Icon, name string, on func()) *IconButton {
	b := &IconButton{back: newRect(), veil: newRect(), ring: newRect(), g: newGlyph(), icon: i, rank: Ghost, name: name}
	b.push = func() {
		b.tip.leave()
		if on != nil {
			on()
		}
	}
	b.extend(b, b.back, b.veil, b.g.Raster, b.ring)
	b.tip.owner = b
	return b
}

// Rank makes it louder.
func (b *IconButton) Rank(r Rank) *IconButton { b.rank = r; return b }

// Small makes it 28 by 28.
func (b *IconButton) Small() *IconButton { b.small = true; return b }

// Set gives it another icon and name, for what it does now.
func (b *IconButton) Set(i Icon, name string) {
	b.icon, b.name = i, name
	b.Refresh()
}

func (b *IconButton) least() fyne.Size {
	return fyne.NewSquareSize(S(choose[float32](b.small, smallestPress, buttonHeight)))
}

func (b *IconButton) arrange(s fyne.Size) {
	put(b.back, 0, 0, s.Width, s.Height)
	put(b.veil, 0, 0, s.Width, s.Height)
	put(b.ring, 1, 1, s.Width-2, s.Height-2)
	put(b.g.Raster, (s.Width-S(18))/2, (s.Height-S(18))/2, S(18), S(18))
}

func (b *IconButton) skin() {
	ink, ground := b.rank.colors()
	if b.off {
		ink, ground = ColorMuted, choose(ground == "", "", ColorTint)
	}
	b.g.set(b.icon, C(ink))
	radius := S(choose[float32](b.small, 8, inputRadius))
	b.back.FillColor, b.back.CornerRadius = color.Transparent, radius
	if ground != "" {
		b.back.FillColor = C(ground)
	}
	b.veil.FillColor, b.veil.CornerRadius = color.Transparent, radius
	if b.hovered && !b.off {
		b.veil.FillColor = C(colorHover)
	}
	b.ring.CornerRadius = radius - 1
	ring(b.ring, b.focused, ColorText)
}

// AccessibilityLabel is the name.
func (b *IconButton) AccessibilityLabel() string { return b.spoken(b.name) }
