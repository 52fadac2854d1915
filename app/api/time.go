package api

import (
	"encoding/json"
	"fmt"
	"time"
)

// layout is RFC 3339 in UTC with all nine digits, so that times sort as text.
const layout = "2006-01-02T15:04:05.000000000Z"

// Time is a moment as the API writes it: RFC 3339 with nanoseconds in UTC. The zero Time is null.
type Time struct{ time.Time }

// MarshalJSON writes the moment, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.UTC().Format(layout))
}

// UnmarshalJSON reads what MarshalJSON writes, and any other RFC 3339.
func (t *Time) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if text == nil {
		*t = Time{}
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, *text)
	if err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	*t = Time{at}
	return nil
}
