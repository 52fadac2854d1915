package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/cryptexq/cryptexq/ui/text"
)

// LineKind is what a Line is about.
type LineKind uint8

// The kinds.
const (
	LineDay    LineKind = iota // a day begins: a pill
	LineNew                    // from here on it is new: a rule with a word
	LineNotice                 // something happened: an icon and a sentence, in a pill where it has a tone
)

// noticeLines is the most that a notice takes.
const noticeLines = 4

// Line stands between messages, over the whole width of a thread.
type Line struct {
	base
	kind        LineKind
	words       string
	icon        Icon
	tone        Tone
	lines       block
	back        *canvas.Rectangle
	left, right *canvas.Rectangle
	g           *glyph
}

// NewLine makes an empty one.
func NewLine() *Line {
	l := &Line{back: newRect(), left: newRect(), right: newRect(), g: newGlyph()}
	l.extend(l)
	return l
}

// Day shows a day.
func (l *Line) Day(words string) { l.set(LineDay, words, IconNone, ToneNeutral) }

// New shows where the new messages begin.
func (l *Line) New() { l.set(LineNew, text.Say(text.LineNew), IconNone, ToneAccent) }

// Notice shows something that happened.
func (l *Line) Notice(i Icon, words string, t Tone) { l.set(LineNotice, words, i, t) }

func (l *Line) set(k LineKind, words string, i Icon, t Tone) {
	words = CleanText(words)
	if l.kind == k && l.words == words && l.icon == i && l.tone == t && !l.stale() {
		return
	}
	l.kind, l.words, l.icon, l.tone = k, words, i, t
	l.flow(l.Size().Width)
	l.Refresh()
}

func (l *Line) font() font {
	return font{TypeSecond.size(), fyne.TextStyle{Bold: l.kind != LineNotice}}
}

// lead is the room for the icon.
func (l *Line) lead() float32 { return choose(l.icon == IconNone, 0, S(14+6)) }

// flow breaks the words for a width, and returns the height of the line.
func (l *Line) flow(width float32) float32 {
	if width <= 0 {
		width = S(FormWidth)
	}
	l.lines.flow(l.words, width-2*S(GapSide)-2*S(GapMedium)-l.lead(), l.font(), noticeLines)
	l.lines.paint(C(l.tone.ink()))
	l.objs = l.objs[:0]
	switch {
	case l.kind == LineNew:
		l.objs = append(l.objs, l.left, l.right)
	case l.kind == LineDay || l.tone != ToneNeutral:
		l.objs = append(l.objs, l.back)
	}
	if l.icon != IconNone {
		l.objs = append(l.objs, l.g.Raster)
	}
	l.objs = l.lines.in(l.objs)
	return l.height()
}

// height is what the kind takes, with the room around it.
func (l *Line) height() float32 {
	switch l.kind {
	case LineDay:
		return S(40)
	case LineNew:
		return S(30)
	}
	return l.lines.height() + S(14)
}

func (l *Line) least() fyne.Size { return fyne.NewSize(S(120), l.flow(l.Size().Width)) }

func (l *Line) arrange(s fyne.Size) {
	l.flow(s.Width)
	w := l.lines.widest()
	pill := w + l.lead() + 2*S(GapMedium)
	x := whole((s.Width - pill) / 2)
	top, h := choose(l.kind == LineDay, S(8), S(2)), l.lines.height()
	switch l.kind {
	case LineDay:
		put(l.back, x, top, pill, S(24))
		top += (S(24) - h) / 2
	case LineNew:
		top += (S(26) - h) / 2
		middle := S(2) + S(13)
		put(l.left, S(GapSide), middle, x-S(GapSide), 1)
		put(l.right, x+pill, middle, s.Width-S(GapSide)-x-pill, 1)
	default:
		put(l.back, x, top, pill, h+S(10))
		top += S(5)
	}
	l.back.CornerRadius = S(12)
	put(l.g.Raster, x+S(GapMedium), top+(l.lines.font.line()-S(14))/2, S(14), S(14))
	l.lines.place(x+S(GapMedium)+l.lead(), top, w, true)
}

func (l *Line) skin() {
	l.back.FillColor = C(l.tone.ground())
	l.left.FillColor, l.right.FillColor = C(ColorAccent), C(ColorAccent)
	var c color.Color = C(l.tone.ink())
	l.lines.paint(c)
	l.g.set(l.icon, c)
}

// AccessibilityLabel is the words.
func (l *Line) AccessibilityLabel() string { return l.words }

// AccessibilityRole is text.
func (l *Line) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
