package kit

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Chat is what a ChatRow shows. Its second line says, in this order: who is typing, a draft, a warning, or the last message with
// author and ticks.
type Chat struct {
	Face     Face
	Title    string
	Standing Standing
	When     string // of the last message, in words
	Pinned   bool
	Count    Count
	Typing   string // who is typing: empty for nobody, and in a chat of two
	IsTyping bool
	Draft    string
	Warning  string // stands instead of the last message, in amber
	Author   string // of the last message; empty in a chat of two
	Last     string
	Ticks    Ticked // of the last message, if the reader wrote it
}

// ChatRow is one conversation in a list, 64 high.
type ChatRow struct {
	base
	chat                *Chat
	face                *Avatar
	title, when, by, on *canvas.Text // on is the second line
	seal                *Seal
	note                *glyph // pinned or muted
	ticks               *Ticks
	badge               *Badge
	selected            bool
}

// NewChatRow makes an empty one.
func NewChatRow() *ChatRow {
	r := &ChatRow{
		chat: &Chat{}, face: NewAvatar(44, ColorSide), title: newLabel(), when: newLabel(), by: newLabel(), on: newLabel(),
		seal: NewSeal(15), note: newGlyph(), ticks: NewTicks(ColorMuted, ColorAccent), badge: NewBadge(),
	}
	r.extend(r, r.face, r.title, r.when, r.by, r.on, r.seal, r.note.Raster, r.ticks, r.badge)
	return r
}

// Set shows a conversation.
func (r *ChatRow) Set(c Chat) {
	c.Title, c.Author, c.Typing = Clean(c.Title), Clean(c.Author), Clean(c.Typing)
	c.Last, c.Draft = cleanLine(c.Last), cleanLine(c.Draft)
	r.chat = &c
	r.face.Set(c.Face)
	r.seal.Set(c.Standing)
	r.badge.Set(c.Count)
	r.ticks.Set(choose(r.plain(), c.Ticks, Ticked{}))
	r.Refresh()
}

// SetSelected says whether it is the open one.
func (r *ChatRow) SetSelected(on bool) {
	if on != r.selected {
		r.selected = on
		r.Refresh()
	}
}

// ink is a colour as it is used on this row: accent and red have too little contrast on the ground of the open one.
func (r *ChatRow) ink(t Token) color.Color {
	if r.selected && (t == ColorAccent || t == ColorBad) {
		t = ColorText
	}
	return C(t)
}

// plain reports whether the second line is the last message.
func (r *ChatRow) plain() bool {
	return !r.chat.IsTyping && r.chat.Draft == "" && r.chat.Warning == ""
}

// second is the second line: what leads it, the words, and their colours.
func (r *ChatRow) second() (lead, words string, leadInk, ink Token) {
	c := r.chat
	switch {
	case c.IsTyping:
		return "", strings.TrimSpace(c.Typing + " " + text.Say(text.ChatTyping)), "", ColorAccent
	case c.Draft != "":
		return text.Say(text.ChatDraft), c.Draft, ColorBad, ColorMuted
	case c.Warning != "":
		return "", c.Warning, "", ColorWarn
	case c.Author != "":
		return c.Author + ":", c.Last, ColorText, ColorMuted
	}
	return "", c.Last, "", ColorMuted
}

// noteIcon says pinned or muted.
func (r *ChatRow) noteIcon() Icon {
	switch {
	case r.chat.Count.Muted:
		return IconMute
	case r.chat.Pinned:
		return IconPin
	}
	return IconNone
}

func (r *ChatRow) least() fyne.Size { return fyne.NewSize(S(200), S(RowHeight)) }

func (r *ChatRow) skin() {
	c := r.chat
	_, _, leadInk, ink := r.second()
	bold := fyne.TextStyle{Bold: true}
	r.title.TextSize, r.title.TextStyle, r.title.Color = TypeBody.size(), bold, C(ColorText)
	r.when.Text, r.when.TextSize = c.When, TypeMeta.size()
	r.when.Color = r.ink(choose(c.Count.Unread > 0 && !c.Count.Muted, ColorAccent, ColorMuted))
	r.by.TextSize, r.by.Color = TypePreview.size(), color.Transparent
	if leadInk != "" {
		r.by.Color = r.ink(leadInk)
	}
	r.on.TextSize, r.on.Color = TypePreview.size(), r.ink(ink)
	r.note.set(r.noteIcon(), C(ColorMuted))
}

func (r *ChatRow) arrange(s fyne.Size) {
	put(r.face, S(16), (s.Height-S(44))/2, S(44), S(44))
	r.arrangeFirst(S(72), s.Width-S(18))
	r.arrangeSecond(S(72), s.Width-S(18))
}

// arrangeFirst is title, seal, note and time.
func (r *ChatRow) arrangeFirst(x, right float32) {
	top, h := S(12), S(20)
	w := r.when.MinSize().Width
	centred(r.when, right-w, top, h)
	edge := right - w - S(6)
	if r.noteIcon() != IconNone {
		put(r.note.Raster, edge-S(14), top+(h-S(13))/2, S(13), S(13))
		edge -= S(18)
	}
	seal := r.seal.MinSize().Width
	room := edge - x
	if seal > 0 {
		room -= seal + S(5)
	}
	r.title.Text = ellipsize(r.chat.Title, room, font{r.title.TextSize, r.title.TextStyle})
	x += centred(r.title, x, top, h)
	put(r.seal, x+S(5), top+(h-seal)/2, seal, seal)
}

// arrangeSecond is ticks, author, words and badge.
func (r *ChatRow) arrangeSecond(x, right float32) {
	top, h := S(34), S(20)
	if b := r.badge.MinSize(); b.Width > 0 {
		put(r.badge, right-b.Width, top, b.Width, b.Height)
		right -= b.Width + S(8)
	}
	if t := r.ticks.MinSize(); t.Width > 0 {
		put(r.ticks, x, top+(h-t.Height)/2, t.Width, t.Height)
		x += t.Width + S(4)
	}
	lead, words, _, _ := r.second()
	r.by.Text = ""
	if lead != "" {
		r.by.Text = ellipsize(lead, (right-x)*0.6, font{r.by.TextSize, r.by.TextStyle})
		x += centred(r.by, x, top, h) + S(4)
	}
	r.on.Text = ellipsize(words, right-x, font{r.on.TextSize, r.on.TextStyle})
	centred(r.on, x, top, h)
}

// AccessibilityLabel reads the row out: who, what, when, and what is remarkable.
func (r *ChatRow) AccessibilityLabel() string {
	lead, words, _, _ := r.second()
	parts := []string{
		r.chat.Title, r.seal.AccessibilityLabel(), strings.TrimSpace(lead + " " + words), r.ticks.AccessibilityLabel(),
		r.chat.When, r.badge.AccessibilityLabel(),
	}
	if r.chat.Pinned {
		parts = append(parts, text.Say(text.ChatPinned))
	}
	if r.chat.Count.Muted {
		parts = append(parts, text.Say(text.ChatMuted))
	}
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ". ")
}

// AccessibilityRole is container: the list says what the row reads.
func (r *ChatRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// RailButton is a destination of the rail: a picture and a word, because a stranger does not know the pictures.
type RailButton struct {
	control
	back, veil, ring *canvas.Rectangle
	g                *glyph
	label            *canvas.Text
	icon             Icon
	word             string
	active           bool
}

// NewRailButton makes one.
func NewRailButton(i Icon, word string, on func()) *RailButton {
	b := &RailButton{back: newRect(), veil: newRect(), ring: newRect(), g: newGlyph(), label: newLabel(), icon: i, word: word}
	b.push = on
	b.extend(b, b.back, b.veil, b.g.Raster, b.label, b.ring)
	return b
}

// SetActive says that this is where the reader is.
func (b *RailButton) SetActive(on bool) {
	b.active = on
	b.Refresh()
}

func (b *RailButton) least() fyne.Size { return fyne.NewSize(S(60), S(52)) }

func (b *RailButton) arrange(s fyne.Size) {
	w := S(60)
	x := whole((s.Width - w) / 2)
	for _, r := range []*canvas.Rectangle{b.back, b.veil, b.ring} {
		put(r, x, 0, w, s.Height)
	}
	put(b.g.Raster, (s.Width-S(22))/2, S(8), S(22), S(22))
	b.label.Text = ellipsize(b.word, w-S(4), font{TypeRail.size(), fyne.TextStyle{}})
	centred(b.label, (s.Width-b.label.MinSize().Width)/2, S(31), S(14))
}

func (b *RailButton) skin() {
	ink := choose(b.active, ColorAccent, ColorMuted)
	for _, r := range []*canvas.Rectangle{b.back, b.veil, b.ring} {
		r.FillColor, r.CornerRadius = color.Transparent, S(12)
	}
	if b.active {
		b.back.FillColor = C(ColorSoft) // on ColorSelected the accent has too little contrast in light
	}
	if b.hovered {
		b.veil.FillColor = C(colorHover)
	}
	ring(b.ring, b.focused, ColorAccent)
	b.label.TextSize, b.label.Color = TypeRail.size(), C(ink)
	b.g.set(b.icon, C(ink))
}

// Cursor is a hand.
func (b *RailButton) Cursor() desktop.Cursor { return desktop.PointerCursor }

// AccessibilityLabel is the word under the picture.
func (b *RailButton) AccessibilityLabel() string { return b.spoken(b.word) }
