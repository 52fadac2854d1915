package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/chat"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/people"
	"github.com/cryptexq/cryptexq/ui/text"
)

// place is a destination of the rail.
type place int

// The places, in the order of the rail and of Ctrl+1, Ctrl+2.
const (
	chats place = iota
	contacts
	places // how many
)

// shell is what stands around every page of an account: rail, notices, status. It exists before the account does: what is asked for
// meanwhile waits in the hands.
type shell struct {
	window  *window
	service *app.Service // nil until attach
	pump    *pump
	hands   *hands
	chat    *chat.Screen
	people  *people.Screen
	summary *summary
	status  *statusBar
	notices *notices
	me      *kit.Avatar
	rail    [places]*kit.RailButton
	page    *kit.Box
	root    *fyne.Container
	at      place
	all     []app.Contact // as the banners were made of them
	down    bool          // the network part does not run
}

func newShell(w *window) *shell {
	s := &shell{window: w, status: newStatusBar(), me: kit.NewAvatar(36, kit.ColorRail), page: kit.NewGround(kit.ColorThread, kit.Gap(0, 0))}
	s.me.Set(kit.Face{Icon: kit.IconUser})
	s.hands = newHands(w.do)
	s.chat, s.people = chat.New(s.chatHost()), people.New(s.peopleHost())
	s.summary = &summary{show: s.show}
	s.pump = newPump(w.do, w.fail, s.chat, s.people, s.summary)
	s.notices = newNotices(s.act, func() { kit.Relay(s.root) })
	s.root = kit.VFlex(1, s.notices.content, kit.HFlex(1, s.makeRail(), s.page), kit.NewRule(), s.status.content)
	s.turn(chats)
	return s
}

// makeRail is the column of destinations.
func (s *shell) makeRail() fyne.CanvasObject {
	s.rail[chats] = kit.NewRailButton(kit.IconChat, text.Say(text.RailChats), func() { s.goTo(chats) })
	s.rail[contacts] = kit.NewRailButton(kit.IconUser, text.Say(text.RailPeople), func() { s.goTo(contacts) })
	column := kit.VStack(kit.GapTight, kit.Pad(kit.GapMedium, 0, 10, 0, kit.Centered(s.me)), s.rail[chats], s.rail[contacts])
	return kit.HFlex(0, kit.NewGround(kit.ColorRail, kit.Fixed(kit.RailWidth, 0, kit.Top(column))), kit.NewRule())
}

// chatHost is the window as the screen of conversations sees it.
func (s *shell) chatHost() chat.Host {
	w := s.window
	return chat.Host{
		Act: s.hands.act, Again: func() { s.pump.again() }, After: w.after, Focus: w.focus, Say: say, Now: w.localNow, Toast: w.stage.Toast,
		Add: func() { s.goTo(contacts) }, Requests: func() { s.goTo(contacts) },
		Invite:  func() { s.turn(contacts); w.focus(s.people.Invite()) },
		Contact: s.contact, Closed: func() { s.people.ClosePanel() },
	}
}

// peopleHost is the window as the screen of people sees it.
func (s *shell) peopleHost() people.Host {
	w := s.window
	return people.Host{
		Act: s.hands.act, Again: func() { s.pump.again() }, Focus: w.focus, Say: say, SayLink: sayLink, Now: w.localNow, Toast: w.stage.Toast,
		Visible: s.setVisible, Copy: w.app.Clipboard().SetContent, Paste: w.app.Clipboard().Content, Confirm: w.confirm,
		Greet: func(n app.Nearby) { s.greet(chat.GreetNearby(s.service, n)) },
		GreetLink: func(link, account string, until time.Time) {
			s.greet(chat.GreetLink(s.service, link, account, until.Local(), w.localNow()))
		},
		Open:  func(room app.RoomID) { s.turn(chats); s.chat.Open(room) },
		Close: func() { s.chat.HidePanel(); w.focus(s.chat.First()) }, Back: func() { w.focus(s.chat.First()) }, Standing: chat.Standing, Reach: chat.Reach,
	}
}

// localNow is the time on the wall.
func (w *window) localNow() time.Time { return w.now().Local() }

// confirm asks something, and calls back for a yes.
func (w *window) confirm(spec kit.DialogSpec, yes func()) {
	var d *kit.Dialog
	spec.OnDone = func() {
		d.Close()
		yes()
	}
	d = kit.NewDialog(w.win.Canvas(), spec)
	d.Open()
}

// attach gives the pages the account.
func (s *shell) attach(service *app.Service) {
	s.service, s.summary.service = service, service
	s.chat.Attach(service)
	s.people.Attach(service)
}

// first is what gets the keyboard on the present page.
func (s *shell) first() fyne.Focusable {
	if s.at == contacts {
		return s.people.First()
	}
	return s.chat.First()
}

// goTo shows a page and gives it the keyboard.
func (s *shell) goTo(p place) {
	s.turn(p)
	s.window.focus(s.first())
}

// turn shows a page.
func (s *shell) turn(p place) {
	s.at = p
	for i, b := range s.rail {
		b.SetActive(place(i) == p)
	}
	if p == contacts {
		s.page.SetContent(s.people.Content())
	} else {
		s.page.SetContent(s.chat.Content())
	}
	s.chat.SetShown(p == chats)
}

// greet opens the composer for a first message.
func (s *shell) greet(g chat.Greeting) {
	s.turn(chats)
	s.chat.Greet(g)
}

// contact opens the panel of somebody beside the conversation.
func (s *shell) contact(c app.Contact, because chat.WhyContact) {
	s.chat.ShowPanel(s.people.Panel(c))
	s.pump.again()
	if because != chat.WhyLook {
		s.window.focus(s.people.PanelFirst())
	}
}

// show takes over how the program does.
func (s *shell) show(st app.Status, me app.Identity, all []app.Contact) {
	s.all = all
	if s.down {
		s.status.failed(st.Queued)
	} else {
		s.status.show(st)
	}
	s.me.Set(kit.Face{Key: me.Account.String(), Name: me.Name, Online: !s.down && (st.Peers > 0 || st.Online)})
	s.notices.show(bannersOf(st.Notices, all))
}

// act is the button of a banner.
func (s *shell) act(b banner) {
	switch {
	case b.again:
		s.started()
	case b.own:
		s.notices.drop(b)
	case b.whom > 0 && b.whom <= len(s.all):
		c := s.all[b.whom-1]
		s.turn(chats)
		s.chat.Open(c.Room)
		s.contact(c, chat.WhyApprove)
	case b.code != "":
		s.hands.act(func(context.Context) error {
			s.service.Owner.Dismiss(b.code, b.about)
			return nil
		}, func(error) {})
	}
}

// stopped says that the network part does not run, and offers to try again.
func (s *shell) stopped(cause string) {
	s.down = true
	s.notices.set(banner{icon: kit.IconNet, tone: kit.ToneBad, words: text.Say(text.NoticeNetwork, text.With("cause", cause)), action: text.TroubleAgain, again: true})
	s.pump.again()
}

// started tries again.
func (s *shell) started() {
	s.down = false
	s.notices.clear()
	s.pump.again()
	s.window.opened().rejoin()
}

// setVisible says whether others on the network see our name.
func (s *shell) setVisible(on bool) {
	s.hands.act(func(ctx context.Context) error { return s.service.Owner.SetNearby(ctx, on) }, func(err error) {
		if err != nil {
			s.window.fail(err)
			s.pump.again() // the switch goes back
		}
	})
}
