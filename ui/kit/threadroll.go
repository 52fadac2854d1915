package kit

import (
	"math"
	"strings"
	"unicode/utf8"
)

// roll is a page of a conversation as a Thread keeps it: every row, with its place among its neighbours and its height, measured or
// estimated. It knows nothing of what is in view.
type roll struct {
	entries []entry
	heights heights
	fresh   string // the key of the first message that was not read, empty for none
	faces   bool
	older   bool
	newer   bool

	width float32 // of a row
	gen   int     // of the heights: another width or another size makes them estimates again; never 0
}

// take makes a page the rows. keys are where the old rows stood; the result is where they stand now, -1 for gone.
func (l *roll) take(p Page, keys map[string]int) (moved map[int]int) {
	if p.Faces != l.faces { // all bubbles become wider or narrower
		l.gen++
	}
	l.fresh, l.faces, l.older, l.newer = p.Fresh, p.Faces, p.Older, p.Newer
	old, oldHeights := l.entries, l.heights.each
	rows := distinct(p.Rows)
	l.entries = make([]entry, len(rows))
	each := make([]int, len(rows))
	moved = make(map[int]int, len(keys))
	for _, i := range keys {
		moved[i] = -1
	}
	for i := range rows {
		m := &rows[i]
		e := entry{m: *m, at: placeOf(neighbour(rows, i-1), m, neighbour(rows, i+1), p.Fresh, p.Faces)}
		each[i] = l.estimate(m)
		if j, ok := keys[m.Key]; ok {
			moved[j] = i
			if old[j].m == e.m && old[j].at == e.at {
				e.gen = old[j].gen
			}
			each[i] = oldHeights[j]
		}
		l.entries[i] = e
	}
	l.heights = newHeights(each)
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

// push adds a message after all others.
func (l *roll) push(m ThreadMessage) {
	n := len(l.entries)
	l.entries = append(l.entries, entry{m: m, at: placeOf(&l.entries[n-1].m, &m, nil, l.fresh, l.faces)})
	l.heights.push(l.estimate(&m))
	l.replace(n - 1)
}

// change puts a message in the place of what row i was. Its neighbours may be drawn otherwise beside it.
func (l *roll) change(i int, m ThreadMessage) {
	l.entries[i].m = m
	l.touch(i)
	for j := i - 1; j <= i+1; j++ {
		l.replace(j)
	}
}

// places is where each key stands.
func (l *roll) places() map[string]int {
	keys := make(map[string]int, len(l.entries))
	for i := range l.entries {
		keys[l.entries[i].m.Key] = i
	}
	return keys
}

// keyOf is the key of row i, empty for none.
func (l *roll) keyOf(i int) string {
	if i < 0 || i >= len(l.entries) {
		return ""
	}
	return l.entries[i].m.Key
}

// find is the row with a key, -1 for none. It looks from the end: what changes is new.
func (l *roll) find(key string) int {
	for i := len(l.entries) - 1; i >= 0 && key != ""; i-- {
		if l.entries[i].m.Key == key {
			return i
		}
	}
	return -1
}

// replace computes the place of row i anew.
func (l *roll) replace(i int) {
	if i < 0 || i >= len(l.entries) {
		return
	}
	var before, after *ThreadMessage
	if i > 0 {
		before = &l.entries[i-1].m
	}
	if i+1 < len(l.entries) {
		after = &l.entries[i+1].m
	}
	e := &l.entries[i]
	if at := placeOf(before, &e.m, after, l.fresh, l.faces); at != e.at {
		e.at = at
		l.touch(i)
	}
}

// touch makes row i be drawn and measured anew.
func (l *roll) touch(i int) { l.entries[i].gen = 0 }

// estimate is the height of a row that was never seen. It is cheap on purpose: it counts, it does not shape.
func (l *roll) estimate(m *ThreadMessage) int {
	room := bubbleRoom(max(l.width, S(400)), l.faces) - 2*bubbleSide()
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
