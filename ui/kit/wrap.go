package kit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is one line of a wrapped text: the bytes from to to of it, without the spaces that the break swallowed.
type span struct {
	from, to int
	width    float32
	rtl      bool // its paragraph is written from right to left
}

// noStart are the characters that no line of Chinese or Japanese begins with.
const noStart = "、。，．・：；？！」』）］｝〉》】〕”’ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…％"

// wrap breaks s into at most most lines of the given width. whole is false when something was left out.
func wrap(s string, width float32, f font, most int) (lines []span, complete bool) {
	w := wrapper{s: s, width: max(width, f.size), font: f, space: f.width(" "), most: most}
	for from := 0; ; {
		to := strings.IndexByte(s[from:], '\n')
		if to < 0 {
			w.paragraph(from, len(s))
			return w.lines, !w.over
		}
		w.paragraph(from, from+to)
		from += to + 1
	}
}

// wrapper holds a text while it is broken.
type wrapper struct {
	s     string
	width float32
	font  font
	space float32
	most  int
	lines []span
	over  bool
	rtl   bool // the present paragraph is written from right to left
}

// emit ends a line.
func (w *wrapper) emit(from, to int) {
	if len(w.lines) == w.most {
		w.over = true
		return
	}
	trimmed := strings.TrimRight(w.s[from:to], " ")
	w.lines = append(w.lines, span{from, from + len(trimmed), w.font.long(trimmed, w.rtl), w.rtl})
}

// paragraph breaks what stands between two line breaks. Words are measured one by one: the widths of words come from a memory, and
// what spaces do to their neighbours is less than a pixel.
func (w *wrapper) paragraph(from, to int) {
	start, x := from, float32(0)
	w.rtl = rightToLeft(w.s[from:to])
	for at := from; at < to && !w.over; {
		end := at + word(w.s[at:to])
		text := strings.TrimRight(w.s[at:end], " ")
		wide := w.font.width(text)
		if x+wide > w.width && at > start {
			w.emit(start, at)
			start, x = at, 0
		}
		if wide > w.width {
			cut := at + w.fit(text)
			w.emit(start, cut)
			start, at, x = cut, cut, 0
			continue
		}
		x += wide + w.space*float32(end-at-len(text))
		at = end
	}
	if !w.over && (start < to || from == to) {
		w.emit(start, to)
	}
}

// fit is how many bytes of a word that is too long go on one line: at least one character.
func (w *wrapper) fit(s string) int {
	ends := clusters(s, int(w.width/w.font.size*5)+2) // no character that takes room is narrower than a fifth of its height
	lo, hi := 0, len(ends)-1
	for lo < hi {
		m := (lo + hi + 1) / 2
		if w.font.width(s[:ends[m]]) <= w.width {
			lo = m
		} else {
			hi = m - 1
		}
	}
	return ends[lo]
}

// clusters are the ends of the first n characters of s.
func clusters(s string, n int) []int {
	var ends []int
	for at := 0; at < len(s) && len(ends) < n; {
		at += cluster(s[at:])
		ends = append(ends, at)
	}
	return ends
}

// longestWord is how many characters are measured in one piece. Measuring takes time with the length, and who writes 36 KiB without
// a space shall not stop the window.
const longestWord = 200

// word is the length in bytes of the first stretch of s that is not broken, with the spaces behind it. Between two characters of
// Chinese or Japanese a line may break.
func word(s string) int {
	at := cluster(s)
	r, _ := utf8.DecodeRuneInString(s)
	for n := 1; at < len(s) && n < longestWord; n++ {
		next, _ := utf8.DecodeRuneInString(s[at:])
		if next == ' ' {
			for at < len(s) && s[at] == ' ' {
				at++
			}
			return at
		}
		if (wide(r) || wide(next)) && !strings.ContainsRune(noStart, next) {
			return at
		}
		r = next
		at += cluster(s[at:])
	}
	return at
}

// wide reports whether a line may break beside r.
func wide(r rune) bool {
	return r >= 0x2E80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || strings.ContainsRune(noStart, r) && r >= 0x3000
}

// ellipsize cuts s to one line of the given width, as it is drawn.
func ellipsize(s string, width float32, f font) string {
	return visual(cut(s, width, f), rightToLeft(s))
}

// cut is ellipsize without the order in which it is drawn.
func cut(s string, width float32, f font) string {
	if line, rest, more := strings.Cut(s, "\n"); more {
		s = line
		if strings.TrimSpace(rest) != "" {
			s += " …"
		}
	}
	ends := clusters(s, 300)
	if len(ends) > 0 && ends[len(ends)-1] < len(s) {
		s = s[:ends[len(ends)-1]] + "…"
	}
	if f.width(s) <= width {
		return s
	}
	lo, hi := 0, len(ends)
	for lo < hi {
		m := (lo + hi + 1) / 2
		if f.width(s[:ends[m-1]]+"…") <= width {
			lo = m
		} else {
			hi = m - 1
		}
	}
	if lo == 0 {
		return "…"
	}
	return strings.TrimRight(s[:ends[lo-1]], " ") + "…"
}
