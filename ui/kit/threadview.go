package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// passes is how often the rows in view are measured again because the end of the thread moved the view and other rows came into
// sight. The second pass knows all heights near the end; more would mean a mistake.
const passes = 6

func (t *Thread) least() fyne.Size { return fyne.NewSize(S(260), S(120)) }

func (t *Thread) arrange(s fyne.Size) {
	put(t.ground, 0, 0, s.Width, s.Height)
	w := t.bar.MinSize().Width
	put(t.bar, s.Width-w, 0, w, s.Height)
	j := t.jump.MinSize()
	put(t.jump, s.Width-j.Width-S(GapSide), s.Height-j.Height-S(GapMedium), j.Width, j.Height)
	high, scale := int(s.Height), current().scale
	if s.Width == t.width && high == t.high && scale == t.scale {
		return
	}
	if s.Width != t.width || scale != t.scale {
		t.gen++
		t.rebind()
	}
	t.width, t.high, t.scale = s.Width, high, scale
	t.toBegin()
	t.settle(t.end)
}

// skin comes with a new theme, or a new state of the keyboard: every row is filled anew.
func (t *Thread) skin() {
	t.ground.FillColor = C(ColorThread)
	t.rebind()
	if t.scale == current().scale {
		t.lay()
	}
}

// rebind makes every row in view be filled anew.
func (t *Thread) rebind() {
	for _, r := range t.live {
		r.bound = false
	}
}

// row is the row widget of entry i, filled, and its height known.
func (t *Thread) row(i int) *threadRow {
	r := t.live[i]
	if r == nil {
		r = t.spareRow()
		t.live[i] = r
	}
	e := &t.entries[i]
	if !r.bound || e.gen != t.gen {
		r.bind(*e, t.width, t.faces, t.focused && i == t.cursor)
		t.heights.set(i, r.height)
		e.gen = t.gen
	}
	return r
}

// spareRow takes a row that is not in use, or makes one.
func (t *Thread) spareRow() *threadRow {
	if n := len(t.spare); n > 0 {
		r := t.spare[n-1]
		t.spare = t.spare[:n-1]
		r.bound = false
		return r
	}
	var r *threadRow
	r = newThreadRow(bubbleDoes{
		picked: t.pick,
		menu:   func(at fyne.Position) { t.menu(r.e.m.Key, at) },
		open:   func() { t.open(r.e.m.Key) },
		quote:  func() { t.toQuote(r.e.m.Quote.Key) },
		expand: func() {
			if t.do.OnExpand != nil {
				t.do.OnExpand(r.e.m.Key)
			}
		},
	})
	return r
}

// stretch is the rows from first to last, between two heights of the view.
type stretch struct{ first, last, top, bottom int }

// lay measures and places the rows in view and keeps the anchor where it is.
func (t *Thread) lay() {
	if t.busy || t.width <= 0 || t.high <= 0 {
		return
	}
	t.busy = true
	v := stretch{last: -1}
	if len(t.entries) > 0 {
		t.anchor = max(min(t.anchor, len(t.entries)-1), 0)
		for range passes {
			v = t.realise()
			if !t.clamp(v) {
				break
			}
		}
		v = t.trim(v)
		t.reanchor(v)
	}
	t.place(v)
	t.busy = false
	t.tell(v)
}

// realise measures the rows around the anchor until they fill the view.
func (t *Thread) realise() stretch {
	h := t.row(t.anchor).height
	if t.low < 0 && t.was > 0 && h != t.was { // cut off: what is seen of it stays in proportion
		t.low = t.low * h / t.was
	}
	t.was = h
	v := stretch{first: t.anchor, last: t.anchor, bottom: t.high - t.low}
	v.top = v.bottom - h
	for v.first > 0 && v.top > 0 {
		v.first--
		v.top -= t.row(v.first).height
	}
	for v.last < len(t.entries)-1 && v.bottom < t.high {
		v.last++
		v.bottom += t.row(v.last).height
	}
	return v
}

// clamp keeps the view from leaving the thread. It reports whether the anchor was moved, so that other rows may be in view.
func (t *Thread) clamp(v stretch) bool {
	pad, n := px(threadPad), len(t.entries)
	atFirst, atLast := v.first == 0, v.last == n-1
	short := atFirst && atLast && v.bottom-v.top+2*pad <= t.high
	switch {
	case atLast && (short && v.bottom != t.high-pad || v.bottom < t.high-pad): // a short thread stands above the composer
		t.anchor, t.low, t.was = n-1, pad, 0
		return true
	case atFirst && !short && v.top > pad:
		t.anchor, t.was = 0, t.heights.each[0]
		t.low = t.high - pad - t.was
		return true
	}
	return false
}

// trim leaves out the rows that are out of view: the anchor was scrolled away.
func (t *Thread) trim(v stretch) stretch {
	for v.first < v.last && v.top+t.heights.each[v.first] <= 0 {
		v.top += t.heights.each[v.first]
		v.first++
	}
	for v.last > v.first && v.bottom-t.heights.each[v.last] >= t.high {
		v.bottom -= t.heights.each[v.last]
		v.last--
	}
	return v
}

// reanchor makes the lowest row that is wholly in view the anchor, or the one at the lower edge where none is.
func (t *Thread) reanchor(v stretch) {
	t.anchor, t.low = v.last, t.high-v.bottom
	y := v.bottom
	for i := v.last; i >= v.first; i-- {
		h := t.heights.each[i]
		if y <= t.high && y-h >= 0 {
			t.anchor, t.low = i, t.high-y
			break
		}
		y -= h
	}
	t.was = t.heights.each[t.anchor]
	t.end = v.last == len(t.entries)-1 && v.bottom <= t.high-px(threadPad)
}

// place moves the rows to where they belong and puts the others away.
func (t *Thread) place(v stretch) {
	for i, r := range t.live {
		if i < v.first || i > v.last {
			delete(t.live, i)
			t.spare = append(t.spare, r)
		}
	}
	t.objs = append(t.objs[:0], t.ground)
	y := v.top
	for i := v.first; i <= v.last; i++ {
		r := t.live[i]
		s := fyne.NewSize(t.width, float32(r.height))
		if r.Size() == s {
			r.arrange(s)
		} else {
			r.Resize(s)
		}
		r.Move(fyne.NewPos(0, float32(y)))
		y += r.height
		t.objs = append(t.objs, r)
	}
	t.first, t.last = v.first, v.last
	t.frame(v)
	canvas.Refresh(t.ground) // the window is painted again; refreshing the thread would throw every picture in it away
}

// frame draws what stands around the rows: the scroll bar, the jump button.
func (t *Thread) frame(v stretch) {
	t.objs = append(t.objs, t.bar)
	if len(t.entries) == 0 {
		t.bar.set(0, 0, 0)
		return
	}
	pad := px(threadPad)
	t.bar.set(float32(t.heights.total()+2*pad), float32(t.high), float32(t.heights.before(v.first)+pad-v.top))
	if t.jump.show(!t.end || t.newer, t.missed()) {
		t.objs = append(t.objs, t.jump)
	}
}

// missed is how many messages below the view were never seen, as far as a badge counts.
func (t *Thread) missed() int {
	n := 0
	for i := max(t.seen, t.last) + 1; i < len(t.entries) && n < 100; i++ {
		if !t.entries[i].m.Notice {
			n++
		}
	}
	return n
}

// tell calls back about what came into view.
func (t *Thread) tell(v stretch) {
	if v.last > t.seen {
		t.seen = v.last
		if t.do.OnSeen != nil {
			t.do.OnSeen(t.keyOf(v.last))
		}
	}
	n := len(t.entries)
	if n == 0 {
		return
	}
	near := t.high
	if t.older && t.do.OnOlder != nil && t.heights.before(v.first) < near && t.asked[0] != t.keyOf(0) {
		t.asked[0] = t.keyOf(0)
		t.do.OnOlder()
	}
	if t.newer && t.do.OnNewer != nil && t.heights.total()-t.heights.before(v.last) < 2*near && t.asked[1] != t.keyOf(n-1) {
		t.asked[1] = t.keyOf(n - 1)
		t.do.OnNewer()
	}
}

// Scrolled is the wheel.
func (t *Thread) Scrolled(e *fyne.ScrollEvent) { t.scrollBy(int(whole(e.Scrolled.DY))) }

// scrollBy moves the rows down by so many pixels: towards older ones.
func (t *Thread) scrollBy(dy int) {
	if len(t.entries) == 0 || dy == 0 {
		return
	}
	if dy > t.high || dy < -t.high {
		t.scrollTo(t.offset() - dy)
		return
	}
	t.low -= dy
	t.end, t.begin = false, -1
	t.lay()
}

// offset is how far the view is from the top of the thread, as far as the heights above it are known.
func (t *Thread) offset() int {
	y := t.high - t.low - t.heights.each[t.anchor]
	return t.heights.before(t.anchor) + px(threadPad) - y
}

// scrollTo brings the view to an offset. The ends are the ends, however wrong the estimates between them are.
func (t *Thread) scrollTo(y int) {
	if len(t.entries) == 0 {
		return
	}
	if y >= t.heights.total()+2*px(threadPad)-t.high {
		t.ToEnd()
		return
	}
	if y <= 0 {
		t.toTop()
		return
	}
	bottom := y + t.high - px(threadPad)
	t.anchor = t.heights.at(bottom - 1)
	t.was = t.heights.each[t.anchor]
	t.low = bottom - t.heights.before(t.anchor) - t.was
	t.end, t.begin = false, -1
	t.lay()
}

// toTop brings the view to the first row.
func (t *Thread) toTop() {
	t.anchor, t.end, t.begin = 0, false, -1
	t.was = t.row(0).height
	t.low = t.high - px(threadPad) - t.was
	t.lay()
}

func (t *Thread) page(down bool) { t.scrollBy(choose(down, -1, 1) * t.high * 9 / 10) }

// AtEnd reports whether the newest message of the page is wholly in view.
func (t *Thread) AtEnd() bool { return t.end }

// ToEnd shows the newest message of the page.
func (t *Thread) ToEnd() {
	t.begin = -1
	t.settle(true)
}

// toNewest is the jump button.
func (t *Thread) toNewest() {
	if t.newer && t.do.OnNewest != nil {
		t.do.OnNewest()
		return
	}
	t.ToEnd()
}

// Reveal brings a message into the middle of the view. It reports whether the page has it.
func (t *Thread) Reveal(key string) bool {
	i := t.find(key)
	if i < 0 {
		return false
	}
	t.begin = -1
	if t.width > 0 && t.high > 0 {
		t.toRow(i, 0.4)
	}
	t.lay()
	return true
}

// toQuote shows the message that another answers.
func (t *Thread) toQuote(key string) {
	if !t.Reveal(key) && t.do.OnQuote != nil {
		t.do.OnQuote(key)
	}
}

// toRow makes row i the anchor, with its upper edge at a share of the view.
func (t *Thread) toRow(i int, share float32) {
	t.anchor, t.end = i, false
	t.was = t.row(i).height
	t.low = t.high - int(float32(t.high)*share) - t.was
	if t.low < 0 && t.was < t.high {
		t.low = 0
	}
}
