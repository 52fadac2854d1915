package kit

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
)

// fieldTest is the conversation of the design's picture.
func fieldTest() Page {
	with := func(m ThreadMessage, f func(*ThreadMessage)) ThreadMessage { f(&m); return m }
	verified := func(m *ThreadMessage) { m.Mark = MarkVerified }
	ask := out(message(5, "ada", "Can you run it again with 3 % loss and 180 ms of delay? I want to see whether the retry timer backs off the way we said it should."), DeliveryRead)
	ask.Quote = Quote{Key: "m1", From: "tove", Name: "Tove", Text: "First run done. 412 packets, 3 lost, all of them repaired within a second."}
	ask.Mark = MarkVerified
	fork := message(42, "anselm", "I measured 6 % loss, not 3 %.")
	fork.Mark, fork.Alert = MarkForked, "Anselm's device told two stories. See the proof."
	rtl := message(18, "jonas", "مرحبا، هل يعمل النص من اليمين إلى اليسار؟")
	rtl.Mark = MarkVerified
	rtl.React = [4]Reaction{{Emoji: "👏", Count: 2}, {Emoji: "🎉", Count: 1, Mine: true}}
	rows := []ThreadMessage{
		with(message(1, "tove", "First run done. 412 packets, 3 lost, all of them repaired within a second."), verified),
		ask,
		{Key: "gap", Notice: true, Text: "2 messages from Jonas are missing, asking Tove and Mira", Icon: IconClock, Tone: ToneWarn, Day: "Today", At: noon},
		message(17, "jonas", "日本語のメッセージも正しく表示されますか？"), rtl,
		with(out(message(22, "ada", "Both look right here."), DeliveryRead), verified),
		with(message(40, "tove", "Starting the second run now. If nothing comes from me until two, the battery is flat."), func(m *ThreadMessage) { m.Edited, m.Mark = true, MarkVerified }),
		fork,
		with(message(60, "tove", "Second run is clean. Uploading the log."), func(m *ThreadMessage) { m.Mark = MarkPending }),
		{Key: "joined", Notice: true, Text: "Luca joined. Keys were changed.", Icon: IconKey, Day: "Today", At: noon},
		out(message(90, "ada", "One more thing: the mast is 12 m high and the socket is on the far side."), DeliveryHeld),
		with(out(message(91, "ada", "Can you bring the long cable?"), DeliveryQueued), func(m *ThreadMessage) { m.Ticks = Ticked{Delivery: DeliveryHeld, Reached: 5, Of: 7} }),
		out(message(92, "ada", "Queued."), DeliveryQueued),
	}
	return Page{Rows: rows, Fresh: "m40", Faces: true}
}

// chats are the rows of the design's list.
func chats() []Chat {
	return []Chat{
		{Face: Face{Key: "ft", Name: "Field test", Room: true}, Title: "Field test", When: "14:07", Pinned: true, Author: "Tove", Last: "Second run is clean. Uploading the log."},
		{Face: Face{Key: "p", Name: "Priya"}, Title: "Priya", When: "14:02", Last: "Can you bring the long cable?", Ticks: Ticked{Delivery: DeliveryQueued}},
		{Face: Face{Key: "j", Name: "Jonas", Online: true}, Title: "Jonas", Standing: StandingCompared, When: "13:30", IsTyping: true, Count: Count{Unread: 2}},
		{Face: Face{Key: "m", Name: "Mira", Online: true}, Title: "Mira", Standing: StandingCompared, When: "11:39", Draft: "About Thursday: I could"},
		{Face: Face{Key: "rc", Name: "Release crew", Room: true}, Title: "Release crew", When: "08:34", Author: "Anselm", Last: "@you please sign the release before noon", Count: Count{Unread: 1, Mention: true}},
		{Face: Face{Key: "a", Name: "Anselm"}, Title: "Anselm", Standing: StandingNamesake, When: "Yesterday", Warning: "Not the Anselm you know"},
		{Face: Face{Key: "y", Name: "山田 花子", Online: true}, Title: "山田 花子", Standing: StandingCompared, When: "Yesterday", Last: "了解です。ありがとう！"},
		{Face: Face{Key: "n", Name: "Neighbours", Room: true}, Title: "Neighbours", When: "Sat", Author: "Luca", Last: "Has anyone seen a grey cat?", Count: Count{Unread: 120, Muted: true}},
		{Face: Face{Icon: IconFile, Name: "Notes"}, Title: "Notes", When: "Fri", Last: "Router serial: 4471-B", Ticks: Ticked{Delivery: DeliveryDone}},
	}
}

// chatList is a list of them.
func chatList(entries []Chat) *List {
	l := NewList(ListSpec{
		Label: "Chats", Height: RowHeight,
		New:  func() ListRow { return NewChatRow() },
		Bind: func(i int, r ListRow) { r.(*ChatRow).Set(entries[i]) },
	})
	l.Update(len(entries), 0)
	return l
}

// window of the chats screen, as near to the picture as the kit alone gets.
func chatScreen() (*Stage, *Thread, *Composer) {
	none := func() {}
	me := NewAvatar(36, ColorRail).Set(Face{Key: "ada", Name: "Ada", Online: true})
	chatsButton := NewRailButton(IconChat, "Chats", none)
	chatsButton.SetActive(true)
	top := VStack(GapTight, Pad(12, 0, 10, 0, Centered(me)), chatsButton, NewRailButton(IconUser, "People", none), NewRailButton(IconNet, "Network", none), NewRailButton(IconShield, "Security", none), NewRailButton(IconLab, "Lab", none))
	bottom := Pad(0, 0, 8, 0, VStack(GapTight, NewRailButton(IconLock, "Lock", none), NewRailButton(IconSettings, "Settings", none)))
	rail := NewGround(ColorRail, Fixed(RailWidth, 0, VFlex(1, top, Gap(0, 0), bottom)))

	head := Pad(10, 10, 8, GapSide, Ends(0, NewText("Chats", TypeTitle, ColorText).Bold(), NewIconButton(IconPlus, "New chat", none)))
	search := NewField(FieldSpec{Label: "Search", Silent: true, Placeholder: "Search people and messages", Icon: IconSearch, Trail: Pad(0, 4, 0, 0, NewText("Ctrl K", TypeMeta, ColorMuted))})
	kit := Pad(6, 12, 12, 12, NewBox(ColorThread, ColorLine, Pad(9, 10, 9, 10, Lead(10, NewDisc(IconKey, ToneWarn, 32).Round(),
		VStack(0, NewText("This account is only on this computer", TypeSecond, ColorText).Bold().Elastic(), NewText("Save a recovery kit: one minute", TypeSecond, ColorMuted).Elastic())))))
	side := NewGround(ColorSide, Fixed(ListWidth, 0, VFlex(1, VStack(0, head, Pad(0, 14, 10, 14, search)), chatList(chats()), kit)))

	av := NewAvatar(38, ColorThread).Set(Face{Key: "ft", Name: "Field test", Room: true})
	names := VStack(1, NewText("Field test", TypeSection, ColorText).Bold().Elastic(), NewText("6 members, 4 online", TypeSecond, ColorMuted).Elastic())
	right := HStack(GapHair, NewChip(IconShieldCheck, "Verified room, 4 verifiers", ToneGood), NewIconButton(IconSearch, "Search in this chat", none), NewIconButton(IconPanel, "Details", none))
	header := Fixed(0, HeaderHeight, Pad(0, 12, 0, GapSide, Ends(GapSmall, Lead(GapMedium, av, names), right)))

	thread := NewThread(ThreadDoes{})
	thread.Open(fieldTest())
	composer := NewComposer(ComposerSpec{OnAttach: none, OnEmoji: none, Limit: 1000})
	composer.SetPlaceholder("Write to Field test")
	notice := NewBanner(IconClock, "Priya is offline. Mira's node holds one message, one waits on this computer.", ToneNeutral, "Why?", none)
	pane := VFlex(2, NewGround(ColorThread, header), NewRule(), thread, notice, NewGround(ColorThread, composer))
	status := NewGround(ColorRail, Fixed(0, StatusHeight, Pad(0, 16, 0, 16, Ends(GapSmall,
		HStack(GapSmall, NewDot(ColorOK), NewText("Online", TypeSecond, ColorText).Bold(), NewText("7 people reachable, 2 on this network, 1 through a relay", TypeSecond, ColorMuted)),
		HStack(6, NewGlyph(IconClock, 14, ColorMuted), NewText("2 messages waiting", TypeSecond, ColorMuted))))))
	return NewStage(VFlex(0, HFlex(3, rail, side, NewRule(), pane), NewRule(), status)), thread, composer
}

// setupScreen is the first page, as near to the picture as the kit alone gets.
func setupScreen() (fyne.CanvasObject, *Field) {
	none := func() {}
	promise := func(i Icon, head, body string) fyne.CanvasObject {
		return HFlex(1, Pad(0, 14, 0, 0, Top(NewDisc(i, ToneAccent, 42))), VStack(1, NewText(head, TypeSection, ColorText).Bold(), NewProse(body, TypePreview, ColorMuted)))
	}
	brand := VStack(0,
		HStack(GapMedium, NewGlyph(IconShieldCheck, 34, ColorAccent), NewText("CryptexQ", TypeBrand, ColorText).Bold()), Gap(0, 10),
		NewProse("Messages that go from your computer straight to theirs.", TypeSection, ColorMuted), Gap(0, 30),
		promise(IconWifi, "Nobody in between", "No server, no phone number, no e-mail. People on your network appear by themselves."), Gap(0, 20),
		promise(IconClock, "Nothing gets lost", "A message says where it is: waiting here, held by a friend's computer, delivered."), Gap(0, 20),
		promise(IconShieldCheck, "Nobody can tell two stories", "Friends can vouch for what was said without being able to read it."))
	left := NewGround(ColorSide, Fixed(500, 0, Pad(0, 36, 0, 56, Middle(410, brand))))
	name := NewField(FieldSpec{Label: "What should people call you?", Placeholder: "Ada"})
	name.SetText("Ada")
	meter := NewMeter()
	meter.Set(4, "Strong", ToneGood)
	word := NewField(FieldSpec{
		Label: "Password", Placeholder: "At least 10 characters", Secret: true, Suggest: func() string { return "slow harbour lantern" },
		Hint: "It locks everything on this computer. Nobody can reset it; later you can save a recovery kit that does.", Below: meter,
	})
	word.SetText("slow harbour lantern")
	form := VStack(0,
		NewText("Create your account", TypePage, ColorText).Bold(), Gap(0, 4), NewText("It is made on this computer, in a second.", TypeBody, ColorMuted), Gap(0, 24),
		name, Gap(0, 18), word, Gap(0, 22), NewButton("Start", IconNone, Primary, none), Gap(0, 16),
		Centered(HStack(6, NewText("Already have an account?", TypePreview, ColorMuted), NewButton("Restore it", IconNone, Link, none))))
	return NewStage(NewGround(ColorThread, HFlex(2, left, NewRule(), Middle(FormWidth, form)))), word
}

// gallery is every small widget in every state.
func gallery() fyne.CanvasObject {
	none := func() {}
	off := NewButton("Disabled", IconNone, Primary, none)
	off.Disable()
	buttons := HStack(GapSmall, NewButton("Primary", IconNone, Primary, none), NewButton("Second", IconCopy, Second, none), NewButton("Ghost", IconNone, Ghost, none),
		NewButton("Good", IconNone, Good, none), NewButton("Danger", IconNone, Danger, none), NewButton("Link", IconNone, Link, none), off)
	small := HStack(GapSmall, NewButton("Say hello", IconNone, Second, none).Small(), NewButton("Accept", IconNone, Primary, none).Small(), NewButton("Block", IconNone, Danger, none).Small(),
		NewIconButton(IconClose, "Close", none), NewIconButton(IconSend, "Send", none).Rank(Primary), NewSwitch("Nearby", true, nil), NewSwitch("Nearby", false, nil))
	chips := HStack(GapSmall, NewChip(IconShieldCheck, "Verified room", ToneGood), NewChip(IconUser, "Not compared yet", ToneNeutral), NewChip(IconWarn, "simulated", ToneWarn), NewChip(IconNone, "Running …", ToneAccent), NewChip(IconNone, "Failed", ToneBad))
	var faces, icons1, icons2 []fyne.CanvasObject
	for _, n := range []string{"Ada", "Tove", "Jonas", "Mira Marten", "山田 花子", "Зоя", "7of9", "🎉"} {
		faces = append(faces, NewAvatar(44, ColorThread).Set(Face{Key: n, Name: n, Online: len(n) > 4, Room: len(n) > 9}))
	}
	for i := IconNone + 1; i < icons; i++ {
		g := NewGlyph(i, 24, ColorMuted)
		if i%2 == 0 {
			icons1 = append(icons1, g)
		} else {
			icons2 = append(icons2, g)
		}
	}
	var marks []fyne.CanvasObject
	for _, d := range []Ticked{{Delivery: DeliveryQueued}, {Delivery: DeliveryHeld}, {Delivery: DeliveryDone}, {Delivery: DeliveryRead}, {Delivery: DeliveryHeld, Reached: 5, Of: 7}} {
		k := NewTicks(ColorMuted, ColorAccent)
		k.Set(d)
		marks = append(marks, k)
	}
	for _, c := range []Count{{Unread: 3}, {Unread: 120, Muted: true}, {Unread: 1, Mention: true}} {
		b := NewBadge()
		b.Set(c)
		marks = append(marks, b)
	}
	marks = append(marks, NewSeal(18).Set(StandingCompared), NewSeal(18).Set(StandingNamesake))
	wrong := NewField(FieldSpec{Label: "Password", Secret: true, Hidden: true})
	wrong.SetText("secret")
	wrong.SetWrong("This password does not fit. Caps Lock is on.")
	checks := NewCard(GapMedium, NewHeading(IconWifi, "Connection doctor", "Six things"),
		NewCheck(CheckItem{Good: true, Head: "This network", Body: "Tove and Jonas found by themselves"}),
		NewCheck(CheckItem{Head: "Incoming connections", Body: "Nobody gets in on UDP 41952: firewall or router", Action: "How to open", On: none}))
	code, err := NewQR("CRYPTEXQ:INVITE1:AFKWQ2T7Z5N3MXD6HR4LUEYB2VJ7GOIC5SPA3WN6KTQ4XMZ2DBLFYR7HUEVJ3GO5CI6SPANWKTQ4XMZ2DBLFYAFKWQ2T7Z5N3MXD6HR4", 200)
	if err != nil {
		panic(err)
	}
	left := VStack(GapMedium, buttons, small, chips, HStack(GapSmall, faces...), HStack(GapSmall, marks...), HStack(6, icons1...), HStack(6, icons2...), wrong,
		NewBanner(IconWarn, "Another account called Anselm: a new start, or somebody else. Compare before you write.", ToneWarn, "Compare", none),
		NewBanner(IconShieldCross, "Anselm's device signed two different stories. Don't rely on either before you have talked.", ToneBad, "", nil))
	return NewGround(ColorThread, Pad(20, 20, 20, 20, HFlex(0, Pad(0, 20, 0, 0, Top(left)), Fixed(340, 0, VStack(GapMedium, checks, Centered(code),
		NewEmpty(IconChat, "Say hello to somebody nearby", "Tove and Jonas run CryptexQ on this network.", NewButton("Invite somebody", IconQR, Primary, none)))))))
}

// TestPictures draws whole screens. With -shots it keeps them in every look, to be looked at; without, one is enough, and that what
// should be there is there: the grounds of the panes, a bubble of each side, letters.
func TestPictures(t *testing.T) {
	looks := map[string]Look{"dark": {Variant: Dark}}
	if *shots != "" {
		looks = map[string]Look{"dark": {Variant: Dark}, "light": {Variant: Light}, "large": {Variant: Light, Percent: 150}, "small": {Variant: Dark, Percent: 80}}
	}
	for name, look := range looks {
		dress(t, look)
		screen, thread, composer := chatScreen()
		w := window(t, screen, 1180, 760)
		w.Canvas().Focus(composer.Focusable())
		img := shoot(t, w, "chat-end-"+name)
		seen := map[color.Color]int{}
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				seen[img.At(x, y)]++
			}
		}
		for token, least := range map[Token]int{
			ColorRail: 20_000, ColorSide: 40_000, ColorThread: 100_000, ColorBubbleIn: 10_000, ColorBubbleOut: 5_000, ColorSelected: 5_000, ColorText: 1_000, ColorMuted: 500,
		} {
			if n := seen[C(token)]; n < least {
				t.Errorf("%s: %d pixels of %s, want at least %d", name, n, token, least)
			}
		}
		if *shots == "" {
			continue
		}
		thread.scrollBy(330)
		screen.Toast(Notice{Text: "Chat with Priya deleted.", Icon: IconTrash, Action: "Undo"})
		shoot(t, w, "chat-"+name)
		setup, field := setupScreen()
		w = window(t, setup, 1180, 760)
		w.Canvas().Focus(field.Focusable())
		shoot(t, w, "setup-"+name)
		shoot(t, window(t, gallery(), 1180, 860), "gallery-"+name)
	}
}
