package kit

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Count is what a Badge shows. A badge of nothing is not there.
type Count struct {
	Unread  int
	Muted   bool // quiet: nobody asked to be told
	Mention bool // one of them names the reader
}

// Badge is a pill with a number.
type Badge struct {
	base
	count Count
	back  *canvas.Rectangle
	label *canvas.Text
}

// NewBadge makes an empty one.
func NewBadge() *Badge {
	b := &Badge{back: newRect(), label: newLabel()}
	b.extend(b)
	return b
}

// Set shows a count.
func (b *Badge) Set(c Count) {
	if c == b.count && !b.stale() {
		return
	}
	b.count = c
	b.objs = nil
	if c != (Count{}) && c.Unread > 0 {
		b.objs = []fyne.CanvasObject{b.back, b.label}
	}
	b.Refresh()
}

// words is what stands in the pill.
func (b *Badge) words() string {
	switch {
	case b.count.Mention:
		return "@"
	case b.count.Unread > 99:
		return "99+"
	}
	return strconv.Itoa(b.count.Unread)
}

func (b *Badge) least() fyne.Size {
	if len(b.objs) == 0 {
		return fyne.Size{}
	}
	return fyne.NewSize(max(S(20), up(font{TypeMeta.size(), fyne.TextStyle{Bold: true}}.width(b.words()))+S(12)), S(20))
}

func (b *Badge) arrange(s fyne.Size) {
	put(b.back, 0, 0, s.Width, s.Height)
	b.back.CornerRadius = s.Height / 2
	w := b.label.MinSize().Width
	centred(b.label, (s.Width-w)/2, 0, s.Height)
}

func (b *Badge) skin() {
	b.label.Text, b.label.TextSize, b.label.TextStyle.Bold = b.words(), TypeMeta.size(), true
	b.back.FillColor, b.label.Color = C(ColorAccent), C(ColorOn)
	if b.count.Muted {
		b.back.FillColor, b.label.Color = C(ColorQuiet), white
	}
}

// AccessibilityLabel says how many, in words.
func (b *Badge) AccessibilityLabel() string {
	switch {
	case b.count.Unread == 0:
		return ""
	case b.count.Mention:
		return text.Say(text.BadgeMention, text.N(b.count.Unread))
	}
	return text.Say(text.BadgeUnread, text.N(b.count.Unread))
}

// AccessibilityRole is text.
func (b *Badge) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
