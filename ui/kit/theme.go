package kit

import (
	"image/color"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Token names a colour of the interface. Every token has a value in dark and in light (palette.go).
type Token = fyne.ThemeColorName

// The tokens, by what they are for. Texts are ColorText, ColorMuted, ColorAccent, ColorOK, ColorWarn, ColorBad, and what stands
// in the name of a ground: ColorOn on ColorAccent, ColorMetaOut on ColorBubbleOut. ColorQuiet is a ground for white.
const (
	ColorThread    Token = "cq.thread"
	ColorSide      Token = "cq.side"
	ColorRail      Token = "cq.rail"
	ColorText      Token = "cq.text"
	ColorMuted     Token = "cq.muted"
	ColorQuiet     Token = "cq.quiet"
	ColorAccent    Token = "cq.accent"
	ColorOn        Token = "cq.on"
	ColorSoft      Token = "cq.soft"
	ColorSelected  Token = "cq.selected"
	ColorBubbleIn  Token = "cq.bubbleIn"
	ColorBubbleOut Token = "cq.bubbleOut"
	ColorMetaOut   Token = "cq.metaOut"
	ColorTick      Token = "cq.tick"
	ColorOK        Token = "cq.ok"
	ColorWarn      Token = "cq.warn"
	ColorBad       Token = "cq.bad"
	ColorSoftOK    Token = "cq.softOK"
	ColorSoftWarn  Token = "cq.softWarn"
	ColorSoftBad   Token = "cq.softBad"
	ColorInput     Token = "cq.input"
	ColorBorder    Token = "cq.border"
	ColorLine      Token = "cq.line"
	ColorTint      Token = "cq.tint"
	colorHover     Token = "cq.hover"  // a veil over whatever lies below
	colorCite      Token = "cq.cite"   // the same under a quote: it darkens, so that names stay readable
	colorScrim     Token = "cq.scrim"  // between a dialog and the window
	colorShadow    Token = "cq.shadow" // of what floats
)

// Variant says which of the two palettes is used.
type Variant uint8

// The variants.
const (
	FollowSystem Variant = iota
	Dark
	Light
)

// The range of Look.Percent.
const (
	SmallestPercent = 80
	LargestPercent  = 200
)

// Look is what a person can set. The zero value follows the system, at 100 %, with motion.
type Look struct {
	Variant Variant
	Percent int  // size of everything, from 80 to 200; 0 is 100
	Still   bool // nothing moves by itself
}

// Theme maps the tokens and Fyne's own names to colours, and lengths to the chosen size. It does not change; to change the look,
// make another and give it to the app's settings: every widget then draws itself anew.
type Theme struct {
	look  Look
	scale float32
	stock fyne.Theme // Fyne's own: fonts, icons, whatever has no token

	mu     sync.Mutex
	images map[imageKey]*iconImage // guarded by mu: each icon once for each size and colour
}

// NewTheme makes the theme for a look; a size out of range becomes the nearest one in it.
func NewTheme(l Look) *Theme {
	if l.Percent == 0 {
		l.Percent = 100
	}
	l.Percent = min(max(l.Percent, SmallestPercent), LargestPercent)
	return &Theme{look: l, scale: float32(l.Percent) / 100, stock: theme.DefaultTheme(), images: map[imageKey]*iconImage{}}
}

// Look is what the theme was made from, with the size filled in.
func (t *Theme) Look() Look { return t.look }

// fyneTokens says which token stands behind each name that Fyne's own widgets ask for.
var fyneTokens = map[fyne.ThemeColorName]Token{
	theme.ColorNameBackground: ColorThread, theme.ColorNameForeground: ColorText, theme.ColorNameDisabled: ColorMuted,
	theme.ColorNamePlaceHolder: ColorMuted, theme.ColorNamePrimary: ColorAccent, theme.ColorNameForegroundOnPrimary: ColorOn,
	theme.ColorNameHyperlink: ColorAccent, theme.ColorNameInputBackground: ColorInput, theme.ColorNameInputBorder: ColorBorder,
	theme.ColorNameSeparator: ColorLine, theme.ColorNameButton: ColorTint, theme.ColorNameDisabledButton: ColorTint,
	theme.ColorNameHover: colorHover, theme.ColorNamePressed: colorHover, theme.ColorNameFocus: ColorSelected,
	theme.ColorNameMenuBackground: ColorSide, theme.ColorNameOverlayBackground: ColorSide, theme.ColorNameHeaderBackground: ColorSide,
	theme.ColorNameSuccess: ColorOK, theme.ColorNameWarning: ColorWarn, theme.ColorNameError: ColorBad,
}

// Color looks a token or one of Fyne's names up.
func (t *Theme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	p := &dark
	if t.light(v) {
		p = &light
	}
	if own, ok := fyneTokens[n]; ok {
		n = own
	}
	if c, ok := (*p)[n]; ok {
		return c
	}
	switch n {
	case theme.ColorNameSelection:
		return veil((*p)[ColorAccent], 0x55)
	case theme.ColorNameScrollBar:
		return veil((*p)[ColorText], 0x38)
	case theme.ColorNameScrollBarBackground, theme.ColorNameShadow: // or every scroller has a grey edge
		return color.Transparent
	}
	return t.stock.Color(n, v)
}

// light reports which palette a variant means under this look.
func (t *Theme) light(system fyne.ThemeVariant) bool {
	if t.look.Variant == FollowSystem {
		return system == theme.VariantLight
	}
	return t.look.Variant == Light
}

// Font is Fyne's own choice: Noto Sans, DejaVu Sans Mono.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource { return t.stock.Font(s) }

// Icon is Fyne's own; those of the kit are in icons.go.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return t.stock.Icon(n) }

// fyneSizes are the lengths that Fyne's own widgets ask for, on the grid of 4.
var fyneSizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameText: 14, theme.SizeNameCaptionText: 11, theme.SizeNameSubHeadingText: 15, theme.SizeNameHeadingText: 22,
	theme.SizeNamePadding: 4, theme.SizeNameInnerPadding: 8, theme.SizeNameInputRadius: 0, theme.SizeNameSelectionRadius: 8,
	theme.SizeNameInputBorder: 2, theme.SizeNameScrollBar: 8, theme.SizeNameScrollBarSmall: 4, theme.SizeNameLineSpacing: 3,
}

// Size is a length that Fyne asks for, at the chosen size.
func (t *Theme) Size(n fyne.ThemeSizeName) float32 {
	if s, ok := fyneSizes[n]; ok {
		return whole(s * t.scale)
	}
	return t.stock.Size(n) * t.scale
}

// current is the theme in use.
func current() *Theme {
	if t, ok := fyne.CurrentApp().Settings().Theme().(*Theme); ok {
		return t
	}
	return NewTheme(Look{}) // a window that forgot to set one still draws
}

// C is the colour of a token in the theme in use.
func C(n Token) color.Color {
	return current().Color(n, fyne.CurrentApp().Settings().ThemeVariant())
}

// S is a length of the design at the size in use, in whole pixels.
func S(v float32) float32 { return whole(v * current().scale) }

// isLight reports whether the light palette is in use.
func isLight() bool { return current().light(fyne.CurrentApp().Settings().ThemeVariant()) }
