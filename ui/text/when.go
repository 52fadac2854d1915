package text

import (
	"strconv"
	"time"
)

// Clock is the time of day, as under a message: 14:07.
func Clock(t time.Time) string { return t.Format("15:04") }

// Day is the day of t as a line over the messages of a day, seen from now: Today, Yesterday, Monday, 3 March.
// Both times are read in their own zone; give them the same.
func Day(t, now time.Time) string { return current().Day(t, now) }

// When is the day or time of t in as little room as possible, seen from now: 14:07, Yesterday, Sat, 3 Mar.
func When(t, now time.Time) string { return current().When(t, now) }

// Day is what the function Day says, in this language.
func (l *Language) Day(t, now time.Time) string {
	switch {
	case sameDay(t, now):
		return l.Say(DayToday)
	case sameDay(t, now.AddDate(0, 0, -1)):
		return l.Say(DayYesterday)
	case t.Year() == now.Year():
		return l.Say(DayThisYear, l.date(t)...)
	}
	return l.Say(DayOtherYear, l.date(t)...)
}

// When is what the function When says, in this language.
func (l *Language) When(t, now time.Time) string {
	switch {
	case sameDay(t, now):
		return Clock(t)
	case sameDay(t, now.AddDate(0, 0, -1)):
		return l.Say(DayYesterday)
	case t.Before(now) && t.After(now.AddDate(0, 0, -6)):
		return l.weekShort[t.Weekday()]
	case t.Year() == now.Year():
		return l.Say(DateShort, With("day", strconv.Itoa(t.Day())), With("month", l.short[t.Month()-1]))
	}
	return l.Say(DateShortYear, With("day", strconv.Itoa(t.Day())), With("month", l.short[t.Month()-1]), With("year", strconv.Itoa(t.Year())))
}

// date fills the placeholders of a whole date.
func (l *Language) date(t time.Time) []Arg {
	return []Arg{
		With("weekday", l.weekdays[t.Weekday()]), With("day", strconv.Itoa(t.Day())),
		With("month", l.months[t.Month()-1]), With("year", strconv.Itoa(t.Year())),
	}
}

// sameDay reports whether a and b fall on one day of the calendar.
func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }
