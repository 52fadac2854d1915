package kit

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// unmarked is s without the marks of direction.
func unmarked(s string) string { return strings.NewReplacer(ltrMark, "", rtlMark, "").Replace(s) }

func TestLinesAreDrawnInTheOrderInWhichTheyAreSeen(t *testing.T) {
	for _, row := range []struct {
		name, read, seen string
		rtl              bool
	}{
		{"English", "Hello, Ada.", "Hello, Ada.", false},
		{"Japanese", "日本語 (です)", "日本語 (です)", false},
		{"a word of Arabic", "he said سلام to us", "he said سلام to us", false},
		{"two words of Arabic stay in one piece", "he said سلام عليكم to us", "he said سلام عليكم to us", false},
		{"a number behind Arabic", "room سلام 12.5 is free", "room 12.5 سلام is free", false},
		{"a word of English", "قالت Ada سلام", "سلام Ada قالت", true},
		{"a number between", "في 12 يوم", "يوم 12 في", true},
		{"emoji at the end", "مرحبا 👏🎉", "🎉👏 مرحبا", true},
		{"emoji between", "مرحبا 👏 سلام", "سلام 👏 مرحبا", true},
		{"a full stop", "שלום.", ".שלום", true},
		{"brackets", "שלום (לך)", "(לך) שלום", true},
		{"a comma", "مرحبا، سلام", "سلام ،مرحبا", true},
		{"the end of a sentence of Hebrew", "abc, he said", "abc, he said", true},
		{"a line of an English paragraph that begins with Arabic", "سلام to us", "سلام to us", false},
		{"family", "👩‍👩‍👧 and 👏🏽 too", "👩‍👩‍👧 and 👏🏽 too", false},
	} {
		if got := unmarked(visual(row.read, row.rtl)); got != row.seen {
			t.Errorf("%s: %q is drawn as %q, want %q", row.name, row.read, got, row.seen)
		}
	}
}

func TestWhatNeedsNoHelpIsDrawnAsItIs(t *testing.T) {
	for _, s := range []string{"", "plain", "ünïcode — “quoted”", "日本語", "done 👏", "none behind👏it"} {
		if got := visual(s, false); got != s {
			t.Errorf("%q is drawn as %q", s, got)
		}
	}
}

func TestSpacesBehindEmojiAreAsWideAsOthers(t *testing.T) {
	dress(t, Look{})
	f := bodyFont()
	for _, s := range []string{"👏 a", "👏 👏", "✅ a", "a 👏 a"} {
		parts := float32(0)
		for i, w := range strings.Split(s, " ") {
			parts += f.width(w) + choose(i > 0, f.width(" "), 0)
		}
		if got := f.width(s); got < parts-0.5 {
			t.Errorf("%q is %v wide, its parts and spaces %v", s, got, parts)
		}
	}
}

func TestNothingIsLostOnTheWayToTheEye(t *testing.T) {
	letters := []rune("ab 12.,()[]«» سلامשלום👏🎉é漢-:/\u200d\ufe0f🏽\u0301")
	rapid.Check(t, func(t *rapid.T) {
		s := CleanText(string(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 30).Draw(t, "letters")))
		rtl := rapid.Bool().Draw(t, "rtl")
		bag := func(s string) []rune {
			for i := 0; i < len(brackets); { // either way round
				pair := []rune(brackets[i:])[:2]
				s = strings.ReplaceAll(s, string(pair[1]), string(pair[0]))
				i += len(string(pair))
			}
			r := []rune(unmarked(s))
			slices.Sort(r)
			return r
		}
		if got := visual(s, rtl); !slices.Equal(bag(got), bag(s)) {
			t.Fatalf("%q is drawn as %q", s, got)
		}
	})
}
