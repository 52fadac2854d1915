package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/cryptexq/cryptexq/app/api"
	"github.com/cryptexq/cryptexq/crypto/vault"
)

// The whole path: real processes of the static binary on real disks, linked over loopback, driven through the local API of each by
// this process. What is written is synced at both ends before a message counts as delivered, and the author has synced that
// it was. scripts/bench.sh gives them a network of their own, whose counters are nobody else's.

const (
	burstLines = 20_000
	roundsEach = 5 // of which the median counts
	textBytes  = 200
)

// gate is a figure that was promised. more says that higher is better.
type gate struct {
	must, goal float64
	unit       string
	more       bool
}

// judge reports a figure and says whether it holds.
func (g gate) judge(b *testing.B, what string, got float64) {
	b.Helper()
	verdict := func(limit float64) string {
		if got == limit || g.more == (got > limit) {
			return "holds"
		}
		return "MISSED"
	}
	b.ReportMetric(got, strings.ReplaceAll(g.unit+" "+what, " ", "_"))
	b.Logf("%s: %.4g %s; must %g: %s; goal %g: %s; load %s", what, got, g.unit, g.must, verdict(g.must), g.goal, verdict(g.goal), load())
}

// load is how many others want to run: averages over 1, 5 and 15 minutes.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(raw))[:3], " ")
}

func median(all []float64) float64 { return quantile(all, 0.5) }

func quantile(all []float64, q float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[int(q*float64(len(all)-1)+0.5)]
}

// talker is somebody's running node, its local API, and the room in which they talk with the other one.
type talker struct {
	*person
	api  *api.Client
	room string
}

func newTalker(b *testing.B, dir, name string, flags ...string) *talker {
	b.Helper()
	p := must(newPerson(dir, name))(b)
	t := &talker{person: p, api: api.NewClient(filepath.Join(p.profile(), "sock"))}
	t.log = "info"
	b.Cleanup(p.end)
	t.run(b, flags...)
	return t
}

func (t *talker) run(b *testing.B, flags ...string) {
	b.Helper()
	if err := t.start(flags...); err != nil {
		b.Fatal(err)
	}
}

// find asks for the room of a contact.
func (t *talker) find(b *testing.B, contact string) {
	b.Helper()
	var o api.Found
	if err := t.api.Get(b.Context(), "/v1/rooms/find?room="+url.QueryEscape(contact), &o); err != nil {
		b.Fatal(err)
	}
	t.room = o.ID
}

// acquaint makes two people contacts who have heard of each other once.
func acquaint(b *testing.B, a, o *talker) {
	b.Helper()
	if err := meet(a.person, o.person); err != nil {
		b.Fatal(err)
	}
	a.find(b, o.shown())
	o.find(b, a.shown())
	a.await(b, a.say(b, 0))
	o.await(b, o.say(b, 0))
}

// dialogue is two people who are contacts and running.
func dialogue(b *testing.B, flags ...string) (a, o *talker) {
	b.Helper()
	dir := b.TempDir()
	a, o = newTalker(b, dir, "ada", flags...), newTalker(b, dir, "bob", flags...)
	acquaint(b, a, o)
	return a, o
}

func text(i int) api.Draft {
	return api.Draft{Text: fmt.Sprintf("%06d", i) + strings.Repeat("x", textBytes-6)}
}

// say sends one message and returns its name when it is stored.
func (t *talker) say(b *testing.B, i int) string {
	b.Helper()
	var m api.Message
	if err := t.api.Post(b.Context(), "/v1/rooms/"+t.room+"/messages", text(i), &m); err != nil {
		b.Fatal(err)
	}
	return m.ID
}

// await returns when a message of theirs is delivered, and with it everything before.
func (t *talker) await(b *testing.B, id string) {
	b.Helper()
	var m api.Message
	if err := t.api.Get(b.Context(), "/v1/rooms/"+t.room+"/messages/"+id+"?wait=delivered&timeout_s=600", &m); err != nil {
		b.Fatal(err)
	}
}

// sayLines sends n messages as `send --lines` does and returns the name of the last.
func (t *talker) sayLines(ctx context.Context, b *testing.B, n int) (last string) {
	b.Helper()
	i := 0
	next := func() (api.Draft, error) {
		if i == n {
			return api.Draft{}, io.EOF
		}
		i++
		return text(i), nil
	}
	stored := 0
	err := t.api.SendLines(ctx, "/v1/rooms/"+t.room+"/messages", next, func(l api.Line) error {
		stored++
		last = l.ID
		return nil
	})
	if err != nil || stored != n {
		b.Fatalf("%d of %d lines are stored: %v", stored, n, err)
	}
	return last
}

// used is the time that the process used of all processors, to a hundredth of a second.
func (t *talker) used(b *testing.B) time.Duration {
	b.Helper()
	raw := must(os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.cmd.Process.Pid)))(b)
	_, after, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(after) // from the third on
	ticks := must(strconv.Atoi(fields[11]))(b) + must(strconv.Atoi(fields[12]))(b)
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident is the memory that the process has now, in bytes: all, and what of it is not of files.
func (t *talker) resident(b *testing.B) (all, own float64) {
	b.Helper()
	for line := range strings.Lines(string(must(os.ReadFile(fmt.Sprintf("/proc/%d/status", t.cmd.Process.Pid)))(b))) {
		f := strings.Fields(line)
		switch f[0] {
		case "VmRSS:":
			all = float64(must(strconv.Atoi(f[1]))(b)) * 1024
		case "RssAnon:":
			own = float64(must(strconv.Atoi(f[1]))(b)) * 1024
		}
	}
	return all, own
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkLatency is a lone message, from handing it to the author's node until that says that it is delivered: both ways over
// the local API, the author's sync of message and anchor, the reader's sync, and the author's sync of the receipt.
func BenchmarkLatency(b *testing.B) {
	a, o := dialogue(b, quietly...)
	var took []float64
	cpu := a.used(b) + o.used(b)
	for b.Loop() {
		for i := range 300 {
			start := time.Now()
			a.await(b, a.say(b, i))
			took = append(took, ms(time.Since(start)))
		}
	}
	gate{must: 10, goal: 5, unit: "ms"}.judge(b, "1:1 latency p50", median(took))
	b.Logf("p5 %.3g ms, p95 %.3g ms of %d; processors %.3g ms a message, both nodes", quantile(took, 0.05), quantile(took, 0.95), len(took),
		ms(a.used(b)+o.used(b)-cpu)/float64(len(took)))
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSustained is 20,000 lines at once, from the first line until the author knows that the last is delivered.
func BenchmarkSustained(b *testing.B) {
	a, o := dialogue(b, quietly...)
	var rate, author, reader, stored []float64
	for b.Loop() {
		for range roundsEach {
			usedA, usedO, start := a.used(b), o.used(b), time.Now()
			last := a.sayLines(b.Context(), b, burstLines)
			stored = append(stored, burstLines/time.Since(start).Seconds())
			a.await(b, last)
			rate = append(rate, burstLines/time.Since(start).Seconds())
			author = append(author, ms(a.used(b)-usedA)/burstLines)
			reader = append(reader, ms(o.used(b)-usedO)/burstLines)
		}
	}
	gate{must: 3000, goal: 10_000, unit: "/s", more: true}.judge(b, "1:1 sustained", median(rate))
	b.Logf("rounds %.0f; stored at the author %.0f/s; processors a message: author %.3f ms, reader %.3f ms", rate, median(stored), median(author), median(reader))
	b.ReportMetric(median(author), "author-cpu-ms/msg")
	b.ReportMetric(median(reader), "reader-cpu-ms/msg")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCatchUp is 1000 messages, each a segment of its own, that were written while the reader was away: from when the
// reader's node says that it is ready until the author knows that it has them all.
func BenchmarkCatchUp(b *testing.B) {
	a, o := dialogue(b, quietly...)
	var took, whole []float64
	for b.Loop() {
		for range roundsEach {
			if err := o.stop(); err != nil {
				b.Fatal(err)
			}
			last := ""
			for i := range 1000 {
				last = a.say(b, i)
			}
			start := time.Now()
			o.run(b, quietly...)
			ready := time.Now()
			a.await(b, last)
			took, whole = append(took, time.Since(ready).Seconds()), append(whole, time.Since(start).Seconds())
		}
	}
	gate{must: 3, goal: 2, unit: "s"}.judge(b, "1000 missed, slowest of 5", quantile(took, 1))
	b.Logf("rounds %.2f s after ready; %.2f s after the start of the process", took, whole)
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStart is from the start of a process until it answers, less the stretching of the password that it does first.
func BenchmarkStart(b *testing.B) {
	t := newTalker(b, b.TempDir(), "ada", quietly...)
	var whole, stretch []float64
	for b.Loop() {
		for range 2 * roundsEach {
			if err := t.stop(); err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			argon2.IDKey([]byte(password), make([]byte, 16), uint32(vault.Min.Time), vault.Min.Memory, vault.Min.Lanes, 32)
			stretch = append(stretch, time.Since(start).Seconds())
			start = time.Now()
			t.run(b, quietly...)
			var o api.Health
			if err := t.api.Get(b.Context(), "/v1/health", &o); err != nil {
				b.Fatal(err)
			}
			whole = append(whole, time.Since(start).Seconds())
		}
	}
	gate{must: 1, goal: 0.4, unit: "s"}.judge(b, "start to usable", median(whole)-median(stretch))
	b.Logf("whole %.2f s; stretching %.2f s", whole, stretch)
	b.ReportMetric(0, "ns/op")
}
