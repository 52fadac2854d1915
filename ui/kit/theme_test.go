package kit

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// design is the table of the design, row by row: names, dark, light.
const design = `
thread side rail | 0F1319 141920 0C0F14 | FFFFFF F5F7FA E9ECF3
text muted quiet | E6EAF0 9AA6B8 3A4452 | 171C24 566175 66728A
accent on soft selected | 7C8CFF 0B0E1A 20263F 242B46 | 4A57D6 FFFFFF E8EBFD DDE1F8
bubbleIn bubbleOut metaOut tick | 1E252F 2C3573 B4BDE6 9AA6FF | F0F2F6 DFE4FF 525C86 4A57D6
ok warn bad | 35C98A F2B24C F2626B | 157347 8F5400 BD2630
softOK softWarn softBad | 14302A 332A1A 351D24 | E2F3EA FFF1D9 FCE6E7
input border line tint | 1B212A 2A323E 222933 232B36 | EEF1F6 DCE1EA E3E7EE E7EBF2`

func TestTokensAreThoseOfTheDesign(t *testing.T) {
	n := 0
	for line := range strings.SplitSeq(strings.TrimSpace(design), "\n") {
		cells := strings.Split(line, "|")
		names, darks, lights := strings.Fields(cells[0]), strings.Fields(cells[1]), strings.Fields(cells[2])
		for i, name := range names {
			n++
			token := Token("cq." + name)
			for _, p := range []struct {
				name string
				of   palette
				want string
			}{{"dark", dark, darks[i]}, {"light", light, lights[i]}} {
				c, ok := p.of[token]
				if got := fmt.Sprintf("%02X%02X%02X", c.R, c.G, c.B); !ok || got != p.want || c.A != 0xFF {
					t.Errorf("%s %s = %s, want %s", p.name, token, got, p.want)
				}
			}
		}
	}
	if own := 4; n+own != len(dark) || len(dark) != len(light) {
		t.Errorf("%d tokens in the design and %d of our own, %d in dark, %d in light", n, own, len(dark), len(light))
	}
}

func TestThemeFollowsItsVariant(t *testing.T) {
	for _, row := range []struct {
		name   string
		look   Variant
		system fyne.ThemeVariant
		want   palette
	}{
		{"dark on light", Dark, theme.VariantLight, dark},
		{"light on dark", Light, theme.VariantDark, light},
		{"system dark", FollowSystem, theme.VariantDark, dark},
		{"system light", FollowSystem, theme.VariantLight, light},
	} {
		th := NewTheme(Look{Variant: row.look})
		if got := th.Color(ColorThread, row.system); got != color.Color(row.want[ColorThread]) {
			t.Errorf("%s: thread is %v, want %v", row.name, got, row.want[ColorThread])
		}
		if got := th.Color(theme.ColorNameBackground, row.system); got != color.Color(row.want[ColorThread]) {
			t.Errorf("%s: Fyne's background is %v, want that of the thread", row.name, got)
		}
	}
}

func TestSizeStaysBetween80And200Percent(t *testing.T) {
	for give, want := range map[int]int{0: 100, 1: 80, 79: 80, 80: 80, 125: 125, 200: 200, 201: 200, 4000: 200, -5: 80} {
		th := NewTheme(Look{Percent: give})
		if got := th.Look().Percent; got != want {
			t.Errorf("NewTheme(%d %%) is %d %%, want %d %%", give, got, want)
		}
		if got, wantSize := th.Size(theme.SizeNameText), whole(14*float32(want)/100); got != wantSize {
			t.Errorf("at %d %% Fyne's text is %v, want %v", want, got, wantSize)
		}
	}
}

func TestNewThemeChangesColorAndSizeOfWhatIsShown(t *testing.T) {
	dress(t, Look{Variant: Dark})
	b := NewButton("Start", IconTick, Primary, nil)
	w := window(t, Centered(b), 300, 100)
	before := b.MinSize()
	fyne.CurrentApp().Settings().SetTheme(NewTheme(Look{Variant: Light, Percent: 200}))
	w.Canvas().Capture()
	if got := b.MinSize(); got.Height != 2*before.Height || got.Width < 1.8*before.Width {
		t.Errorf("at 200 %% the button is %v, it was %v", got, before)
	}
	if b.back.FillColor != color.Color(light[ColorAccent]) {
		t.Errorf("in light the button is %v", b.back.FillColor)
	}
}

func TestSpareRowsDressAnewWhenTheyAreUsedAgain(t *testing.T) {
	dress(t, Look{Variant: Dark})
	th := NewThread(ThreadDoes{})
	window(t, th, 700, 500)
	th.Open(Page{Rows: talk(300), Faces: true})
	for range 40 {
		th.scrollBy(200)
	}
	fyne.CurrentApp().Settings().SetTheme(NewTheme(Look{Variant: Light, Percent: 120}))
	for range 60 {
		th.scrollBy(-150)
		for i, r := range th.live {
			if r.bubble.back.FillColor != C(first(r.bubble.grounds())) || r.bubble.meta.TextSize != metaFont().size {
				t.Fatalf("row %d has the colours or sizes of the old theme", i)
			}
			if r.e.at.day && r.day.lines.labels[0].Color != C(ColorMuted) {
				t.Fatalf("the day above row %d has the colour of the old theme", i)
			}
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

// luminance is that of WCAG 2.
func luminance(c color.NRGBA) float64 {
	part := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.03928 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// blend is c drawn with its opacity on a ground.
func blend(c, ground color.NRGBA) color.NRGBA {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*int(c.A) + int(b)*(255-int(c.A))) / 255) }
	return color.NRGBA{mix(c.R, ground.R), mix(c.G, ground.G), mix(c.B, ground.B), 0xFF}
}

// pairs are the texts of the kit and the grounds that they stand on.
var pairs = map[Token][]Token{
	ColorText: {
		ColorThread, ColorSide, ColorRail, ColorSelected, ColorBubbleIn, ColorBubbleOut, ColorSoftBad, ColorSoftWarn, ColorSoftOK, ColorInput, ColorTint, ColorSoft,
	},
	ColorMuted:   {ColorThread, ColorSide, ColorRail, ColorSelected, ColorBubbleIn, ColorInput, ColorTint, ColorSoftBad},
	ColorAccent:  {ColorThread, ColorSide, ColorRail, ColorSoft, ColorSoftOK, ColorSoftWarn, ColorSoftBad, ColorInput, ColorTint, ColorBubbleIn},
	ColorOn:      {ColorAccent, ColorOK},
	ColorMetaOut: {ColorBubbleOut},
	ColorTick:    {ColorBubbleOut},
	ColorOK:      {ColorThread, ColorSide, ColorSoftOK, ColorBubbleIn},
	ColorWarn:    {ColorThread, ColorSide, ColorSelected, ColorSoftWarn, ColorBubbleIn},
	ColorBad:     {ColorThread, ColorSide, ColorSoftBad, ColorBubbleIn},
	ColorThread:  {ColorText}, // a tooltip
}

func TestEveryTextReads(t *testing.T) {
	const least = 4.5
	for name, p := range map[string]palette{"dark": dark, "light": light} {
		for ink, grounds := range pairs {
			for _, g := range grounds {
				if c := contrast(p[ink], p[g]); c < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, ink, g, c, least)
				}
			}
		}
		if c := contrast(white, p[ColorQuiet]); c < least {
			t.Errorf("%s: white on quiet has a contrast of %.2f", name, c)
		}
		quoted := map[string]color.NRGBA{"in": blend(p[colorCite], p[ColorBubbleIn]), "out": blend(p[colorCite], p[ColorBubbleOut])}
		for where, ink := range map[string]Token{"in": ColorMuted, "out": ColorMetaOut} {
			if c := contrast(p[ink], quoted[where]); c < least {
				t.Errorf("%s: a quote in a bubble %s has a contrast of %.2f", name, where, c)
			}
		}
	}
}

func TestNamesReadInEveryHue(t *testing.T) {
	keys := map[color.NRGBA]string{}
	for i := 0; len(keys) < len(hues) && i < 1000; i++ {
		k := fmt.Sprint("key", i)
		keys[hue(k)] = k
	}
	for _, l := range []struct {
		name string
		look Variant
		of   palette
	}{{"dark", Dark, dark}, {"light", Light, light}} {
		dress(t, Look{Variant: l.look})
		for c, k := range keys {
			if got := contrast(white, c); got < 4.5 {
				t.Errorf("white initials on %v have a contrast of %.2f", c, got)
			}
			for where, ground := range map[string]color.NRGBA{
				"a bubble": l.of[ColorBubbleIn], "a quote": blend(l.of[colorCite], l.of[ColorBubbleIn]), "one's own quote": blend(l.of[colorCite], l.of[ColorBubbleOut]),
			} {
				if got := contrast(hueText(k), ground); got < 4.5 {
					t.Errorf("%s: a name in the hue %v in %s has a contrast of %.2f", l.name, c, where, got)
				}
			}
		}
	}
}

func TestEveryIconDraws(t *testing.T) {
	dress(t, Look{})
	th := NewTheme(Look{})
	for i := IconNone + 1; i < icons; i++ {
		img := th.draw(i, 24, 24, white)
		covered := 0
		for y := range 24 {
			for x := range 24 {
				if _, _, _, a := img.At(x, y).RGBA(); a > 0x8000 {
					covered++
				}
			}
		}
		if covered < 6 || covered > 400 {
			t.Errorf("icon %d covers %d of 576 pixels", i, covered)
		}
		if th.draw(i, 24, 24, white) != img {
			t.Errorf("icon %d was drawn twice at one size and colour", i)
		}
	}
	if img := th.draw(IconSeal, 48, 48, white); transparent(img.At(24, 26)) == transparent(img.At(24, 12)) {
		t.Error("the check is not cut out of the seal")
	}
}

func transparent(c color.Color) bool {
	_, _, _, a := c.RGBA()
	return a < 0x8000
}
