package kit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"pgregory.net/rapid"
)

// talk is a conversation of n messages of every length, by three people.
func talk(n int) []ThreadMessage {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	rows := make([]ThreadMessage, n)
	for i := range rows {
		rows[i] = saying(i, r.IntN(60)+1, []string{"ada", "tove", "jonas"}[r.IntN(3)])
	}
	return rows
}

// saying is message i of a number of words.
func saying(i, words int, from string) ThreadMessage {
	m := message(i, from, strings.TrimSpace(strings.Repeat("word ", words)))
	m.Day = fmt.Sprint("Day ", i/40)
	if from == "ada" {
		m = out(m, DeliveryDone)
	}
	return m
}

// sound reports what is wrong with what a thread shows: overlaps, holes, too many rows, a row that shows something else.
func sound(th *Thread) error {
	if len(th.entries) == 0 {
		return nil
	}
	type box struct{ i, top, bottom int }
	var rows []box
	for i, r := range th.live {
		top := int(r.Position().Y)
		rows = append(rows, box{i, top, top + int(r.Size().Height)})
		if r.e.m != th.entries[i].m || r.e.at != th.entries[i].at {
			return fmt.Errorf("row %d shows %q, want %q", i, r.e.m.Key, th.entries[i].m.Key)
		}
		if r.height != th.heights.each[i] {
			return fmt.Errorf("row %d is %d high, the thread thinks %d", i, r.height, th.heights.each[i])
		}
	}
	slices.SortFunc(rows, func(a, b box) int { return a.i - b.i })
	for k, b := range rows {
		if k > 0 && (b.i != rows[k-1].i+1 || b.top != rows[k-1].bottom) {
			return fmt.Errorf("row %d begins at %d, row %d ends at %d", b.i, b.top, rows[k-1].i, rows[k-1].bottom)
		}
	}
	top, bottom := rows[0].top, rows[len(rows)-1].bottom
	if rows[0].i > 0 && top > 0 || top > px(threadPad) && bottom-top > th.high {
		return fmt.Errorf("a hole of %d above row %d", top, rows[0].i)
	}
	want := th.high - px(threadPad)
	atEnd := rows[len(rows)-1].i == len(th.entries)-1
	if short := atEnd && rows[0].i == 0 && bottom-top+2*px(threadPad) <= th.high; !atEnd && bottom < th.high || atEnd && bottom < want || short && bottom != want {
		return fmt.Errorf("a hole: row %d of %d ends at %d of %d", rows[len(rows)-1].i, len(th.entries), bottom, th.high)
	}
	if most := th.high/px(25) + 3; len(rows) > most || len(th.objs) > most+3 {
		return fmt.Errorf("%d rows for a view of %d", len(rows), th.high)
	}
	if spare := th.high/px(25)*8 + 60; len(th.spare) > spare {
		return fmt.Errorf("%d rows lie about", len(th.spare))
	}
	return nil
}

// place of the lowest row that is wholly in view: its key, and the distance of its lower edge from that of the view.
func anchored(th *Thread) (key string, low int, whole bool) {
	best := -1
	for i, r := range th.live {
		top, bottom := int(r.Position().Y), int(r.Position().Y+r.Size().Height)
		if top >= 0 && bottom <= th.high && i > best {
			best, key, low, whole = i, r.e.m.Key, th.high-bottom, true
		}
	}
	return key, low, whole
}

// TestThreadFuzz lets a thread live through anything: whatever happens, rows neither overlap nor leave holes, there are few of
// them, and the row that is looked at stays.
func TestThreadFuzz(t *testing.T) {
	dress(t, Look{Variant: Dark})
	rapid.Check(t, func(rt *rapid.T) {
		th := NewThread(ThreadDoes{})
		th.Resize(fyne.NewSize(700, 500))
		rows := talk(rapid.IntRange(0, 120).Draw(rt, "rows"))
		faces, next := rapid.Bool().Draw(rt, "faces"), 1000
		page := func() Page { return Page{Rows: slices.Clone(rows), Faces: faces} }
		th.Open(page())
		steady := func(what string, f func()) {
			key, low, ok := anchored(th)
			end := th.AtEnd()
			f()
			if err := sound(th); err != nil {
				rt.Fatalf("after %s: %v", what, err)
			}
			if end && !th.AtEnd() {
				rt.Fatalf("after %s the end is out of sight", what)
			}
			if r := th.live[th.find(key)]; ok && !end && !th.AtEnd() && th.first > 0 {
				if r == nil || th.high-int(r.Position().Y+r.Size().Height) != low {
					rt.Fatalf("after %s row %s moved from %d", what, key, low)
				}
			}
		}
		pick := func(label string) int { return rapid.IntRange(0, max(len(rows)-1, 0)).Draw(rt, label) }
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				m := saying(next, rapid.IntRange(1, 200).Draw(rt, "words"), rapid.SampledFrom([]string{"ada", "tove"}).Draw(rt, "from"))
				next, rows = next+1, append(rows, m)
				steady("append", func() { th.Append(m) })
			},
			"prepend": func(*rapid.T) {
				older := talk(30)
				for i := range older {
					older[i].Key = fmt.Sprint("older", next, "-", i)
				}
				next, rows = next+1, append(older, rows...)
				steady("prepend", func() { th.Update(page()) })
			},
			"change": func(rt *rapid.T) {
				if len(rows) == 0 {
					return
				}
				i := pick("changed")
				m := rows[i]
				m.Text = strings.Repeat("other ", rapid.IntRange(1, 80).Draw(rt, "words"))
				m.Mark = Mark(rapid.IntRange(0, 4).Draw(rt, "mark"))
				m.React[rapid.IntRange(0, reactions-1).Draw(rt, "reaction")].Count = rapid.IntRange(0, 2).Draw(rt, "count")
				rows[i] = m
				steady("change", func() { th.Change(m) })
			},
			"remove": func(rt *rapid.T) {
				if len(rows) < 2 {
					return
				}
				i := pick("removed")
				gone, _, _ := anchored(th)
				if rows[i].Key == gone {
					return // another row becomes the anchor
				}
				rows = slices.Delete(slices.Clone(rows), i, i+1)
				steady("remove", func() { th.Update(page()) })
			},
			"same": func(*rapid.T) { steady("the same page", func() { th.Update(page()) }) },
			"narrow": func(rt *rapid.T) {
				size := fyne.NewSize(rapid.Float32Range(300, 1300).Draw(rt, "width"), rapid.Float32Range(150, 900).Draw(rt, "height"))
				th.Resize(size)
				if err := sound(th); err != nil {
					rt.Fatalf("after a resize to %v: %v", size, err)
				}
			},
			"scroll": func(rt *rapid.T) {
				th.scrollBy(rapid.IntRange(-3000, 3000).Draw(rt, "by"))
				if err := sound(th); err != nil {
					rt.Fatalf("after scrolling: %v", err)
				}
			},
			"jump": func(rt *rapid.T) {
				if len(rows) == 0 {
					return
				}
				th.Reveal(rows[pick("revealed")].Key)
				if err := sound(th); err != nil {
					rt.Fatalf("after a jump: %v", err)
				}
			},
		})
	})
}

func TestRowsDoNotMoveWhileOthersAreMeasured(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	window(t, th, 700, 600)
	th.Open(Page{Rows: talk(5000)})
	for step := range 400 {
		before := map[int]float32{}
		for i, r := range th.live {
			before[i] = r.Position().Y
		}
		th.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 60)})
		for i, r := range th.live {
			if y, ok := before[i]; ok && r.Position().Y != y+60 {
				t.Fatalf("step %d: row %d went from %v to %v, want 60 more", step, i, y, r.Position().Y)
			}
		}
	}
}

func TestResizeKeepsTheRowThatIsLookedAt(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	w := window(t, th, 900, 600)
	th.Open(Page{Rows: talk(400)})
	th.scrollBy(5000)
	for _, width := range []float32{500, 1300, 640, 900, 301} {
		key, low, ok := anchored(th)
		w.Resize(fyne.NewSize(width, 600))
		r := th.live[th.find(key)]
		if !ok || r == nil || th.high-int(r.Position().Y+r.Size().Height) != low {
			t.Errorf("at width %v row %s is not where it was", width, key)
		}
		if err := sound(th); err != nil {
			t.Errorf("at width %v: %v", width, err)
		}
	}
}

func TestOpenBeginsAtTheNewLine(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	rows := talk(200)
	th.Open(Page{Rows: rows, Fresh: rows[150].Key}) // before there is a size
	w := window(t, th, 700, 600)
	w.Resize(fyne.NewSize(800, 700)) // windows find their size in steps
	r := th.live[150]
	if r == nil || !r.e.at.fresh || r.Position().Y < 0 || r.Position().Y > 300 {
		t.Fatalf("the first new message is not in the upper part of the view: %v", r)
	}
	if th.AtEnd() || th.missed() == 0 || !slices.Contains(th.objs, fyne.CanvasObject(th.jump)) {
		t.Error("nothing says that there is more below")
	}
	th.toNewest()
	if !th.AtEnd() || slices.Contains(th.objs, fyne.CanvasObject(th.jump)) {
		t.Error("the jump button did not lead to the end, or stayed there")
	}
}

func TestShortThreadStandsAtTheBottom(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	window(t, th, 700, 600)
	th.Open(Page{Rows: []ThreadMessage{message(1, "tove", "Hello"), message(2, "tove", "there")}})
	last := th.live[1]
	if got := last.Position().Y + last.Size().Height; got != 600-threadPad {
		t.Errorf("the last message ends at %v, want %v", got, 600-threadPad)
	}
}

func TestUpdateKeepsHeightsOfWhatDidNotChange(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	window(t, th, 700, 600)
	rows := talk(300)
	th.Open(Page{Rows: rows})
	for range 50 {
		th.scrollBy(500)
	}
	known := func() (n int) {
		for _, e := range th.entries {
			if e.gen == th.gen {
				n++
			}
		}
		return n
	}
	before := known()
	rows = slices.Clone(rows)
	rows[299].Ticks.Delivery = DeliveryRead
	th.Update(Page{Rows: rows})
	if after := known(); after < before-2 {
		t.Errorf("%d heights were known, %d are left after one message changed", before, after)
	}
}

func TestThreadLeavesOutRepeatedKeys(t *testing.T) {
	dress(t, Look{})
	th := NewThread(ThreadDoes{})
	window(t, th, 700, 600)
	m := message(1, "tove", "once")
	th.Open(Page{Rows: []ThreadMessage{m, m, message(2, "tove", "two"), m}})
	if len(th.entries) != 2 {
		t.Errorf("%d rows, want 2", len(th.entries))
	}
	if err := sound(th); err != nil {
		t.Error(err)
	}
}

func TestRunsJoinMessagesOfOneAuthor(t *testing.T) {
	at := func(i int, from, day string) *ThreadMessage {
		m := message(i, from, "x")
		m.Day = day
		return &m
	}
	notice := at(2, "tove", "Today")
	notice.Notice = true
	for _, row := range []struct {
		name  string
		a, b  *ThreadMessage
		fresh string
		want  bool
	}{
		{"one author", at(1, "tove", "Today"), at(2, "tove", "Today"), "", true},
		{"two authors", at(1, "tove", "Today"), at(2, "jonas", "Today"), "", false},
		{"a quarter of an hour", at(1, "tove", "Today"), at(16, "tove", "Today"), "", false},
		{"another day", at(1, "tove", "Yesterday"), at(2, "tove", "Today"), "", false},
		{"the New line between", at(1, "tove", "Today"), at(2, "tove", "Today"), "m2", false},
		{"a notice", at(1, "tove", "Today"), notice, "", false},
	} {
		if got := joins(row.a, row.b, row.fresh); got != row.want {
			t.Errorf("%s: joined %v, want %v", row.name, got, row.want)
		}
	}
}

func TestThreadAsksForMoreOnceAtEachEnd(t *testing.T) {
	dress(t, Look{})
	var older, newer int
	var seen []string
	th := NewThread(ThreadDoes{OnOlder: func() { older++ }, OnNewer: func() { newer++ }, OnSeen: func(k string) { seen = append(seen, k) }})
	window(t, th, 700, 600)
	rows := talk(200)
	th.Open(Page{Rows: rows, Older: true, Newer: true})
	if older != 0 || newer != 1 {
		t.Fatalf("at the end: asked %d times for older and %d for newer, want 0 and 1", older, newer)
	}
	if len(seen) != 1 || seen[0] != rows[199].Key {
		t.Errorf("seen %v, want the last", seen)
	}
	th.scrollTo(0)
	th.scrollBy(50)
	if older != 1 {
		t.Errorf("at the top: asked %d times for older, want 1", older)
	}
	th.Update(Page{Rows: rows, Older: false, Newer: true})
	th.scrollBy(-10)
	if older != 1 {
		t.Error("asked for older where there is nothing older")
	}
}

func TestThreadByKeyboard(t *testing.T) {
	dress(t, Look{})
	var opened, keyed []string
	var left, typed int
	th := NewThread(ThreadDoes{
		OnOpen: func(k string) { opened = append(opened, k) }, OnLeave: func() { left++ }, OnRune: func(rune) { typed++ },
		OnKey: func(k string, e *fyne.KeyEvent) { keyed = append(keyed, k+string(e.Name)) },
	})
	w := window(t, NewStage(th), 700, 600)
	rows := talk(100)
	th.Open(Page{Rows: rows})
	th.Focus()
	if th.cursor != 99 {
		t.Fatalf("the cursor is on row %d, want the newest", th.cursor)
	}
	key(w, fyne.KeyUp)
	key(w, fyne.KeyReturn)
	key(w, fyne.KeyR)
	th.TypedRune('r')
	for range 30 {
		key(w, fyne.KeyUp)
		r := th.live[th.cursor]
		if r == nil || r.Position().Y < 0 || r.Position().Y+r.Size().Height > 600 || !r.cursor {
			t.Fatalf("row %d has the cursor and is not wholly in view with a ring", th.cursor)
		}
	}
	key(w, fyne.KeyHome)
	if th.cursor != 0 || th.offset() > px(threadPad) {
		t.Errorf("Home went to row %d at %d", th.cursor, th.offset())
	}
	key(w, fyne.KeyEnd)
	if !th.AtEnd() {
		t.Error("End did not go to the end")
	}
	key(w, fyne.KeyEscape)
	if !slices.Equal(opened, []string{"m98"}) || !slices.Equal(keyed, []string{"m98R"}) || left != 1 || typed != 0 {
		t.Errorf("opened %v, commands %v, left %d times, typed %d", opened, keyed, left, typed)
	}
	w.Canvas().Unfocus()
	if th.cursor != -1 {
		t.Error("without the keyboard the cursor is still there")
	}
	th.TypedRune('x')
	if typed != 1 {
		t.Error("a character typed without a cursor did not reach the composer")
	}
}

func TestHeightsFindWhatTheyAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		each := rapid.SliceOfN(rapid.IntRange(1, 500), 1, 200).Draw(t, "heights")
		h := newHeights(slices.Clone(each[:1]))
		for _, x := range each[1:] {
			h.push(x)
		}
		for range 10 {
			i := rapid.IntRange(0, len(each)-1).Draw(t, "i")
			each[i] = rapid.IntRange(1, 500).Draw(t, "x")
			h.set(i, each[i])
		}
		sum := 0
		for i, x := range each {
			if got := h.before(i); got != sum {
				t.Fatalf("before(%d) = %d, want %d", i, got, sum)
			}
			for _, y := range []int{sum, sum + x - 1} {
				if got := h.at(y); got != i {
					t.Fatalf("at(%d) = %d, want %d", y, got, i)
				}
			}
			sum += x
		}
		if h.total() != sum || h.at(sum+1) != len(each)-1 {
			t.Fatalf("total %d, want %d", h.total(), sum)
		}
	})
}

func BenchmarkScrollStep(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dress(b, Look{})
			th := NewThread(ThreadDoes{})
			window(b, th, 720, 700)
			th.Open(Page{Rows: talk(n), Faces: true})
			for range 300 {
				th.scrollBy(80)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				th.scrollBy(choose(i%600 < 300, -80, 80))
				i++
			}
		})
	}
}

func BenchmarkUpdateOfAPage(b *testing.B) {
	dress(b, Look{})
	th := NewThread(ThreadDoes{})
	window(b, th, 720, 700)
	rows := talk(2000)
	th.Open(Page{Rows: rows, Faces: true})
	i := 0
	for b.Loop() {
		i++
		rows[1999].Ticks.Reached = i
		th.Update(Page{Rows: rows, Faces: true})
	}
}
