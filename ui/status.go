package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// statusBar says in words whether messages can arrive, and how many wait.
type statusBar struct {
	content fyne.CanvasObject
	line    *fyne.Container
	left    *fyne.Container
	right   *fyne.Container
	dot     *kit.Dot
	word    *kit.Text
	rest    *kit.Text
	icon    *kit.Glyph
	waiting *kit.Text
}

func newStatusBar() *statusBar {
	b := &statusBar{
		dot: kit.NewDot(kit.ColorQuiet), word: kit.NewText("", kit.TypeSecond, kit.ColorText).Bold(), rest: kit.NewText("", kit.TypeSecond, kit.ColorMuted).Elastic(),
		icon: kit.NewGlyph(kit.IconTick, 14, kit.ColorMuted), waiting: kit.NewText("", kit.TypeSecond, kit.ColorMuted),
	}
	b.left = kit.Lead(kit.GapSmall, kit.HStack(kit.GapSmall, b.dot, b.word), b.rest)
	b.right = kit.HStack(6, b.icon, b.waiting)
	b.right.Hide() // until it is known
	b.line = kit.Ends(kit.GapSmall, b.left, b.right)
	b.content = kit.NewGround(kit.ColorRail, kit.Fixed(0, kit.StatusHeight, kit.Pad(0, kit.GapWide, 0, kit.GapWide, b.line)))
	b.making()
	return b
}

// making is shown until the account is open.
func (b *statusBar) making() {
	b.set(kit.ColorWarn, text.Say(text.StatusStarting), text.Say(text.StatusMaking))
}

// failed is shown while the network part does not run.
func (b *statusBar) failed(queued int) {
	b.set(kit.ColorBad, text.Say(text.StatusStopped), text.Say(text.StatusStoppedWhy))
	b.wait(queued)
}

func (b *statusBar) set(dot kit.Token, word, rest string) {
	b.dot.SetColor(dot)
	b.word.SetText(word)
	b.rest.SetText(rest)
	kit.Relay(b.left)
	kit.Relay(b.line)
}

// show says how the program does.
func (b *statusBar) show(st app.Status) {
	dot, word, rest := state(st)
	b.set(dot, word, rest)
	b.wait(st.Queued)
}

// wait says how many messages are not delivered yet.
func (b *statusBar) wait(queued int) {
	icon, waiting := kit.IconTick, text.Say(text.StatusNothing)
	if queued > 0 {
		icon, waiting = kit.IconClock, text.Say(text.StatusQueued, text.N(queued))
	}
	b.icon.Set(icon, kit.ColorMuted)
	b.waiting.SetText(waiting)
	b.right.Show()
	kit.Relay(b.right)
	kit.Relay(b.line)
}

// state is what the left half of the bar says.
func state(st app.Status) (dot kit.Token, word, rest string) {
	switch {
	case !st.Ready:
		return kit.ColorWarn, text.Say(text.StatusStarting), ""
	case st.Peers == 0 && !st.Online:
		return kit.ColorQuiet, text.Say(text.StatusOffline), text.Say(text.StatusNoNetwork)
	case st.Peers == 0:
		return kit.ColorOK, text.Say(text.StatusOnline), text.Say(text.StatusAlone)
	}
	rest = text.Say(text.StatusPeers, text.N(st.Peers))
	if st.LAN > 0 {
		rest += ", " + text.Say(text.StatusLAN, text.N(st.LAN))
	}
	if st.Relays > 0 {
		rest += ", " + text.Say(text.StatusRelays, text.N(st.Relays))
	}
	return kit.ColorOK, text.Say(text.StatusOnline), rest
}

// summary loads what stands around every page: the line at the lower edge, and the notices at the upper one.
type summary struct {
	service *app.Service // set before the first load
	show    func(st app.Status, me app.Identity, all []app.Contact)
}

// Load asks how the program does, who we are, and who has a new device.
func (s *summary) Load(ctx context.Context, _ []app.Change) (apply func(), err error) {
	st, err := s.service.Owner.Status(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.service.People.Contacts(ctx)
	if err != nil {
		return nil, err
	}
	me, err := s.service.Owner.Identity(ctx)
	if err != nil {
		return nil, err
	}
	return func() { s.show(st, me, all) }, nil
}
