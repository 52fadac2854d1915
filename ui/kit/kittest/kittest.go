// Package kittest is a window for the tests of screens: what stands in it is drawn by Fyne's software painter, can be asked what it
// says to who does not see it, and can be pressed.
package kittest

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// desk is the one app of all tests of a package. Its fyne.Do leads to whom the running test named: the driver of the tests would run
// what clocks and other goroutines ask for where it is asked, beside the test, and a clock of one test may ring in the next.
type desk struct {
	fyne.App
	mu sync.Mutex
	do func(func()) // guarded by mu
}

// Driver is that of the tests, but for what other goroutines ask for.
func (d *desk) Driver() fyne.Driver { return driver{d.App.Driver(), d} }

func (d *desk) lead(do func(func())) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do = do
}

type driver struct {
	fyne.Driver
	desk *desk
}

// DoFromGoroutine hands it on.
func (d driver) DoFromGoroutine(f func(), _ bool) {
	d.desk.mu.Lock()
	do := d.desk.do
	d.desk.mu.Unlock()
	do(f)
}

// drop forgets what was asked for.
func drop(func()) {}

// DressIn gives one test the app, and has fyne.Do lead to do until the test ends; after that, what is asked for is dropped.
func DressIn(t testing.TB, do func(func())) {
	d, ok := fyne.CurrentApp().(*desk)
	if !ok {
		d = &desk{App: test.NewApp()}
		fyne.SetCurrentApp(d)
	}
	d.lead(do)
	t.Cleanup(func() { d.lead(drop) })
}

// Dress gives one test the app in a theme. Nothing happens in it by itself.
func Dress(t testing.TB, look fyne.Theme) {
	t.Helper()
	DressIn(t, drop)
	fyne.CurrentApp().Settings().SetTheme(look)
}

// Window shows something until the test ends.
type Window struct {
	fyne.Window
	t testing.TB
}

// Show opens a window on o, of a size in pixels, and draws it. The app is that of Dress.
func Show(t testing.TB, o fyne.CanvasObject, width, height float32) *Window {
	t.Helper()
	w := &Window{test.NewTempWindow(t, o), t}
	w.SetPadded(false)
	w.Change(o, width, height)
	return w
}

// Change shows something else in it.
func (w *Window) Change(o fyne.CanvasObject, width, height float32) {
	w.SetContent(o)
	w.Resize(fyne.NewSize(width, height))
	w.Canvas().Capture()
}

// Focus gives f the keyboard.
func (w *Window) Focus(f fyne.Focusable) { w.Canvas().Focus(f) }

// Words are the labels of everything that is shown.
func (w *Window) Words() (all []string) {
	w.Canvas().Capture() // a part that was just made is laid out by then
	for _, o := range test.LaidOutObjects(w.Content()) {
		if a, ok := o.(fyne.Accessible); ok {
			all = append(all, a.AccessibilityLabel())
		}
	}
	return all
}

// Says reports whether one of the labels contains the words.
func (w *Window) Says(words string) bool {
	return strings.Contains(strings.Join(w.Words(), "\n"), words)
}

// Press taps what has a label; the test ends when nothing has.
func (w *Window) Press(label string) {
	w.t.Helper()
	for _, o := range test.LaidOutObjects(w.Content()) {
		a, named := o.(fyne.Accessible)
		if x, ok := o.(fyne.Tappable); ok && named && a.AccessibilityLabel() == label {
			x.Tapped(&fyne.PointEvent{})
			return
		}
	}
	w.t.Fatalf("nothing is called %q; the window says:\n%s", label, strings.Join(w.Words(), "\n"))
}

// Shoot draws the window, which must not panic, and keeps the picture as NAME.png when a folder is given.
func (w *Window) Shoot(folder, name string) {
	w.t.Helper()
	img := w.Canvas().Capture()
	if folder == "" {
		return
	}
	f, err := os.Create(filepath.Join(folder, name+".png"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		w.t.Fatal(err)
	}
}
