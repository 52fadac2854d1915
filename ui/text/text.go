// Package text holds every sentence that a reader of the window sees, one table for each language.
//
// A sentence has a typed Key (keys.go) and stands in a file named after its language (en.json). Placeholders are written in braces
// and filled by name, so that a translation may put them in any order; a sentence that counts has one entry for each plural form
// of its language:
//
//	"chats.unread": {"one": "{n} unread message", "other": "{n} unread messages"}
//
// Another language is another file: nothing in the code names a language. Its plural rules come from the Unicode CLDR, its
// direction stands in its file. The tests of this package hold that no sentence is missing, that none is unused, that every
// translation has the placeholders of the English one, and that every call fills them.
package text

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed *.json
var files embed.FS

// Key names a sentence. The constants of keys.go are all there are.
type Key string

// Language is the table of one language, ready to be read by any number of goroutines.
type Language struct {
	tag       language.Tag
	rtl       bool
	months    [12]string
	short     [12]string
	weekdays  [7]string // Sunday first, as in package time
	weekShort [7]string
	sentences map[Key]sentence
}

// sentence has a text for each plural form; one that does not count has only Other.
type sentence map[plural.Form]string

// forms are the names of plural forms in the files.
var forms = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// file is a language as it stands on disk.
type file struct {
	Language      string             `json:"language"`
	Direction     string             `json:"direction"` // ltr or rtl
	Months        [12]string         `json:"months"`
	MonthsShort   [12]string         `json:"monthsShort"`
	Weekdays      [7]string          `json:"weekdays"`
	WeekdaysShort [7]string          `json:"weekdaysShort"`
	Sentences     map[Key]fileString `json:"sentences"`
}

// fileString is a string, or an object with a string for each plural form.
type fileString sentence

// UnmarshalJSON reads both spellings.
func (s *fileString) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*s = fileString{plural.Other: one}
		return nil
	}
	var many map[string]string
	if err := json.Unmarshal(b, &many); err != nil {
		return fmt.Errorf("a sentence is a string or a string for each plural form: %w", err)
	}
	*s = fileString{}
	for name, t := range many {
		form, ok := forms[name]
		if !ok {
			return fmt.Errorf("%q is no plural form", name)
		}
		(*s)[form] = t
	}
	if _, ok := (*s)[plural.Other]; !ok {
		return fmt.Errorf("the plural form other is missing")
	}
	return nil
}

// parse reads the file of one language.
func parse(b []byte) (*Language, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	tag, err := language.Parse(f.Language)
	if err != nil {
		return nil, fmt.Errorf("language %q: %w", f.Language, err)
	}
	if f.Direction != "ltr" && f.Direction != "rtl" {
		return nil, fmt.Errorf("direction %q is neither ltr nor rtl", f.Direction)
	}
	l := &Language{
		tag: tag, rtl: f.Direction == "rtl", sentences: make(map[Key]sentence, len(f.Sentences)),
		months: f.Months, short: f.MonthsShort, weekdays: f.Weekdays, weekShort: f.WeekdaysShort,
	}
	for k, s := range f.Sentences {
		l.sentences[k] = sentence(s)
	}
	return l, nil
}

// load reads every language in a folder; the first is English.
func load(folder fs.FS) ([]*Language, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	var all []*Language
	for _, name := range names {
		b, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		l, err := parse(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if l.tag.String()+".json" != path.Base(name) {
			return nil, fmt.Errorf("%s holds the language %s", name, l.tag)
		}
		all = append(all, l)
		if l.tag == language.English {
			all[0], all[len(all)-1] = all[len(all)-1], all[0]
		}
	}
	return all, nil
}

// choose picks the language that fits best what a person prefers, such as "de_AT.UTF-8"; English when nothing does.
func choose(all []*Language, preferred ...string) *Language {
	tags := make([]language.Tag, len(all))
	for i, l := range all {
		tags[i] = l.tag
	}
	match := language.NewMatcher(tags)
	for _, p := range preferred {
		p, _, _ = strings.Cut(p, ".")
		tag, err := language.Parse(strings.ReplaceAll(p, "_", "-"))
		if err != nil {
			continue // "C", "POSIX" and the empty string say nothing
		}
		if _, i, sure := match.Match(tag); sure > language.No {
			return all[i]
		}
	}
	return all[0]
}

// current is the language of this process, chosen once from the environment.
var current = sync.OnceValue(func() *Language {
	all, err := load(files)
	if err != nil {
		panic("text: the built-in sentences are broken: " + err.Error())
	}
	return choose(all, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
})

// Arg fills a placeholder.
type Arg struct {
	name, value string
	n           int
	counts      bool
}

// N fills {n} and chooses the plural form.
func N(n int) Arg { return Arg{name: "n", value: Number(n), n: n, counts: true} }

// Name fills {name}.
func Name(s string) Arg { return Arg{name: "name", value: s} }

// With fills any other placeholder.
func With(name, value string) Arg { return Arg{name: name, value: value} }

// Say is the sentence k in the language of this process.
func Say(k Key, args ...Arg) string { return current().Say(k, args...) }

// RTL reports whether the language of this process is written from right to left.
func RTL() bool { return current().RTL() }

// Say is the sentence k with its placeholders filled. An unknown key is its own text: the tests see to it that there is none.
func (l *Language) Say(k Key, args ...Arg) string {
	s, ok := l.sentences[k]
	if !ok {
		return string(k)
	}
	form := plural.Other
	pairs := make([]string, 0, 2*len(args))
	for _, a := range args {
		if a.counts {
			form = l.form(a.n)
		}
		pairs = append(pairs, "{"+a.name+"}", a.value)
	}
	t, ok := s[form]
	if !ok {
		t = s[plural.Other]
	}
	if len(pairs) == 0 {
		return t
	}
	return strings.NewReplacer(pairs...).Replace(t)
}

// RTL reports whether l is written from right to left.
func (l *Language) RTL() bool { return l.rtl }

// form is the plural form of a whole number.
func (l *Language) form(n int) plural.Form {
	if n < 0 {
		n = -n
	}
	return plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)
}

// Number writes n in groups of three with a no-break space between them, as ISO 80000 has it: the same in every language.
func Number(n int) string {
	s := strconv.Itoa(n)
	digits := strings.TrimPrefix(s, "-")
	var b strings.Builder
	b.WriteString(s[:len(s)-len(digits)])
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u00a0')
		}
		b.WriteRune(d)
	}
	return b.String()
}
