package setup

import (
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// UnlockSpec says what an Unlock is for, and what it calls back.
type UnlockSpec struct {
	Profile string // whose vault it is, as far as is known before it is open
	Unlock  func(password []byte)
	Focus   func(fyne.Focusable)
	After   func(d time.Duration, f func()) // calls f on Fyne's goroutine after d
}

// Unlock asks for the password of a vault. One sentence below the field is the place of every refusal.
type Unlock struct {
	spec    UnlockSpec
	content fyne.CanvasObject
	word    *kit.Field
	caps    *kit.Text
	button  *kit.Button
	bar     *kit.Progress
	busy    bool
	left    time.Duration // of a pause
}

// NewUnlock makes the page.
func NewUnlock(s UnlockSpec) *Unlock {
	u := &Unlock{spec: s, caps: kit.NewText("", kit.TypeSecond, kit.ColorWarn).Elastic(), bar: kit.NewProgress(text.Say(text.UnlockBusy))}
	u.word = kit.NewField(kit.FieldSpec{Label: text.Say(text.UnlockPassword), Secret: true, Hidden: true})
	u.word.OnChanged, u.word.OnSubmit = u.changed, func(string) { u.try() }
	u.button = kit.NewButton(text.Say(text.UnlockButton), kit.IconNone, kit.Primary, u.try)
	form := kit.VStack(0,
		kit.Centered(kit.NewDisc(kit.IconLock, kit.ToneAccent, 72).Round()), kit.Gap(0, kit.GapMedium),
		kit.NewProse(text.Say(text.UnlockTitle), kit.TypePage, kit.ColorText).Bold().Centered(), kit.Gap(0, kit.GapTight),
		kit.NewProse(text.Say(text.UnlockSub, text.Name(s.Profile)), kit.TypeBody, kit.ColorMuted).Centered(), kit.Gap(0, kit.GapLarge),
		u.word, kit.Gap(0, kit.GapTight), u.caps, kit.Gap(0, kit.GapSmall), u.button, kit.Gap(0, kit.GapMedium), u.bar)
	u.content = kit.NewGround(kit.ColorThread, column(form))
	return u
}

// Content is what is shown.
func (u *Unlock) Content() fyne.CanvasObject { return u.content }

// First is what gets the keyboard.
func (u *Unlock) First() fyne.Focusable { return u.word.Focusable() }

// changed takes what was wrong back, and says when Caps Lock seems to be on.
func (u *Unlock) changed(string) {
	if u.left > 0 {
		return
	}
	u.word.SetWrong("")
	u.caps.SetText("")
	if u.word.CapsLock() {
		u.caps.SetText(text.Say(text.UnlockCaps))
	}
}

// try calls back with what was typed.
func (u *Unlock) try() {
	if u.busy || u.left > 0 || u.word.Text() == "" {
		return
	}
	u.setBusy(true)
	u.spec.Unlock([]byte(u.word.Text()))
}

func (u *Unlock) setBusy(on bool) {
	u.busy = on
	u.bar.Run(on)
	if on {
		u.button.Disable()
	} else {
		u.button.Enable()
	}
}

// Wrong says that the password does not fit, and how long to wait before the next try.
func (u *Unlock) Wrong(sentence string, pause time.Duration) {
	u.setBusy(false)
	u.caps.SetText("")
	if u.word.CapsLock() {
		sentence += " " + text.Say(text.UnlockCaps)
	}
	u.word.SetText("")
	u.left = pause
	if pause > 0 {
		u.countdown(sentence)
		return
	}
	u.word.SetWrong(sentence)
	u.spec.Focus(u.word.Focusable())
}

// Done ends what the page shows of the opening: the vault is open.
func (u *Unlock) Done() {
	u.word.SetText("")
	u.setBusy(false)
}

// countdown says each second how long is left to wait.
func (u *Unlock) countdown(sentence string) {
	if u.left <= 0 {
		u.left = 0
		u.word.SetWrong("")
		u.word.Enable()
		u.button.Enable()
		u.spec.Focus(u.word.Focusable())
		return
	}
	u.spec.Focus(nil)
	u.word.Disable()
	u.button.Disable()
	seconds := int((u.left + time.Second - 1) / time.Second)
	u.word.SetWrong(sentence + " " + text.Say(text.UnlockWait, text.N(seconds)))
	u.left -= time.Second
	u.spec.After(time.Second, func() { u.countdown(sentence) })
}

// NewTrouble is the page of a vault that cannot be opened: what is wrong with which file, what to do, and to try again.
func NewTrouble(head, body string, again func()) (content fyne.CanvasObject, first fyne.Focusable) {
	button := kit.NewButton(text.Say(text.TroubleAgain), kit.IconRefresh, kit.Primary, again)
	return kit.NewGround(kit.ColorThread, kit.NewEmpty(kit.IconWarn, head, body, button)), button
}
