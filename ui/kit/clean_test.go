package kit

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
)

func TestCleanTakesWhatOnlyTheWindowMayGive(t *testing.T) {
	for _, row := range []struct{ name, give, want string }{
		{"plain", "Ada", "Ada"},
		{"other scripts", "山田 花子", "山田 花子"},
		{"right to left", "مرحبا", "مرحبا"},
		{"Vietnamese", "Nguyễn Thị", "Nguyễn Thị"},
		{"Vietnamese taken apart", "Nguye\u0302\u0303n", "Nguye\u0302\u0303n"},
		{"family emoji", "👩‍👩‍👧 Ada", "👩‍👩‍👧 Ada"},
		{"a check mark", "Ada ✔", "Ada"},
		{"a check mark as emoji", "Ada ✅\ufe0f", "Ada"},
		{"a shield", "🛡\ufe0fAda", "Ada"},
		{"a warning", "⚠\ufe0f Ada", "Ada"},
		{"a lock", "Ada 🔒", "Ada"},
		{"line breaks", "Ada\nLovelace\r\n", "Ada Lovelace"},
		{"tabs and blanks", "  Ada \t  Lovelace ", "Ada Lovelace"},
		{"direction override", "Ada\u202egnp.exe\u202c", "Adagnp.exe"},
		{"isolates and marks", "\u2067Ada\u2069\u200f\u061c", "Ada"},
		{"nothing to see", "\u3164\u2800\u115f\u200b\u00ad", ""},
		{"tags", "Ada\U000e0041\U000e007f", "Ada"},
		{"private use", "Ada\ue000", "Ada"},
		{"control", "A\x00d\x1ba\x7f", "Ada"},
		{"a tower", "A" + strings.Repeat("\u0335", 50) + "da", "A\u0335\u0335\u0335da"},
		{"a tower on nothing", strings.Repeat("\u0335", 50) + "Ada", "Ada"},
		{"a joiner nobody sees", "A\u200dda\u200c", "Ada"},
		{"a selector nobody sees", "A\ufe0fd\u034fa\U000e0100", "Ada"},
		{"a joiner that joins", "ක්\u200dර", "ක්\u200dර"},
		{"a joiner before nothing", "👩\u200d Ada", "👩 Ada"},
		{"broken bytes", "A\xffda", "A\ufffdda"},
		{"long", strings.Repeat("x", 1000), strings.Repeat("x", nameRunes)},
	} {
		if got := Clean(row.give); got != row.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", row.name, row.give, got, row.want)
		}
	}
}

func TestCleanTextKeepsWhatAMessageNeeds(t *testing.T) {
	for _, row := range []struct{ name, give, want string }{
		{"lines", "one\n\ntwo", "one\n\ntwo"},
		{"lines from Windows", "one\r\ntwo\r\n", "one\ntwo"},
		{"tabs", "a\tb", "a    b"},
		{"indented", "x\n    y", "x\n    y"},
		{"check marks", "done ✅", "done ✅"},
		{"flags and tones", "🇩🇪 👍🏽", "🇩🇪 👍🏽"},
		{"a Persian half space", "می\u200cخواهم", "می\u200cخواهم"},
		{"direction override", "abc\u202etxt.exe", "abctxt.exe"},
		{"control", "a\x07b\u2028c", "ab c"},
		{"a tower", "Z" + strings.Repeat("\u0300", 500), "Z" + strings.Repeat("\u0300", textMarks)},
		{"broken bytes", "\xc3\x28", "\ufffd("},
	} {
		if got := CleanText(row.give); got != row.want {
			t.Errorf("%s: CleanText(%q) = %q, want %q", row.name, row.give, got, row.want)
		}
	}
}

func TestShortenEndsInWholeCharacters(t *testing.T) {
	for _, row := range []struct {
		give string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"a bit longer", 5, "a bit…"},
		{"a bit longer", 6, "a bit…"},
		{"two\nlines  here", 50, "two lines here"},
		{"👩‍👩‍👧👏🏽🇩🇪x", 3, "👩‍👩‍👧👏🏽🇩🇪…"},
		{"", 3, ""},
	} {
		if got := Shorten(row.give, row.n); got != row.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", row.give, row.n, got, row.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"Ada", "A\u0335\u0335\u0335\u0335", "\u202e", "✔\ufe0f", "👩‍👩‍👧", "\xff\n\t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := Clean(s)
		if again := Clean(name); again != name {
			t.Errorf("Clean(%q) = %q, and cleaned again %q", s, name, again)
		}
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > nameRunes*(1+nameMarks) {
			t.Errorf("Clean(%q) = %q", s, name)
		}
		if i := strings.IndexFunc(name, unwanted); i >= 0 || strings.ContainsAny(name, seals+blanks+"\n\t") {
			t.Errorf("Clean(%q) = %q, with %q", s, name, name[max(i, 0):])
		}
		if words := CleanText(s); !utf8.ValidString(words) || CleanText(words) != words {
			t.Errorf("CleanText(%q) = %q", s, words)
		}
	})
}

// unwanted reports whether r must not be in a name; the joiner of emoji may.
func unwanted(r rune) bool {
	return r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
}

func TestNoNameStandsEmpty(t *testing.T) {
	dress(t, Look{})
	a := NewAvatar(44, ColorSide).Set(Face{Key: "k", Name: "🎉✔"})
	if a.objs[1] != fyne.CanvasObject(a.icon.Raster) || a.icon.icon != IconUser {
		t.Error("a face without letters shows nothing")
	}
}

func TestWrapKeepsEveryWordAndEveryLineInside(t *testing.T) {
	dress(t, Look{})
	f := font{14, fyne.TextStyle{}}
	for _, row := range []struct {
		name, text string
		width      float32
		lines      []string
	}{
		{"one line", "Both look right here.", 400, []string{"Both look right here."}},
		{"words", "one two three", 60, []string{"one two", "three"}},
		{"line breaks", "a\n\nb", 100, []string{"a", "", "b"}},
		{"ends with a break", "a\n", 100, []string{"a", ""}},
		{"spaces at the break", "one two   three", 62, []string{"one two", "three"}},
		{"indented", "a\n    b", 100, []string{"a", "    b"}},
		{"Japanese", "日本語のメッセージ", 60, []string{"日本語の", "メッセー", "ジ"}},
		{"no full stop first", "日本語の。", 57, []string{"日本語", "の。"}},
		{"Latin in Japanese", "これはCryptexQです", 80, []string{"これは", "CryptexQで", "す"}},
	} {
		spans, all := wrap(row.text, row.width, f, 100)
		var got []string
		for _, s := range spans {
			got = append(got, row.text[s.from:s.to])
		}
		if strings.Join(got, "|") != strings.Join(row.lines, "|") || !all {
			t.Errorf("%s: wrapped as %q, want %q", row.name, got, row.lines)
		}
	}
	long := strings.Repeat("x", 5000)
	spans, all := wrap(long, 300, f, 10_000)
	for i, s := range spans {
		if s.width > 300 || i < len(spans)-1 && s.width < 280 {
			t.Fatalf("line %d of a word without end is %v wide, want nearly 300", i, s.width)
		}
	}
	if last := spans[len(spans)-1]; !all || last.to != len(long) {
		t.Error("the end of a word without end is missing")
	}
	if spans, all := wrap(long, 300, f, 3); len(spans) != 3 || all {
		t.Errorf("%d lines of at most 3, all %v", len(spans), all)
	}
}

func TestNothingIsCutInsideACharacter(t *testing.T) {
	dress(t, Look{})
	f := font{14, fyne.TextStyle{}}
	family, flag, tower := "👩‍👩‍👧", "🇩🇪", "e\u0301\u0323"
	s := strings.Repeat(family+flag+tower, 40)
	spans, _ := wrap(s, 100, f, 1000)
	ends := map[int]bool{}
	for _, e := range clusters(s, len(s)) {
		ends[e] = true
	}
	for _, l := range spans {
		if !ends[l.to] {
			t.Errorf("a line ends inside a character, at %q", s[l.from:l.to])
		}
	}
	for width := float32(10); width < 400; width += 7 {
		cut := strings.TrimSuffix(ellipsize(s, width, f), "…")
		if len(cut) > 0 && !ends[len(cut)] {
			t.Errorf("cut to %v inside a character: %q", width, cut)
		}
	}
}

func FuzzWrap(f *testing.F) {
	dress(f, Look{})
	f.Add("one two three", uint16(60), uint8(10))
	f.Add("日本語 👩‍👩‍👧 مرحبا\n\n\nx", uint16(1), uint8(3))
	f.Fuzz(func(t *testing.T, s string, width uint16, most uint8) {
		s = CleanText(s)
		if len(s) > 2000 {
			return
		}
		lines, all := wrap(s, float32(width%900), font{14, fyne.TextStyle{}}, int(most%50)+1)
		at := 0
		for _, l := range lines {
			if l.from < at || l.to < l.from || l.to > len(s) || strings.Trim(s[at:l.from], " \n") != "" {
				t.Fatalf("a line of %q goes from %d to %d, the one before ended at %d", s, l.from, l.to, at)
			}
			at = l.to
		}
		if rest := strings.Trim(s[at:], " \n"); all && rest != "" || len(lines) > int(most%50)+1 {
			t.Fatalf("%d lines of %q leave out %q, all %v", len(lines), s, rest, all)
		}
	})
}

func TestEllipsizeFits(t *testing.T) {
	dress(t, Look{})
	f := font{14, fyne.TextStyle{}}
	for _, row := range []struct {
		text  string
		width float32
		want  string
	}{
		{"Tove", 200, "Tove"},
		{"Second run is clean. Uploading", 100, "Second run is…"},
		{"first\nsecond", 300, "first …"},
		{"first\n", 300, "first"},
		{"", 10, ""},
		{"abc", 1, "…"},
	} {
		if got := ellipsize(row.text, row.width, f); got != row.want {
			t.Errorf("ellipsize(%q, %v) = %q, want %q", row.text, row.width, got, row.want)
		}
	}
}

func TestWarmMeetsEveryScriptOnce(t *testing.T) {
	dress(t, Look{})
	Warm()
	seen := map[string]bool{}
	for _, s := range scripts {
		if cluster(s) != len(s) || seen[s] || bodyFont().width(s) < 5 {
			t.Errorf("%q is %v wide", s, bodyFont().width(s))
		}
		seen[s] = true
	}
}
