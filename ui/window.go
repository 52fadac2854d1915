package ui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// How long the end may take: what is on disk is whole whenever it is cut off.
const (
	coreTime     = 3 * time.Second // for node, API, service and store
	watchdogTime = 2 * time.Second // for the toolkit, whose end can hang
)

// window is the one window of the program: a page before the vault is open, the shell after that. But for end, everything runs on
// Fyne's goroutine.
type window struct {
	system
	app   fyne.App
	desk  Desk
	win   fyne.Window
	stage *kit.Stage
	scale *scale
	door  *door

	first  func() fyne.Focusable // what gets the keyboard on the page that is shown
	drawn  bool                  // the first frame was
	ending bool
	unseen bool   // the window is in the background
	shell  *shell // nil before the vault is open or made
	flush  func(context.Context) error

	ctx    context.Context // of the window: nothing is begun after its end
	cancel context.CancelFunc
	group  sync.WaitGroup // what runs for the window
	once   sync.Once      // of end

	mu      sync.Mutex
	session *session // nil before the vault is open; guarded by mu
}

func newWindow(a fyne.App, d Desk, s system) *window {
	w := &window{system: s, app: a, desk: d}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.door, w.scale = &door{w}, &scale{window: w}
	w.scale.wear()
	w.win = a.NewWindow(title(d.Name))
	w.win.SetPadded(false)
	w.stage = kit.NewStage(kit.Gap(kit.WindowWidth, kit.WindowHeight))
	w.win.SetContent(w.stage)
	w.win.Resize(fyne.NewSize(kit.S(1180), kit.S(760)))
	w.win.SetCloseIntercept(w.quit)
	w.addKeys()
	w.group.Go(w.listen)
	w.door.begin()
	return w
}

// title is what the desktop shows: with the profile's name where there may be several windows.
func title(profile string) string {
	if profile == "" || profile == "default" {
		return "CryptexQ"
	}
	return text.Say(text.WindowTitle, text.Name(profile))
}

// listen brings the window to the front when a second start asks for it.
func (w *window) listen() {
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-w.desk.Show:
			w.do(func() {
				w.win.Show()
				w.win.RequestFocus()
			})
		}
	}
}

// show changes the page.
func (w *window) show(o fyne.CanvasObject, first func() fyne.Focusable) {
	w.first = first
	w.stage.SetScreen(o)
	w.focus(first())
}

// focusFirst gives the keyboard to what the page wants it for, once there was a frame.
func (w *window) focusFirst() {
	w.drawn = true
	w.focus(w.first())
}

// focus gives o the keyboard; nil takes it from whatever has it.
func (w *window) focus(o fyne.Focusable) {
	switch {
	case !w.drawn:
	case o == nil:
		w.win.Canvas().Unfocus()
	default:
		w.win.Canvas().Focus(o)
	}
}

// after calls f on Fyne's goroutine after d, unless the window ends before.
func (w *window) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		w.do(func() {
			if !w.ending {
				f()
			}
		})
	})
}

// work does something long, and then done on Fyne's goroutine.
func (w *window) work(long func(context.Context) error, done func(error)) {
	w.group.Go(func() {
		err := long(w.ctx)
		w.do(func() {
			if !w.ending {
				done(err)
			}
		})
	})
}

// take keeps an account that was opened, so that it is closed even if the window ends before it is shown.
func (w *window) take(service *app.Service, err error) error {
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session = &session{service: service}
	return nil
}

// opened is the account that is open, nil for none.
func (w *window) opened() *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.session
}

// showShell shows the pages around an account.
func (w *window) showShell() {
	w.shell = newShell(w)
	w.shell.chat.SetActive(!w.unseen)
	w.show(w.shell.root, w.shell.first)
}

// start lets the account that was opened run.
func (w *window) start() {
	s := w.opened()
	w.shell.attach(s.service)
	s.start(w.shell.pump, w.shell.hands, func(ctx context.Context) error { return w.desk.Join(ctx, s.service) }, func(err error) {
		w.do(func() { w.left(s, err) })
	})
	w.scale.read()
}

// left deals with a network part that ended while the window goes on.
func (w *window) left(s *session, err error) {
	if w.ending {
		return
	}
	if err == nil {
		w.quit()
		return
	}
	w.shell.stopped(say(err))
}

// fail tells of something that could not be read.
func (w *window) fail(err error) {
	b := banner{icon: kit.IconWarn, tone: kit.ToneBad, words: text.Say(text.NoticeStore, text.With("cause", say(err))), action: text.NoticeOK, own: true}
	if w.shell != nil {
		w.shell.notices.set(b)
	}
}

// setActive notes whether somebody can see the window.
func (w *window) setActive(on bool) {
	w.unseen = !on
	if w.shell != nil {
		w.shell.chat.SetActive(on)
	}
}

// quit ends the program in this order: the pump, then the core, which gets three seconds; then the toolkit, whose end can hang, so
// that a watchdog ends the process if it does.
func (w *window) quit() {
	if w.ending {
		return
	}
	w.prepare()
	w.win.Hide()
	go func() { // nobody waits for it: it ends the program
		w.end()
		time.AfterFunc(w.watchdog, func() { w.exit(0) })
		w.do(w.app.Quit)
	}()
}

// finish is for the end of Fyne's loop, which a signal may have ended.
func (w *window) finish() {
	if !w.ending {
		w.prepare()
	}
	w.end()
}

// prepare takes what is written and not stored from the pages; they are told nothing any more.
func (w *window) prepare() {
	w.ending = true
	if w.shell != nil {
		w.flush = w.shell.chat.Flush()
	}
}

// end stops everything below the window and closes the vault, in w.core at most. It may be called again.
func (w *window) end() {
	w.once.Do(func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.shut()
		}()
		timer := time.NewTimer(w.core)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
	})
}

// shut ends what runs, from the top down.
func (w *window) shut() {
	w.cancel()
	w.group.Wait()
	if s := w.opened(); s != nil {
		s.stop(w.flush)
	}
	_ = w.desk.Profile.Close() // a lock that cannot be let go of ends with the process
}
