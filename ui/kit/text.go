package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Text is one line of text. Where there is too little room it ends in an ellipsis.
type Text struct {
	base
	line    *canvas.Text
	text    string
	kind    Type
	token   Token
	style   fyne.TextStyle
	align   fyne.TextAlign
	elastic bool
}

// NewText makes a line in a size and a colour.
func NewText(s string, k Type, t Token) *Text {
	x := &Text{line: newLabel(), text: cleanLine(s), kind: k, token: t}
	x.extend(x, x.line)
	return x
}

// Bold makes it bold.
func (t *Text) Bold() *Text { t.style.Bold = true; return t }

// Mono gives every character the same width.
func (t *Text) Mono() *Text { t.style.Monospace = true; return t }

// Centered puts it into the middle of its room.
func (t *Text) Centered() *Text { t.align = fyne.TextAlignCenter; return t }

// Elastic lets it become as narrow as its neighbours want; otherwise it asks for all of its length.
func (t *Text) Elastic() *Text { t.elastic = true; return t }

// SetText shows other words.
func (t *Text) SetText(s string) {
	if s = cleanLine(s); s != t.text {
		t.text = s
		t.Refresh()
	}
}

// SetColor shows the words in another colour.
func (t *Text) SetColor(c Token) {
	t.token = c
	t.Refresh()
}

// Text is what the line says, whole.
func (t *Text) Text() string { return t.text }

func (t *Text) font() font { return font{t.kind.size(), t.style} }

func (t *Text) least() fyne.Size {
	f := t.font()
	if t.elastic {
		return fyne.NewSize(S(24), f.line())
	}
	return fyne.NewSize(up(f.width(t.text)), f.line())
}

func (t *Text) skin() {
	t.line.TextSize, t.line.TextStyle, t.line.Color = t.kind.size(), t.style, C(t.token)
}

func (t *Text) arrange(s fyne.Size) {
	f := t.font()
	t.line.Text = ellipsize(t.text, up(s.Width), f)
	x := float32(0)
	switch w := t.line.MinSize().Width; {
	case t.align == fyne.TextAlignCenter:
		x = (s.Width - w) / 2
	case rightToLeft(t.text) && t.elastic:
		x = s.Width - w
	}
	centred(t.line, x, 0, s.Height)
}

// AccessibilityLabel is the text.
func (t *Text) AccessibilityLabel() string { return t.text }

// AccessibilityRole is text.
func (t *Text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// proseLines is the most that a Prose draws: it holds sentences, not documents.
const proseLines = 200

// Prose is text that wraps. It asks for the height that its words take at the width that it was last given.
type Prose struct {
	base
	lines  block
	text   string
	kind   Type
	token  Token
	style  fyne.TextStyle
	center bool
}

// NewProse makes text in a size and a colour.
func NewProse(s string, k Type, t Token) *Prose {
	p := &Prose{text: CleanText(s), kind: k, token: t}
	p.extend(p)
	return p
}

// Bold makes it bold.
func (p *Prose) Bold() *Prose { p.style.Bold = true; return p }

// Centered centres every line.
func (p *Prose) Centered() *Prose { p.center = true; return p }

// SetText shows other words.
func (p *Prose) SetText(s string) {
	if s = CleanText(s); s != p.text {
		p.text = s
		p.Refresh()
	}
}

// SetColor shows the words in another colour.
func (p *Prose) SetColor(c Token) {
	p.token = c
	p.Refresh()
}

// Text is what it says.
func (p *Prose) Text() string { return p.text }

// flow breaks the text for a width and returns the height that it takes.
func (p *Prose) flow(width float32) float32 {
	if width <= 0 {
		width = S(FormWidth) // nobody has said yet
	}
	p.lines.flow(p.text, width, font{p.kind.size(), p.style}, proseLines)
	p.lines.paint(C(p.token))
	p.objs = p.lines.in(p.objs[:0])
	return p.lines.height()
}

func (p *Prose) least() fyne.Size { return fyne.NewSize(S(40), p.flow(p.Size().Width)) }
func (p *Prose) skin()            { p.lines.paint(C(p.token)) }

func (p *Prose) arrange(s fyne.Size) {
	p.flow(s.Width)
	p.lines.place(0, 0, s.Width, p.center)
}

// AccessibilityLabel is the text.
func (p *Prose) AccessibilityLabel() string { return p.text }

// AccessibilityRole is text.
func (p *Prose) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
