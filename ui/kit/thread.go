package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Page is a stretch of a conversation, oldest first. Between 400 and 2000 rows are a good length: enough to scroll in, and quick to
// load and to compare.
type Page struct {
	Rows  []ThreadMessage
	Fresh string // the key of the first message that was not read when the chat was opened; empty for none
	Faces bool   // a room: authors are named and have faces
	Older bool   // there is more before it, after it
	Newer bool
}

// ThreadDoes is what a Thread calls back; each may be nil. Keys are those of the rows.
type ThreadDoes struct {
	OnOpen   func(key string)                   // Return on a message, a click on its mark: the sheet
	OnMenu   func(key string, at fyne.Position) // right click, the menu key
	OnExpand func(key string)                   // all of a long text is wanted: show the page again with Full
	OnQuote  func(key string)                   // a quoted message is wanted that is not on the page
	OnKey    func(key string, k *fyne.KeyEvent) // another key while the cursor is on a message
	OnRune   func(r rune)                       // a character typed while the cursor is on none: it belongs to the composer
	OnLeave  func()                             // Escape: back to the composer
	OnSeen   func(key string)                   // the newest row that was ever in view
	OnOlder  func()                             // the first row comes near; once for each first row
	OnNewer  func()                             // the last row comes near; once for each last row
	OnNewest func()                             // the newest message is wanted, and it is not on the page
}

// Thread shows a conversation. Only the rows in view exist; their heights are estimated until they are first seen. Whatever happens to
// the rows around it, the lowest row that is wholly in view stays where it is. Who is at the end stays at the end.
//
// It is one stop of the Tab key: Up and Down move a cursor over the messages, Return opens the sheet.
type Thread struct {
	base
	roll
	do ThreadDoes

	ground *canvas.Rectangle
	bar    *bar
	jump   *jump

	high  int // of the view
	scale float32
	live  map[int]*threadRow
	spare []*threadRow
	busy  bool

	anchor  int // the row that stays where it is
	low     int // its lower edge above the lower edge of the view; negative when it is cut off there
	was     int // its height when it became the anchor
	end     bool
	first   int // the rows in view, as they were last placed
	last    int
	seen    int // the newest row that was in view
	begin   int // the row that the view begins with while nobody has scrolled, -1 for none
	asked   [2]string
	cursor  int // under the keyboard, -1 for none
	focused bool
	click   bool // the keyboard comes by a click: no cursor
	chosen  *passage
}

// NewThread makes an empty one.
func NewThread(do ThreadDoes) *Thread {
	t := &Thread{do: do, ground: newRect(), live: map[int]*threadRow{}, cursor: -1, seen: -1, begin: -1}
	t.gen = 1
	t.bar = newBar(func(y float32) { t.scrollTo(int(y)) }, t.page)
	t.jump = newJump(t.toNewest)
	t.extend(t, t.ground, t.bar)
	return t
}

// Open shows another conversation: from the New line, or from the end where nothing is new.
func (t *Thread) Open(p Page) {
	t.drop()
	t.cursor, t.seen, t.asked, t.chosen = -1, -1, [2]string{}, nil
	t.take(p, nil)
	t.anchor, t.low, t.was, t.end = len(t.entries)-1, px(threadPad), 0, true
	t.begin = t.find(p.Fresh)
	t.seen = max(t.begin-1, -1)
	t.toBegin()
	t.lay()
}

// toBegin brings the New line into the upper part of the view: as soon as there is a view, and again with every change of its size
// until somebody scrolls.
func (t *Thread) toBegin() {
	if t.begin >= 0 && t.width > 0 && t.high > 0 {
		t.toRow(t.begin, 0.2)
	}
}

// Update shows a newer page of the same conversation. Rows that did not change keep their heights; the row that is looked at stays
// where it is, or the end stays in view if it was.
func (t *Thread) Update(p Page) {
	if len(t.entries) == 0 {
		t.Open(p)
		return
	}
	cursor, anchor, seen := t.keyOf(t.cursor), t.anchor, t.keyOf(t.seen)
	before := t.live
	t.live, t.begin = map[int]*threadRow{}, -1
	moved := t.take(p, t.places())
	t.anchor = nearest(moved, anchor, len(t.entries))
	t.cursor, t.seen = t.find(cursor), max(t.find(seen), -1)
	for i, r := range before {
		if j := moved[i]; j >= 0 && t.live[j] == nil {
			r.bound = r.bound && t.entries[j].gen == t.gen
			t.live[j] = r
		} else {
			t.spare = append(t.spare, r)
		}
	}
	t.settle(t.end && !p.Newer)
}

// Append adds a message after all others.
func (t *Thread) Append(m ThreadMessage) {
	if len(t.entries) == 0 {
		t.Open(Page{Rows: []ThreadMessage{m}, Fresh: t.fresh, Faces: t.faces, Older: t.older})
		return
	}
	t.push(m)
	t.settle(t.end)
}

// Change shows a message anew. It reports whether the page has it.
func (t *Thread) Change(m ThreadMessage) bool {
	i := t.find(m.Key)
	if i < 0 {
		return false
	}
	t.change(i, m)
	t.settle(t.end)
	return true
}

// settle lays the rows out again after a change: at the end, or around the anchor.
func (t *Thread) settle(atEnd bool) {
	if atEnd {
		t.anchor, t.low, t.was = len(t.entries)-1, px(threadPad), 0
	}
	t.lay()
}

// drop puts all rows away.
func (t *Thread) drop() {
	for i, r := range t.live {
		delete(t.live, i)
		t.spare = append(t.spare, r)
	}
}

// px is S as a whole number.
func px(v float32) int { return int(S(v)) }

// AccessibilityLabel is the name of the thread, and the message under the cursor.
func (t *Thread) AccessibilityLabel() string {
	name := text.Say(text.ThreadLabel)
	if r := t.live[t.cursor]; r != nil {
		return name + ": " + r.AccessibilityLabel()
	}
	return name
}

// AccessibilityRole is container.
func (t *Thread) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
