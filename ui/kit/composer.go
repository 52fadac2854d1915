package kit

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/ui/text"
)

// composerRows is how many lines the composer grows to before it scrolls.
const composerRows = 6

// ComposerSpec says what a Composer does. A button whose callback is nil is not there.
type ComposerSpec struct {
	OnSend    func(string) // Enter, or the button; the text without blanks around it, never empty
	OnChanged func(string) // after each change: for the draft, and to say that somebody is typing
	OnAttach  func()
	OnEmoji   func()
	OnUp      func() // the key Up in an empty composer: into the messages
	OnEscape  func()
	Limit     int // bytes of UTF-8 that can be sent; 0 is no limit
}

// Composer is where a message is written: many lines, Enter sends, Shift and Enter begin a line, Tab leaves. It empties itself when
// it sends; what was refused comes back by Restore.
type Composer struct {
	silent
	spec ComposerSpec
	in   *input
	box  *inputBox
	send *IconButton
	over *Text // how much too long it is
}

// NewComposer makes an empty one.
func NewComposer(s ComposerSpec) *Composer {
	c := &Composer{spec: s, in: newInput(""), over: NewText("", TypeMeta, ColorBad)}
	c.in.MultiLine, c.in.Wrapping = true, fyne.TextWrapWord
	c.in.SetMinRowsVisible(1)
	c.in.keys, c.in.OnChanged = c.typed, c.changed
	var left fyne.CanvasObject
	if s.OnAttach != nil {
		left = NewIconButton(IconClip, text.Say(text.ComposerAttach), s.OnAttach).Small()
	}
	var trail []fyne.CanvasObject
	if s.OnEmoji != nil {
		trail = append(trail, NewIconButton(IconSmile, text.Say(text.ComposerEmoji), s.OnEmoji).Small())
	}
	c.box = newInputBox(c.in, IconNone, left, trail...)
	c.box.radius = cardRadius - 2
	c.send = NewIconButton(IconSend, text.Say(text.ComposerSend), c.submit).Rank(Primary)
	c.extend(c, c.box, c.send, c.over)
	return c
}

// SetPlaceholder says whom the message goes to.
func (c *Composer) SetPlaceholder(s string) {
	c.in.label = cleanLine(s)
	c.in.SetPlaceHolder(c.in.label)
}

// Text is what is written, as it stands.
func (c *Composer) Text() string { return c.in.Text }

// SetText writes something else: the draft of another chat.
func (c *Composer) SetText(s string) {
	c.in.SetText(s)
	c.toEnd()
}

// Restore puts a message that was refused before whatever has been written since.
func (c *Composer) Restore(s string) {
	if rest := c.in.Text; strings.TrimSpace(rest) != "" {
		s += "\n" + rest
	}
	c.SetText(s)
}

// Type writes a character that was typed elsewhere, and takes the keyboard.
func (c *Composer) Type(r rune) {
	c.Focus()
	c.in.TypedRune(r)
}

// Focus gives it the keyboard.
func (c *Composer) Focus() { focus(c.in) }

// Focusable is what takes the keyboard.
func (c *Composer) Focusable() fyne.Focusable { return c.in }

// Focused reports whether it has the keyboard.
func (c *Composer) Focused() bool { return c.in.holder }

// toEnd puts the cursor behind the text.
func (c *Composer) toEnd() {
	c.in.Entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageDown})
}

// typed takes the keys that mean something here.
func (c *Composer) typed(k *fyne.KeyEvent) bool {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if c.in.shift || shiftHeld() {
			return false
		}
		c.submit()
		return true
	case fyne.KeyUp:
		if c.in.Text == "" && c.spec.OnUp != nil {
			c.spec.OnUp()
			return true
		}
	case fyne.KeyEscape:
		if c.spec.OnEscape != nil {
			c.spec.OnEscape()
			return true
		}
	}
	return false
}

// excess is how many bytes too long the message is.
func (c *Composer) excess() int {
	if c.spec.Limit == 0 {
		return 0
	}
	return max(len(strings.TrimSpace(c.in.Text))-c.spec.Limit, 0)
}

// submit sends what is there, if that can be sent.
func (c *Composer) submit() {
	s := strings.TrimSpace(c.in.Text)
	if s == "" || c.excess() > 0 || c.spec.OnSend == nil {
		return
	}
	c.in.SetText("")
	c.spec.OnSend(s)
}

// changed grows or shrinks the box and calls back.
func (c *Composer) changed(s string) {
	c.fit()
	if c.excess() > 0 {
		c.send.Disable()
	} else {
		c.send.Enable()
	}
	if c.spec.OnChanged != nil {
		c.spec.OnChanged(s)
	}
}

// fit counts the rows and says how much is too long.
func (c *Composer) fit() {
	lines, _ := wrap(c.in.Text, c.box.textWidth(), bodyFont(), composerRows)
	rows := min(max(len(lines), 1), composerRows)
	words := ""
	if n := c.excess(); n > 0 {
		words = text.Say(text.ComposerLong, text.N(n))
	}
	if rows == c.box.rows && words == c.over.text {
		return
	}
	c.box.rows, c.over.text = rows, words
	c.over.Refresh()
	c.box.Refresh()
	c.Refresh()
}

func (c *Composer) least() fyne.Size {
	h := c.box.MinSize().Height + S(6+12)
	if c.over.text != "" {
		h += c.over.MinSize().Height
	}
	return fyne.NewSize(S(260), h)
}

func (c *Composer) arrange(s fyne.Size) {
	side, send := S(GapSide), S(buttonHeight)
	w := s.Width - 2*side - send - S(GapSmall)
	h := c.box.MinSize().Height
	put(c.box, side, S(6), w, h)
	put(c.send, s.Width-side-send, S(6)+h-send-1, send, send)
	put(c.over, side+S(GapSmall), S(6)+h, w, c.over.MinSize().Height)
	c.fit()
}

func (c *Composer) skin() {}
