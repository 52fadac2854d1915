package ui

import (
	"context"
	"errors"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/setup"
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
	look  kit.Look

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
	a.Settings().SetTheme(kit.NewTheme(w.look))
	w.win = a.NewWindow(title(d.Name))
	w.win.SetPadded(false)
	w.stage = kit.NewStage(kit.Gap(kit.WindowWidth, kit.WindowHeight))
	w.win.SetContent(w.stage)
	w.win.Resize(fyne.NewSize(kit.S(1180), kit.S(760)))
	w.win.SetCloseIntercept(w.quit)
	w.addKeys()
	w.group.Go(w.listen)
	w.begin()
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

// begin shows the first page: to make an account, or to unlock the one that is there.
func (w *window) begin() {
	if w.desk.Profile.Exists() {
		w.showUnlock()
	} else {
		w.showCreate("", "")
	}
}

// showCreate shows the page that makes an account, again after it failed.
func (w *window) showCreate(name, trouble string) {
	w.shell = nil
	page := setup.NewCreate(setup.CreateSpec{Start: w.create, Say: say, Focus: w.focus})
	page.SetName(name)
	page.Wrong(trouble)
	w.show(page.Content(), page.First)
}

// create makes an account behind the next page: what is asked for there meanwhile waits a second.
func (w *window) create(name string, password []byte) {
	w.showShell()
	w.warm()
	w.work(func(ctx context.Context) error {
		defer clear(password)
		service, err := w.desk.Profile.Create(ctx, app.NewAccount{Name: name, Password: password, MinKDF: w.minKDF})
		if err := w.take(service, err); err != nil {
			return err
		}
		// Two people in one room are to find each other; that a name is not shown is no reason to have no account.
		_ = service.Owner.SetSetting(ctx, nearbySetting, yes)
		return nil
	}, func(err error) {
		if err != nil {
			w.showCreate(name, say(err))
			return
		}
		w.start()
	})
}

// showUnlock shows the page that asks for the password.
func (w *window) showUnlock() {
	var page *setup.Unlock
	page = setup.NewUnlock(setup.UnlockSpec{Profile: w.desk.Name, Focus: w.focus, After: w.after, Unlock: func(password []byte) { w.unlock(page, password) }})
	w.show(page.Content(), page.First)
}

// unlock opens the vault.
func (w *window) unlock(page *setup.Unlock, password []byte) {
	w.warm()
	w.work(func(ctx context.Context) error {
		defer clear(password)
		service, err := w.desk.Profile.Unlock(ctx, password)
		return w.take(service, err)
	}, func(err error) {
		var pause *app.PauseError
		switch head, body, lost := "", "", false; {
		case err == nil:
			page.Done()
			w.showShell()
			w.start()
		case errors.As(err, &pause):
			page.Wrong(w.refusal(pause), pause.Wait)
		default:
			if head, body, lost = vaultTrouble(err); lost {
				page.Done()
				w.showTrouble(head, body)
				return
			}
			page.Wrong(say(err), 0)
		}
	})
}

// warm has the fonts of other scripts loaded while the password is being stretched: the first use of one takes a tenth of a second
// and more, in the middle of a conversation otherwise.
func (w *window) warm() {
	for _, s := range []string{"漢字かな한글", "مرحبا שלום", "👏🏽🎉"} {
		w.do(func() { kit.NewText(s, kit.TypeBody, kit.ColorText).MinSize() })
	}
}

// fewTries is when the page begins to say how many are left.
const fewTries = 2

// refusal is the sentence for a password that does not fit.
func (w *window) refusal(p *app.PauseError) string {
	s := say(app.ErrPassword)
	if p.Wait == 0 && p.Left > 0 && p.Left <= fewTries {
		s += " " + text.Say(text.ProblemTries, text.N(p.Left))
	}
	return s
}

// showTrouble shows a vault that no password opens.
func (w *window) showTrouble(head, body string) {
	content, first := setup.NewTrouble(head, body, w.begin)
	w.show(content, func() fyne.Focusable { return first })
}

// nearbySetting is whether others on the network see our name; the program reads it when it joins the network.
const (
	nearbySetting = "nearby"
	yes, no       = "yes", "no"
)

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
	w.readLook()
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
