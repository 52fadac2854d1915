package app

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a name, in runes.
const maxName = 64

// cleanName makes a name of what somebody calls themselves: one line, no controls, no bidi overrides, no marks that
// imitate our own seals, few combining marks, 64 runes. The window cleans again what it shows; here it is about what is kept.
func cleanName(s string) string {
	var b strings.Builder
	n, marks := 0, 0
	for _, r := range s {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), imitates(r):
			continue
		case unicode.IsSpace(r):
			r = ' '
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > 3 {
				continue
			}
		} else {
			marks = 0
		}
		if n++; n > maxName {
			break
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// imitates reports whether a rune looks like a mark of trust.
func imitates(r rune) bool {
	return strings.ContainsRune("✓✔✅☑🗸🛡⛨🔒🔐🔏🔰☒✗✘❌", r)
}

// cleanText drops what a text cannot mean: NUL and other controls but line breaks and tabs, and invalid UTF-8.
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), ""))
}
