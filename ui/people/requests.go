package people

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// outgoing are those whom we asked and who have not answered.
func outgoing(all []app.Contact) (asked []app.Contact) {
	for _, c := range all {
		if c.State == app.Requested {
			asked = append(asked, app.Contact{Account: c.Account, Name: c.Name, Room: c.Room, Since: c.Since}) // nothing that changes by itself
		}
	}
	return asked
}

// drawAsking lists who asks, and who was asked.
func (p *page) drawAsking(c *crowd) {
	out := outgoing(c.contacts)
	title := kit.NewText(text.Say(text.AskTitle), kit.TypeSection, kit.ColorText).Bold().Elastic()
	o := []fyne.CanvasObject{kit.Ends(kit.GapSmall, title, kit.NewText(sum(len(c.requests), len(out)), kit.TypeSecond, kit.ColorMuted))}
	rows := 0
	for _, q := range c.requests[:min(len(c.requests), requestRows)] {
		o = append(o, p.incoming(q), kit.NewRule())
		rows++
	}
	for _, x := range out[:min(len(out), requestRows)] {
		o = append(o, p.outgoing(x), kit.NewRule())
		rows++
	}
	if rows == 0 {
		o = append(o, kit.NewProse(text.Say(text.AskNobody), kit.TypePreview, kit.ColorMuted))
	} else {
		o = o[:len(o)-1]
	}
	if more := len(c.requests) - requestRows; more > 0 {
		o = append(o, kit.NewText(text.Say(text.NearbyMore, text.N(more)), kit.TypeSecond, kit.ColorMuted))
	}
	p.asking.SetContent(inCard(kit.VStack(10, o...)))
	p.settle()
}

// sum says how many ask, and how many were asked.
func sum(in, out int) string {
	var parts []string
	if in > 0 {
		parts = append(parts, text.Say(text.AskIn, text.N(in)))
	}
	if out > 0 {
		parts = append(parts, text.Say(text.AskOut, text.N(out)))
	}
	return strings.Join(parts, ", ")
}

// row is a face, up to three lines, and what can be done.
func row(key, name string, lines []fyne.CanvasObject, actions ...fyne.CanvasObject) fyne.CanvasObject {
	face := kit.NewAvatar(36, kit.ColorSide).Set(kit.Face{Key: key, Name: name})
	words := append([]fyne.CanvasObject{kit.NewText(kit.Clean(name), kit.TypeBody, kit.ColorText).Bold().Elastic()}, lines...)
	return kit.Ends(kit.GapMedium, kit.Lead(kit.GapMedium, face, kit.VStack(1, words...)), kit.HStack(6, actions...))
}

// quoted is how many characters of a first message stand on the page: enough to decide by, and twenty of them do not fill it.
const quoted = 280

// incoming is somebody who asks.
func (p *page) incoming(q app.Request) fyne.CanvasObject {
	origin := text.Say(text.AskStranger, text.With("number", short(q.Account.String())))
	if q.Token {
		origin = text.Say(text.AskInvited, text.With("number", short(q.Account.String())))
	}
	var lines []fyne.CanvasObject
	if q.Text != "" {
		lines = append(lines, kit.NewProse(text.Say(text.AskQuote, text.With("text", kit.Shorten(q.Text, quoted))), kit.TypePreview, kit.ColorText))
	}
	lines = append(lines, kit.NewText(origin, kit.TypeSecond, kit.ColorMuted).Elastic())
	return row(q.Account.String(), q.Name, lines,
		kit.NewButton(text.Say(text.AskAccept), kit.IconNone, kit.Primary, func() { p.accept(q) }).Small(),
		kit.NewButton(text.Say(text.AskDelete), kit.IconNone, kit.Second, func() { p.decline(q) }).Small(),
		kit.NewButton(text.Say(text.FootBlock), kit.IconNone, kit.Danger, func() { p.block(q) }).Small())
}

// outgoing is somebody who was asked.
func (p *page) outgoing(c app.Contact) fyne.CanvasObject {
	ago := text.Ago(p.screen.host.Now().Sub(c.Since))
	return row(c.Account.String(), c.Name, []fyne.CanvasObject{
		kit.NewText(text.Say(text.AskSent, text.With("ago", ago)), kit.TypePreview, kit.ColorText).Elastic(),
		kit.NewText(text.Say(text.AskUnknown), kit.TypeSecond, kit.ColorMuted).Elastic(),
	}, kit.NewButton(text.Say(text.AskOpen), kit.IconNone, kit.Second, func() { p.screen.host.Open(c.Room) }).Small())
}

// accept says yes, and opens the conversation.
func (p *page) accept(q app.Request) {
	var made app.Contact
	work := func(ctx context.Context) (err error) {
		made, err = p.screen.service.People.Accept(ctx, q.Account)
		return err
	}
	p.screen.host.Act(work, func(err error) {
		if err != nil {
			p.fail(err)
			return
		}
		p.screen.host.Open(made.Room)
	})
}

// decline deletes a request. Nothing is sent: they cannot tell it from silence.
func (p *page) decline(q app.Request) {
	p.do(func(ctx context.Context) error { return p.screen.service.People.Decline(ctx, q.Account) }, text.Say(text.AskDeleted, text.Name(kit.Clean(q.Name))))
}

// block asks first: it ends everything.
func (p *page) block(q app.Request) {
	p.screen.confirmBlock(q.Name, func() {
		p.do(func(ctx context.Context) error { return p.screen.service.People.Block(ctx, q.Account) }, text.Say(text.BlockDone, text.Name(kit.Clean(q.Name))))
	})
}

// do acts, and says what came of it.
func (p *page) do(work func(context.Context) error, done string) {
	p.screen.host.Act(work, func(err error) {
		if err != nil {
			p.fail(err)
			return
		}
		p.screen.host.Focus(p.screen.First()) // what was pressed goes
		p.screen.host.Toast(kit.Notice{Text: done})
	})
}

// confirmBlock asks whether somebody is to be blocked.
func (s *Screen) confirmBlock(name string, yes func()) {
	s.host.Confirm(kit.DialogSpec{
		Title: text.Say(text.BlockTitle, text.Name(kit.Clean(name))), Body: text.Say(text.BlockBody),
		Confirm: text.Say(text.FootBlock), Danger: true, Cancel: text.Say(text.Cancel),
	}, yes)
}
