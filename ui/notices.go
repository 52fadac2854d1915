package ui

import (
	"slices"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// banner is a line over all pages: something that a person must know until it is dealt with.
type banner struct {
	icon   kit.Icon
	tone   kit.Tone
	words  string
	action text.Key
	code   string // of the messenger's notice, to be dismissed; empty for one of our own
	about  string // its subject
	whom   int    // of a new device: the contact's number in the list, from 1
	again  bool   // of the network part: the button tries again
	own    bool   // of the window itself: the button takes it away
}

// mostBanners is how many stand over the pages at most: notices must not push the pages out of the window.
const mostBanners = 3

// warnings are the sentences of the messenger's notices, by their code.
var warnings = map[string]struct {
	icon kit.Icon
	tone kit.Tone
	key  text.Key
}{
	"copied":      {kit.IconCopy, kit.ToneBad, text.NoticeCopied},
	"peer_copied": {kit.IconCopy, kit.ToneWarn, text.NoticePeerCopied},
	"rolled_back": {kit.IconRefresh, kit.ToneWarn, text.NoticeRolledBack},
	"disk_full":   {kit.IconBox, kit.ToneBad, text.NoticeFull},
	"damaged":     {kit.IconWarn, kit.ToneBad, text.NoticeDamaged},
	"forked":      {kit.IconShieldCross, kit.ToneBad, text.NoticeForked},
	"two_lists":   {kit.IconShieldCross, kit.ToneBad, text.NoticeTwoLists},
}

// bannersOf are the banners for what the messenger tells. New devices come from the contacts, who know for whom; a notice of a code
// that this version does not know is shown as it is rather than not at all.
func bannersOf(notices []app.Notice, contacts []app.Contact) []banner {
	var all []banner
	for _, n := range notices {
		w, known := warnings[n.Code]
		switch {
		case n.Code == "device":
		case known:
			all = append(all, banner{icon: w.icon, tone: w.tone, words: text.Say(w.key, text.Name(kit.Clean(n.Subject))), action: text.NoticeOK, code: n.Code, about: n.Subject})
		default:
			all = append(all, banner{icon: kit.IconInfo, tone: kit.ToneWarn, words: text.Say(text.NoticeOther, text.With("code", n.Code), text.Name(kit.Clean(n.Subject))), action: text.NoticeOK, code: n.Code, about: n.Subject})
		}
	}
	for i, c := range contacts {
		if c.Approve && c.State == app.Accepted {
			all = append(all, banner{icon: kit.IconWarn, tone: kit.ToneWarn, words: text.Say(text.NoticeDevice, text.Name(kit.Clean(c.Name))), action: text.WaitsApprove, whom: i + 1})
		}
	}
	return all[:min(len(all), mostBanners)]
}

// notices are the banners over the pages.
type notices struct {
	content *fyne.Container
	drawn   []banner
	own     []banner // what the window has to say itself; these stand first
	told    []banner // what the messenger tells
	do      func(b banner)
	changed func()
}

func newNotices(do func(banner), changed func()) *notices {
	return &notices{content: kit.VStack(0), do: do, changed: changed}
}

// show draws them, if they are others than before.
func (n *notices) show(told []banner) {
	n.told = told
	all := append(slices.Clone(n.own), told...)
	if slices.Equal(all, n.drawn) {
		return
	}
	n.drawn, n.content.Objects = all, nil
	for _, b := range all {
		action := ""
		if b.action != "" {
			action = text.Say(b.action)
		}
		n.content.Objects = append(n.content.Objects, kit.NewBanner(b.icon, b.words, b.tone, action, func() { n.do(b) }))
	}
	kit.Relay(n.content)
	n.changed()
}

// set says something of the window itself, once.
func (n *notices) set(b banner) {
	if !slices.Contains(n.own, b) {
		n.own = append(n.own, b)
		n.show(n.told)
	}
}

// drop takes one of these away.
func (n *notices) drop(b banner) {
	n.own = slices.DeleteFunc(n.own, func(o banner) bool { return o == b })
	n.show(n.told)
}

// clear takes back what the window itself said.
func (n *notices) clear() {
	n.own = nil
	n.show(n.told)
}
