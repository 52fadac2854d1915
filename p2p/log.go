package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// LogHandler wraps a handler for what libp2p logs by itself: addresses are taken out and IDs cut to their last eight
// characters, in messages, attributes and errors alike.
func LogHandler(h slog.Handler) slog.Handler { return quiet{h} }

// LibraryHandler wraps a handler for libp2p alone: what it informs and warns of, a peer that hung up say, is of use to who looks
// for a fault, and is passed on where debug records are. Give it, around LogHandler, to gologshim.SetDefaultHandler before the first host.
func LibraryHandler(h slog.Handler) slog.Handler { return library{h} }

// library is a slog.Handler with little but errors.
type library struct{ slog.Handler }

// Enabled is false below errors, but where everything is wanted.
func (l library) Enabled(ctx context.Context, level slog.Level) bool {
	return l.Handler.Enabled(ctx, level) && (level >= slog.LevelError || l.Handler.Enabled(ctx, slog.LevelDebug))
}

// WithAttrs keeps the wrapping.
func (l library) WithAttrs(attrs []slog.Attr) slog.Handler {
	return library{l.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the wrapping.
func (l library) WithGroup(name string) slog.Handler { return library{l.Handler.WithGroup(name)} }

// quiet is a slog.Handler that says less than it is told.
type quiet struct{ slog.Handler }

// Handle passes r on without addresses and whole IDs.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, scrub(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a, ok := scrubAttr(a); ok {
			out.AddAttrs(a)
		}
		return true
	})
	return q.Handler.Handle(ctx, out)
}

// WithAttrs scrubs attributes once, for all records.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(scrubAttrs(attrs))}
}

// WithGroup keeps the wrapping.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

func scrubAttrs(attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		if a, ok := scrubAttr(a); ok {
			out = append(out, a)
		}
	}
	return out
}

// scrubAttr is false for attributes that are addresses by name. Values other than numbers, times and truths are turned into
// text: only text can be looked through.
func scrubAttr(a slog.Attr) (slog.Attr, bool) {
	if key := strings.ToLower(a.Key); strings.Contains(key, "addr") || strings.Contains(key, "endpoint") {
		return slog.Attr{}, false
	}
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(scrubAttrs(v.Group())...)}, true
	case slog.KindString:
		return slog.String(a.Key, scrub(v.String())), true
	case slog.KindAny:
		return slog.String(a.Key, scrub(fmt.Sprint(v.Any()))), true
	}
	return slog.Attr{Key: a.Key, Value: v}, true
}

// What an ID or an address looks like in a text. An ID goes first: multiaddresses contain them.
var (
	idPattern    = regexp.MustCompile(`\b(?:12D3Koo[1-9A-HJ-NP-Za-km-z]{45}|Qm[1-9A-HJ-NP-Za-km-z]{44}|cq1[02-9ac-hj-np-z]{20,}|[0-9a-f]{64})\b`)
	multiPattern = regexp.MustCompile(`/(?:ip4|ip6|ip6zone|dns|dns4|dns6|dnsaddr|p2p|unix)/[^\s\])},;"']+`)
	ip4Pattern   = regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b`)
	ip6Pattern   = regexp.MustCompile(`\[?(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+)?\]?(?::\d+)?`)
)

const noAddress = "[address]"

// scrub shortens the IDs in a text and takes out its addresses.
func scrub(s string) string {
	s = multiPattern.ReplaceAllString(s, noAddress)
	s = idPattern.ReplaceAllStringFunc(s, func(id string) string { return id[len(id)-8:] })
	s = ip4Pattern.ReplaceAllString(s, noAddress)
	return ip6Pattern.ReplaceAllStringFunc(s, func(a string) string {
		if !strings.Contains(a, "::") && strings.Count(a, ":") < 7 && !strings.HasPrefix(a, "[") {
			return a // a time of day, say
		}
		return noAddress
	})
}
