package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
)

// How long a toast stays, and how long it takes to come. One with something to press gives time to read, find and press it.
const (
	toastTime       = 5 * time.Second
	toastActionTime = 10 * time.Second
	toastSlide      = 150 * time.Millisecond
)

// Notice is what a toast says.
type Notice struct {
	Text   string
	Icon   Icon
	Tone   Tone
	Action string // the word of a button, such as Undo; none when empty
	On     func() // what it does
}

// Toast is a sentence that comes up at the lower edge of the window and goes by itself, but not while the pointer is on it.
type Toast struct {
	base
	notice Notice
	back   *canvas.Rectangle
	g      *glyph
	words  *Prose
	action *Button
	alarm  alarm
	gone   func()  // takes it off its stage
	rise   float32 // from 0 to 1: how far it has come up
}

// newToast makes one that says n; gone is still to be filled in.
func newToast(n Notice) *Toast {
	t := &Toast{notice: n, back: newRect(), g: newGlyph(), words: NewProse(n.Text, TypePreview, ColorText)}
	o := []fyne.CanvasObject{t.back, t.words}
	if n.Icon != IconNone {
		o = append(o, t.g.Raster)
	}
	if n.Action != "" {
		t.action = NewButton(n.Action, IconNone, Link, func() {
			t.gone()
			if n.On != nil {
				n.On()
			}
		})
		o = append(o, t.action)
	}
	t.extend(t, o...)
	return t
}

// wait lets it go after its time.
func (t *Toast) wait() {
	t.alarm.set(choose(t.action == nil, toastTime, toastActionTime), t.gone)
}

// MouseIn keeps it.
func (t *Toast) MouseIn(*desktop.MouseEvent) { t.alarm.stop() }

// MouseMoved is for Fyne.
func (t *Toast) MouseMoved(*desktop.MouseEvent) {}

// MouseOut lets it go.
func (t *Toast) MouseOut() { t.wait() }

// lead and trail are the room before and behind the words.
func (t *Toast) lead() float32 { return choose(t.notice.Icon == IconNone, S(16), S(16+18+10)) }

func (t *Toast) trail() float32 {
	if t.action == nil {
		return S(16)
	}
	return t.action.MinSize().Width + S(20)
}

// height is that of the words at a width.
func (t *Toast) height(w float32) float32 {
	return max(t.words.flow(w-t.lead()-t.trail())+S(22), S(44))
}

func (t *Toast) least() fyne.Size { return fyne.NewSize(S(200), S(44)) }

func (t *Toast) arrange(s fyne.Size) {
	put(t.back, 0, 0, s.Width, s.Height)
	put(t.g.Raster, S(16), (s.Height-S(18))/2, S(18), S(18))
	w := s.Width - t.lead() - t.trail()
	h := fill(t.words, w)
	put(t.words, t.lead(), (s.Height-h)/2, w, h)
	if t.action != nil {
		m := t.action.MinSize()
		put(t.action, s.Width-m.Width-S(10), (s.Height-m.Height)/2, m.Width, m.Height)
	}
}

func (t *Toast) skin() {
	t.back.FillColor, t.back.CornerRadius = C(ColorTint), S(12)
	t.back.StrokeColor, t.back.StrokeWidth = C(ColorBorder), 1
	t.back.Shadow = canvas.Shadow{Color: C(colorShadow), BlurRadius: S(16), Offset: fyne.NewPos(0, S(4))}
	t.g.set(t.notice.Icon, C(choose(t.notice.Tone == ToneNeutral, ColorText, t.notice.Tone.ink())))
}

// AccessibilityLabel is the sentence.
func (t *Toast) AccessibilityLabel() string { return t.words.text }

// AccessibilityRole is container: the words in it speak for themselves.
func (t *Toast) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// Toast shows a notice. One that is still there goes; what it offered cannot be had any more.
func (s *Stage) Toast(n Notice) {
	s.dropToast()
	t := newToast(n)
	t.alarm.after = s.after
	t.gone = func() {
		if s.toast == t {
			s.dropToast()
		}
	}
	s.toast = t
	s.rebuild()
	s.Refresh()
	animate(toastSlide, func(p float32) {
		t.rise = p
		if s.toast == t {
			s.placeToast(s.Size())
			canvas.Refresh(s)
		}
	})
	t.wait()
}

// dropToast takes the toast away.
func (s *Stage) dropToast() {
	if s.toast == nil {
		return
	}
	s.toast.alarm.stop()
	s.toast = nil
	s.rebuild()
	s.Refresh()
}

// toastRise is how far above the lower edge it stands: above the line of status and a composer of one line.
const toastRise = StatusHeight + 56 + GapMedium

// placeToast puts it over the lower edge.
func (s *Stage) placeToast(z fyne.Size) {
	w := min(S(440), z.Width-2*S(GapLarge))
	h := s.toast.height(w)
	y := z.Height - (h+S(toastRise))*s.toast.rise
	put(s.toast, (z.Width-w)/2, y, w, h)
}
