package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/api"
)

// overTCP are flags by which two nodes meet over TCP, of which the counters of an interface tell what TLS was given.
var overTCP = []string{"--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"}

// counters are what went over lo, in one direction: both ends of a link are on it.
type counters struct{ bytes, packets float64 }

// loopback reads them. Whoever is not alone on it cannot tell whose they are.
func loopback(b *testing.B) (c counters) {
	b.Helper()
	if os.Getenv("BENCH_ALONE") == "" {
		b.Skip("counting traffic needs a network of one's own: scripts/bench.sh makes one where unshare may")
	}
	for line := range strings.Lines(string(must(os.ReadFile("/proc/self/net/dev"))(b))) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); strings.TrimSpace(name) == "lo" {
			c = counters{float64(must(strconv.Atoi(f[0]))(b)), float64(must(strconv.Atoi(f[1]))(b))}
		}
	}
	return c
}

// below is IPv4 and TCP with timestamps, of each packet; lo does not count the Ethernet header.
const below = 20 + 32

// payload is what TCP carried since old: TLS records with everything in them, acknowledgements of the other side too.
func (c counters) payload(old counters) float64 {
	return c.bytes - old.bytes - below*(c.packets-old.packets)
}

// BenchmarkBytes is what a message of 200 bytes costs on the wire, both directions together, before TLS: what is in its records, less
// what each of them adds. What TLS makes of it, and what lo counts, are said beside it. Where the records could not be counted, what
// TCP carried stands for it, which is more.
func BenchmarkBytes(b *testing.B) {
	loopback(b)
	a, _ := dialogue(b, overTCP...)
	const lone = 200
	var alone, burst cost
	for b.Loop() {
		alone = spend(b, lone, func() {
			for i := range lone {
				a.await(b, a.say(b, i))
			}
		})
		burst = spend(b, burstLines, func() { a.await(b, a.sayLines(b.Context(), b, burstLines)) })
	}
	gate{must: 500, goal: 450, unit: "B"}.judge(b, "bytes, burst", burst.plain)
	gate{must: 4500, goal: 4100, unit: "B"}.judge(b, "bytes, alone", alone.plain)
	b.Logf("burst: %v", burst)
	b.Logf("alone: %v", alone)
	b.ReportMetric(0, "ns/op")
}

// cost is what a message took: bytes before TLS, records of TLS, what TCP carried, and what lo counted.
type cost struct{ plain, records, tcp, lo float64 }

func (c cost) String() string {
	return fmt.Sprintf("%.0f B before TLS, %.2f records, %.0f B that TCP carried, %.0f B with IP and TCP", c.plain, c.records, c.tcp, c.lo)
}

// spend is what each of n messages takes that are said and delivered meanwhile.
func spend(b *testing.B, n float64, say func()) cost {
	b.Helper()
	s, before := sniff(b), loopback(b)
	say()
	after := loopback(b)
	c := cost{tcp: after.payload(before) / n, lo: (after.bytes - before.bytes) / n}
	c.plain = c.tcp
	if records, size, ok := s.end(b); ok {
		c.plain, c.records = float64(size-records*tlsOverhead)/n, float64(records)/n
	}
	return c
}

// BenchmarkIdle is a node with ten contacts, all linked to it, while nobody says anything. Its password is stretched as
// a person's is, so that what this leaves behind in memory counts.
func BenchmarkIdle(b *testing.B) {
	loopback(b)
	dir := b.TempDir()
	hub := costly(b, dir, "hub")
	for i := range 10 {
		acquaint(b, newTalker(b, dir, fmt.Sprintf("peer%d", i), quietly...), hub)
	}
	const settle, watched = 2 * time.Minute, 2 * time.Minute // links ping seldom once nobody spoke for a minute
	var cpu, hourly, all, own float64
	for b.Loop() {
		<-time.After(settle)
		used, before, start := hub.used(b), loopback(b), time.Now()
		<-time.After(watched)
		seconds := time.Since(start).Seconds()
		cpu = 100 * (hub.used(b) - used).Seconds() / seconds
		hourly = (loopback(b).bytes - before.bytes) / seconds * 3600 / 1e6
		all, own = hub.resident(b)
	}
	gate{must: 1, goal: 0.5, unit: "%"}.judge(b, "idle processor, 10 contacts", cpu)
	gate{must: 1, goal: 0.3, unit: "MB/h"}.judge(b, "idle traffic, 10 contacts", hourly)
	gate{must: 60, goal: 45, unit: "MB"}.judge(b, "resident idle, 10 contacts", all/1e6)
	b.Logf("resident %.1f MB, of it not of files %.1f MB", all/1e6, own/1e6)
	b.ReportMetric(0, "ns/op")
}

// costly is somebody whose password is stretched for a second.
func costly(b *testing.B, dir, name string) *talker {
	b.Helper()
	p := &person{name: name, dir: dir, env: os.Environ(), log: "info"}
	if err := os.WriteFile(p.secret(), []byte(password+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	must(p.do("init", "--name", p.shown(), "--password-file", p.secret()))(b)
	t := &talker{person: p, api: api.NewClient(filepath.Join(p.profile(), "sock"))}
	b.Cleanup(p.end)
	t.run(b, quietly...)
	return t
}

// BenchmarkResident is the memory of a node with nobody in it, a minute after its start.
func BenchmarkResident(b *testing.B) {
	t := costly(b, b.TempDir(), "ada")
	var all, own float64
	for b.Loop() {
		for _, at := range []time.Duration{5 * time.Second, 55 * time.Second} {
			<-time.After(at)
			all, own = t.resident(b)
			b.Logf("%v later: resident %.1f MB, of it not of files %.1f MB", at, all/1e6, own/1e6)
		}
	}
	gate{must: 60, goal: 45, unit: "MB"}.judge(b, "resident, headless idle", all/1e6)
	b.ReportMetric(0, "ns/op")
}
