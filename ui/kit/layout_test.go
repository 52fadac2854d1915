package kit

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// squeezed lists the widgets of the kit that got less room than they need.
func squeezed(o fyne.CanvasObject) []string {
	var found []string
	for _, x := range test.LaidOutObjects(o) {
		p, ok := x.(painter)
		if !ok {
			continue
		}
		if s, m := p.Size(), p.least(); s.Width < m.Width-1 || s.Height < m.Height-1 {
			found = append(found, fmt.Sprintf("%T has %v and needs %v", x, s, m))
		}
	}
	return found
}

func TestNothingIsSqueezed(t *testing.T) {
	for _, percent := range []int{80, 100, 130} {
		for name, screen := range map[string]func() fyne.CanvasObject{
			"chat":    func() fyne.CanvasObject { s, _, _ := chatScreen(); return s },
			"setup":   func() fyne.CanvasObject { s, _ := setupScreen(); return s },
			"gallery": gallery,
		} {
			dress(t, Look{Percent: percent})
			o := screen()
			o.Resize(fyne.NewSize(float32(1300*percent/100), float32(900*percent/100)))
			for _, what := range squeezed(o) {
				t.Errorf("%s at %d %%: %s", name, percent, what)
			}
		}
	}
}

func TestProseTellsItsHeightWhereverItStands(t *testing.T) {
	dress(t, Look{})
	words := strings.Repeat("Nobody can reset it. ", 12)
	for name, hold := range map[string]func(*Prose) fyne.CanvasObject{
		"a stack":         func(p *Prose) fyne.CanvasObject { return VStack(GapSmall, p, NewRule()) },
		"pads in a stack": func(p *Prose) fyne.CanvasObject { return VStack(0, Pad(4, 40, 4, 40, Pad(1, 1, 1, 1, p)), NewRule()) },
		"a card": func(p *Prose) fyne.CanvasObject {
			return VStack(0, NewCard(GapSmall, NewText("head", TypeSection, ColorText), p), NewRule())
		},
		"beside an icon": func(p *Prose) fyne.CanvasObject {
			return VStack(0, Lead(10, NewGlyph(IconKey, 18, ColorMuted), p), NewRule())
		},
		"before a button": func(p *Prose) fyne.CanvasObject {
			return VStack(0, Ends(10, p, NewButton("Do", IconNone, Second, nil)), NewRule())
		},
		"a middle in a box": func(p *Prose) fyne.CanvasObject { return VStack(0, NewBox(ColorSide, "", Middle(200, p)), NewRule()) },
	} {
		p := NewProse(words, TypeBody, ColorText)
		o := hold(p)
		w := window(t, o, 600, 500)
		for _, width := range []float32{600, 300, 450} {
			w.Resize(fyne.NewSize(width, 500))
			lines, _ := wrap(p.text, p.Size().Width, p.lines.font, proseLines)
			if want := float32(len(lines)) * p.lines.font.line(); p.Size().Height < want-1 {
				t.Errorf("%s, %v wide: %v high for %d lines", name, width, p.Size().Height, len(lines))
			}
		}
	}
}

func TestLayoutsPassOverWhatIsHidden(t *testing.T) {
	dress(t, Look{})
	a, b, c := NewButton("a", IconNone, Primary, nil), NewButton("b", IconNone, Primary, nil), NewButton("c", IconNone, Primary, nil)
	b.Hide()
	for name, box := range map[string]*fyne.Container{"column": VStack(10, a, b, c), "row": HStack(10, a, b, c)} {
		m := box.MinSize()
		box.Resize(m)
		end := c.Position().Add(c.Size())
		if end.X != m.Width || end.Y != m.Height {
			t.Errorf("%s: the last ends at %v of %v", name, end, m)
		}
	}
}

func TestFlexGivesTheRestToOne(t *testing.T) {
	dress(t, Look{})
	for grow := range 3 {
		o := []fyne.CanvasObject{NewButton("a", IconNone, Primary, nil), NewButton("bb", IconNone, Primary, nil), NewButton("ccc", IconNone, Primary, nil)}
		VFlex(grow, o...).Resize(fyne.NewSize(300, 400))
		for i, x := range o {
			want := x.MinSize().Height
			if i == grow {
				want = 400 - 2*buttonHeight
			}
			if got := x.Size(); got.Height != want || got.Width != 300 {
				t.Errorf("column, %d grows: number %d is %v", grow, i, got)
			}
		}
		HFlex(grow, o...).Resize(fyne.NewSize(900, 60))
		if end := o[2].Position().X + o[2].Size().Width; end != 900 || o[0].Size().Height != 60 {
			t.Errorf("row, %d grows: ends at %v, %v high", grow, end, o[0].Size().Height)
		}
	}
	shared := []fyne.CanvasObject{NewRule(), NewRule(), NewRule()}
	Shares(10, shared...).Resize(fyne.NewSize(320, 40))
	for i, x := range shared {
		if x.Position().X != float32(i)*110 || x.Size().Width != 100 {
			t.Errorf("share %d: %v at %v", i, x.Size(), x.Position())
		}
	}
	low := NewButton("low", IconNone, Primary, nil)
	Bottom(low).Resize(fyne.NewSize(100, 200))
	if low.Position().Y+low.Size().Height != 200 {
		t.Errorf("the lowest ends at %v", low.Position().Y+low.Size().Height)
	}
}

func TestLongWordsDoNotWidenWhatIsElastic(t *testing.T) {
	dress(t, Look{})
	long := strings.Repeat("Rumpelstilzchen", 20)
	x := NewText(long, TypeBody, ColorText).Elastic()
	if w := x.MinSize().Width; w > 40 {
		t.Errorf("an elastic line asks for %v", w)
	}
	window(t, Lead(10, NewGlyph(IconKey, 18, ColorMuted), x), 200, 40)
	if f := x.font(); !strings.HasSuffix(x.line.Text, "…") || f.width(x.line.Text) > x.Size().Width || x.Text() != long {
		t.Errorf("it shows %q", x.line.Text)
	}
	x.SetText("short")
	x.SetColor(ColorBad)
	if x.line.Text != "short" || x.line.Color != C(ColorBad) {
		t.Errorf("it shows %q in %v", x.line.Text, x.line.Color)
	}
}
