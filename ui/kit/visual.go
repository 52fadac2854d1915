package kit

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

// Marks of direction. They are drawn as nothing.
const (
	ltrMark = "\u200e"
	rtlMark = "\u200f"
)

// visual is a line as it has to be handed to Fyne to look right. Fyne shapes each stretch of one direction and one font well, but
// puts the stretches beside each other in the order in which they are read: a word of English in a sentence of Arabic takes its
// halves apart. And a space behind an emoji is drawn from the font of emoji, where it may have no width. So the stretches are
// brought into the order in which they are seen (UAX #9, rule L2), with marks between them that keep Fyne from joining them again.
// rtl is the direction of the paragraph.
func visual(s string, rtl bool) string {
	if !intricate(s) {
		return s
	}
	var b strings.Builder
	b.Grow(2 * len(s))
	b.WriteString(ltrMark)
	for _, r := range seen(stretches(s, rtl)) {
		if r.level%2 == 0 {
			writeLTR(&b, r.text)
		} else {
			writeRTL(&b, r.text)
		}
		b.WriteString(ltrMark)
	}
	return b.String()
}

// intricate reports whether s holds a letter that is written from right to left, or an emoji with something behind it.
func intricate(s string) bool {
	for i, r := range s {
		switch {
		case r < 0x590:
		case isRTL(r):
			return true
		case isEmoji(r) && strings.ContainsRune(s[i:], ' '):
			return true
		}
	}
	return false
}

// isRTL reports whether r is a letter that is written from right to left.
func isRTL(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// isEmoji reports whether r comes from the font of emoji, or may.
func isEmoji(r rune) bool {
	return r >= 0x1F000 && r < 0x20000 || r >= 0x2190 && r < 0x2C00 || r == '\ufe0f'
}

// reach is a stretch of one level: even from left to right, odd from right to left.
type reach struct {
	text  string
	level int
}

// stretches are those of a line, in the order in which they are read.
func stretches(s string, rtl bool) []reach {
	var p bidi.Paragraph
	options := []bidi.Option{}
	if rtl {
		options = append(options, bidi.DefaultDirection(bidi.RightToLeft))
	} else {
		s = ltrMark + s // otherwise the first letter decides
	}
	if _, err := p.SetString(s, options...); err != nil {
		return []reach{{text: strings.TrimPrefix(s, ltrMark)}}
	}
	o, err := p.Order()
	if err != nil {
		return []reach{{text: strings.TrimPrefix(s, ltrMark)}}
	}
	var all []reach
	for i := range o.NumRuns() {
		run := o.Run(i)
		text := strings.TrimPrefix(run.String(), ltrMark)
		switch number := leadingNumber(text); {
		case run.Direction() == bidi.RightToLeft:
			all = append(all, reach{text, 1})
		case rtl:
			all = append(all, reach{text, 2})
		case i > 0 && number > 0: // it belongs to what stands before it; what follows does not
			all = append(all, reach{text[:number], 2}, reach{text[number:], 0})
		default:
			all = append(all, reach{text, 0})
		}
	}
	return all
}

// leadingNumber is the length of the number that s begins with, with the signs inside it.
func leadingNumber(s string) (n int) {
	for i, r := range s {
		switch {
		case unicode.IsDigit(r):
			n = i + utf8.RuneLen(r)
		case !strings.ContainsRune(".,:/-", r):
			return n
		}
	}
	return n
}

// seen brings stretches from the order in which they are read into that in which they stand beside each other, from left to right.
func seen(all []reach) []reach {
	for level := 2; level > 0; level-- {
		for i := 0; i < len(all); i++ {
			end := i
			for end < len(all) && all[end].level >= level {
				end++
			}
			slices.Reverse(all[i:end])
			i = end
		}
	}
	return all
}

// writeLTR writes a stretch from left to right, and keeps the spaces behind an emoji out of its font.
func writeLTR(b *strings.Builder, s string) {
	for emoji := false; s != ""; {
		n := cluster(s)
		if emoji && s[0] == ' ' {
			n = len(s) - len(strings.TrimLeft(s, " "))
			writeSpace(b, s[:n])
		} else {
			b.WriteString(s[:n])
			emoji = strings.ContainsFunc(s[:n], isEmoji)
		}
		s = s[n:]
	}
}

// writeSpace writes spaces as a stretch of their own.
func writeSpace(b *strings.Builder, spaces string) {
	b.WriteString(rtlMark + spaces + rtlMark + ltrMark)
}

// writeRTL writes a stretch from right to left: its pieces from the last to the first.
func writeRTL(b *strings.Builder, s string) {
	for _, p := range slices.Backward(pieces(s)) {
		if strings.TrimLeft(p, " ") == "" {
			writeSpace(b, p)
			continue
		}
		b.WriteString(mirrored(p))
		b.WriteString(ltrMark)
	}
}

// pieces parts a stretch into what Fyne turns around in one piece, which are letters and the spaces between them (a sign among them
// may come from another font, and end the piece), and every other character.
func pieces(s string) (all []string) {
	for s != "" {
		n, letters := 0, 0 // clusters looked at, and the end of the last letter among them
		for n < len(s) {
			end := n + cluster(s[n:])
			letter := strings.ContainsFunc(s[n:end], isRTL)
			if !letter && (n == 0 || s[n:end] != " ") {
				break
			}
			if n = end; letter {
				letters = end
			}
		}
		if letters == 0 {
			letters = cluster(s)
		}
		all = append(all, s[:letters])
		s = s[letters:]
	}
	return all
}

// brackets are the signs that face the other way from right to left.
const brackets = "()[]{}<>«»‹›"

// mirrored turns a lone bracket around.
func mirrored(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	i := slices.Index([]rune(brackets), r)
	if i < 0 || n < len(s) {
		return s
	}
	return string([]rune(brackets)[i^1])
}
