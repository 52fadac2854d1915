package ui

import (
	"context"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/kit/kittest"
	"github.com/cryptexq/cryptexq/ui/text"
)

var shots = flag.String("shots", "", "a folder for pictures of what the tests draw")

const (
	inviteLife = 24 * time.Hour
	patience   = 60 * time.Second // for whatever must happen: the machine may be busy
	password   = "correct horse battery"
	recently   = "HH:MM" // stands for the time of day of what happened in this test
)

// loop stands in for Fyne's: what is done on its goroutine is done by the test, in order.
type loop struct {
	mu    sync.Mutex
	queue []func() // guarded by mu
	wake  chan struct{}
}

func (l *loop) do(f func()) {
	l.mu.Lock()
	l.queue = append(l.queue, f)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// turn does what is in the queue.
func (l *loop) turn() {
	l.mu.Lock()
	queue := l.queue
	l.queue = nil
	l.mu.Unlock()
	for _, f := range queue {
		f()
	}
}

// user sits before a window.
type user struct {
	*window
	t      testing.TB
	loop   *loop
	mesh   *mesh
	came   time.Time // the minute in which the user sat down
	exited chan int
}

// sitDown opens the window on a folder. The window is closed when the test ends.
func sitDown(t testing.TB, dir string, join func(context.Context, *app.Service) error, look kit.Look) *user {
	t.Helper()
	p, err := app.OpenProfile(dir, app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, loop: &loop{wake: make(chan struct{}, 1)}, exited: make(chan int, 1)}
	kittest.DressIn(t, u.loop.do)
	u.window = newWindow(fyne.CurrentApp(), Desk{Profile: p, Join: join, Name: "default"}, system{
		do: fyne.Do, now: time.Now, exit: func(code int) { u.exited <- code }, core: patience, watchdog: time.Hour, minKDF: true,
	})
	u.came = u.localNow().Truncate(time.Minute)
	u.scale.look = look
	u.scale.wear()
	u.win.Resize(fyne.NewSize(1180, 760))
	u.win.Canvas().Capture()
	u.focusFirst()
	t.Cleanup(u.standUp)
	return u
}

// standUp closes the window.
func (u *user) standUp() { u.finish() }

// until lets the window work until something is so.
func (u *user) until(what string, is func() bool) {
	u.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		u.loop.turn()
		if is() {
			return
		}
		select {
		case <-u.loop.wake:
		case <-late.C:
			u.t.Fatalf("%s did not come; the window says:\n%s", what, strings.Join(u.words(), "\n"))
		}
	}
}

// sees waits until the window says something.
func (u *user) sees(words string) {
	u.t.Helper()
	u.until("the words "+words, func() bool { return u.says(words) })
}

// says reports whether something that can be seen or read out contains the words.
func (u *user) says(words string) bool {
	all := u.words()
	return slices.ContainsFunc(u.timed(words), func(want string) bool {
		return slices.ContainsFunc(all, func(w string) bool { return strings.Contains(w, want) })
	})
}

// timed is the words once for every minute that can be meant by recently.
func (u *user) timed(words string) (all []string) {
	for at := u.came; !at.After(u.localNow()); at = at.Add(time.Minute) {
		all = append(all, strings.ReplaceAll(words, recently, text.Clock(at)))
	}
	return all
}

// words are the labels of everything in the window, that of dialogs first.
func (u *user) words() (all []string) {
	for _, o := range u.objects() {
		if a, ok := o.(fyne.Accessible); ok && o.Visible() && a.AccessibilityLabel() != "" {
			all = append(all, a.AccessibilityLabel())
		}
	}
	return all
}

// objects are everything in the window.
func (u *user) objects() []fyne.CanvasObject {
	o := test.LaidOutObjects(u.win.Canvas().Content())
	if top := u.win.Canvas().Overlays().Top(); top != nil {
		o = append(test.LaidOutObjects(top), o...)
	}
	return o
}

// press presses what has a label, by keyboard: it gets the keyboard, and Return is typed.
func (u *user) press(label string) {
	u.t.Helper()
	for _, o := range u.objects() {
		f, can := o.(fyne.Focusable)
		a, named := o.(fyne.Accessible)
		if can && named && a.AccessibilityLabel() == label {
			u.win.Canvas().Focus(f)
			u.key(fyne.KeyReturn)
			return
		}
	}
	u.t.Fatalf("nothing is called %q; the window says:\n%s", label, strings.Join(u.words(), "\n"))
}

// types writes into what has the keyboard.
func (u *user) types(words string) {
	u.t.Helper()
	for _, r := range words {
		f := u.win.Canvas().Focused()
		if f == nil {
			u.t.Fatalf("nothing has the keyboard for %q", words)
		}
		f.TypedRune(r)
	}
}

// key types a key, as the driver does.
func (u *user) key(name fyne.KeyName) {
	f := u.win.Canvas().Focused()
	switch {
	case name == fyne.KeyTab:
		u.win.Canvas().FocusNext()
	case f != nil:
		f.TypedKey(&fyne.KeyEvent{Name: name})
	default:
		u.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: name})
	}
	u.loop.turn()
}

// shortcut types a key with a modifier, as the driver does: what has the keyboard gets it, or else the window. The canvas of the
// tests has no shortcuts of its own, so that in the second case what the window bound to it is struck.
func (u *user) shortcut(name fyne.KeyName, with fyne.KeyModifier) {
	u.t.Helper()
	defer u.loop.turn()
	if f, ok := u.win.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(&desktop.CustomShortcut{KeyName: name, Modifier: with})
		return
	}
	for _, b := range u.bindings() {
		if b.name == name && b.with == with {
			u.strike(b)
			return
		}
	}
	u.t.Fatalf("nothing is bound to %v", name)
}

// focused is the label of what has the keyboard.
func (u *user) focused() string {
	if a, ok := u.win.Canvas().Focused().(fyne.Accessible); ok {
		return a.AccessibilityLabel()
	}
	return ""
}

// shoot keeps a picture when a folder for them was named.
func (u *user) shoot(name string) {
	u.t.Helper()
	u.loop.turn()
	if *shots == "" {
		return
	}
	f, err := os.Create(filepath.Join(*shots, name+".png"))
	if err != nil {
		u.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, u.win.Canvas().Capture()); err != nil {
		u.t.Fatal(err)
	}
}

// settles in: an account by keyboard, up to the empty list.
func (u *user) createsAccount(name string) {
	u.t.Helper()
	u.types(name)
	u.key(fyne.KeyReturn)
	u.types(password)
	u.key(fyne.KeyReturn)
	u.until("the account", func() bool { return u.opened() != nil && u.shell != nil && u.shell.service != nil })
	u.sees("Notes")
}
