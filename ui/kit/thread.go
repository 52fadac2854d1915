package kit

import (
	"math"
	"strings"
	"unicode/utf8"

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
	do      ThreadDoes
	entries []entry
	heights heights
	fresh   string
	faces   bool
	older   bool
	newer   bool

	ground *canvas.Rectangle
	bar    *bar
	jump   *jump

	width float32 // of a row
	high  int     // of the view
	gen   int     // of the heights: another width or another size makes them estimates again
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
	t := &Thread{do: do, ground: newRect(), live: map[int]*threadRow{}, cursor: -1, seen: -1, begin: -1, gen: 1}
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
	old := t.entries
	keys := make(map[string]int, len(old))
	for i := range old {
		keys[old[i].m.Key] = i
	}
	cursor, anchor, seen := t.keyOf(t.cursor), t.anchor, t.keyOf(t.seen)
	before := t.live
	t.live, t.begin = map[int]*threadRow{}, -1
	moved := t.take(p, keys)
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
	n := len(t.entries)
	if n == 0 {
		t.Open(Page{Rows: []ThreadMessage{m}, Fresh: t.fresh, Faces: t.faces, Older: t.older})
		return
	}
	last := &t.entries[n-1]
	t.entries = append(t.entries, entry{m: m, at: placeOf(&last.m, &m, nil, t.fresh, t.faces)})
	t.heights.push(t.estimate(&m))
	t.replace(n - 1)
	t.settle(t.end)
}

// Change shows a message anew. It reports whether the page has it.
func (t *Thread) Change(m ThreadMessage) bool {
	i := t.find(m.Key)
	if i < 0 {
		return false
	}
	t.entries[i].m = m
	t.touch(i)
	for j := i - 1; j <= i+1; j++ {
		t.replace(j)
	}
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

// take makes a page the rows of the thread. keys are where the old rows stood; the result is where they stand now, -1 for gone.
func (t *Thread) take(p Page, keys map[string]int) (moved map[int]int) {
	if p.Faces != t.faces { // all bubbles become wider or narrower
		t.gen++
	}
	t.fresh, t.faces, t.older, t.newer = p.Fresh, p.Faces, p.Older, p.Newer
	old, oldHeights := t.entries, t.heights.each
	rows := distinct(p.Rows)
	t.entries = make([]entry, len(rows))
	each := make([]int, len(rows))
	moved = make(map[int]int, len(keys))
	for _, i := range keys {
		moved[i] = -1
	}
	for i := range rows {
		m := &rows[i]
		e := entry{m: *m, at: placeOf(neighbour(rows, i-1), m, neighbour(rows, i+1), p.Fresh, p.Faces)}
		each[i] = t.estimate(m)
		if j, ok := keys[m.Key]; ok {
			moved[j] = i
			if old[j].m == e.m && old[j].at == e.at {
				e.gen = old[j].gen
			}
			each[i] = oldHeights[j]
		}
		t.entries[i] = e
	}
	t.heights = newHeights(each)
	return moved
}

// distinct leaves out rows whose key was there before: one row widget cannot be in two places.
func distinct(rows []ThreadMessage) []ThreadMessage {
	seen := make(map[string]bool, len(rows))
	for i := range rows {
		if seen[rows[i].Key] {
			return dedupe(rows)
		}
		seen[rows[i].Key] = true
	}
	return rows
}

func dedupe(rows []ThreadMessage) []ThreadMessage {
	seen := make(map[string]bool, len(rows))
	out := make([]ThreadMessage, 0, len(rows))
	for _, m := range rows {
		if !seen[m.Key] {
			seen[m.Key] = true
			out = append(out, m)
		}
	}
	return out
}

// neighbour is row i, or nil.
func neighbour(rows []ThreadMessage, i int) *ThreadMessage {
	if i < 0 || i >= len(rows) {
		return nil
	}
	return &rows[i]
}

// nearest is where old row i stands now; the nearest older one that is left, if it is gone.
func nearest(moved map[int]int, i, n int) int {
	for j := i; j >= 0; j-- {
		if to, ok := moved[j]; ok && to >= 0 {
			return to
		}
	}
	return n - 1
}

// keyOf is the key of row i, empty for none.
func (t *Thread) keyOf(i int) string {
	if i < 0 || i >= len(t.entries) {
		return ""
	}
	return t.entries[i].m.Key
}

// find is the row with a key, -1 for none. It looks from the end: what changes is new.
func (t *Thread) find(key string) int {
	for i := len(t.entries) - 1; i >= 0 && key != ""; i-- {
		if t.entries[i].m.Key == key {
			return i
		}
	}
	return -1
}

// replace computes the place of row i anew.
func (t *Thread) replace(i int) {
	if i < 0 || i >= len(t.entries) {
		return
	}
	var before, after *ThreadMessage
	if i > 0 {
		before = &t.entries[i-1].m
	}
	if i+1 < len(t.entries) {
		after = &t.entries[i+1].m
	}
	e := &t.entries[i]
	if at := placeOf(before, &e.m, after, t.fresh, t.faces); at != e.at {
		e.at = at
		t.touch(i)
	}
}

// touch makes row i be drawn and measured anew.
func (t *Thread) touch(i int) {
	if i < 0 || i >= len(t.entries) {
		return
	}
	t.entries[i].gen = 0
	if r := t.live[i]; r != nil {
		r.bound = false
	}
}

// drop puts all rows away.
func (t *Thread) drop() {
	for i, r := range t.live {
		delete(t.live, i)
		t.spare = append(t.spare, r)
	}
}

// estimate is the height of a row that was never seen. It is cheap on purpose: it counts, it does not shape.
func (t *Thread) estimate(m *ThreadMessage) int {
	room := bubbleRoom(max(t.width, S(400)), t.faces) - 2*bubbleSide()
	glyph := TypeBody.size() * 0.52
	lines := 0.0
	for line := range strings.SplitSeq(m.Text, "\n") {
		lines += math.Max(1, math.Ceil(float64(utf8.RuneCountInString(line))*float64(glyph/room)))
		if lines > shortLines {
			break
		}
	}
	h := 12 + 19*lines + gapRun
	if lines > 1 {
		h += 13
	}
	return px(float32(h))
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
