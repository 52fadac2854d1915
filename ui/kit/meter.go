package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// meterBars is how many steps a Meter has.
const meterBars = 4

// Meter shows how good a password is: up to four bars, and a word that says the same.
type Meter struct {
	base
	bars  [meterBars]*canvas.Rectangle
	word  *Text
	level int
	tone  Tone
}

// NewMeter makes an empty one.
func NewMeter() *Meter {
	m := &Meter{word: NewText("", TypeSecond, ColorMuted).Bold()}
	o := []fyne.CanvasObject{m.word}
	for i := range m.bars {
		m.bars[i] = newRect()
		o = append(o, m.bars[i])
	}
	m.extend(m, o...)
	return m
}

// Set fills 0 to 4 bars in the colour of a tone, and says so in a word.
func (m *Meter) Set(level int, word string, t Tone) {
	m.level, m.tone = min(max(level, 0), meterBars), t
	m.word.token, m.word.text = t.ink(), cleanLine(word)
	m.word.Refresh()
	m.Refresh()
}

func (m *Meter) least() fyne.Size {
	w := m.word.MinSize()
	return fyne.NewSize(S(20)*meterBars+w.Width, w.Height)
}

func (m *Meter) arrange(s fyne.Size) {
	w := m.word.MinSize()
	rest := s.Width
	if m.word.text != "" {
		rest -= w.Width + S(10)
	}
	put(m.word, s.Width-w.Width, (s.Height-w.Height)/2, w.Width, w.Height)
	step := (rest + S(4)) / meterBars
	for i, b := range m.bars {
		from, to := whole(float32(i)*step), whole(float32(i+1)*step)-S(4)
		put(b, from, (s.Height-S(4))/2, to-from, S(4))
	}
}

func (m *Meter) skin() {
	for i, b := range m.bars {
		b.CornerRadius = S(2)
		b.FillColor = C(choose(i < m.level, m.tone.ink(), ColorTint))
	}
}

// AccessibilityLabel is the word.
func (m *Meter) AccessibilityLabel() string { return m.word.text }

// AccessibilityRole is text.
func (m *Meter) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
