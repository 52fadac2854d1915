package people

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// asked says whose panel is open, between Fyne's goroutine, which writes it, and the one that loads.
type asked struct {
	mu   sync.Mutex
	gen  int          // of the panel; guarded by mu
	whom *app.Contact // nil while it is closed; guarded by mu
}

func (a *asked) set(c *app.Contact) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gen++
	a.whom = c
}

func (a *asked) get() (whom *app.Contact, gen int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.whom, a.gen
}

func (a *asked) now() int {
	_, gen := a.get()
	return gen
}

// known is what the panel shows of somebody.
type known struct {
	gen      int
	found    bool
	contact  app.Contact
	standing kit.Standing
	number   string // empty until they could be reached once
}

// look finds out what the panel is to show.
func (s *Screen) look(ctx context.Context, all []app.Contact) (k known, err error) {
	whom, gen := s.asked.get()
	if whom == nil {
		return known{}, nil
	}
	i := slices.IndexFunc(all, func(c app.Contact) bool { return c.Account == whom.Account })
	if i < 0 {
		return known{}, nil
	}
	k = known{gen: gen, found: true, contact: all[i], standing: s.host.Standing(all[i], all)}
	k.number, err = s.service.People.SafetyNumber(ctx, whom.Account)
	if errors.Is(err, app.ErrNotFound) {
		err = nil
	}
	return k, err
}

// panel is what is known of somebody: who it is, and how messages reach them.
type panel struct {
	screen *Screen
	frame  *kit.Panel
	body   *fyne.Container
	foot   *kit.Box
	drawn  known
	first  fyne.Focusable
}

// Panel opens the panel of somebody; what it shows comes with the next load.
func (s *Screen) Panel(c app.Contact) fyne.CanvasObject {
	p := &panel{screen: s, body: kit.VStack(0), foot: kit.NewGround(kit.ColorSide, kit.Gap(0, 0))}
	p.frame = kit.NewPanel(text.Say(text.PanelTitle), s.host.Close, p.body, p.foot)
	s.panel = p
	s.asked.set(&c)
	p.show(known{contact: c, found: true})
	return p.frame
}

// ClosePanel forgets whose panel it was.
func (s *Screen) ClosePanel() {
	s.panel = nil
	s.asked.set(nil)
}

// PanelFirst is what gets the keyboard in the panel, nil while it is closed.
func (s *Screen) PanelFirst() fyne.Focusable {
	if s.panel == nil {
		return nil
	}
	return s.panel.first
}

// same reports whether two loads found the same, as far as it is drawn.
func same(a, b known) bool {
	a.gen, b.gen, a.contact.LastSeen, b.contact.LastSeen = 0, 0, b.contact.Since, b.contact.Since
	return a == b
}

// show draws what is known, if it is other than before.
func (p *panel) show(k known) {
	if same(k, p.drawn) {
		return
	}
	p.drawn = k
	c, name := k.contact, kit.Clean(k.contact.Name)
	face := kit.NewAvatar(72, kit.ColorSide).Set(kit.Face{Key: c.Account.String(), Name: c.Name, Online: c.Path > 0 && c.State != app.Blocked})
	title := kit.NewText(name, kit.TypeEmpty, kit.ColorText).Bold()
	o := []fyne.CanvasObject{
		kit.Centered(face), kit.Gap(0, 6), kit.Centered(kit.HStack(6, title, kit.NewSeal(18).Set(k.standing))),
		kit.NewProse(p.screen.host.Reach(c, p.screen.host.Now()), kit.TypeSecond, kit.ColorMuted).Centered(), kit.Gap(0, kit.GapWide),
	}
	p.foot.SetContent(p.ending(c))
	if c.Approve {
		o = append(o, p.approval(c, name), kit.Gap(0, kit.GapMedium))
	}
	o = append(o, p.compare(k, name), kit.Gap(0, kit.GapSide), kit.NewText(text.Say(text.PathsTitle, text.Name(name)), kit.TypeSecond, kit.ColorMuted).Bold().Elastic(), kit.Gap(0, kit.GapSmall))
	for _, x := range paths {
		o = append(o, path(x, c.Path.String() == x.name), kit.Gap(0, kit.GapTight))
	}
	p.body.Objects = append(o, kit.Gap(0, kit.GapMedium), p.account(c))
	kit.Relay(p.body)
	p.frame.Refresh()
}

// approval asks for the yes to a new device.
func (p *panel) approval(c app.Contact, name string) fyne.CanvasObject {
	yes := kit.NewButton(text.Say(text.DeviceYes), kit.IconNone, kit.Primary, func() {
		p.act(func(ctx context.Context) error { return p.screen.service.People.Approve(ctx, c.Account) })
	})
	p.first = yes
	return kit.NewBox(kit.ColorSoftWarn, kit.ColorLine, kit.Pad(kit.GapMedium, kit.GapMedium, kit.GapMedium, kit.GapMedium, kit.VStack(kit.GapSmall,
		kit.NewProse(text.Say(text.DeviceTitle, text.Name(name)), kit.TypeBody, kit.ColorText).Bold(),
		kit.NewProse(text.Say(text.DeviceBody, text.Name(name)), kit.TypePreview, kit.ColorText), yes)))
}

// compare is the number that two people read to each other.
func (p *panel) compare(k known, name string) fyne.CanvasObject {
	o := []fyne.CanvasObject{kit.NewProse(text.Say(text.CompareTitle, text.Name(name)), kit.TypeBody, kit.ColorText).Bold()}
	switch {
	case k.number == "":
		o = append(o, kit.NewProse(text.Say(text.CompareLater, text.Name(name)), kit.TypePreview, kit.ColorMuted))
	case k.contact.Verified:
		o = append(o, kit.NewProse(text.Say(text.CompareDone), kit.TypePreview, kit.ColorOK), digits(k.number))
	default:
		o = append(o, kit.NewProse(text.Say(text.CompareHow), kit.TypePreview, kit.ColorMuted), digits(k.number))
		if code, err := kit.NewQR(strings.ReplaceAll(k.number, " ", ""), 120); err == nil {
			o = append(o, kit.Centered(code))
		}
		match := kit.NewButton(text.Say(text.CompareMatch), kit.IconNone, kit.Good, func() {
			p.act(func(ctx context.Context) error { return p.screen.service.People.Compared(ctx, k.contact.Account) })
		}).Small()
		differ := kit.NewButton(text.Say(text.CompareDiffer), kit.IconNone, kit.Danger, func() { p.differ(k.contact, name) }).Small()
		if !k.contact.Approve {
			p.first = match
		}
		o = append(o, kit.Shares(kit.GapSmall, differ, match))
	}
	return kit.NewBox(kit.ColorThread, kit.ColorLine, kit.Pad(kit.GapMedium, kit.GapMedium, kit.GapMedium, kit.GapMedium, kit.VStack(kit.GapSmall, o...)))
}

// groupsInLine is how many groups of five digits stand beside each other.
const groupsInLine = 4

// digits is a safety number in lines of four groups.
func digits(number string) fyne.CanvasObject {
	var lines []fyne.CanvasObject
	for groups := range slices.Chunk(strings.Fields(number), groupsInLine) {
		lines = append(lines, kit.NewText(strings.Join(groups, "  "), kit.TypeSection, kit.ColorText).Mono().Centered().Elastic())
	}
	return kit.VStack(kit.GapTight, lines...)
}

// differ says what it means when the numbers are not the same.
func (p *panel) differ(c app.Contact, name string) {
	p.screen.host.Confirm(kit.DialogSpec{
		Title: text.Say(text.DifferTitle, text.Name(name)), Body: text.Say(text.DifferBody, text.Name(name)),
		Confirm: text.Say(text.FootBlock), Danger: true, Cancel: text.Say(text.Cancel),
	}, func() { p.block(c) })
}

// way is a path on which messages travel: its name in the messenger, icon and words.
type way struct {
	name string
	icon kit.Icon
	word text.Key
}

// paths are all of them, the shortest first.
var paths = []way{{"local", kit.IconWifi, text.PathLocal}, {"direct", kit.IconNet, text.PathDirect}, {"relayed", kit.IconLink, text.PathRelay}}

// path is one of them, and whether it is in use.
func path(w way, used bool) fyne.CanvasObject {
	state, token := text.Say(text.PathUnused), kit.ColorQuiet
	if used {
		state, token = text.Say(text.PathUsed), kit.ColorOK
	}
	return kit.Ends(kit.GapSmall,
		kit.Lead(kit.GapSmall, kit.NewGlyph(w.icon, 16, kit.ColorMuted), kit.NewText(text.Say(w.word), kit.TypePreview, kit.ColorText).Elastic()),
		kit.HStack(kit.GapSmall, kit.NewText(state, kit.TypeSecond, kit.ColorMuted), kit.NewDot(token)))
}

// account is the whole number of somebody, to be copied.
func (p *panel) account(c app.Contact) fyne.CanvasObject {
	id := c.Account.String()
	return kit.VStack(kit.GapTight, kit.NewText(text.Say(text.PanelAccount), kit.TypeSecond, kit.ColorMuted).Bold(),
		kit.Ends(kit.GapTight, kit.NewText(id, kit.TypeSecond, kit.ColorText).Mono().Elastic(),
			kit.NewIconButton(kit.IconCopy, text.Say(text.PanelCopy), func() { p.screen.host.Copy(id) }).Small()))
}

// ending is the foot: to block, or to take that back.
func (p *panel) ending(c app.Contact) fyne.CanvasObject {
	button := kit.NewButton(text.Say(text.FootBlock), kit.IconNone, kit.Danger, func() {
		p.screen.confirmBlock(c.Name, func() { p.block(c) })
	})
	if c.State == app.Blocked {
		button = kit.NewButton(text.Say(text.FootUnblock), kit.IconNone, kit.Second, func() {
			p.act(func(ctx context.Context) error { return p.screen.service.People.Unblock(ctx, c.Account) })
		})
	}
	p.first = button
	return button
}

func (p *panel) block(c app.Contact) {
	p.act(func(ctx context.Context) error { return p.screen.service.People.Block(ctx, c.Account) })
}

// act does something, and says what went wrong.
func (p *panel) act(work func(context.Context) error) {
	p.screen.host.Act(work, func(err error) {
		if err != nil {
			p.screen.page.fail(err)
		}
		p.screen.host.Back() // what was pressed goes
	})
}
