// Package kit is the theme and the widgets of the window.
//
// A widget of the kit takes plain values, draws them, and calls back; it decides nothing and knows nothing of messengers or
// networks. No colour and no size is written down outside this package: screens arrange what stands here with its layouts and
// name tokens (theme.go) and lengths (metrics.go). Every widget implements fyne.Accessible, follows the theme when it changes,
// and must be called on Fyne's goroutine, like everything in Fyne.
//
// What other people wrote (names, messages, file names) may be anything at all. A widget with a part for a name passes it through
// Clean, one for a message through CleanText, before anything is measured or drawn. Sentences with a name in them are the caller's:
// the name goes through Clean first.
//
// Nothing here imports fyne.io/fyne/v2/app, so that the package builds and its tests run without cgo, display or GL.
package kit

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// painter is a widget of the kit, as the renderer that they all share sees it.
type painter interface {
	fyne.Widget
	objects() []fyne.CanvasObject // what is drawn, from the back to the front
	least() fyne.Size             // the smallest size
	arrange(fyne.Size)            // places the objects; may be called again with the same size
	skin()                        // takes colours and sizes from the theme
	dress()                       // skin, and remembers the theme
}

// base is the part that all widgets of the kit have in common.
type base struct {
	widget.BaseWidget
	self painter
	objs []fyne.CanvasObject
	worn attire
}

// attire is what the looks of a widget came from. What is not in a window is not told when the theme changes, and a row that
// waits to be used again has to know that it is out of fashion.
type attire struct {
	theme   *Theme
	variant fyne.ThemeVariant
}

// fashion is the present attire.
func fashion() attire { return attire{current(), fyne.CurrentApp().Settings().ThemeVariant()} }

// stale reports whether the theme has changed since the widget took its looks from it.
func (b *base) stale() bool { return b.worn != fashion() }

func (b *base) dress() {
	b.worn = fashion()
	b.self.skin()
}

// extend makes self the widget; o is what it draws.
func (b *base) extend(self painter, o ...fyne.CanvasObject) {
	b.self, b.objs = self, o
	b.ExtendBaseWidget(self)
}

// CreateRenderer is for Fyne.
func (b *base) CreateRenderer() fyne.WidgetRenderer {
	b.dress()
	return renderer{b.self}
}

func (b *base) objects() []fyne.CanvasObject { return b.objs }

// renderer draws a painter. It holds no state: Fyne throws renderers away and makes them again.
type renderer struct{ p painter }

func (r renderer) Destroy()                     {}
func (r renderer) Layout(s fyne.Size)           { r.p.arrange(s) }
func (r renderer) MinSize() fyne.Size           { return r.p.least() }
func (r renderer) Objects() []fyne.CanvasObject { return r.p.objects() }

func (r renderer) Refresh() {
	r.p.dress()
	r.p.arrange(r.p.Size())
	canvas.Refresh(r.p)
}

// newRect makes a rectangle to be coloured later.
func newRect() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }

// newLabel makes a line of text to be filled later.
func newLabel() *canvas.Text { return canvas.NewText("", color.Transparent) }

// put places o on whole pixels: half pixels blur icons and small text.
func put(o fyne.CanvasObject, x, y, w, h float32) {
	o.Resize(fyne.NewSize(w, h))
	o.Move(fyne.NewPos(whole(x), whole(y)))
}

// centred places a text at x, in the middle of a line that begins at y and is h high, and returns its width.
func centred(t *canvas.Text, x, y, h float32) float32 {
	m := t.MinSize()
	put(t, x, y+(h-m.Height)/2, m.Width, m.Height)
	return m.Width
}

// whole rounds to whole pixels.
func whole(v float32) float32 { return float32(math.Round(float64(v))) }

// up rounds to whole pixels, upwards.
func up(v float32) float32 { return float32(math.Ceil(float64(v))) }

// ring gives r the outline of a widget that has the keyboard, or takes it away.
func ring(r *canvas.Rectangle, on bool, t Token) {
	r.StrokeWidth, r.FillColor = 0, color.Transparent
	if on {
		r.StrokeWidth, r.StrokeColor, r.FillColor = S(2), C(t), seeThrough(C(t))
	}
}

// seeThrough is c with the least opacity there is: the GL painter of 2.8 blends the edge of a stroke with the fill, and takes a fill
// of no opacity for black, which greys the edge.
func seeThrough(c color.Color) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = 1
	return n
}

// choose is a when on, otherwise b.
func choose[T any](on bool, a, b T) T {
	if on {
		return a
	}
	return b
}
