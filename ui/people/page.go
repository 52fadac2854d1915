package people

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// inviteLife is how long an invitation is good for.
const inviteLife = 24 * time.Hour

// How many rows the page draws: anybody on the network can be many, and so can those who ask.
const (
	nearbyRows  = 8
	requestRows = 20
)

// cardWidth is the least width of a card: three stand beside each other in the smallest window.
const cardWidth = 240

// qrSide is the side of a code on the page: three pixels for each of the 57 modules that an invitation takes, and the margin.
const qrSide = 204

// page offers the three ways to somebody, in order of ease, and shows who asks and who was asked.
type page struct {
	screen  *Screen
	content fyne.CanvasObject
	scroll  *container.Scroll
	body    *fyne.Container
	cards   *fyne.Container
	nearby  *kit.Box
	mine    *kit.Box
	asking  *kit.Box
	visible *kit.Switch
	have    *kit.Field
	make    *kit.Button
	take    *kit.Button // the link; nil while there is none

	drawn  crowd // what the page shows
	ready  bool  // something was shown
	link   string
	until  time.Time
	making bool
}

func newPage(s *Screen) *page {
	p := &page{screen: s}
	p.make = p.maker()
	p.visible = kit.NewSwitch(text.Say(text.NearSwitch), false, s.host.Visible)
	p.nearby, p.mine, p.asking = card(kit.Gap(0, 0)), card(kit.Gap(0, 0)), card(kit.Gap(0, 0))
	p.cards = kit.Columns(cardWidth, 14, p.nearby, p.mine, card(p.theirs()))
	head := kit.VStack(kit.GapHair,
		kit.NewText(text.Say(text.AddTitle), kit.TypePage, kit.ColorText).Bold().Elastic(),
		kit.NewText(text.Say(text.AddSub), kit.TypePreview, kit.ColorMuted).Elastic())
	p.body = kit.VStack(14, head, p.cards, p.asking)
	p.scroll = container.NewVScroll(kit.Pad(20, 26, 20, 26, p.body))
	p.content = kit.NewGround(kit.ColorThread, p.scroll)
	p.drawNearby(&crowd{})
	p.drawMine(false)
	p.drawAsking(&crowd{})
	return p
}

// card is a group with a border, whose content can be exchanged.
func card(o fyne.CanvasObject) *kit.Box {
	return kit.NewBox(kit.ColorSide, kit.ColorLine, inCard(o))
}

// heading is the head of a card: an icon, a title, and a sentence that is never cut off.
func heading(i kit.Icon, title, sentence string) fyne.CanvasObject {
	words := kit.VStack(0, kit.NewText(title, kit.TypeSection, kit.ColorText).Bold().Elastic(), kit.NewProse(sentence, kit.TypeSecond, kit.ColorMuted))
	return kit.Lead(10, kit.NewDisc(i, kit.ToneAccent, 36), words)
}

// inCard leaves the room around the content of a card.
func inCard(o fyne.CanvasObject) fyne.CanvasObject {
	return kit.Pad(kit.GapWide, kit.GapSide, kit.GapWide, kit.GapSide, kit.Top(o))
}

// show draws what changed.
func (p *page) show(c *crowd) {
	old := p.drawn
	p.drawn = *c
	if !p.ready || !slices.Equal(old.nearby, c.nearby) || old.name != c.name || old.visible != c.visible {
		p.drawNearby(c)
	}
	past := p.link != "" && !p.screen.host.Now().Before(p.until)
	if past {
		p.link = "" // it leads nobody here any more
	}
	if !p.ready || old.network != c.network || past {
		p.drawMine(c.network)
	}
	if !p.ready || !slices.Equal(old.requests, c.requests) || !slices.Equal(outgoing(old.contacts), outgoing(c.contacts)) {
		p.drawAsking(c)
	}
	p.ready = true
}

// settle lays the page out again after a part of it became higher or lower.
func (p *page) settle() {
	kit.Relay(p.cards)
	kit.Relay(p.body)
	p.scroll.Refresh()
}

// drawNearby lists who is on the same network.
func (p *page) drawNearby(c *crowd) {
	sub := text.Say(text.NearHidden)
	if c.visible {
		sub = text.Say(text.NearVisible, text.Name(kit.Clean(c.name)))
	}
	p.visible.SetOn(c.visible)
	o := []fyne.CanvasObject{kit.Ends(kit.GapSmall, heading(kit.IconWifi, text.Say(text.NearTitle), sub), p.visible)}
	for _, n := range c.nearby[:min(len(c.nearby), nearbyRows)] {
		o = append(o, p.near(n))
	}
	if more := len(c.nearby) - nearbyRows; more > 0 {
		o = append(o, kit.NewText(text.Say(text.NearbyMore, text.N(more)), kit.TypeSecond, kit.ColorMuted))
	}
	words := text.Say(text.NearMissing)
	if len(c.nearby) == 0 {
		words = text.Say(text.NearNobody)
	}
	o = append(o, kit.NewRule(), kit.NewProse(words, kit.TypeSecond, kit.ColorMuted))
	p.nearby.SetContent(inCard(kit.VStack(10, o...)))
	p.settle()
}

// relations say what somebody on the network is to us already.
var relations = map[app.Relation]text.Key{
	app.Accepted: text.NearKnown, app.Pending: text.NearAsks, app.Requested: text.NearAsked, app.Blocked: text.ReachBlocked,
}

// near is one of them. Whoever is known already is not asked again.
func (p *page) near(n app.Nearby) fyne.CanvasObject {
	name := kit.Clean(n.Name)
	if name == "" {
		name = short(n.Account.String())
	}
	face := kit.NewAvatar(36, kit.ColorSide).Set(kit.Face{Key: n.Account.String(), Name: name, Online: true})
	words := kit.VStack(0, kit.NewText(name, kit.TypeBody, kit.ColorText).Bold().Elastic(), kit.NewText(short(n.Account.String()), kit.TypeSecond, kit.ColorMuted).Elastic())
	who := kit.Lead(10, face, words)
	if n.Known != "" {
		return kit.Ends(kit.GapSmall, who, kit.NewText(text.Say(relations[n.Known]), kit.TypeSecond, kit.ColorMuted))
	}
	return kit.Ends(kit.GapSmall, who, kit.NewButton(text.Say(text.NearbyHello), kit.IconNone, kit.Second, func() { p.screen.host.Greet(n) }).Small())
}

// short is the beginning of an account's number: enough to tell people apart, too little to be sure.
func short(account string) string { return account[:min(len(account), 12)] + "…" }

// drawMine shows the invitation that was made, or how to make one.
func (p *page) drawMine(network bool) {
	sub := text.Say(text.MineSub)
	if p.link != "" {
		sub = text.Say(text.MineUntil, text.With("until", text.Until(p.until.Local(), p.screen.host.Now())))
	}
	o := []fyne.CanvasObject{heading(kit.IconQR, text.Say(text.MineTitle), sub)}
	if p.link != "" {
		if code, err := kit.NewQR(p.link, qrSide); err == nil {
			o = append(o, kit.Centered(code))
		}
		p.take = kit.NewButton(text.Say(text.MineCopy), kit.IconCopy, kit.Primary, p.copy)
		p.make = kit.NewButton(text.Say(text.MineAnother), kit.IconNone, kit.Link, p.invite)
		o = append(o, kit.NewBox(kit.ColorInput, kit.ColorBorder, kit.Pad(6, 10, 6, 10, kit.NewText(p.link, kit.TypeSecond, kit.ColorMuted).Mono().Elastic())),
			p.take, kit.Centered(p.make))
	} else {
		if p.take != nil { // there was one
			p.take, p.make = nil, p.maker()
		}
		o = append(o, kit.NewProse(text.Say(text.MineWhat), kit.TypePreview, kit.ColorText), p.make)
	}
	o = append(o, kit.NewProse(text.Say(text.MineTrust), kit.TypeSecond, kit.ColorMuted))
	if !network {
		o = append(o, kit.NewProse(text.Say(text.MineNoNetwork), kit.TypeSecond, kit.ColorWarn))
	}
	p.mine.SetContent(inCard(kit.VStack(10, o...)))
	p.settle()
}

// maker is the button for the first invitation.
func (p *page) maker() *kit.Button {
	return kit.NewButton(text.Say(text.MineMake), kit.IconQR, kit.Primary, p.invite)
}

// invite makes an invitation.
func (p *page) invite() {
	if p.making {
		return
	}
	p.making = true
	var link string
	var until time.Time
	work := func(ctx context.Context) (err error) {
		link, until, err = p.screen.service.People.Invite(ctx, inviteLife)
		return err
	}
	p.screen.host.Act(work, func(err error) {
		p.making = false
		if err != nil {
			p.fail(err)
			return
		}
		p.link, p.until = link, until
		p.drawMine(p.drawn.network)
		p.screen.host.Focus(p.take)
	})
}

// copy puts the invitation on the clipboard.
func (p *page) copy() {
	p.screen.host.Copy(p.link)
	p.screen.host.Toast(kit.Notice{Text: text.Say(text.MineCopied), Icon: kit.IconCopy})
}

// theirs takes an invitation of somebody else.
func (p *page) theirs() fyne.CanvasObject {
	paste := kit.NewButton(text.Say(text.TheirsPaste), kit.IconNone, kit.Link, func() {
		p.have.SetText(p.screen.host.Paste())
		p.add()
	}).Small()
	p.have = kit.NewField(kit.FieldSpec{Label: text.Say(text.TheirsLabel), Silent: true, Placeholder: "cryptexq:…", Trail: paste})
	p.have.OnChanged = func(string) { p.wrong("") }
	p.have.OnSubmit = func(string) { p.add() }
	return kit.VStack(10, heading(kit.IconLink, text.Say(text.TheirsTitle), text.Say(text.TheirsSub)), p.have,
		kit.NewButton(text.Say(text.TheirsAdd), kit.IconNone, kit.Primary, p.add),
		kit.NewProse(text.Say(text.TheirsWhat), kit.TypeSecond, kit.ColorMuted))
}

// wrong says what is wrong with what was pasted.
func (p *page) wrong(sentence string) {
	p.have.SetWrong(sentence)
	p.settle()
}

// add looks at the invitation first: who made it is seen before anything is sent.
func (p *page) add() {
	link := p.have.Text()
	if link == "" {
		p.screen.host.Focus(p.have.Focusable())
		return
	}
	var account string
	var until time.Time
	work := func(ctx context.Context) error {
		inv, err := p.screen.service.People.Preview(ctx, link)
		if err == nil {
			account, until = inv.Account.String(), time.Unix(int64(inv.Expires), 0)
		}
		return err
	}
	p.screen.host.Act(work, func(err error) {
		if err != nil {
			p.wrong(p.screen.host.SayLink(err))
			p.screen.host.Focus(p.have.Focusable())
			return
		}
		p.have.SetText("")
		p.screen.host.GreetLink(link, account, until)
	})
}

// fail says what went wrong.
func (p *page) fail(err error) {
	p.screen.host.Toast(kit.Notice{Text: p.screen.host.Say(err), Icon: kit.IconWarn, Tone: kit.ToneBad})
}
