package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
)

// Stage is the content of a window: a screen, and what floats above it: toasts and tooltips.
type Stage struct {
	silent
	screen fyne.CanvasObject
	toast  *Toast
	tip    *tip

	shortcuts fyne.ShortcutHandler
	after     func(time.Duration, func()) func() // the clock of toasts; nil is that of this computer
}

// NewStage makes one that shows a screen.
func NewStage(screen fyne.CanvasObject) *Stage {
	s := &Stage{screen: screen, tip: newTip()}
	s.extend(s)
	s.rebuild()
	return s
}

// SetScreen changes the screen.
func (s *Stage) SetScreen(screen fyne.CanvasObject) {
	s.screen = screen
	s.tip.hide()
	s.rebuild()
	s.Refresh()
}

// AddShortcut makes the window know a shortcut, whatever has the keyboard. The canvas is that of the window: it hears the shortcut
// when nothing has the keyboard, the widgets of the kit hand it on otherwise.
func (s *Stage) AddShortcut(c fyne.Canvas, k fyne.Shortcut, do func()) {
	c.AddShortcut(k, func(fyne.Shortcut) { do() })
	s.shortcuts.AddShortcut(k, func(fyne.Shortcut) { do() })
}

// rebuild lists what is drawn.
func (s *Stage) rebuild() {
	s.objs = []fyne.CanvasObject{s.screen}
	if s.toast != nil {
		s.objs = append(s.objs, s.toast)
	}
	s.objs = append(s.objs, s.tip)
}

func (s *Stage) skin()            {}
func (s *Stage) least() fyne.Size { return s.screen.MinSize() }

func (s *Stage) arrange(z fyne.Size) {
	put(s.screen, 0, 0, z.Width, z.Height)
	put(s.tip, 0, 0, z.Width, z.Height)
	if s.toast != nil {
		s.placeToast(z)
	}
}

func (s *Stage) tips() *tip { return s.tip }

// tipDelay is how long the pointer rests before a tooltip comes.
const tipDelay = 500 * time.Millisecond

// tipper shows the tooltip of a widget whose name is not drawn.
type tipper struct {
	owner interface {
		fyne.Widget
		fyne.Accessible
	}
	alarm alarm
	shown *tip
}

// enter starts the wait.
func (t *tipper) enter() {
	t.leave()
	t.alarm.set(tipDelay, t.show)
}

// leave ends the wait, or the tooltip.
func (t *tipper) leave() {
	t.alarm.stop()
	if t.shown != nil {
		t.shown.hide()
		t.shown = nil
	}
}

// show puts the tooltip into the layer above the widget: that of the dialog on top, or that of the stage.
func (t *tipper) show() {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(t.owner)
	if c == nil {
		return
	}
	layer, ok := c.Overlays().Top().(interface{ tips() *tip })
	if !ok {
		layer, ok = c.Content().(interface{ tips() *tip })
	}
	if !ok {
		return
	}
	t.shown = layer.tips()
	at := d.AbsolutePositionForObject(t.owner).Subtract(d.AbsolutePositionForObject(t.shown))
	t.shown.show(t.owner.AccessibilityLabel(), at, t.owner.Size())
}

// MouseIn lights the button up and waits with the tooltip.
func (b *IconButton) MouseIn(e *desktop.MouseEvent) {
	b.control.MouseIn(e)
	b.tip.enter()
}

// MouseOut ends both.
func (b *IconButton) MouseOut() {
	b.control.MouseOut()
	b.tip.leave()
}

// tip is a layer that holds at most one tooltip. Nothing in it takes clicks.
type tip struct {
	silent
	back  *canvas.Rectangle
	label *canvas.Text
	text  string
	at    fyne.Position
	over  fyne.Size
}

func newTip() *tip {
	t := &tip{back: newRect(), label: newLabel()}
	t.extend(t)
	return t
}

// show puts words beside what lies at a place.
func (t *tip) show(s string, at fyne.Position, over fyne.Size) {
	t.text, t.at, t.over = s, at, over
	t.objs = []fyne.CanvasObject{t.back, t.label}
	t.Refresh()
}

func (t *tip) hide() {
	t.objs = nil
	t.Refresh()
}

func (t *tip) least() fyne.Size { return fyne.Size{} }

func (t *tip) arrange(s fyne.Size) {
	w, h := up(t.label.MinSize().Width)+S(16), S(26)
	x := min(max(t.at.X+(t.over.Width-w)/2, S(4)), max(s.Width-w-S(4), 0))
	y := t.at.Y + t.over.Height + S(4)
	if y+h > s.Height {
		y = t.at.Y - h - S(4)
	}
	put(t.back, x, y, w, h)
	centred(t.label, whole(x)+S(8), whole(y), h)
}

func (t *tip) skin() {
	t.back.FillColor, t.back.CornerRadius = C(ColorText), S(6)
	t.label.Text, t.label.TextSize, t.label.Color = t.text, TypeSecond.size(), C(ColorThread)
}
