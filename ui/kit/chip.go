package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Chip is a small pill: an icon and a word.
type Chip struct {
	base
	back  *canvas.Rectangle
	g     *glyph
	label *canvas.Text
	icon  Icon
	text  string
	tone  Tone
}

// NewChip makes one; the icon may be IconNone.
func NewChip(i Icon, s string, t Tone) *Chip {
	c := &Chip{back: newRect(), g: newGlyph(), label: newLabel()}
	c.extend(c)
	c.Set(i, s, t)
	return c
}

// Set shows other words.
func (c *Chip) Set(i Icon, s string, t Tone) {
	c.icon, c.text, c.tone = i, cleanLine(s), t
	c.objs = []fyne.CanvasObject{c.back, c.label}
	if i != IconNone {
		c.objs = append(c.objs, c.g.Raster)
	}
	c.Refresh()
}

// lead is where the words begin.
func (c *Chip) lead() float32 { return choose(c.icon == IconNone, S(9), S(8+14+5)) }

func (c *Chip) least() fyne.Size {
	return fyne.NewSize(c.lead()+up(font{TypeSecond.size(), fyne.TextStyle{}}.width(c.text))+S(9), S(22))
}

func (c *Chip) arrange(s fyne.Size) {
	put(c.back, 0, 0, s.Width, s.Height)
	c.back.CornerRadius = s.Height / 2
	put(c.g.Raster, S(8), (s.Height-S(14))/2, S(14), S(14))
	c.label.Text = ellipsize(c.text, s.Width-c.lead()-S(9)+1, font{TypeSecond.size(), fyne.TextStyle{}})
	centred(c.label, c.lead(), 0, s.Height)
}

func (c *Chip) skin() {
	c.back.FillColor = C(c.tone.ground())
	c.label.Color, c.label.TextSize = C(c.tone.ink()), TypeSecond.size()
	c.g.set(c.icon, C(c.tone.ink()))
}

// AccessibilityLabel is the word.
func (c *Chip) AccessibilityLabel() string { return c.text }

// AccessibilityRole is text.
func (c *Chip) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
