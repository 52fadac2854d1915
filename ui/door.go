package ui

import (
	"context"
	"errors"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/setup"
	"github.com/cryptexq/cryptexq/ui/text"
)

// door is what stands before an account: the pages that make one, unlock it, or say why it cannot be opened.
type door struct{ window *window }

// begin shows the first page: to make an account, or to unlock the one that is there.
func (d *door) begin() {
	if d.window.desk.Profile.Exists() {
		d.showUnlock()
	} else {
		d.showCreate("", "")
	}
}

// showCreate shows the page that makes an account, again after it failed.
func (d *door) showCreate(name, trouble string) {
	d.window.shell = nil
	page := setup.NewCreate(setup.CreateSpec{Start: d.create, Say: say, Focus: d.window.focus})
	page.SetName(name)
	page.Wrong(trouble)
	d.window.show(page.Content(), page.First)
}

// create makes an account behind the next page: what is asked for there meanwhile waits a second.
func (d *door) create(name string, password []byte) {
	d.window.showShell()
	d.warm()
	d.window.work(func(ctx context.Context) error {
		defer clear(password)
		service, err := d.window.desk.Profile.Create(ctx, app.NewAccount{Name: name, Password: password, MinKDF: d.window.minKDF})
		if err := d.window.take(service, err); err != nil {
			return err
		}
		// Two people in one room are to find each other; that a name is not shown is no reason to have no account.
		_ = service.Owner.SetNearby(ctx, true)
		return nil
	}, func(err error) {
		if err != nil {
			d.showCreate(name, say(err))
			return
		}
		d.window.start()
	})
}

// showUnlock shows the page that asks for the password.
func (d *door) showUnlock() {
	var page *setup.Unlock
	page = setup.NewUnlock(setup.UnlockSpec{Profile: d.window.desk.Name, Focus: d.window.focus, After: d.window.after, Unlock: func(password []byte) { d.unlock(page, password) }})
	d.window.show(page.Content(), page.First)
}

// unlock opens the vault.
func (d *door) unlock(page *setup.Unlock, password []byte) {
	d.warm()
	d.window.work(func(ctx context.Context) error {
		defer clear(password)
		service, err := d.window.desk.Profile.Unlock(ctx, password)
		return d.window.take(service, err)
	}, func(err error) {
		var pause *app.PauseError
		switch head, body, lost := "", "", false; {
		case err == nil:
			page.Done()
			d.window.showShell()
			d.window.start()
		case errors.As(err, &pause):
			page.Wrong(d.refusal(pause), pause.Wait)
		default:
			if head, body, lost = vaultTrouble(err); lost {
				page.Done()
				d.showTrouble(head, body)
				return
			}
			page.Wrong(say(err), 0)
		}
	})
}

// warm has the fonts of other scripts loaded while the password is being stretched: the first use of one takes a tenth of a second
// and more, in the middle of a conversation otherwise.
func (d *door) warm() {
	for _, s := range []string{"漢字かな한글", "مرحبا שלום", "👏🏽🎉"} {
		d.window.do(func() { kit.NewText(s, kit.TypeBody, kit.ColorText).MinSize() })
	}
}

// fewTries is when the page begins to say how many are left.
const fewTries = 2

// refusal is the sentence for a password that does not fit.
func (d *door) refusal(p *app.PauseError) string {
	s := say(app.ErrPassword)
	if p.Wait == 0 && p.Left > 0 && p.Left <= fewTries {
		s += " " + text.Say(text.ProblemTries, text.N(p.Left))
	}
	return s
}

// showTrouble shows a vault that no password opens.
func (d *door) showTrouble(head, body string) {
	content, first := setup.NewTrouble(head, body, d.begin)
	d.window.show(content, func() fyne.Focusable { return first })
}
