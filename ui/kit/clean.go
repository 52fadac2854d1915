package kit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what other people can make the window measure and draw.
const (
	nameRunes = 60 // of a name, before it is cut to the room there is
	nameMarks = 3  // combining marks on one letter: enough for Vietnamese, Thai and pointed Hebrew, no tower
	textMarks = 4
	textBytes = 40 << 10 // an entry of a log is at most 36 KiB
)

// seals are the characters with which a name could wear the marks that the window gives: checks, shields, warning triangles, locks.
const seals = "✓✔✅☑🗸🗹☒❎🛡⛨⛉⛊🔰⚠⛔🔒🔓🔏🔐🔑🗝"

// blanks are letters and symbols that look like nothing: with them a name could be empty, or two names look the same.
const blanks = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"

// Clean makes what somebody calls themselves fit to stand in the window: one line of at most 60 characters without controls,
// direction overrides, invisible letters, piles of combining marks, or the marks that only the window may put beside a name.
// It may leave nothing.
func Clean(name string) string {
	c := cleaner{marks: nameMarks, runes: nameRunes, name: true}
	return strings.TrimSpace(c.clean(name))
}

// CleanText makes a message fit to be drawn: line breaks and tabs stay, and so do emoji sequences; controls, direction overrides,
// invalid bytes and piles of combining marks go.
func CleanText(s string) string {
	if len(s) > textBytes {
		s = s[:textBytes]
	}
	c := cleaner{marks: textMarks, runes: textBytes, lines: true}
	return strings.TrimRight(c.clean(s), " \n")
}

// Shorten is CleanText on one line, of at most n characters as a reader counts them; an ellipsis stands for the rest.
func Shorten(s string, n int) string {
	s = strings.Join(strings.Fields(CleanText(s)), " ")
	if ends := clusters(s, n+1); len(ends) > n {
		return strings.TrimSpace(s[:ends[n-1]]) + "…"
	}
	return s
}

// cleanLine is CleanText on one line.
func cleanLine(s string) string {
	if len(s) > textBytes {
		s = s[:textBytes]
	}
	c := cleaner{marks: textMarks, runes: 500}
	return c.clean(s)
}

// cleaner copies a string without what it must not contain.
type cleaner struct {
	marks, runes int
	name, lines  bool

	out    strings.Builder
	n      int // runes written
	last   rune
	marked int  // combining marks on the present letter
	joiner bool // a joiner waits for what it joins
	space  bool
	gone   bool // the last character was left out, and so are the selectors that belong to it
}

func (c *cleaner) clean(s string) string {
	c.out.Grow(len(s))
	for _, r := range s {
		if c.n >= c.runes {
			break
		}
		c.add(r)
	}
	return c.out.String()
}

// add writes r, or what stands for it, or nothing.
func (c *cleaner) add(r rune) {
	switch {
	case r == '\n' && c.lines:
		c.write(r)
	case r == '\t' && c.lines:
		for range 4 {
			c.write(' ')
		}
	case r == '\r' && c.lines: // the first half of a line break from Windows
	case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
		c.blank()
	case r == utf8.RuneError:
		c.write('\ufffd')
	case r == '\u200d' && c.name:
		c.joiner = c.last >= joined
	case unicode.Is(unicode.M, r) || r == '\u200d' || isModifier(r):
		c.join(r)
	case r == '\u200c' && !c.name: // parts letters in Persian
		c.write(r)
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
		// controls, direction, tags, private use: nothing of it can be seen as what it is
	case c.name && (strings.ContainsRune(seals, r) || strings.ContainsRune(blanks, r)):
		c.gone = true
	default:
		c.write(r)
	}
}

// blank writes a space; in a name never two in a row.
func (c *cleaner) blank() {
	if c.name && c.space {
		return
	}
	c.write(' ')
	c.space = true
}

// joined is the first script in which invisible joiners and selectors change what is seen: those of India, and emoji. Between the
// letters before it they would make two names of one that look the same.
const joined = 0x0900

// join writes a character that changes the one before it, unless that is gone or has enough of them.
func (c *cleaner) join(r rune) {
	if c.gone || c.marked >= c.marks || c.n == 0 || c.name && (c.space || c.last < joined && invisible(r)) {
		return
	}
	c.joinUp(r)
	c.marked++
	c.out.WriteRune(r)
}

// joinUp writes the joiner that waited for r.
func (c *cleaner) joinUp(r rune) {
	if c.joiner && r >= joined {
		c.out.WriteRune('\u200d')
	}
	c.joiner = false
}

func (c *cleaner) write(r rune) {
	c.joinUp(r)
	c.out.WriteRune(r)
	c.n++
	c.last, c.marked, c.space, c.gone = r, 0, false, false
}

// invisible reports whether the mark r is not seen by itself: variation selectors, the grapheme joiner.
func invisible(r rune) bool {
	return r == '\u034f' || unicode.Is(unicode.Variation_Selector, r)
}

// isModifier reports whether r is a skin tone, which belongs to the emoji before it.
func isModifier(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// isRegional reports whether r is half of a flag.
func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// cluster is the length in bytes of the first character of s as a reader counts: a letter with its marks, a flag, an emoji
// sequence. Text is never cut or broken inside one.
func cluster(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	joined, flag := false, isRegional(first)
	for n < len(s) {
		r, w := utf8.DecodeRuneInString(s[n:])
		switch {
		case joined || unicode.Is(unicode.M, r) || isModifier(r) || r == '\u200d' || r == '\u200c':
		case flag && isRegional(r):
			flag = false
		default:
			return n
		}
		joined = r == '\u200d'
		n += w
	}
	return n
}

// rightToLeft reports whether the first letter of s belongs to a script that is written so.
func rightToLeft(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return true
		}
		if unicode.IsLetter(r) {
			return false
		}
	}
	return false
}
