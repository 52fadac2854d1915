package text

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/feature/plural"
)

// keys are the constants of keys.go, by their Go names.
func keys(t *testing.T) map[string]Key {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Key{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[v.Names[0].Name] = Key(s)
		}
		return true
	})
	return found
}

// languages are all that are built in, English first.
func languages(t *testing.T) []*Language {
	t.Helper()
	all, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNoSentenceIsMissingOrTooMany(t *testing.T) {
	declared := map[Key]bool{}
	for name, k := range keys(t) {
		if declared[k] {
			t.Errorf("%s is declared twice", k)
		}
		declared[k] = true
		if k == "" || strings.ToLower(string(k[:1])) != string(k[:1]) {
			t.Errorf("%s has the odd key %q", name, k)
		}
	}
	for _, l := range languages(t) {
		for k := range declared {
			if _, ok := l.sentences[k]; !ok {
				t.Errorf("%s has no sentence for %s", l.tag, k)
			}
		}
		for k := range l.sentences {
			if !declared[k] {
				t.Errorf("%s has a sentence for %s, which no constant names", l.tag, k)
			}
		}
	}
}

// call is a place in the window where a sentence is said.
type call struct {
	at   string
	name string          // the constant
	args map[string]bool // the placeholders filled; nil where the constant is only mentioned
}

// calls are all of them, in every package beside this one.
func calls(t *testing.T) []call {
	t.Helper()
	var found []call
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		if filepath.Dir(path) == filepath.Join("..", "text") {
			found = append(found, inPackage(set, f)...)
			return nil
		}
		found = append(found, inFile(set, f)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// inFile finds text.X, and text.Say(text.X, text.Name(..), ..) with what it fills.
func inFile(set *token.FileSet, f *ast.File) []call {
	var found []call
	ast.Inspect(f, func(n ast.Node) bool {
		if name, ok := ours(n); ok {
			found = append(found, call{at: set.Position(n.Pos()).String(), name: name})
		}
		c, ok := n.(*ast.CallExpr)
		if !ok || len(c.Args) == 0 {
			return true
		}
		if name, ok := ours(c.Fun); !ok || name != "Say" {
			return true
		}
		if name, ok := ours(c.Args[0]); ok {
			found = append(found, call{at: set.Position(n.Pos()).String(), name: name, args: filled(c.Args[1:])})
		}
		return true
	})
	return found
}

// ours is X in text.X.
func ours(n ast.Node) (string, bool) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := s.X.(*ast.Ident)
	return s.Sel.Name, ok && x.Name == "text"
}

// unknown stands for the placeholders that a variable fills: they cannot be told from the call alone.
const unknown = "?"

// filled are the placeholders that arguments fill.
func filled(args []ast.Expr) map[string]bool {
	names := map[string]bool{}
	for _, a := range args {
		c, ok := a.(*ast.CallExpr)
		if !ok {
			names[unknown] = true
			continue
		}
		switch name, _ := ours(c.Fun); name {
		case "N":
			names["n"] = true
		case "Name":
			names["name"] = true
		case "With":
			if lit, ok := c.Args[0].(*ast.BasicLit); ok {
				s, err := strconv.Unquote(lit.Value)
				if err == nil {
					names[s] = true
				}
			}
		default:
			names[unknown] = true
		}
	}
	return names
}

// inPackage finds the constants that this package uses itself.
func inPackage(set *token.FileSet, f *ast.File) []call {
	var found []call
	if filepath.Base(set.Position(f.Pos()).Filename) == "keys.go" {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if i, ok := n.(*ast.Ident); ok {
			found = append(found, call{at: set.Position(n.Pos()).String(), name: i.Name})
		}
		return true
	})
	return found
}

func TestNoSentenceIsUnused(t *testing.T) {
	used := map[string]bool{}
	for _, c := range calls(t) {
		used[c.name] = true
	}
	for name, k := range keys(t) {
		if !used[name] {
			t.Errorf("%s (%s) is said nowhere", name, k)
		}
	}
}

var placeholder = regexp.MustCompile(`\{[a-zA-Z]*\}`)

// placeholders are those of all forms of a sentence.
func placeholders(s sentence) []string {
	names := map[string]bool{}
	for _, t := range s {
		for _, p := range placeholder.FindAllString(t, -1) {
			names[strings.Trim(p, "{}")] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func TestEveryCallFillsThePlaceholders(t *testing.T) {
	english := languages(t)[0]
	byName := keys(t)
	n := 0
	for _, c := range calls(t) {
		if c.args == nil || c.args[unknown] {
			continue
		}
		n++
		for _, p := range placeholders(english.sentences[byName[c.name]]) {
			if !c.args[p] {
				t.Errorf("%s: {%s} of %s is not filled", c.at, p, c.name)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d calls were found: the search is broken", n)
	}
}

func TestTranslationsHaveTheSamePlaceholdersAndAllForms(t *testing.T) {
	all := languages(t)
	for _, l := range all {
		for k, s := range l.sentences {
			if got, want := placeholders(s), placeholders(all[0].sentences[k]); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the placeholders %q, want %q", l.tag, k, got, want)
			}
			if len(s) == 1 {
				continue
			}
			for n := range 200 { // every form that the language has for whole numbers
				if form := l.form(n); s[form] == "" {
					t.Errorf("%s: %s has no form for %d", l.tag, k, n)
					break
				}
			}
		}
	}
}

// arabic is a language from right to left with six plural forms.
const arabic = `{"language": "ar", "direction": "rtl",
	"months": ["يناير","","","","","","","","","","",""], "monthsShort": ["ينا","","","","","","","","","","",""],
	"weekdays": ["الأحد","","","","","",""], "weekdaysShort": ["أحد","","","","","",""],
	"sentences": {"day.today": "اليوم", "badge.unread": {"zero": "لا رسائل", "one": "رسالة", "two": "رسالتان", "few": "{n} رسائل", "many": "{n} رسالة", "other": "{n} رسالة."}}}`

const german = `{"language": "de", "direction": "ltr",
	"months": ["Januar","Februar","März","April","Mai","Juni","Juli","August","September","Oktober","November","Dezember"],
	"monthsShort": ["Jan.","Feb.","März","Apr.","Mai","Juni","Juli","Aug.","Sept.","Okt.","Nov.","Dez."],
	"weekdays": ["Sonntag","Montag","Dienstag","Mittwoch","Donnerstag","Freitag","Samstag"], "weekdaysShort": ["So","Mo","Di","Mi","Do","Fr","Sa"],
	"sentences": {"day.thisYear": "{weekday}, {day}. {month}", "row.reply": "Antwort von {name} an {to}", "badge.unread": {"one": "{n} ungelesene Nachricht", "other": "{n} ungelesene Nachrichten"}}}`

// three are English, Arabic and German, as load gives them.
func three(t *testing.T) (english, ar, de *Language) {
	t.Helper()
	en, err := files.ReadFile("en.json")
	if err != nil {
		t.Fatal(err)
	}
	all, err := load(fstest.MapFS{"ar.json": {Data: []byte(arabic)}, "de.json": {Data: []byte(german)}, "en.json": {Data: en}})
	if err != nil || len(all) != 3 {
		t.Fatal(len(all), err)
	}
	byTag := map[string]*Language{}
	for _, l := range all {
		byTag[l.tag.String()] = l
	}
	if all[0] != byTag["en"] {
		t.Error("English is not the first")
	}
	return byTag["en"], byTag["ar"], byTag["de"]
}

func TestPluralsFollowTheLanguage(t *testing.T) {
	en, ar, de := three(t)
	for _, row := range []struct {
		l    *Language
		n    int
		want string
	}{
		{en, 0, "0 unread messages"},
		{en, 1, "1 unread message"},
		{en, 2, "2 unread messages"},
		{en, 1200, "1\u00a0200 unread messages"},
		{de, 1, "1 ungelesene Nachricht"},
		{de, 5, "5 ungelesene Nachrichten"},
		{ar, 0, "لا رسائل"},
		{ar, 1, "رسالة"},
		{ar, 2, "رسالتان"},
		{ar, 7, "7 رسائل"},
		{ar, 30, "30 رسالة"},
		{ar, 100, "100 رسالة."},
	} {
		if got := row.l.Say(BadgeUnread, N(row.n)); got != row.want {
			t.Errorf("%s: %d is %q, want %q", row.l.tag, row.n, got, row.want)
		}
	}
	if en.form(1) != plural.One || en.form(-1) != plural.One {
		t.Error("one is not one")
	}
}

func TestPlaceholdersStandInAnyOrder(t *testing.T) {
	en, _, de := three(t)
	args := []Arg{Name("Ada"), With("to", "{name}")}
	if got := en.Say(RowReply, args...); got != "Ada, in reply to {name}" {
		t.Errorf("English: %q: what a person is called was filled in again", got)
	}
	if got := de.Say(RowReply, args...); got != "Antwort von Ada an {name}" {
		t.Errorf("German: %q", got)
	}
}

func TestLanguageComesFromTheEnvironment(t *testing.T) {
	en, ar, de := three(t)
	all := []*Language{en, ar, de}
	for _, row := range []struct {
		name string
		give []string
		want *Language
	}{
		{"nothing set", []string{"", "", ""}, en},
		{"no language", []string{"C.UTF-8", "POSIX", "C"}, en},
		{"Austria", []string{"", "", "de_AT.UTF-8"}, de},
		{"Egypt", []string{"", "", "ar_EG.UTF-8"}, ar},
		{"a language that is not there", []string{"", "", "ja_JP.UTF-8"}, en},
		{"the first one counts", []string{"de_DE.UTF-8", "", "en_US.UTF-8"}, de},
	} {
		if got := choose(all, row.give...); got != row.want {
			t.Errorf("%s: %v", row.name, got.tag)
		}
	}
	if en.RTL() || !ar.RTL() {
		t.Error("a direction is wrong")
	}
}

func TestBrokenFilesAreRefused(t *testing.T) {
	for name, broken := range map[string]string{
		"no direction":  strings.Replace(german, `"ltr"`, `"up"`, 1),
		"no language":   strings.Replace(german, `"de"`, `"no such language"`, 1),
		"another one":   strings.Replace(german, `"de"`, `"fr"`, 1),
		"no such form":  strings.Replace(german, `"one"`, `"eins"`, 1),
		"no form other": strings.Replace(german, `"other"`, `"few"`, 1),
		"not JSON":      german[1:],
		"a number":      strings.Replace(german, `"{weekday}, {day}. {month}"`, `7`, 1),
	} {
		if _, err := load(fstest.MapFS{"de.json": {Data: []byte(broken)}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDaysAndTimesInWords(t *testing.T) {
	en, _, de := three(t)
	now := time.Date(2026, 3, 3, 14, 12, 0, 0, time.UTC) // a Tuesday
	for _, row := range []struct {
		t         time.Time
		day, when string
	}{
		{now.Add(-5 * time.Minute), "Today", "14:07"},
		{time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), "Today", "00:00"},
		{time.Date(2026, 3, 2, 23, 59, 0, 0, time.UTC), "Yesterday", "Yesterday"},
		{time.Date(2026, 2, 28, 9, 0, 0, 0, time.UTC), "Saturday, 28 February", "Sat"},
		{time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC), "Saturday, 31 January", "31 Jan"},
		{time.Date(2025, 12, 31, 9, 0, 0, 0, time.UTC), "31 December 2025", "31 Dec 2025"},
		{time.Date(2025, 3, 3, 14, 0, 0, 0, time.UTC), "3 March 2025", "3 Mar 2025"},
		{time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC), "Thursday, 5 March", "5 Mar"}, // their clock is ahead
	} {
		if got := en.Day(row.t, now); got != row.day {
			t.Errorf("Day(%v) = %q, want %q", row.t, got, row.day)
		}
		if got := en.When(row.t, now); got != row.when {
			t.Errorf("When(%v) = %q, want %q", row.t, got, row.when)
		}
	}
	if got := de.Day(time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC), now); got != "Samstag, 31. Januar" {
		t.Errorf("German: %q", got)
	}
	if got, want := Day(now, now)+When(now, now), Say(DayToday)+"14:12"; got != want || RTL() != current().RTL() {
		t.Errorf("in the language of this process: %q, want %q", got, want)
	}
}

func TestNumbersStandInGroups(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 412: "412", 1000: "1 000", 8411: "8 411", 20000: "20 000", 1234567: "1 234 567", -1234: "-1 234"} {
		if got := strings.ReplaceAll(Number(n), "\u00a0", " "); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestUnknownKeyIsItsOwnText(t *testing.T) {
	en, _, _ := three(t)
	if got := fmt.Sprint(en.Say("no.such.key", N(1)), " ", en.RTL()); got != "no.such.key false" {
		t.Errorf("%q", got)
	}
}
