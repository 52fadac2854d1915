package kit

import (
	"bytes"
	"fmt"
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

// Icon is a drawing on a grid of 24, in one colour.
type Icon uint8

// The icons. Shields are for messages, the seal and the triangle for people: two questions, two shapes.
const (
	IconNone Icon = iota
	IconShield
	IconShieldCheck
	IconShieldCross
	IconShieldClock
	IconSeal
	IconWarn
	IconTick
	IconTicks
	IconClock
	IconChat
	IconUser
	IconUsers
	IconNet
	IconLab
	IconSettings
	IconLock
	IconSend
	IconClip
	IconSmile
	IconPlus
	IconSearch
	IconPanel
	IconClose
	IconPin
	IconMute
	IconFile
	IconWifi
	IconKey
	IconLink
	IconQR
	IconDown
	IconBack
	IconPlay
	IconCopy
	IconSave
	IconEye
	IconEyeOff
	IconBox
	IconReply
	IconEdit
	IconTrash
	IconMore
	IconInfo
	IconRefresh
	icons // how many there are
)

// drawing is an icon as SVG: strokes, a filled shape, and what is cut out of that shape.
type drawing struct{ strokes, fill, cut string }

const shield = "M12 3 L20 6 V12 C20 16.5 16.5 19.7 12 21 C7.5 19.7 4 16.5 4 12 V6 Z"

var drawings = [icons]drawing{
	IconShield:      {strokes: shield},
	IconShieldCheck: {strokes: shield + " M8.5 12 L11 14.5 L15.5 9.5"},
	IconShieldCross: {strokes: shield + " M9.5 9.5 L14.5 14.5 M14.5 9.5 L9.5 14.5"},
	IconShieldClock: {strokes: shield + " M12 8 V12 L14.5 13.5"},
	IconSeal: {
		fill: "M12 2.5 L14.6 4.6 L18 4.3 L18.9 7.6 L21.6 9.6 L20.3 12.7 L21 16 L17.9 17.3 L16.2 20.2 L12.9 19.5 L9.8 20.8 L7.7 18.2 L4.4 17.6 L4.6 14.2 L2.6 11.5 L4.9 9.1 L5.2 5.7 L8.6 5.2 Z",
		cut:  "M8 11.8 L10.8 14.6 L16 9",
	},
	IconWarn:     {strokes: "M12 4 L21 19.5 H3 Z M12 10 V14 M12 16.8 V16.9"},
	IconTick:     {strokes: "M5 12.5 L10 17 L19 7"},
	IconTicks:    {strokes: "M2 12.5 L7 17 L15 7.5 M11 16 L12 17 L21 7"},
	IconClock:    {strokes: "M4 12 A8 8 0 0 1 20 12 A8 8 0 0 1 4 12 Z M12 8 V12 L15 14"},
	IconChat:     {strokes: "M5 5 H19 A2 2 0 0 1 21 7 V15 A2 2 0 0 1 19 17 H11 L6.5 20.5 V17 H5 A2 2 0 0 1 3 15 V7 A2 2 0 0 1 5 5 Z"},
	IconUser:     {strokes: "M8 8 A4 4 0 0 1 16 8 A4 4 0 0 1 8 8 Z M4.5 20 A7.5 6.5 0 0 1 19.5 20"},
	IconUsers:    {strokes: "M6 8.5 A3.5 3.5 0 0 1 13 8.5 A3.5 3.5 0 0 1 6 8.5 Z M2.5 19.5 A7 6 0 0 1 16.5 19.5 M16 5.3 A3.5 3.5 0 0 1 16 11.7 M18.5 14.5 A6 6 0 0 1 21.5 19.5"},
	IconNet:      {strokes: "M12 7 L6 16 M12 7 L18 16 M8 18 H16 M10 5 A2 2 0 0 1 14 5 A2 2 0 0 1 10 5 Z M3 18 A2 2 0 0 1 7 18 A2 2 0 0 1 3 18 Z M17 18 A2 2 0 0 1 21 18 A2 2 0 0 1 17 18 Z"},
	IconLab:      {strokes: "M9 3 H15 M10 3 V9 L5 18 A2 2 0 0 0 6.8 21 H17.2 A2 2 0 0 0 19 18 L14 9 V3 M7.5 15 H16.5"},
	IconSettings: {strokes: "M4 7 H13 M17 7 H20 M4 17 H7 M11 17 H20 M13 7 A2 2 0 0 1 17 7 A2 2 0 0 1 13 7 Z M7 17 A2 2 0 0 1 11 17 A2 2 0 0 1 7 17 Z"},
	IconLock:     {strokes: "M7 11 H17 A2 2 0 0 1 19 13 V18 A2 2 0 0 1 17 20 H7 A2 2 0 0 1 5 18 V13 A2 2 0 0 1 7 11 Z M8 11 V8 A4 4 0 0 1 16 8 V11"},
	IconSend:     {strokes: "M4 12 L20 4 L16 20 L11.5 13 Z M11.5 13 L20 4"},
	IconClip:     {strokes: "M20 11.5 L12 19.3 A5 5 0 0 1 5 12.2 L13 4.4 A3.4 3.4 0 0 1 17.8 9.2 L10 16.8 A1.7 1.7 0 0 1 7.6 14.4 L14.6 7.6"},
	IconSmile:    {strokes: "M3 12 A9 9 0 0 1 21 12 A9 9 0 0 1 3 12 Z M8.5 14 C10 16.5 14 16.5 15.5 14 M9 9.5 V9.6 M15 9.5 V9.6"},
	IconPlus:     {strokes: "M12 5 V19 M5 12 H19"},
	IconSearch:   {strokes: "M4.5 11 A6.5 6.5 0 0 1 17.5 11 A6.5 6.5 0 0 1 4.5 11 Z M16 16 L20.5 20.5"},
	IconPanel:    {strokes: "M5 4 H19 A2 2 0 0 1 21 6 V18 A2 2 0 0 1 19 20 H5 A2 2 0 0 1 3 18 V6 A2 2 0 0 1 5 4 Z M15 4 V20"},
	IconClose:    {strokes: "M6 6 L18 18 M18 6 L6 18"},
	IconPin:      {strokes: "M9 4 H15 L14.3 10 L17 13 H7 L9.7 10 Z M12 13 V20"},
	IconMute:     {strokes: "M6 16 V11 A6 6 0 0 1 8 6.6 M10.5 5.2 A6 6 0 0 1 18 11 V13 M4 16 H15 M10.5 20 H13.5 M4 4 L20 20"},
	IconFile:     {strokes: "M7 3 H14 L19 8 V19 A2 2 0 0 1 17 21 H7 A2 2 0 0 1 5 19 V5 A2 2 0 0 1 7 3 Z M14 3 V8 H19"},
	IconWifi:     {strokes: "M4 10 A12 12 0 0 1 20 10 M7 13.5 A7.5 7.5 0 0 1 17 13.5 M10 16.8 A3 3 0 0 1 14 16.8 M12 19.6 V19.7"},
	IconKey:      {strokes: "M4 15 A4 4 0 0 1 12 15 A4 4 0 0 1 4 15 Z M11 12 L20 3.8 M16.5 7 L19 9.5 M14 9.3 L15.8 11.1"},
	IconLink:     {strokes: "M10 14 A4 4 0 0 0 16 14.4 L19 11.4 A4 4 0 0 0 13.4 5.7 L12 7 M14 10 A4 4 0 0 0 8 9.6 L5 12.6 A4 4 0 0 0 10.6 18.3 L12 17"},
	IconQR:       {strokes: "M4 4 H10 V10 H4 Z M14 4 H20 V10 H14 Z M4 14 H10 V20 H4 Z M14 14 H16 V16 M20 14 V20 H18 M14 20 V19"},
	IconDown:     {strokes: "M12 5 V19 M6 13 L12 19 L18 13"},
	IconBack:     {strokes: "M20 12 H5 M11 6 L5 12 L11 18"},
	IconPlay:     {strokes: "M7 4.5 L19 12 L7 19.5 Z"},
	IconCopy:     {strokes: "M9 8 H18 A1.5 1.5 0 0 1 19.5 9.5 V18.5 A1.5 1.5 0 0 1 18 20 H9 A1.5 1.5 0 0 1 7.5 18.5 V9.5 A1.5 1.5 0 0 1 9 8 Z M4.5 15 V5.5 A1.5 1.5 0 0 1 6 4 H15"},
	IconSave:     {strokes: "M12 4 V14 M7.5 10 L12 14.5 L16.5 10 M4 18 V20 H20 V18"},
	IconEye:      {strokes: "M2.5 12 C6 6 18 6 21.5 12 C18 18 6 18 2.5 12 Z M9.4 12 A2.6 2.6 0 0 1 14.6 12 A2.6 2.6 0 0 1 9.4 12 Z"},
	IconEyeOff:   {strokes: "M2.5 12 C6 6 18 6 21.5 12 C18 18 6 18 2.5 12 Z M9.4 12 A2.6 2.6 0 0 1 14.6 12 A2.6 2.6 0 0 1 9.4 12 Z M4 20 L20 4"},
	IconBox:      {strokes: "M4 8 L12 4 L20 8 V16 L12 20 L4 16 Z M4 8 L12 12 L20 8 M12 12 V20"},
	IconReply:    {strokes: "M10 6 L4 12 L10 18 M4 12 H14 A6 6 0 0 1 20 18 V19"},
	IconEdit:     {strokes: "M4 20 L5 15.5 L16 4.5 L19.5 8 L8.5 19 Z M13.5 7 L17 10.5"},
	IconTrash:    {strokes: "M4 7 H20 M9 7 V4 H15 V7 M6 7 L7 20 H17 L18 7 M10 11 V16 M14 11 V16"},
	IconMore:     {strokes: "M5 12 A0.6 0.6 0 0 1 6.2 12 A0.6 0.6 0 0 1 5 12 Z M11.4 12 A0.6 0.6 0 0 1 12.6 12 A0.6 0.6 0 0 1 11.4 12 Z M17.8 12 A0.6 0.6 0 0 1 19 12 A0.6 0.6 0 0 1 17.8 12 Z"},
	IconInfo:     {strokes: "M3 12 A9 9 0 0 1 21 12 A9 9 0 0 1 3 12 Z M12 11 V16 M12 7.8 V7.9"},
	IconRefresh:  {strokes: "M19.5 12 A7.5 7.5 0 1 1 17 6.4 M17.5 2.5 V7 H13"},
}

// imageKey is an icon as it was drawn once.
type imageKey struct {
	icon  Icon
	w, h  int
	color color.NRGBA
}

// iconImage has a type of its own so that nobody draws on what is shared.
type iconImage struct{ image.Image }

// draw makes the icon, filling w by h pixels as far as it stays square. Each size and colour is drawn once: oversized pictures
// look thin, because GL makes pictures smaller without intermediate sizes.
func (t *Theme) draw(i Icon, w, h int, c color.Color) image.Image {
	key := imageKey{i, w, h, color.NRGBAModel.Convert(c).(color.NRGBA)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if m, ok := t.images[key]; ok {
		return m.Image
	}
	m := &iconImage{i.image(w, h, key.color)}
	t.images[key] = m
	return m.Image
}

// image is the icon in a colour, with premultiplied alpha as the painters want it.
func (i Icon) image(w, h int, c color.NRGBA) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	shape, hole := i.coverage(w, h)
	for p := range shape {
		a := uint32(shape[p]) * uint32(255-hole[p]) / 255 * uint32(c.A) / 255
		out.Pix[4*p] = uint8(uint32(c.R) * a / 255)
		out.Pix[4*p+1] = uint8(uint32(c.G) * a / 255)
		out.Pix[4*p+2] = uint8(uint32(c.B) * a / 255)
		out.Pix[4*p+3] = uint8(a)
	}
	return out
}

// coverage is how much of each pixel the icon covers, and how much of that is cut out again.
func (i Icon) coverage(w, h int) (shape, hole []uint8) {
	d := drawings[i]
	shape = alpha(w, h, `<path fill="none" stroke="#000000" d="`+d.strokes+`"/>`, d.strokes != "")
	if d.fill != "" {
		shape = alpha(w, h, `<path fill="#000000" stroke="#000000" d="`+d.fill+`"/>`, true)
	}
	return shape, alpha(w, h, `<path fill="none" stroke="#000000" d="`+d.cut+`"/>`, d.cut != "")
}

// alpha draws an element of SVG and keeps its opacity. The drawings are constants of this file: that they parse is a test.
func alpha(w, h int, element string, any bool) []uint8 {
	out := make([]uint8, w*h)
	if !any || w == 0 || h == 0 {
		return out
	}
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24"><g stroke-width="2" stroke-linecap="round" stroke-linejoin="round">%s</g></svg>`, element)
	drawn, err := oksvg.ReadIconStream(bytes.NewReader([]byte(svg)), oksvg.StrictErrorMode)
	if err != nil {
		panic("kit: a built-in icon does not parse: " + err.Error())
	}
	side := min(w, h)
	drawn.SetTarget(float64(w-side)/2, float64(h-side)/2, float64(side), float64(side))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	drawn.Draw(rasterx.NewDasher(w, h, rasterx.NewScannerGV(w, h, img, img.Bounds())), 1)
	for p := range out {
		out[p] = img.Pix[4*p+3]
	}
	return out
}

// glyph is an icon as a part of a widget. It is drawn when it is painted, at exactly the pixels that it covers then, whatever the
// scale of the screen.
type glyph struct {
	*canvas.Raster
	icon  Icon
	color color.Color
}

// newGlyph makes an empty one.
func newGlyph() *glyph {
	g := &glyph{color: color.Transparent}
	g.Raster = canvas.NewRaster(func(w, h int) image.Image { return current().draw(g.icon, w, h, g.color) })
	return g
}

// set chooses drawing and colour.
func (g *glyph) set(i Icon, c color.Color) {
	if g.icon == i && g.color == c {
		return
	}
	g.icon, g.color = i, c
	g.Refresh()
}

// Glyph is an icon as a widget of its own.
type Glyph struct {
	base
	g     *glyph
	icon  Icon
	token Token
	side  float32
	label string
}

// NewGlyph makes an icon of the given side in the colour of a token. Where it says something that no words beside it say, Label.
func NewGlyph(i Icon, side float32, t Token) *Glyph {
	g := &Glyph{g: newGlyph(), icon: i, side: side, token: t}
	g.extend(g, g.g.Raster)
	return g
}

// Label gives the icon words for a reader who does not see it.
func (g *Glyph) Label(s string) *Glyph { g.label = s; return g }

// Set shows another icon or colour.
func (g *Glyph) Set(i Icon, t Token) {
	g.icon, g.token = i, t
	g.Refresh()
}

func (g *Glyph) least() fyne.Size { return fyne.NewSquareSize(S(g.side)) }
func (g *Glyph) skin()            { g.g.set(g.icon, C(g.token)) }

func (g *Glyph) arrange(s fyne.Size) {
	d := S(g.side)
	put(g.g.Raster, (s.Width-d)/2, (s.Height-d)/2, d, d)
}

// AccessibilityLabel is what was given to Label; empty for decoration.
func (g *Glyph) AccessibilityLabel() string { return g.label }

// AccessibilityRole is text; that of a container when there is nothing to say, which readers pass over.
func (g *Glyph) AccessibilityRole() fyne.AccessibleRole {
	return choose(g.label == "", fyne.AccessibleRoleContainer, fyne.AccessibleRoleText)
}
