package text

import (
	"strconv"
	"time"
)

// Ago is how long ago something was, on the scale that a person thinks in: just now, 5 minutes ago, 3 days ago.
func Ago(d time.Duration) string { return current().Ago(d) }

// Ago is what the function Ago says, in this language.
func (l *Language) Ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return l.Say(AgoNow)
	case d < time.Hour:
		return l.Say(AgoMinutes, N(int(d/time.Minute)))
	case d < 24*time.Hour:
		return l.Say(AgoHours, N(int(d/time.Hour)))
	}
	return l.Say(AgoDays, N(int(d/(24*time.Hour))))
}

// Until is when something ends, seen from now: today, 14:07; tomorrow, 14:07; 3 Mar, 14:07. Both times are read in their own zone;
// give them the same.
func Until(t, now time.Time) string { return current().Until(t, now) }

// Until is what the function Until says, in this language.
func (l *Language) Until(t, now time.Time) string {
	clock := With("time", Clock(t))
	switch {
	case sameDay(t, now):
		return l.Say(UntilToday, clock)
	case sameDay(t, now.AddDate(0, 0, 1)):
		return l.Say(UntilTomorrow, clock)
	}
	return l.Say(UntilDay, clock, With("day", l.Say(DateShort, With("day", strconv.Itoa(t.Day())), With("month", l.short[t.Month()-1]))))
}
