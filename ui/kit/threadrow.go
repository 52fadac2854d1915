package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// The room around the rows of a thread.
const (
	gapRun    = 2                // between the bubbles of a run
	gapBlock  = 12               // before a run
	threadPad = 14               // above the first row and below the last
	faceSide  = 32               // of the avatar at the last bubble of a run
	faceRoom  = 42               // from the edge of the thread to the bubbles beside it
	runTime   = 15 * time.Minute // how far apart the messages of a run may be
)

// entry is a row that a thread knows: what it shows, its place among its neighbours, and whether its height was measured.
type entry struct {
	m   ThreadMessage
	at  place
	gen int // of the width and size in which the height was measured; 0 is never
}

// place is what a row draws because of its neighbours.
type place struct {
	run        Run
	day, fresh bool // the day, and the New line, above it
}

// joins reports whether a and b belong to one run.
func joins(a, b *ThreadMessage, fresh string) bool {
	return !a.Notice && !b.Notice && a.Out == b.Out && a.From == b.From && a.Day == b.Day && b.At.Sub(a.At) < runTime && b.Key != fresh
}

// placeOf is the place of m between the messages before and after it, which may be nil.
func placeOf(before, m, after *ThreadMessage, fresh string, faces bool) place {
	p := place{day: m.Day != "" && (before == nil || before.Day != m.Day), fresh: m.Key == fresh}
	p.run.First = before == nil || !joins(before, m, fresh)
	p.run.Last = after == nil || !joins(m, after, fresh)
	p.run.Named = faces && !m.Out && p.run.First && !m.Notice
	p.run.Marked = m.Mark != MarkNone && (p.run.Last || after.Mark != m.Mark)
	return p
}

// threadRow draws one row: the lines above it, the bubble or the notice, the face. Rows are few; they are filled with other
// entries as they come into view. A row that is not in view is not drawn; it is never hidden, because hiding walks the tree.
type threadRow struct {
	base
	e      entry
	faces  bool
	cursor bool
	width  float32
	height int
	bound  bool

	day, fresh, notice *Line
	bubble             *Bubble
	face               *Avatar
	ring               *canvas.Rectangle
	top                float32 // where bubble or notice begin
	box                fyne.Size
}

func newThreadRow(do bubbleDoes) *threadRow {
	r := &threadRow{
		day: NewLine(), fresh: NewLine(), notice: NewLine(), bubble: newBubble(do), face: NewAvatar(faceSide, ColorThread), ring: newRect(),
	}
	r.extend(r)
	return r
}

// bind fills the row and measures it.
func (r *threadRow) bind(e entry, width float32, faces, cursor bool) {
	r.e, r.width, r.faces, r.cursor, r.bound = e, width, faces, cursor, true
	r.objs = r.objs[:0]
	r.top = S(choose[float32](e.at.run.First, gapBlock, gapRun))
	if e.at.day {
		r.day.Day(e.m.Day)
		r.objs = append(r.objs, r.day)
		r.top += r.day.height()
	}
	if e.at.fresh {
		r.fresh.New()
		r.objs = append(r.objs, r.fresh)
		r.top += r.fresh.height()
	}
	if e.m.Notice {
		r.notice.Notice(e.m.Icon, e.m.Text, e.m.Tone)
		r.box = fyne.NewSize(width, r.notice.flow(width))
		r.objs = append(r.objs, r.notice)
	} else {
		r.bindBubble()
	}
	r.objs = append(r.objs, r.ring)
	r.height = int(r.top + r.box.Height)
	r.skin()
	canvas.Refresh(r)
}

func (r *threadRow) bindBubble() {
	r.box = r.bubble.Set(r.e.m, r.e.at.run, bubbleRoom(r.width, r.faces))
	r.objs = append(r.objs, r.bubble)
	if r.faces && !r.e.m.Out && r.e.at.run.Last {
		r.face.Set(Face{Key: r.e.m.From, Name: r.e.m.Name})
		r.objs = append(r.objs, r.face)
	}
}

// bubbleRoom is the widest bubble in a thread of a width: 78 % of it, 90 % of a narrow one, never more than 560.
func bubbleRoom(width float32, faces bool) float32 {
	room := width - 2*S(GapSide)
	if faces {
		room -= S(faceRoom)
	}
	share := choose[float32](width < S(640), 0.9, 0.78)
	return whole(max(min(S(560), room*share), S(120)))
}

// bubbleLeft is where the bubble begins.
func (r *threadRow) bubbleLeft() float32 {
	switch {
	case r.e.m.Out:
		return r.width - S(GapSide) - r.box.Width
	case r.faces:
		return S(GapSide + faceRoom)
	}
	return S(GapSide)
}

func (r *threadRow) least() fyne.Size { return fyne.Size{} }

func (r *threadRow) arrange(fyne.Size) {
	if !r.bound {
		return
	}
	y := float32(0)
	if r.e.at.day {
		put(r.day, 0, y, r.width, r.day.height())
		y += r.day.height()
	}
	if r.e.at.fresh {
		put(r.fresh, 0, y, r.width, r.fresh.height())
	}
	x, h := r.bubbleLeft(), r.box.Height
	if r.e.m.Notice {
		x = S(GapSide)
		put(r.notice, 0, r.top, r.width, h)
		put(r.ring, x, r.top, r.width-2*S(GapSide), h)
		return
	}
	h = r.bubble.high
	put(r.bubble, x, r.top, r.box.Width, r.box.Height)
	put(r.face, S(GapSide), r.top+h-S(faceSide), S(faceSide), S(faceSide))
	put(r.ring, x-S(3), r.top-S(3), r.box.Width+S(6), h+S(6))
}

func (r *threadRow) skin() {
	r.ring.CornerRadius = S(bubbleRadius + 3)
	ring(r.ring, r.cursor, ColorAccent)
}

// AccessibilityLabel reads the row out.
func (r *threadRow) AccessibilityLabel() string {
	if r.e.m.Notice {
		return r.e.m.Text
	}
	return readOut(r.e.m)
}

// AccessibilityRole is container: the words in it speak for themselves.
func (r *threadRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleContainer }
