package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Standing is what is known about who a person is.
type Standing uint8

// The standings.
const (
	StandingNew      Standing = iota // nothing is known, nothing is shown
	StandingCompared                 // the reader compared the number: green seal
	StandingNamesake                 // another account with a known name: amber triangle
)

// look is icon, colour and words.
func (s Standing) look() (Icon, Token, text.Key) {
	if s == StandingNamesake {
		return IconWarn, ColorWarn, text.SealNamesake
	}
	return IconSeal, ColorOK, text.SealCompared
}

// Seal answers the first question, about a person: is it really them?
type Seal struct {
	base
	side     float32
	standing Standing
	g        *glyph
}

// NewSeal makes an empty one of the given side.
func NewSeal(side float32) *Seal {
	s := &Seal{side: side, g: newGlyph()}
	s.extend(s)
	return s
}

// Set shows a standing.
func (s *Seal) Set(v Standing) *Seal {
	s.standing = v
	s.objs = nil
	if v != StandingNew {
		s.objs = []fyne.CanvasObject{s.g.Raster}
	}
	s.Refresh()
	return s
}

func (s *Seal) least() fyne.Size {
	if s.standing == StandingNew {
		return fyne.Size{}
	}
	return fyne.NewSquareSize(S(s.side))
}

func (s *Seal) arrange(z fyne.Size) {
	d := S(s.side)
	put(s.g.Raster, (z.Width-d)/2, (z.Height-d)/2, d, d)
}

func (s *Seal) skin() {
	icon, token, _ := s.standing.look()
	s.g.set(icon, C(token))
}

// AccessibilityLabel is what the mark means.
func (s *Seal) AccessibilityLabel() string {
	if s.standing == StandingNew {
		return ""
	}
	_, _, words := s.standing.look()
	return text.Say(words)
}

// AccessibilityRole is text.
func (s *Seal) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// Mark is what the verifiers of a room say about a message; only verified rooms have any.
type Mark uint8

// The marks.
const (
	MarkNone     Mark = iota
	MarkPending       // signed, not verified yet: grey shield
	MarkLate          // for ten minutes: amber clock
	MarkVerified      // green shield with a check
	MarkForked        // two histories: red shield with a cross
)

// look is icon, colour and words.
func (m Mark) look() (Icon, Token, text.Key) {
	switch m {
	case MarkLate:
		return IconShieldClock, ColorWarn, text.MarkLate
	case MarkVerified:
		return IconShieldCheck, ColorOK, text.MarkVerified
	case MarkForked:
		return IconShieldCross, ColorBad, text.MarkForked
	}
	return IconShield, ColorMuted, text.MarkPending
}

// Delivery is how far a message has come. There is none for "left this machine".
type Delivery uint8

// The deliveries; the words of each are binding (docs: "The words that the interface uses").
const (
	DeliveryNone Delivery = iota
	DeliveryQueued
	DeliveryHeld
	DeliveryDone
	DeliveryRead
)

// Ticked is a delivery with numbers: while Reached < Of, "5 of 7" stands for the ticks.
type Ticked struct {
	Delivery    Delivery
	Reached, Of int
}

// partly is "5 of 7", or empty.
func (t Ticked) partly() string {
	if t.Reached <= 0 || t.Reached >= t.Of {
		return ""
	}
	return text.Say(text.TicksReached, text.N(t.Reached), text.With("of", text.Number(t.Of)))
}

// icon is the drawing for a delivery.
func (d Delivery) icon() Icon {
	return [...]Icon{IconNone, IconClock, IconTick, IconTicks, IconTicks}[d]
}

// words are what the drawing means.
func (t Ticked) words() string {
	if p := t.partly(); p != "" {
		return text.Say(text.TicksPartly, text.With("part", p))
	}
	if t.Delivery == DeliveryNone {
		return ""
	}
	return text.Say([...]text.Key{text.TicksQueued, text.TicksQueued, text.TicksHeld, text.TicksDelivered, text.TicksRead}[t.Delivery])
}

// Ticks shows how far a message has come: clock queued, one tick held, two delivered, two in the accent read.
type Ticks struct {
	base
	ticked      Ticked
	plain, read Token
	g           *glyph
	part        *Text
}

// NewTicks makes an empty one. The ticks have the colour plain, those of a read message the colour read.
func NewTicks(plain, read Token) *Ticks {
	t := &Ticks{plain: plain, read: read, g: newGlyph(), part: NewText("", TypeMeta, plain)}
	t.extend(t)
	return t
}

// Set shows a delivery.
func (t *Ticks) Set(v Ticked) {
	t.ticked = v
	t.objs = t.objs[:0]
	p := v.partly()
	switch {
	case p != "":
		t.part.SetText(p)
		t.objs = append(t.objs, t.part)
	case v.Delivery != DeliveryNone:
		t.objs = append(t.objs, t.g.Raster)
	}
	t.Refresh()
}

func (t *Ticks) least() fyne.Size {
	switch {
	case len(t.objs) == 0:
		return fyne.Size{}
	case t.objs[0] == t.part:
		return t.part.MinSize()
	}
	return fyne.NewSquareSize(S(14))
}

func (t *Ticks) arrange(s fyne.Size) {
	d := S(14)
	put(t.g.Raster, s.Width-d, (s.Height-d)/2, d, d)
	put(t.part, 0, 0, s.Width, s.Height)
}

func (t *Ticks) skin() {
	t.g.set(t.ticked.Delivery.icon(), C(choose(t.ticked.Delivery == DeliveryRead, t.read, t.plain)))
	t.part.skin()
}

// AccessibilityLabel is the state in words.
func (t *Ticks) AccessibilityLabel() string { return t.ticked.words() }

// AccessibilityRole is text.
func (t *Ticks) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// press is an icon inside a widget that can be clicked: too small for a button of its own, with more room around it than it shows.
type press struct {
	base
	g     *glyph
	label string
	on    func()
}

func newPress(on func()) *press {
	p := &press{g: newGlyph(), on: on}
	p.extend(p, p.g.Raster)
	return p
}

// set chooses drawing, colour and words.
func (p *press) set(i Icon, t Token, words text.Key) {
	p.g.set(i, C(t))
	p.label = text.Say(words)
}

func (p *press) least() fyne.Size { return fyne.Size{} }
func (p *press) skin()            {}

func (p *press) arrange(s fyne.Size) {
	d := S(14)
	put(p.g.Raster, (s.Width-d)/2, (s.Height-d)/2, d, d)
}

// Tapped calls back.
func (p *press) Tapped(*fyne.PointEvent) { p.on() }

// Cursor is a hand.
func (p *press) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel is what the icon means.
func (p *press) AccessibilityLabel() string { return p.label }

// AccessibilityRole is button.
func (p *press) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }
