package kit

import (
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/cryptexq/cryptexq/ui/text"
)

// How much of a message a bubble shows before it offers the rest, and at most.
const (
	shortLines = 30
	fullLines  = 1000
	alertLines = 3
)

// reactions is how many a bubble shows.
const reactions = 4

// Quote is the message that another answers. The zero value is none.
type Quote struct {
	Key  string // of the message
	From string // of its author, for the colour
	Name string
	Text string
}

// Reaction is an emoji that some people gave a message.
type Reaction struct {
	Emoji string
	Count int
	Mine  bool
}

// ThreadMessage is one row of a Thread: a message, or something that happened. It is compared with ==: a message that did not
// change costs nothing when the same page is shown again.
type ThreadMessage struct {
	Key    string    // unique in the thread
	Notice bool      // something that happened: Icon, Tone and Text in a line of their own
	From   string    // the author's identity: messages of one author join into runs, and it decides the hue
	Name   string    // the author, as the reader calls them
	Text   string    // as it was written; the bubble cleans it
	Full   bool      // show all of a long text
	At     time.Time // joins messages that follow each other within fifteen minutes
	Day    string    // the day in words, when it is drawn above the first message of the day
	Time   string    // the time of day in words
	Edited bool
	Out    bool // the reader wrote it
	Ticks  Ticked
	Mark   Mark
	Alert  string // a red sentence below the text
	Quote  Quote
	React  [reactions]Reaction
	Icon   Icon
	Tone   Tone
}

// Run is the place of a bubble among its neighbours.
type Run struct {
	First, Last bool // of a run of one author: corners that touch are nearly square
	Named       bool // the author is written above it: in a room, at the first of a run
	Marked      bool // the mark of the verifiers is drawn: at the last of a run
}

// bubbleDoes is what a Bubble calls back.
type bubbleDoes struct {
	picked func(*passage)      // the pointer went down in the text
	menu   func(fyne.Position) // right click
	open   func()              // a click on the mark, or on what is wrong
	quote  func()              // a click on the quote
	expand func()              // a click on "show all"
}

// Bubble draws one message: quote, text, time, ticks, mark, reactions. It is filled again and again, and says how large it becomes.
type Bubble struct {
	base
	m   ThreadMessage
	run Run
	do  bubbleDoes

	back, cited, stripe       *canvas.Rectangle
	name, citedName, citedBy  *canvas.Text
	meta, more                *canvas.Text
	words                     *passage
	alert                     block
	ticks                     *glyph
	mark                      *press
	chips                     [reactions]*canvas.Rectangle
	emoji                     [reactions]*canvas.Text
	room, metaWidth, textTop  float32
	wide, high                float32
	inline, cut, ticked, chip bool
}

func newBubble(do bubbleDoes) *Bubble {
	b := &Bubble{
		do: do, back: newRect(), cited: newRect(), stripe: newRect(), name: newLabel(), citedName: newLabel(), citedBy: newLabel(),
		meta: newLabel(), more: newLabel(), ticks: newGlyph(), mark: newPress(do.open),
	}
	b.words = newPassage(do.picked, func(e *fyne.PointEvent) { b.TappedSecondary(e) })
	for i := range b.chips {
		b.chips[i], b.emoji[i] = newRect(), newLabel()
	}
	b.extend(b)
	return b
}

// NewBubble makes one that stands alone, outside a thread, and calls nobody.
func NewBubble() *Bubble {
	none := func() {}
	return newBubble(bubbleDoes{picked: func(*passage) {}, menu: func(fyne.Position) {}, open: none, quote: none, expand: none})
}

// Set shows a message at most so wide, and returns the size of the bubble with its reactions.
func (b *Bubble) Set(m ThreadMessage, r Run, most float32) fyne.Size {
	m.Name, m.Quote.Name, m.Text = Clean(m.Name), Clean(m.Quote.Name), CleanText(m.Text)
	b.m, b.run, b.room = m, r, most
	b.measure()
	b.list()
	b.skin()
	z := fyne.NewSize(b.wide, b.outer())
	if b.Size() == z {
		b.arrange(z)
	} else {
		b.Resize(z)
	}
	return z
}

// outer is the height with the reactions that hang out of the bubble.
func (b *Bubble) outer() float32 { return b.high + choose(b.chip, S(18), 0) }

// The fonts of a bubble.
func bodyFont() font      { return font{TypeBody.size(), fyne.TextStyle{}} }
func nameFont() font      { return font{TypeSecond.size(), fyne.TextStyle{Bold: true}} }
func citeFont() font      { return font{TypeSecond.size(), fyne.TextStyle{}} }
func metaFont() font      { return font{TypeMeta.size(), fyne.TextStyle{}} }
func chipFont() font      { return font{TypeSecond.size(), fyne.TextStyle{}} }
func bubbleSide() float32 { return S(11) }

// measure decides how wide and high everything becomes.
func (b *Bubble) measure() {
	side := bubbleSide()
	b.words.set(b.m.Text, b.room-2*side, bodyFont(), choose(b.m.Full, fullLines, shortLines))
	b.cut = !b.words.lines.complete
	b.alert.flow(cleanLine(b.m.Alert), b.room-2*side, nameFont(), alertLines)
	b.measureMeta()
	textWidth := b.words.lines.widest()
	b.inline = len(b.words.lines.spans) == 1 && b.m.Alert == "" && textWidth+2*side+S(6)+b.metaWidth <= b.room
	w := max(textWidth, b.metaWidth, b.alert.widest()) + 2*side
	if b.inline {
		w = textWidth + 2*side + S(6) + b.metaWidth
	}
	b.textTop = S(6)
	if b.run.Named {
		w = max(w, up(nameFont().width(b.m.Name))+2*side)
		b.textTop += S(17)
	}
	if b.m.Quote != (Quote{}) {
		w = max(w, S(260))
		b.textTop += S(46)
	}
	b.wide = whole(min(w, b.room))
	b.measureHeight()
}

// measureHeight adds up what stands under each other.
func (b *Bubble) measureHeight() {
	b.high = b.textTop + b.words.lines.height() + b.alert.height() + S(6)
	if b.cut {
		b.high += nameFont().line() + S(2)
	}
	if !b.inline {
		b.high += S(13)
	}
	b.chip = slices.ContainsFunc(b.m.React[:], func(r Reaction) bool { return r.Count > 0 })
}

// measureMeta is time, ticks and mark.
func (b *Bubble) measureMeta() {
	b.meta.Text = b.m.Time
	if b.m.Edited {
		b.meta.Text = text.Say(text.BubbleEdited, text.With("time", b.m.Time))
	}
	part := b.m.Ticks.partly()
	if part != "" && b.m.Out {
		b.meta.Text += "  " + part
	}
	b.ticked = b.m.Out && part == "" && b.m.Ticks.Delivery != DeliveryNone
	b.metaWidth = up(metaFont().width(b.meta.Text))
	if b.ticked {
		b.metaWidth += S(3 + 14)
	}
	if b.run.Marked {
		b.metaWidth += S(14 + 4)
	}
}

// list says what is drawn.
func (b *Bubble) list() {
	b.objs = append(b.objs[:0], b.back)
	if b.run.Named {
		b.objs = append(b.objs, b.name)
	}
	if b.m.Quote != (Quote{}) {
		b.objs = append(b.objs, b.cited, b.stripe, b.citedName, b.citedBy)
	}
	b.objs = b.alert.in(append(b.objs, b.words))
	if b.cut {
		b.objs = append(b.objs, b.more)
	}
	b.objs = append(b.objs, b.meta)
	if b.ticked {
		b.objs = append(b.objs, b.ticks.Raster)
	}
	if b.run.Marked {
		b.objs = append(b.objs, b.mark)
	}
	for i, r := range b.m.React {
		if r.Count > 0 {
			b.objs = append(b.objs, b.chips[i], b.emoji[i])
		}
	}
}

func (b *Bubble) least() fyne.Size { return fyne.Size{} }

// grounds are the colours of the bubble and of what is second in it. One's own forked message is not blue: red reads on blue
// too badly.
func (b *Bubble) grounds() (back, second Token) {
	switch {
	case b.m.Out && b.m.Mark == MarkForked:
		return ColorSoftBad, ColorMuted
	case b.m.Out:
		return ColorBubbleOut, ColorMetaOut
	}
	return ColorBubbleIn, ColorMuted
}

func (b *Bubble) skin() {
	ground, second := b.grounds()
	b.back.FillColor, b.back.StrokeWidth, b.back.StrokeColor = C(ground), 0, C(ColorBad)
	if b.m.Mark == MarkForked {
		b.back.StrokeWidth = S(2)
	}
	b.corners()
	b.name.Color = hueText(b.m.From)
	b.name.TextSize, b.name.TextStyle = nameFont().size, nameFont().style
	b.cited.FillColor, b.cited.CornerRadius = C(colorCite), S(8)
	b.stripe.FillColor, b.stripe.CornerRadius = hueText(b.m.Quote.From), S(2)
	b.citedName.Color, b.citedBy.Color = hueText(b.m.Quote.From), C(second)
	b.citedName.TextSize, b.citedName.TextStyle = nameFont().size, nameFont().style
	b.citedBy.TextSize = citeFont().size
	b.words.skin()
	b.alert.paint(C(ColorBad))
	b.more.Text, b.more.Color = text.Say(text.BubbleMore), C(choose(b.m.Out, ColorTick, ColorAccent))
	b.more.TextSize, b.more.TextStyle = nameFont().size, nameFont().style
	b.meta.Color, b.meta.TextSize = C(second), metaFont().size
	b.ticks.set(b.m.Ticks.Delivery.icon(), C(choose(b.m.Ticks.Delivery == DeliveryRead, ColorTick, second)))
	icon, token, words := b.m.Mark.look()
	b.mark.set(icon, choose(b.m.Mark == MarkPending, second, token), words)
	b.skinChips()
}

// skinChips fills the reactions.
func (b *Bubble) skinChips() {
	for i, r := range b.m.React {
		b.emoji[i].Text = cleanLine(r.Emoji)
		if r.Count > 1 {
			b.emoji[i].Text += " " + strconv.Itoa(min(r.Count, 99))
		}
		b.emoji[i].Color, b.emoji[i].TextSize = C(ColorText), chipFont().size
		b.chips[i].FillColor = C(choose(r.Mine, ColorSelected, ColorTint))
		b.chips[i].StrokeColor, b.chips[i].StrokeWidth, b.chips[i].CornerRadius = C(ColorThread), S(2), S(12)
	}
}

// corners rounds the bubble; where it touches its neighbours in a run, hardly.
func (b *Bubble) corners() {
	round, joined := S(bubbleRadius), S(joinedRadius)
	top, low := choose(b.run.First, round, joined), choose(b.run.Last, round, joined)
	r := b.back
	r.CornerRadius = round
	r.TopLeftCornerRadius, r.TopRightCornerRadius, r.BottomLeftCornerRadius, r.BottomRightCornerRadius = top, round, low, round
	if b.m.Out {
		r.TopLeftCornerRadius, r.TopRightCornerRadius, r.BottomLeftCornerRadius, r.BottomRightCornerRadius = round, top, round, low
	}
}

func (b *Bubble) arrange(fyne.Size) {
	side := bubbleSide()
	inner := b.wide - 2*side
	put(b.back, 0, 0, b.wide, b.high)
	if b.run.Named {
		b.name.Text = ellipsize(b.m.Name, inner+1, nameFont())
		centred(b.name, side+1, S(6), S(16))
	}
	if b.m.Quote != (Quote{}) {
		b.placeQuote()
	}
	h := b.words.lines.height()
	w := choose(b.inline, b.words.lines.widest(), inner)
	again := b.words.Size() == fyne.NewSize(w, h) // then nothing tells it that its text is another
	put(b.words, side, b.textTop, w, h)
	if again {
		b.words.arrange(b.words.Size())
	}
	y := b.textTop + h
	if b.cut {
		centred(b.more, side, y, nameFont().line()+S(2))
		y += nameFont().line() + S(2)
	}
	b.alert.place(side, y, inner, false)
	b.placeMeta()
	b.placeChips()
}

func (b *Bubble) placeQuote() {
	y := b.textTop - S(46) + S(2)
	w := b.wide - S(16)
	put(b.cited, S(8), y, w, S(40))
	put(b.stripe, S(8), y, S(3), S(40))
	b.citedName.Text = ellipsize(b.m.Quote.Name, w-S(20), nameFont())
	b.citedBy.Text = ellipsize(cleanLine(b.m.Quote.Text), w-S(20), citeFont())
	centred(b.citedName, S(18), y+S(3), S(16))
	centred(b.citedBy, S(18), y+S(20), S(16))
}

// placeMeta puts mark, time and ticks into the lower right corner.
func (b *Bubble) placeMeta() {
	h := metaFont().line()
	y := b.high - h - S(5)
	x := b.wide - S(10) - b.metaWidth
	if b.run.Marked {
		put(b.mark, x-S(7), y+h/2-S(smallestPress/2), S(smallestPress), S(smallestPress)) // more to hit than to see
		x += S(14 + 4)
	}
	x += centred(b.meta, x, y, h)
	put(b.ticks.Raster, x+S(3), y+(h-S(14))/2, S(14), S(14))
}

// placeChips hangs the reactions over the lower edge.
func (b *Bubble) placeChips() {
	x := S(10)
	for i, r := range b.m.React {
		if r.Count == 0 {
			continue
		}
		w := up(chipFont().width(b.emoji[i].Text)) + S(18)
		put(b.chips[i], x, b.high-S(7), w, S(25))
		centred(b.emoji[i], x+S(9), b.high-S(7), S(25))
		x += w + S(2)
	}
}

// Tapped opens what was hit: the quote, the rest of the text, or what is wrong.
func (b *Bubble) Tapped(e *fyne.PointEvent) {
	y := e.Position.Y
	textEnd := b.textTop + b.words.lines.height()
	switch {
	case b.m.Quote != (Quote{}) && y < b.textTop && y > b.textTop-S(46):
		b.do.quote()
	case b.cut && y >= textEnd && y < textEnd+nameFont().line()+S(2):
		b.do.expand()
	case b.m.Alert != "" && y >= textEnd && y < b.high:
		b.do.open()
	}
}

// TappedSecondary asks for a menu.
func (b *Bubble) TappedSecondary(e *fyne.PointEvent) { b.do.menu(e.AbsolutePosition) }

// Cursor is an arrow: what can be clicked in a bubble has a cursor of its own.
func (b *Bubble) Cursor() desktop.Cursor { return desktop.DefaultCursor }

// AccessibilityLabel reads the message out: who, in reply to whom, what, when, how far.
func (b *Bubble) AccessibilityLabel() string { return readOut(b.m) }

// AccessibilityRole is text.
func (b *Bubble) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// readOut is a message as a screen reader says it: "NAME, in reply to NAME: text. Time. State".
func readOut(m ThreadMessage) string {
	who := m.Name
	if m.Out {
		who = text.Say(text.RowYou)
	}
	if m.Quote != (Quote{}) {
		who = text.Say(text.RowReply, text.Name(who), text.With("to", m.Quote.Name))
	}
	s := text.Say(text.RowReads, text.Name(who), text.With("text", m.Text), text.With("time", m.Time))
	for _, more := range []string{choose(m.Out, m.Ticks.words(), ""), m.markWords(), m.Alert} {
		if more != "" {
			s += " " + more + "."
		}
	}
	return s
}

// markWords is what the verifiers say.
func (m ThreadMessage) markWords() string {
	if m.Mark == MarkNone {
		return ""
	}
	_, _, words := m.Mark.look()
	return text.Say(words)
}
