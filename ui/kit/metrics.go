package kit

import "fyne.io/fyne/v2"

// Lengths of the design at 100 %, on a grid of 4. Layouts and widgets of the kit bring them to the size in use; a screen that needs
// one in a calculation of its own passes it through S.
const (
	RailWidth    = 72
	ListWidth    = 312
	PanelWidth   = 328
	HeaderHeight = 56
	RowHeight    = 64
	StatusHeight = 28
	FormWidth    = 380 // a column of fields
	ProseWidth   = 400 // a column of sentences
	WindowWidth  = 900 // the smallest window
	WindowHeight = 600
	NarrowWidth  = 1000 // below this the panel covers the thread

	GapHair   = 2
	GapTight  = 4
	GapSmall  = 8
	GapMedium = 12
	GapWide   = 16
	GapSide   = 18 // from the edge of a pane to what stands in it
	GapLarge  = 24
)

// Radii and heights that several widgets share.
const (
	bubbleRadius  = 14
	joinedRadius  = 4
	cardRadius    = 14
	inputRadius   = 10
	inputHeight   = 40
	buttonHeight  = 38
	smallHeight   = 28
	smallestPress = 28 // nothing that can be pressed is smaller
)

// Type is a size of text.
type Type uint8

// The type sizes.
const (
	TypeBody    Type = iota // 14
	TypePreview             // 13
	TypeSecond              // 12
	TypeMeta                // 11
	TypeRail                // 10, under the pictures of the rail only
	TypeSection             // 15
	TypeEmpty               // 18, the sentence of an empty state
	TypeTitle               // 20
	TypePage                // 22
	TypeBrand               // 26
)

// size is the text size at the size in use: a whole one, because letters stand too wide apart in between.
func (t Type) size() float32 {
	return S([...]float32{14, 13, 12, 11, 10, 15, 18, 20, 22, 26}[t])
}

// font is a size and a style of text, as it is measured.
type font struct {
	size  float32
	style fyne.TextStyle
}

// width is the length of s on one line. Fyne remembers it for a while.
func (f font) width(s string) float32 {
	return f.long(s, rightToLeft(s))
}

// long is width for a part of a paragraph that is written from right to left, or from left to right.
func (f font) long(s string, rtl bool) float32 {
	if s == "" {
		return 0
	}
	return fyne.MeasureText(visual(s, rtl), f.size, f.style).Width
}

// line is the height of a line, in whole pixels.
func (f font) line() float32 { return whole(fyne.MeasureText("M", f.size, f.style).Height) }

// scripts are a character of each script that the built-in font lacks, and an emoji.
var scripts = [...]string{"漢", "あ", "한", "ع", "א", "ไ", "अ", "🎉"}

// Warm finds the fonts for the scripts of the world. Fyne searches the whole system for them when it first meets one, which takes a
// second; call this on Fyne's goroutine while the reader waits for something else anyway.
func Warm() {
	for _, s := range scripts {
		for _, bold := range []bool{false, true} {
			font{TypeBody.size(), fyne.TextStyle{Bold: bold}}.width(s)
		}
	}
}
