// Package kittest is a window for the tests of screens: what stands in it is drawn by Fyne's software painter, can be asked what it
// says to who does not see it, and can be pressed.
package kittest

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// still is an app in which nothing happens by itself: the driver of the tests would run what clocks ask for beside the test.
type still struct{ fyne.App }

// Driver is that of the tests, but for what other goroutines ask for.
func (a still) Driver() fyne.Driver { return stillDriver{a.App.Driver()} }

type stillDriver struct{ fyne.Driver }

// DoFromGoroutine drops it.
func (stillDriver) DoFromGoroutine(func(), bool) {}

// Dress makes an app for one test, with a theme. Nothing happens in it by itself.
func Dress(t testing.TB, look fyne.Theme) {
	t.Helper()
	fyne.SetCurrentApp(still{test.NewTempApp(t)})
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
