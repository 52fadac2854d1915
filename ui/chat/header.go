package chat

import (
	"encoding/hex"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// header says with whom, how sure that is, and how they are reached.
type header struct {
	content fyne.CanvasObject
	line    *fyne.Container // all of it
	title   *fyne.Container // name and seal
	right   *fyne.Container // chip and button
	face    *kit.Avatar
	name    *kit.Text
	seal    *kit.Seal
	sub     *kit.Text
	chip    *kit.Chip
	button  *kit.IconButton
}

func newHeader(details func()) *header {
	h := &header{
		face: kit.NewAvatar(38, kit.ColorThread), name: kit.NewText("", kit.TypeSection, kit.ColorText).Bold(), seal: kit.NewSeal(16),
		sub: kit.NewText("", kit.TypeSecond, kit.ColorMuted).Elastic(), chip: kit.NewChip(kit.IconUser, text.Say(text.HeaderNotCompared), kit.ToneNeutral),
		button: kit.NewIconButton(kit.IconPanel, text.Say(text.HeaderDetails), details),
	}
	h.title = kit.Snug(6, h.name, h.seal)
	h.right = kit.HStack(kit.GapSmall, h.chip, h.button)
	h.line = kit.Ends(kit.GapSmall, kit.Lead(kit.GapMedium, h.face, kit.VStack(1, h.title, h.sub)), h.right)
	h.content = kit.NewGround(kit.ColorThread, kit.Fixed(0, kit.HeaderHeight, kit.Pad(0, kit.GapMedium, 0, kit.GapSide, h.line)))
	return h
}

// show fills it.
func (h *header) show(t *talk, now time.Time) {
	r := t.room
	face := kit.Face{Key: hex.EncodeToString(r.ID[:]), Name: r.Name, Room: true}
	name := kit.Clean(r.Name)
	switch {
	case r.Kind == kindNotes:
		name, face = text.Say(text.Notes), kit.Face{Icon: kit.IconFile}
	case r.Peer != nil:
		face = kit.Face{Key: r.Peer.String(), Name: r.Name, Online: t.contact != nil && reached(*t.contact)}
	}
	h.face.Set(face)
	h.name.SetText(name)
	h.seal.Set(t.standing)
	h.sub.SetText(subline(t, now))
	h.chip.Show()
	if t.contact == nil || t.contact.State != app.Accepted || t.standing != kit.StandingNew {
		h.chip.Hide()
	}
	h.button.Show()
	if t.contact == nil {
		h.button.Hide()
	}
	kit.Relay(h.title)
	kit.Relay(h.right)
	kit.Relay(h.line)
}

// subline is the second line of the header.
func subline(t *talk, now time.Time) string {
	c := t.contact
	switch {
	case t.room.Kind == kindNotes:
		return text.Say(text.NotesWhat)
	case c == nil:
		return text.Say(text.HeaderMembers, text.N(t.room.Members))
	case t.standing == kit.StandingNamesake:
		return text.Say(text.HeaderNamesake, text.Name(kit.Clean(c.Name)))
	}
	return Reach(*c, now)
}

// Reach says in words how somebody is reached, or when they last were.
func Reach(c app.Contact, now time.Time) string {
	switch {
	case c.State == app.Blocked:
		return text.Say(text.ReachBlocked)
	case c.State == app.Requested && !reached(c):
		return text.Say(text.ReachAsked)
	case c.Path.String() == "local":
		return text.Say(text.ReachLocal)
	case c.Path.String() == "direct":
		return text.Say(text.ReachDirect)
	case c.Path.String() == "relayed":
		return text.Say(text.ReachRelayed)
	case c.LastSeen.IsZero():
		return text.Say(text.ReachNever)
	}
	return text.Say(text.ReachSeen, text.With("when", text.When(c.LastSeen.Local(), now)))
}
