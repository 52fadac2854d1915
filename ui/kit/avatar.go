package kit

import (
	"image/color"
	"strings"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Face is what an Avatar shows.
type Face struct {
	Key    string // decides the hue: an identity, never a name
	Name   string
	Room   bool // a rounded square; people are circles
	Online bool // reachable now
	Icon   Icon // instead of initials, on a soft ground
}

// Avatar stands for a person or a room, with initials and a colour that everybody derives alike.
type Avatar struct {
	base
	side   float32
	on     Token // what lies below, for the gap around the dot
	face   Face
	back   *canvas.Rectangle
	letter *canvas.Text
	icon   *glyph
	gap    *canvas.Circle // around the dot, in the colour of what lies below
	dot    *canvas.Circle
}

// NewAvatar makes one of the given side for a ground.
func NewAvatar(side float32, on Token) *Avatar {
	a := &Avatar{side: side, on: on, back: newRect(), letter: newLabel(), icon: newGlyph()}
	a.gap, a.dot = canvas.NewCircle(color.Transparent), canvas.NewCircle(color.Transparent)
	a.extend(a)
	return a
}

// Set shows a face.
func (a *Avatar) Set(f Face) *Avatar {
	f.Name = Clean(f.Name)
	if f == a.face && len(a.objs) > 0 && !a.stale() {
		return a
	}
	a.face = f
	a.objs = append(a.objs[:0], a.back)
	if f.Icon != IconNone || initials(f.Name) == "" {
		a.objs = append(a.objs, a.icon.Raster)
	} else {
		a.objs = append(a.objs, a.letter)
	}
	if f.Online {
		a.objs = append(a.objs, a.gap, a.dot)
	}
	a.Refresh()
	return a
}

func (a *Avatar) least() fyne.Size { return fyne.NewSquareSize(S(a.side)) }

func (a *Avatar) arrange(s fyne.Size) {
	d := S(a.side)
	x, y := whole((s.Width-d)/2), whole((s.Height-d)/2)
	put(a.back, x, y, d, d)
	m := a.letter.MinSize()
	put(a.letter, x+(d-m.Width)/2, y+(d-m.Height)/2, m.Width, m.Height)
	g := S(a.side / 2)
	put(a.icon.Raster, x+(d-g)/2, y+(d-g)/2, g, g)
	p := max(S(12), S(a.side*0.3))
	put(a.gap, x+d-p+S(2), y+d-p+S(2), p, p)
	put(a.dot, x+d-p+S(4), y+d-p+S(4), p-S(4), p-S(4))
}

func (a *Avatar) skin() {
	a.back.FillColor, a.back.CornerRadius = hue(a.face.Key), S(a.side)/2
	a.icon.set(choose(a.face.Room, IconUsers, IconUser), white) // for a name without letters
	if a.face.Icon != IconNone {
		a.back.FillColor = C(ColorSoft)
		a.icon.set(a.face.Icon, C(ColorAccent))
	}
	if a.face.Room {
		a.back.CornerRadius = S(a.side * 0.3)
	}
	a.letter.Text, a.letter.Color = initials(a.face.Name), white
	a.letter.TextSize, a.letter.TextStyle.Bold = S(a.side)*0.4, true
	a.gap.FillColor, a.dot.FillColor = C(a.on), C(ColorOK)
}

// AccessibilityLabel is the name, and whether they can be reached.
func (a *Avatar) AccessibilityLabel() string {
	if a.face.Online {
		return text.Say(text.AvatarOnline, text.Name(a.face.Name))
	}
	return a.face.Name
}

// AccessibilityRole is text.
func (a *Avatar) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// initials are the first letters of the first two words; one where a character is a word.
func initials(name string) string {
	var out []rune
	for _, w := range strings.Fields(name) {
		r, _ := utf8.DecodeRuneInString(w)
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			out = append(out, unicode.ToUpper(r))
		}
		if len(out) == 2 || len(out) == 1 && wide(r) {
			break
		}
	}
	return string(out)
}
