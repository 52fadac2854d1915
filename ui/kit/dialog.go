package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

// dialogFade is how long the window behind a dialog takes to darken.
const dialogFade = 120 * time.Millisecond

// DialogSpec says what a Dialog asks.
type DialogSpec struct {
	Title    string
	Body     string            // a sentence or more
	Content  fyne.CanvasObject // below it; may be nil
	Confirm  string            // the word of the button that does it
	Danger   bool              // it cannot be undone: the button is red, and Return does not press it
	Cancel   string            // the word of the other button; none when empty
	OnDone   func()            // the first button; the dialog stays until Close, so that it can say what went wrong
	OnCancel func()            // the second, Escape, or a click beside it; the dialog is gone by then
	First    fyne.Focusable    // what gets the keyboard; otherwise the safe button
}

// Dialog asks something before anything else can be done.
type Dialog struct {
	base
	spec    DialogSpec
	over    fyne.Canvas
	scrim   *canvas.Rectangle
	back    *canvas.Rectangle
	inner   fyne.CanvasObject
	body    *container.Scroll // of inner, should it be higher than the window
	card    *blocker
	confirm *Button
	cancel  *Button
	tip     *tip
	fade    float32
}

// NewDialog makes one for a window; Open shows it.
func NewDialog(c fyne.Canvas, s DialogSpec) *Dialog {
	d := &Dialog{spec: s, over: c, scrim: newRect(), back: newRect(), tip: newTip()}
	d.card = newBlocker(d.refocus)
	d.confirm = NewButton(s.Confirm, IconNone, choose(s.Danger, Danger, Primary), func() {
		if s.OnDone != nil {
			s.OnDone()
		}
	})
	buttons := []fyne.CanvasObject{d.confirm}
	if s.Cancel != "" {
		d.cancel = NewButton(s.Cancel, IconNone, Second, d.dismiss)
		buttons = []fyne.CanvasObject{d.cancel, d.confirm}
	}
	o := []fyne.CanvasObject{NewProse(s.Title, TypeTitle, ColorText).Bold()}
	if s.Body != "" {
		o = append(o, NewProse(s.Body, TypeBody, ColorMuted))
	}
	if s.Content != nil {
		o = append(o, s.Content)
	}
	o = append(o, Gap(0, GapTight), Shares(GapSmall, buttons...))
	d.inner = Pad(GapLarge, GapLarge, GapLarge, GapLarge, VStack(GapMedium, o...))
	d.body = container.NewVScroll(d.inner)
	d.extend(d, d.scrim, d.card, d.back, d.body, d.tip)
	return d
}

// Open puts it over the window and gives it the keyboard.
func (d *Dialog) Open() {
	d.over.Overlays().Add(d)
	d.Resize(d.over.Size())
	animate(dialogFade, func(p float32) {
		d.fade = p
		d.skin()
		canvas.Refresh(d.scrim)
	})
	d.over.Focus(d.first())
}

// first is what gets the keyboard.
func (d *Dialog) first() fyne.Focusable {
	switch {
	case d.spec.First != nil:
		return d.spec.First
	case d.spec.Danger && d.cancel != nil:
		return d.cancel
	}
	return d.confirm
}

// Close takes it away.
func (d *Dialog) Close() { d.over.Overlays().Remove(d) }

// Busy greys both buttons while what was asked for is done.
func (d *Dialog) Busy(on bool) {
	for _, b := range []*Button{d.confirm, d.cancel} {
		switch {
		case b == nil:
		case on:
			b.Disable()
		default:
			b.Enable()
		}
	}
}

// dismiss is the second button, unless it is greyed out.
func (d *Dialog) dismiss() {
	if d.cancel != nil && d.cancel.off {
		return
	}
	d.Close()
	if d.spec.OnCancel != nil {
		d.spec.OnCancel()
	}
}

// typedKey takes what nobody in the dialog knew.
func (d *Dialog) typedKey(k *fyne.KeyEvent) {
	switch {
	case k.Name == fyne.KeyEscape && d.spec.Cancel != "":
		d.dismiss()
	case (k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter) && !d.spec.Danger:
		d.confirm.Tapped(nil)
	}
}

func (d *Dialog) tips() *tip { return d.tip }

// Tapped is a click beside it.
func (d *Dialog) Tapped(*fyne.PointEvent) {
	if d.spec.Cancel != "" {
		d.dismiss()
	}
}

func (d *Dialog) least() fyne.Size { return fyne.Size{} }

func (d *Dialog) arrange(s fyne.Size) {
	put(d.scrim, 0, 0, s.Width, s.Height)
	put(d.tip, 0, 0, s.Width, s.Height)
	w := min(S(ProseWidth+20), s.Width-2*S(GapLarge))
	h := min(fill(d.inner, w), s.Height-2*S(GapLarge))
	x, y := whole((s.Width-w)/2), whole((s.Height-h)/2)
	put(d.card, x, y, w, h)
	put(d.back, x, y, w, h)
	put(d.body, x, y, w, h)
}

func (d *Dialog) skin() {
	scrim := dark[colorScrim]
	if isLight() {
		scrim = light[colorScrim]
	}
	d.scrim.FillColor = veil(scrim, uint8(float32(scrim.A)*d.fade))
	d.back.FillColor, d.back.CornerRadius = C(ColorSide), S(cardRadius)
	d.back.StrokeColor, d.back.StrokeWidth = C(ColorLine), 1
}

// AccessibilityLabel is the title and the sentences.
func (d *Dialog) AccessibilityLabel() string { return d.spec.Title + ". " + d.spec.Body }

// AccessibilityRole is container.
func (d *Dialog) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }

// refocus gives the keyboard back: a click on the card takes it away, and Escape would not be heard.
func (d *Dialog) refocus() {
	if d.over.Focused() == nil {
		d.over.Focus(d.first())
	}
}

// blocker takes the clicks on the card that would otherwise be clicks beside it.
type blocker struct {
	silent
	on func()
}

func newBlocker(on func()) *blocker {
	b := &blocker{on: on}
	b.extend(b)
	return b
}

// Tapped calls back.
func (b *blocker) Tapped(*fyne.PointEvent) { b.on() }

func (b *blocker) least() fyne.Size  { return fyne.Size{} }
func (b *blocker) arrange(fyne.Size) {}
func (b *blocker) skin()             {}
