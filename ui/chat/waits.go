package chat

import (
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// patience is how old a message must be before the line over the composer says that it is still on its way: most arrive at once,
// and a line that comes and goes moves the thread.
const patience = 2 * time.Second

// remark is a line over the composer: what it says, and what can be done.
type remark struct {
	icon   kit.Icon
	tone   kit.Tone
	words  string
	action text.Key // of the button; empty for none
	does   act
}

// act is what the button of a remark does.
type act uint8

// The acts.
const (
	actNone act = iota
	actCompare
	actApprove
	actBlock
	actUnblock
)

// remarks are the lines over the composer of a conversation, the most pressing first.
func remarks(t *talk, now time.Time) []remark {
	var all []remark
	name := kit.Clean(t.room.Name)
	if c := t.contact; c != nil {
		if c.Approve {
			all = append(all, remark{kit.IconWarn, kit.ToneWarn, text.Say(text.WaitsApproval, text.Name(name)), text.WaitsApprove, actApprove})
		}
		if c.Problem == app.ReasonNewer {
			all = append(all, remark{icon: kit.IconInfo, tone: kit.ToneWarn, words: text.Say(text.WaitsNewer, text.Name(name))})
		}
	}
	if words := whyWaits(t, name, now); words != "" {
		all = append(all, remark{icon: kit.IconClock, words: words})
	}
	if clockOff(t.messages) {
		all = append(all, remark{icon: kit.IconClock, words: text.Say(text.WaitsClock, text.Name(name))})
	}
	return all
}

// clockOff reports whether the newest message of theirs came with a time that cannot be right.
func clockOff(messages []app.Message) bool {
	for i := len(messages) - 1; i >= 0; i-- {
		if !messages[i].Own {
			return messages[i].ClockOff
		}
	}
	return false
}

// whyWaits is the sentence that says why something is not delivered yet: for the oldest that waits, because the others wait behind it.
func whyWaits(t *talk, name string, now time.Time) string {
	var first *app.Message
	n := 0
	for i := range t.messages {
		if m := &t.messages[i]; m.Own && m.State == app.Queued && m.Waiting != app.ReasonNone {
			if n++; first == nil {
				first = m
			}
		}
	}
	if first == nil {
		return ""
	}
	switch first.Waiting {
	case app.ReasonOffline:
		return text.Say(text.WaitsOffline, text.N(n), text.Name(name))
	case app.ReasonNetwork:
		return text.Say(text.WaitsNetwork, text.N(n), text.Name(name))
	case app.ReasonAsked:
		return text.Say(text.WaitsAsked, text.With("ago", text.Ago(now.Sub(first.Sent))))
	case app.ReasonUnderWay:
		if now.Sub(first.Received) < patience {
			return ""
		}
	case app.ReasonApproval, app.ReasonBlocked, app.ReasonNewer:
		return "" // a line of their own says so
	}
	if key, ok := reasons[first.Waiting]; ok {
		return text.Say(key, text.Name(name))
	}
	return ""
}

// reasons are the sentences that only name somebody.
var reasons = map[app.Reason]text.Key{
	app.ReasonUnderWay: text.WaitsUnderWay,
	app.ReasonKey:      text.WaitsKey,
	app.ReasonRefused:  text.WaitsRefused,
	app.ReasonFull:     text.WaitsFull,
}

// impatient is when the remarks are to be looked at again because something is under way, 0 for never.
func impatient(t *talk, now time.Time) time.Duration {
	for _, m := range t.messages {
		if age := now.Sub(m.Received); m.Own && m.Waiting == app.ReasonUnderWay && age >= 0 && age < patience {
			return patience - age
		}
	}
	return 0
}
