package chat

import (
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// pane is the right half of the screen: a conversation, a greeting that is being written, or what can be done when there is neither.
type pane struct {
	screen   *Screen
	content  *kit.Box
	view     *fyne.Container // of a conversation: header, rule, thread, remarks, foot
	header   *header
	thread   *kit.Thread
	remarks  *fyne.Container
	foot     *kit.Box
	composer *kit.Composer
	draft    draft
	greeting *greeting
	begin    *kit.Button // of the empty state: what is best done first
	have     *kit.Button

	talk   *talk  // as shown; nil while no conversation is
	fresh  string // the first new message, as of when the chat was opened
	said   []remark
	stands footing
	whom   string // the name in the foot
	seen   string // the newest row that was in view
	marked app.Key
	waking bool // a look at what is under way is due

	refused map[app.RoomID]string // what could not be sent of chats that were left meanwhile
}

// footing is what stands below the thread.
type footing uint8

// The footings.
const (
	footNone footing = iota
	footComposer
	footBlocked
	footNamesake
)

func newPane(s *Screen) *pane {
	p := &pane{screen: s, header: newHeader(s.TogglePanel), remarks: kit.VStack(0), foot: kit.NewGround(kit.ColorThread, kit.Gap(0, 0)), refused: map[app.RoomID]string{}}
	p.draft.screen = s
	p.thread = kit.NewThread(kit.ThreadDoes{
		OnRune: p.typed, OnLeave: func() { s.host.Focus(p.first()) },
		OnSeen: p.onSeen, OnOlder: p.older, OnNewer: p.newer, OnNewest: p.newest,
	})
	p.composer = kit.NewComposer(kit.ComposerSpec{
		OnSend: p.send, OnChanged: p.draft.typed, OnUp: func() { s.host.Focus(p.thread) }, OnEscape: s.Escape, Limit: app.MaxText,
	})
	p.view = kit.VFlex(2, p.header.content, kit.NewRule(), p.thread, p.remarks, p.foot)
	p.content = kit.NewGround(kit.ColorThread, kit.Gap(0, 0))
	p.begin = kit.NewButton(text.Say(text.WelcomeInvite), kit.IconQR, kit.Primary, p.beginning)
	p.have = kit.NewButton(text.Say(text.WelcomeHave), kit.IconNone, kit.Second, s.host.Add)
	p.welcome()
	return p
}

// first is what gets the keyboard.
func (p *pane) first() fyne.Focusable {
	switch {
	case p.greeting != nil:
		return p.greeting.composer.Focusable()
	case p.talk == nil:
		return p.begin
	case p.stands == footComposer:
		return p.composer.Focusable()
	}
	return p.thread
}

// welcome is what stands there while no conversation is open: who wants to talk, whom one could talk to, how to reach others.
func (p *pane) welcome() {
	if p.talk != nil || p.greeting != nil {
		return
	}
	head, body := text.Say(text.WelcomeTitle), text.Say(text.WelcomeBody)
	word, icon := text.WelcomeInvite, kit.IconQR
	if asking := p.screen.side.asking(); asking != "" {
		head, body = asking, text.Say(text.WelcomeAsksBody)
		word, icon = text.WelcomeAsksOpen, kit.IconUser
	} else if names := p.screen.side.nearby.names(); names != "" {
		head, body = text.Say(text.WelcomeNearbyTitle), text.Say(text.WelcomeNearbyBody, text.With("names", names))
	}
	p.begin.Set(text.Say(word), icon)
	p.content.SetContent(kit.NewEmpty(kit.IconChat, head, body, p.begin, p.have)) // the same buttons: they may have the keyboard
}

// beginning answers who asks, or invites somebody.
func (p *pane) beginning() {
	if p.screen.side.asking() != "" {
		p.screen.host.Requests()
		return
	}
	p.screen.host.Invite()
}

// show shows a conversation: for the first time, or what changed in it.
func (p *pane) show(t *talk) {
	opening := t.query.opening
	if p.talk == nil || p.talk.room.ID != t.room.ID {
		p.turn(t)
	}
	p.talk = t
	now := p.screen.host.Now()
	p.header.show(t, now)
	p.remark(remarks(t, now))
	p.stand(t)
	page := pageOf(t, p.fresh, now)
	p.introduce(&page)
	if opening {
		p.greeting = nil
		p.content.SetContent(p.view)
		p.thread.Open(page)
		p.screen.host.Focus(p.first())
	} else {
		p.thread.Update(page)
	}
	p.wake(impatient(t, now))
}

// wake looks again after d at what is under way.
func (p *pane) wake(d time.Duration) {
	if d <= 0 || p.waking {
		return
	}
	p.waking = true
	p.screen.host.After(d, func() {
		p.waking = false
		p.screen.host.Again()
	})
}

// turn leaves the conversation that was shown for another.
func (p *pane) turn(t *talk) {
	p.draft.store(p.screen.host.Again)
	p.fresh, p.seen, p.marked = freshKey(t.messages, t.room.Unread), "", app.Key{}
	p.draft.begin(t.room.ID, t.room.Draft)
	p.composer.SetText(t.room.Draft)
	if words := p.refused[t.room.ID]; words != "" {
		delete(p.refused, t.room.ID)
		p.composer.Restore(words)
	}
}

// introduce says in an empty thread what can be done, and what a message is.
func (p *pane) introduce(page *kit.Page) {
	if len(page.Rows) > 0 || p.stands != footComposer {
		return
	}
	line := func(key string, i kit.Icon, words text.Key) kit.ThreadMessage {
		return kit.ThreadMessage{Key: key, Notice: true, Icon: i, Text: text.Say(words)}
	}
	page.Rows = append(page.Rows, line("first", kit.IconChat, text.ThreadFirst))
	if p.talk.room.Kind != kindNotes {
		page.Rows = append(page.Rows, line("proof", kit.IconShield, text.ThreadProof))
	}
}

// remark shows the lines over the composer, if they are others than before.
func (p *pane) remark(all []remark) {
	if slices.Equal(all, p.said) {
		return
	}
	p.said = all
	p.remarks.Objects = nil
	for _, r := range all {
		action := ""
		if r.action != "" {
			action = text.Say(r.action)
		}
		p.remarks.Objects = append(p.remarks.Objects, kit.NewBanner(r.icon, r.words, r.tone, action, func() { p.act(r.does) }))
	}
	kit.Relay(p.remarks)
	kit.Relay(p.view)
}

// stand puts under the thread what may be done in it: write, or first something else.
func (p *pane) stand(t *talk) {
	want := footComposer
	switch {
	case t.contact != nil && t.contact.State == app.Blocked:
		want = footBlocked
	case t.standing == kit.StandingNamesake:
		want = footNamesake
	}
	name := kit.Clean(t.room.Name)
	if want == p.stands && name == p.whom {
		return
	}
	p.stands, p.whom = want, name
	switch want {
	case footBlocked:
		p.foot.SetContent(kit.NewBanner(kit.IconMute, text.Say(text.FootBlocked, text.Name(name)), kit.ToneNeutral, text.Say(text.FootUnblock), func() { p.act(actUnblock) }))
	case footNamesake:
		p.foot.SetContent(p.namesake(text.Say(text.FootNamesake, text.Name(name))))
	default:
		to := text.Say(text.ComposerTo, text.Name(name))
		if t.room.Kind == kindNotes {
			to = text.Say(text.NotesWrite)
		}
		p.composer.SetPlaceholder(to)
		p.foot.SetContent(p.composer)
	}
	kit.Relay(p.view)
}

// namesake stands instead of the composer for another account with a known name.
func (p *pane) namesake(sentence string) fyne.CanvasObject {
	buttons := kit.Shares(kit.GapSmall,
		kit.NewButton(text.Say(text.FootCompare), kit.IconNone, kit.Primary, func() { p.act(actCompare) }),
		kit.NewButton(text.Say(text.FootBlock), kit.IconNone, kit.Danger, func() { p.act(actBlock) }))
	return kit.VStack(0, kit.NewBanner(kit.IconWarn, sentence, kit.ToneWarn, "", nil), kit.Pad(kit.GapMedium, kit.GapSide, kit.GapMedium, kit.GapSide, buttons))
}

// act does what a button around the composer offers.
func (p *pane) act(a act) {
	if p.talk == nil || p.talk.contact == nil {
		return
	}
	c, people := *p.talk.contact, p.screen.service.People
	switch a {
	case actCompare:
		p.screen.host.Contact(c, WhyCompare)
	case actApprove:
		p.screen.host.Contact(c, WhyApprove)
	case actBlock:
		p.do(func(ctx context.Context) error { return people.Block(ctx, c.Account) })
	case actUnblock:
		p.do(func(ctx context.Context) error { return people.Unblock(ctx, c.Account) })
	}
}

// do acts, and says what went wrong.
func (p *pane) do(work func(context.Context) error) {
	p.screen.host.Act(work, func(err error) {
		if err != nil {
			p.screen.host.Toast(kit.Notice{Text: p.screen.host.Say(err), Icon: kit.IconWarn, Tone: kit.ToneBad})
		}
	})
}

// details shows what is known of the other one.
func (p *pane) details() {
	if p.talk != nil && p.talk.contact != nil {
		p.screen.host.Contact(*p.talk.contact, WhyLook)
	}
}

// send sends what was written. What is refused comes back into the composer, with the reason; where another chat is open by then, as
// soon as this one is again.
func (p *pane) send(words string) {
	room, rooms := p.draft.room, p.screen.service.Rooms
	if p.talk.newer {
		p.newest()
	} else {
		p.thread.ToEnd()
	}
	work := func(ctx context.Context) error {
		if _, err := rooms.Send(ctx, room, app.Draft{Text: words}); err != nil {
			return err
		}
		return rooms.SetDraft(ctx, room, "")
	}
	p.draft.stored = ""
	p.screen.host.Act(work, func(err error) {
		if err == nil {
			return
		}
		if p.draft.room == room {
			p.composer.Restore(words)
		} else {
			p.refused[room] = strings.TrimSpace(p.refused[room] + "\n" + words)
		}
		p.screen.host.Toast(kit.Notice{Text: p.screen.host.Say(err), Icon: kit.IconWarn, Tone: kit.ToneBad})
	})
}

// older and newer want more of the thread.
func (p *pane) older() {
	if p.talk != nil && len(p.talk.messages) > 0 {
		p.screen.asked.older(p.talk.messages[0].Key)
		p.screen.host.Again()
	}
}

func (p *pane) newer() {
	if p.talk != nil && len(p.talk.messages) > step {
		p.screen.asked.newer(p.talk.messages[step].Key)
		p.screen.host.Again()
	}
}

// newest wants its end.
func (p *pane) newest() {
	p.screen.asked.newest()
	p.screen.host.Again()
}

// typed is a character that was typed on the thread: it belongs to the composer.
func (p *pane) typed(r rune) {
	if p.stands == footComposer {
		p.composer.Type(r)
	}
}

// onSeen notes the newest row that was in view.
func (p *pane) onSeen(key string) {
	p.seen = key
	p.read()
}

// read says that what was in view was read, if somebody can see the window.
func (p *pane) read() {
	if p.talk == nil || p.talk.room.Unread == 0 || p.seen == "" || !p.screen.active || !p.screen.shown {
		return
	}
	all := p.talk.messages
	i := slices.IndexFunc(all, func(m app.Message) bool { return keyOf(m) == p.seen })
	if i < 0 { // a notice behind the last message
		i = len(all) - 1
	}
	if i < 0 || !past(all[i].Key, p.marked) {
		return
	}
	p.marked = all[i].Key
	room, upTo := p.talk.room.ID, p.marked
	p.screen.host.Act(func(ctx context.Context) error { return p.screen.service.Rooms.MarkRead(ctx, room, upTo) }, func(error) {})
}

// past reports whether a stands behind b.
func past(a, b app.Key) bool {
	if a.Sort != b.Sort {
		return a.Sort > b.Sort
	}
	return a.Tie > b.Tie || a.Tie == b.Tie && a.Index > b.Index
}
