package chat

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// side is the column with the conversations: a search, the list, and who is nearby.
type side struct {
	screen  *Screen
	content fyne.CanvasObject
	search  *kit.Field
	list    *kit.List
	nearby  *nearby
	below   *fyne.Container // the list, and who is nearby beneath it

	all    []entry // as loaded
	shown  []entry // what the search left
	open   app.RoomID
	opened bool
	want   string // the search, in small letters
}

func newSide(s *Screen) *side {
	d := &side{screen: s}
	d.search = kit.NewField(kit.FieldSpec{
		Label: text.Say(text.ListSearch), Silent: true, Placeholder: text.Say(text.ListSearch), Icon: kit.IconSearch,
		Trail: kit.Pad(0, kit.GapTight, 0, 0, kit.NewText("Ctrl K", kit.TypeMeta, kit.ColorMuted)),
	})
	d.search.OnChanged = d.filter
	d.search.OnSubmit = func(string) { d.openRow(0) }
	d.list = kit.NewList(kit.ListSpec{
		Label: text.Say(text.ListLabel), Height: kit.RowHeight,
		New:    func() kit.ListRow { return kit.NewChatRow() },
		Bind:   func(i int, r kit.ListRow) { r.(*kit.ChatRow).Set(d.shown[i].chat) },
		OnOpen: d.openRow,
		OnRune: func(r rune) { d.begin(r) },
	})
	d.nearby = newNearby(s)
	d.below = kit.Beneath(d.list, d.nearby.content)
	title := kit.NewText(text.Say(text.ListTitle), kit.TypeTitle, kit.ColorText).Bold().Elastic()
	head := kit.Pad(10, 10, kit.GapSmall, kit.GapSide, kit.Ends(0, title, kit.NewIconButton(kit.IconPlus, text.Say(text.ListAdd), s.host.Add)))
	d.content = kit.NewGround(kit.ColorSide, kit.Fixed(kit.ListWidth, 0, kit.VFlex(1, kit.VStack(0, head, kit.Pad(0, 14, 10, 14, d.search)), d.below)))
	return d
}

// show fills the list.
func (d *side) show(c *crowd) {
	asked := d.asking()
	d.all = entries(c, d.screen.host.Now())
	if d.nearby.show(c.nearby) || d.asking() != asked {
		d.screen.pane.welcome()
	}
	d.update()
}

// asking says in a sentence who wants to talk; empty for nobody.
func (d *side) asking() string {
	if len(d.all) == 0 || !d.all[0].asks {
		return ""
	}
	return d.all[0].chat.Last
}

// filter leaves the rows whose name contains what is searched.
func (d *side) filter(words string) {
	d.want = strings.ToLower(strings.TrimSpace(words))
	d.update()
}

// update shows the rows that the search leaves.
func (d *side) update() {
	d.shown = d.all
	if d.want != "" {
		d.shown = slices.DeleteFunc(slices.Clone(d.all), func(e entry) bool { return e.asks || !strings.Contains(e.words, d.want) })
	}
	d.list.Update(len(d.shown), d.at())
	kit.Relay(d.below)
}

// at is the row of the open conversation, -1 for none.
func (d *side) at() int {
	return slices.IndexFunc(d.shown, func(e entry) bool { return d.opened && !e.asks && e.room == d.open })
}

// choose marks a conversation as open.
func (d *side) choose(room app.RoomID) {
	d.open, d.opened = room, true
	d.list.Select(d.at())
}

// openRow opens what a row stands for.
func (d *side) openRow(i int) {
	if i >= len(d.shown) {
		return
	}
	e := d.shown[i]
	d.unsearch()
	if e.asks {
		d.screen.host.Requests()
		return
	}
	d.screen.Open(e.room)
}

// beside is the conversation n rows further down than the open one.
func (d *side) beside(n int) (app.RoomID, bool) {
	var rooms []app.RoomID
	at := -1
	for _, e := range d.all {
		if e.asks {
			continue
		}
		if d.opened && e.room == d.open {
			at = len(rooms)
		}
		rooms = append(rooms, e.room)
	}
	if at < 0 && n < 0 { // nothing is open: up begins below the last one
		at = len(rooms)
	}
	if at += n; at < 0 || at >= len(rooms) {
		return app.RoomID{}, false
	}
	return rooms[at], true
}

// begin starts a search with a letter that was typed on the list.
func (d *side) begin(r rune) {
	d.screen.host.Focus(d.search.Focusable())
	d.search.Focusable().TypedRune(r)
}

// unsearch empties the search, and reports whether there was one.
func (d *side) unsearch() bool {
	had := d.search.Text() != ""
	d.search.SetText("")
	return had
}

// nearbyRows is how many of those on the network stand in the list; the page for making contacts has all.
const nearbyRows = 3

// nearby is who is on the same network and is nobody we know.
type nearby struct {
	screen  *Screen
	content *fyne.Container
	people  []app.Nearby // strangers only
}

func newNearby(s *Screen) *nearby {
	return &nearby{screen: s, content: kit.VStack(0)}
}

// show lists them, if they are others than before: a list that is made anew takes the keyboard away from its buttons. It reports
// whether it did.
func (n *nearby) show(all []app.Nearby) bool {
	strangers := slices.DeleteFunc(slices.Clone(all), func(o app.Nearby) bool { return o.Known != "" })
	if slices.Equal(n.people, strangers) {
		return false
	}
	n.people = strangers
	n.content.Objects = nil
	if len(strangers) > 0 {
		n.content.Objects = []fyne.CanvasObject{n.rows()}
	}
	n.content.Refresh()
	return true
}

// names are who is there, in the words of a sentence; empty for nobody.
func (n *nearby) names() string {
	switch len(n.people) {
	case 0:
		return ""
	case 1:
		return nearbyName(n.people[0])
	case 2:
		return text.Say(text.NamesTwo, text.With("a", nearbyName(n.people[0])), text.With("b", nearbyName(n.people[1])))
	}
	return text.Say(text.NamesMany, text.N(len(n.people)))
}

// rows are the caption and the first few.
func (n *nearby) rows() fyne.CanvasObject {
	caption := kit.NewText(text.Say(text.NearbyTitle), kit.TypeSecond, kit.ColorMuted).Bold().Elastic()
	count := kit.NewText(text.Number(len(n.people)), kit.TypeSecond, kit.ColorMuted).Bold()
	o := []fyne.CanvasObject{kit.Pad(kit.GapMedium, kit.GapWide, kit.GapTight, kit.GapSide, kit.Ends(kit.GapSmall, caption, count))}
	for _, p := range n.people[:min(len(n.people), nearbyRows)] {
		o = append(o, n.row(p))
	}
	if more := len(n.people) - nearbyRows; more > 0 {
		o = append(o, kit.Centered(kit.NewButton(text.Say(text.NearbyMore, text.N(more)), kit.IconNone, kit.Link, n.screen.host.Add)))
	}
	return kit.VStack(0, append(o, kit.Gap(0, kit.GapSmall))...)
}

// row is one of them, with the way to say hello.
func (n *nearby) row(p app.Nearby) fyne.CanvasObject {
	face := kit.NewAvatar(40, kit.ColorSide).Set(kit.Face{Key: p.Account.String(), Name: p.Name, Online: true})
	words := kit.VStack(0, kit.NewText(nearbyName(p), kit.TypeBody, kit.ColorText).Bold().Elastic(), kit.NewText(short(p.Account.String()), kit.TypeSecond, kit.ColorMuted).Elastic())
	hello := kit.NewButton(text.Say(text.NearbyHello), kit.IconNone, kit.Second, func() { n.screen.Greet(GreetNearby(n.screen.service, p)) }).Small()
	return kit.Pad(6, 14, 6, kit.GapWide, kit.Ends(kit.GapSmall, kit.Lead(kit.GapMedium, face, words), hello))
}
