package kit

import (
	"hash/fnv"
	"image/color"
)

// palette is the value of each token.
type palette map[Token]color.NRGBA

// rgb is 0xRRGGBB.
func rgb(v uint32) color.NRGBA { return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xFF} }

// veil is c with opacity a.
func veil(c color.NRGBA, a uint8) color.NRGBA {
	c.A = a
	return c
}

// white is on every hue and on ColorQuiet, in both palettes.
var white = rgb(0xFFFFFF)

var dark = palette{
	ColorThread: rgb(0x0F1319), ColorSide: rgb(0x141920), ColorRail: rgb(0x0C0F14),
	ColorText: rgb(0xE6EAF0), ColorMuted: rgb(0x9AA6B8), ColorQuiet: rgb(0x3A4452),
	ColorAccent: rgb(0x7C8CFF), ColorOn: rgb(0x0B0E1A), ColorSoft: rgb(0x20263F), ColorSelected: rgb(0x242B46),
	ColorBubbleIn: rgb(0x1E252F), ColorBubbleOut: rgb(0x2C3573), ColorMetaOut: rgb(0xB4BDE6), ColorTick: rgb(0x9AA6FF),
	ColorOK: rgb(0x35C98A), ColorWarn: rgb(0xF2B24C), ColorBad: rgb(0xF2626B),
	ColorSoftOK: rgb(0x14302A), ColorSoftWarn: rgb(0x332A1A), ColorSoftBad: rgb(0x351D24),
	ColorInput: rgb(0x1B212A), ColorBorder: rgb(0x2A323E), ColorLine: rgb(0x222933), ColorTint: rgb(0x232B36),
	colorHover: veil(white, 0x0A), colorCite: veil(rgb(0x000000), 0x24),
	colorScrim: veil(rgb(0x000000), 0x99), colorShadow: veil(rgb(0x000000), 0x80),
}

var light = palette{
	ColorThread: rgb(0xFFFFFF), ColorSide: rgb(0xF5F7FA), ColorRail: rgb(0xE9ECF3),
	ColorText: rgb(0x171C24), ColorMuted: rgb(0x566175), ColorQuiet: rgb(0x66728A),
	ColorAccent: rgb(0x4A57D6), ColorOn: rgb(0xFFFFFF), ColorSoft: rgb(0xE8EBFD), ColorSelected: rgb(0xDDE1F8),
	ColorBubbleIn: rgb(0xF0F2F6), ColorBubbleOut: rgb(0xDFE4FF), ColorMetaOut: rgb(0x525C86), ColorTick: rgb(0x4A57D6),
	ColorOK: rgb(0x157347), ColorWarn: rgb(0x8F5400), ColorBad: rgb(0xBD2630),
	ColorSoftOK: rgb(0xE2F3EA), ColorSoftWarn: rgb(0xFFF1D9), ColorSoftBad: rgb(0xFCE6E7),
	ColorInput: rgb(0xEEF1F6), ColorBorder: rgb(0xDCE1EA), ColorLine: rgb(0xE3E7EE), ColorTint: rgb(0xE7EBF2),
	colorHover: veil(rgb(0x000000), 0x0A), colorCite: veil(rgb(0x000000), 0x0A),
	colorScrim: veil(rgb(0x171C24), 0x66), colorShadow: veil(rgb(0x171C24), 0x30),
}

// hues are the colours of people and rooms. White is readable on each.
var hues = [...]uint32{0x5566E6, 0x0B817D, 0xB94A73, 0x98601F, 0x3F8040, 0x8453D2, 0x2F78B5, 0xB5503A}

// hue is the colour that everybody derives from the same identity.
func hue(key string) color.NRGBA {
	h := fnv.New32a()
	h.Write([]byte(key)) // never fails
	return rgb(hues[(h.Sum32()>>24)%uint32(len(hues))])
}

// hueText is a hue lightened or darkened until it reads on a bubble as the colour of a name.
func hueText(key string) color.NRGBA {
	h := hue(key)
	if isLight() {
		down := func(v uint8) uint8 { return uint8(int(v) * 82 / 100) }
		return color.NRGBA{down(h.R), down(h.G), down(h.B), 0xFF}
	}
	rise := func(v uint8) uint8 { return v + uint8((255-int(v))*45/100) }
	return color.NRGBA{rise(h.R), rise(h.G), rise(h.B), 0xFF}
}

// Tone is what a chip, a banner, a line or a toast is about; it decides text, ground and icon colour together.
type Tone uint8

// The tones.
const (
	ToneNeutral Tone = iota
	ToneAccent
	ToneGood
	ToneWarn
	ToneBad
)

// ink is the text of a tone.
func (t Tone) ink() Token {
	return [...]Token{ColorMuted, ColorAccent, ColorOK, ColorWarn, ColorBad}[t]
}

// ground is what the text of a tone stands on.
func (t Tone) ground() Token {
	return [...]Token{ColorTint, ColorSoft, ColorSoftOK, ColorSoftWarn, ColorSoftBad}[t]
}
