package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Banner is one sentence and at most one action, over the whole width of a pane.
type Banner struct {
	base
	back   *canvas.Rectangle
	g      *glyph
	words  *Prose
	action *Button
	icon   Icon
	tone   Tone
}

// NewBanner makes one. Without an action the button is not there.
func NewBanner(i Icon, sentence string, t Tone, action string, on func()) *Banner {
	b := &Banner{back: newRect(), g: newGlyph(), words: NewProse(sentence, TypePreview, ColorText), icon: i, tone: t}
	o := []fyne.CanvasObject{b.back, b.g.Raster, b.words}
	if action != "" {
		b.action = NewButton(action, IconNone, Link, on)
		o = append(o, b.action)
	}
	b.extend(b, o...)
	return b
}

// SetText says something else.
func (b *Banner) SetText(sentence string) {
	b.words.SetText(sentence)
	b.Refresh()
}

// room is the width of the words.
func (b *Banner) room(w float32) float32 {
	w -= S(16+18+10) + S(12)
	if b.action != nil {
		w -= b.action.MinSize().Width + S(GapSmall)
	}
	return max(w, S(40))
}

func (b *Banner) least() fyne.Size {
	h := b.words.flow(b.room(max(b.Size().Width, S(260))))
	return fyne.NewSize(S(260), max(h+S(12), S(40)))
}

func (b *Banner) arrange(s fyne.Size) {
	put(b.back, 0, 0, s.Width, s.Height)
	put(b.g.Raster, S(16), (s.Height-S(18))/2, S(18), S(18))
	w := b.room(s.Width)
	h := fill(b.words, w)
	put(b.words, S(16+18+10), (s.Height-h)/2, w, h)
	if b.action != nil {
		m := b.action.MinSize()
		put(b.action, s.Width-m.Width-S(12), (s.Height-m.Height)/2, m.Width, m.Height)
	}
}

func (b *Banner) skin() {
	b.back.FillColor = C(b.tone.ground())
	b.g.set(b.icon, C(b.tone.ink()))
}

// AccessibilityLabel is the sentence.
func (b *Banner) AccessibilityLabel() string { return b.words.text }

// AccessibilityRole is container: the words in it speak for themselves.
func (b *Banner) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// CheckItem is what a Check shows.
type CheckItem struct {
	Good   bool // a green shield; otherwise an amber triangle
	Head   string
	Body   string
	Action string // the word of a button; none when empty
	On     func()
}

// Check is a line of a list of things that are right, or want something.
type Check struct {
	base
	item   CheckItem
	g      *glyph
	head   *Text
	body   *Prose
	action *Button
}

// NewCheck makes one.
func NewCheck(i CheckItem) *Check {
	c := &Check{item: i, g: newGlyph(), head: NewText(i.Head, TypePreview, ColorText).Bold().Elastic(), body: NewProse(i.Body, TypeSecond, ColorMuted)}
	o := []fyne.CanvasObject{c.g.Raster, c.head, c.body}
	if i.Action != "" {
		c.action = NewButton(i.Action, IconNone, Second, i.On).Small()
		o = append(o, c.action)
	}
	c.extend(c, o...)
	return c
}

// room is the width of the words.
func (c *Check) room(w float32) float32 {
	w -= S(28)
	if c.action != nil {
		w -= c.action.MinSize().Width + S(GapMedium)
	}
	return max(w, S(40))
}

func (c *Check) least() fyne.Size {
	h := c.head.MinSize().Height + c.body.flow(c.room(max(c.Size().Width, S(240))))
	return fyne.NewSize(S(240), max(h, S(smallHeight)))
}

func (c *Check) arrange(s fyne.Size) {
	w := c.room(s.Width)
	h := c.head.MinSize().Height
	put(c.g.Raster, 0, (s.Height-S(18))/2, S(18), S(18))
	bodyHeight := fill(c.body, w)
	y := (s.Height - h - bodyHeight) / 2
	put(c.head, S(28), y, w, h)
	put(c.body, S(28), y+h, w, bodyHeight)
	if c.action != nil {
		m := c.action.MinSize()
		put(c.action, s.Width-m.Width, (s.Height-m.Height)/2, m.Width, m.Height)
	}
}

func (c *Check) skin() {
	if c.item.Good {
		c.g.set(IconShieldCheck, C(ColorOK))
	} else {
		c.g.set(IconWarn, C(ColorWarn))
	}
}

// AccessibilityLabel is both lines.
func (c *Check) AccessibilityLabel() string { return c.item.Head + ". " + c.item.Body }

// AccessibilityRole is container: the words in it speak for themselves.
func (c *Check) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// NewEmpty is what stands where there is nothing yet: a picture, a sentence, an explanation, and what can be done about it.
func NewEmpty(i Icon, head, body string, actions ...fyne.CanvasObject) fyne.CanvasObject {
	o := []fyne.CanvasObject{
		Centered(NewDisc(i, ToneAccent, 72).Round()), Gap(0, GapHair),
		NewProse(head, TypeEmpty, ColorText).Bold().Centered(), NewProse(body, TypeBody, ColorMuted).Centered(),
	}
	if len(actions) > 0 {
		o = append(o, Gap(0, GapTight), Centered(HStack(10, actions...)))
	}
	return Middle(ProseWidth, VStack(GapSmall, o...))
}
