package cli

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app"
)

func TestWhatOthersWroteCannotDriveTheTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain \u00e4 text":       "plain \u00e4 text",
		"\x1b[31mred\x1b[0m":      "[31mred[0m",
		"a\u202egnp.exe":          "agnp.exe",
		"two\nlines\tand\ra\x07b": "two\nlines\tandab",
		"\u009b1mbold":            "1mbold",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDraftsAreTheLinesThatSaySomething(t *testing.T) {
	next := drafts(strings.NewReader("one\r\n\n  \ntwo words\nlast"))
	for _, want := range []string{"one", "two words", "last"} {
		if d, err := next(); err != nil || d.Text != want {
			t.Errorf("next = %q, %v, want %q", d.Text, err, want)
		}
	}
	if _, err := next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
	for _, in := range []string{"caf\xe9\n", "a\nb\xff\n"} {
		next, err := drafts(strings.NewReader(in)), error(nil)
		for err == nil {
			_, err = next()
		}
		if !errors.Is(err, errNotText) {
			t.Errorf("%q, which is not UTF-8: %v", in, err)
		}
	}
	if _, err := drafts(strings.NewReader(strings.Repeat("x", 1<<20)))(); !errors.Is(err, app.ErrTooLong) {
		t.Errorf("a line of 1 MiB: %v", err)
	}
}

func TestAnInvitationIsToldFromAName(t *testing.T) {
	for s, want := range map[string]bool{
		"cryptexq:AbC": true, "https://example.org": true, strings.Repeat("A", 400): true, "Bob": false, "cq1e37rc3fa399w": false,
		strings.Repeat("A", 100): true, "cq1qjyfq5r26puh45ucz32scsraqzjrzz25dl3n62wtd6z9hk3ldxqq07wuvj": false, strings.Repeat("one two ", 12): false,
	} {
		if looksLikeLink(s) != want {
			t.Errorf("looksLikeLink(%q) = %v", s, !want)
		}
	}
}
