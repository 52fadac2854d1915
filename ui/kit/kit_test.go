package kit

import (
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/cryptexq/cryptexq/ui/kit/kittest"
)

var shots = flag.String("shots", "", "a folder for pictures of what the tests draw")

// dress gives the test the app in a look. What clocks ask for while the test runs is dropped: it would run beside the test.
func dress(t testing.TB, l Look) {
	t.Helper()
	kittest.Dress(t, NewTheme(l))
}

// window shows an object in a window of a size, and draws it once: nothing can have the keyboard before that.
func window(t testing.TB, o fyne.CanvasObject, w, h float32) fyne.Window {
	t.Helper()
	win := test.NewTempWindow(t, o)
	win.SetPadded(false)
	win.Resize(fyne.NewSize(w, h))
	win.Canvas().Capture()
	t.Cleanup(func() { // what waits for a time must not wake up in the next test
		win.Canvas().Unfocus()
		if s, ok := win.Content().(*Stage); ok {
			s.dropToast()
		}
	})
	return win
}

// shoot draws the window, keeps the picture if asked to, and returns it.
func shoot(t testing.TB, w fyne.Window, name string) image.Image {
	t.Helper()
	img := w.Canvas().Capture()
	if *shots == "" {
		return img
	}
	f, err := os.Create(filepath.Join(*shots, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return img
}

// key types a key into what has the keyboard.
func key(w fyne.Window, name fyne.KeyName) {
	w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: name})
}

// clock is a clock that a test turns.
type clock struct {
	now  time.Duration
	next map[int]ringing
	n    int
}

// ringing is what a clock does when.
type ringing struct {
	at time.Duration
	do func()
}

// after is the clock as an alarm wants it.
func (c *clock) after(d time.Duration, f func()) (stop func()) {
	if c.next == nil {
		c.next = map[int]ringing{}
	}
	c.n++
	n := c.n
	c.next[n] = ringing{c.now + d, f}
	return func() { delete(c.next, n) }
}

// turn lets time pass.
func (c *clock) turn(d time.Duration) {
	c.now += d
	for n, r := range c.next {
		if r.at <= c.now {
			delete(c.next, n)
			r.do()
		}
	}
}

// noon is the clock of the tests.
var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// message is a message of a test.
func message(i int, from, words string) ThreadMessage {
	at := noon.Add(time.Duration(i) * time.Minute)
	return ThreadMessage{Key: fmt.Sprint("m", i), From: from, Name: from, Text: words, At: at, Day: "Today", Time: at.Format("15:04")}
}

// out makes it one's own.
func out(m ThreadMessage, d Delivery) ThreadMessage {
	m.Out, m.Ticks = true, Ticked{Delivery: d}
	return m
}
