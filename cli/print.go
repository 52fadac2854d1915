package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/cryptexq/cryptexq/app/api"
)

// outputError says that an answer could not be printed. What it answers was done all the same.
type outputError struct{ error }

// outlet is where answers go; its errors are outputErrors.
type outlet struct{ io.Writer }

// Write passes on what is printed.
func (o outlet) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil {
		err = &outputError{err}
	}
	return n, err
}

// object prints v as one line of JSON.
func (c *console) object(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	_, err = c.out.Write(append(b, '\n'))
	return err
}

// say prints a line for a person.
func (c *console) say(format string, args ...any) error {
	_, err := fmt.Fprintf(c.out, format+"\n", args...)
	return err
}

// show prints v as JSON, or what lines says of it.
func show[T any](c *console, v T, lines func(T) error) error {
	if c.json {
		return c.object(v)
	}
	return lines(v)
}

// showAll does so for each; without any it tells a person so.
func showAll[T any](c *console, all []T, nothing string, lines func(T) error) error {
	if len(all) == 0 && !c.json {
		return c.say("%s", nothing)
	}
	for _, v := range all {
		if err := show(c, v, lines); err != nil {
			return err
		}
	}
	return nil
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// clean makes text of others harmless on a terminal: no escape sequences, no overrides of the writing direction.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, text)
}

// since says how long ago something was.
func since(t api.Time) string {
	if t.IsZero() {
		return "never"
	}
	ago := time.Since(t.Time)
	switch {
	case ago < time.Minute:
		return "just now"
	case ago < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(ago.Minutes()))
	case ago < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(ago.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(ago.Hours()/24))
}

// reasons say why a message waits.
var reasons = map[string]string{
	"no_network": "this machine has no network",
	"offline":    "they are offline; it goes when you are both online",
	"asked":      "they have not accepted yet",
	"waits_key":  "they have it and wait for the key",
	"newer":      "they run a newer version: update to talk",
	"approval":   "a new device of theirs waits for your yes",
	"under_way":  "under way",
	"refused":    "they refused it",
	"their_disk": "their disk is full",
	"blocked":    "you blocked them",
}

func reason(code string) string {
	if text, ok := reasons[code]; ok {
		return text
	}
	return code
}
