package chat

import (
	"context"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// Greeting is somebody who is about to be asked for the first time. Nothing has been sent to them yet.
type Greeting struct {
	Name string // what they call themselves; empty where only the number is known
	Key  string // their account, which decides the colour
	Note string // what is known of them
	Ask  func(ctx context.Context, words string) (app.Contact, error)
}

// GreetNearby is a greeting to somebody on the same network.
func GreetNearby(s *app.Service, p app.Nearby) Greeting {
	return Greeting{
		Name: nearbyName(p), Key: p.Account.String(), Note: text.Say(text.HelloNearby, text.With("number", short(p.Account.String()))),
		Ask: func(ctx context.Context, words string) (app.Contact, error) {
			return s.People.AddNearby(ctx, p.Account, words)
		},
	}
}

// GreetLink is a greeting to whoever made an invitation that is good until a time.
func GreetLink(s *app.Service, link, account string, until time.Time, now time.Time) Greeting {
	return Greeting{
		Key: account, Note: text.Say(text.HelloLink, text.With("number", short(account)), text.With("until", text.Until(until, now))),
		Ask: func(ctx context.Context, words string) (app.Contact, error) { return s.People.Add(ctx, link, words) },
	}
}

// short is the beginning of an account's number: enough to tell people apart, too little to be sure.
func short(account string) string { return account[:min(len(account), 12)] + "…" }

// nearbyName is what to call somebody on the network.
func nearbyName(p app.Nearby) string {
	if n := kit.Clean(p.Name); n != "" {
		return n
	}
	return short(p.Account.String())
}

// greeting is the pane in which the first message to somebody is written: it travels with the request.
type greeting struct {
	to       Greeting
	composer *kit.Composer
	busy     bool
}

// Greet opens a composer for a first message. What is written in it goes out with the request, and nothing before.
func (s *Screen) Greet(to Greeting) {
	s.HidePanel()
	s.pane.greet(to)
}

func (p *pane) greet(to Greeting) {
	g := &greeting{to: to}
	g.composer = kit.NewComposer(kit.ComposerSpec{OnSend: p.ask, OnEscape: p.screen.Escape, Limit: app.MaxText})
	name := to.Name
	if name == "" {
		name = text.Say(text.HelloSomebody)
	}
	g.composer.SetPlaceholder(text.Say(text.HelloTo, text.Name(name)))
	p.greeting = g
	face := kit.NewAvatar(72, kit.ColorThread).Set(kit.Face{Key: to.Key, Name: to.Name})
	who := kit.Middle(kit.ProseWidth, kit.VStack(kit.GapSmall,
		kit.Centered(face), kit.NewProse(text.Say(text.HelloTitle, text.Name(name)), kit.TypeEmpty, kit.ColorText).Bold().Centered(),
		kit.NewProse(to.Note, kit.TypePreview, kit.ColorMuted).Centered(), kit.Gap(0, kit.GapSmall),
		kit.NewProse(text.Say(text.HelloHow), kit.TypeBody, kit.ColorMuted).Centered(),
		kit.Centered(kit.NewButton(text.Say(text.HelloCancel), kit.IconNone, kit.Link, p.screen.Escape))))
	p.content.SetContent(kit.VFlex(0, who, g.composer))
	p.screen.host.Focus(g.composer.Focusable())
}

// ask sends the request with its first message, and shows the conversation that begins with it.
func (p *pane) ask(words string) {
	g := p.greeting
	if g == nil {
		return
	}
	if g.busy { // the first one is still under way
		g.composer.Restore(words)
		return
	}
	g.busy = true
	var made app.Contact
	work := func(ctx context.Context) (err error) {
		made, err = g.to.Ask(ctx, words)
		return err
	}
	p.screen.host.Act(work, func(err error) {
		g.busy = false
		switch {
		case err != nil:
			g.composer.Restore(words)
			p.screen.host.Toast(kit.Notice{Text: p.screen.host.Say(err), Icon: kit.IconWarn, Tone: kit.ToneBad})
		case p.greeting == g:
			p.screen.Open(made.Room)
		}
	})
}

// ungreet gives the greeting up: back to the conversation, or to what stands where none is open.
func (p *pane) ungreet() {
	p.greeting = nil
	if p.talk == nil {
		p.welcome()
		return
	}
	p.content.SetContent(p.view)
}
