package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestAThousandMissedMessagesArrive measures how long it takes until everything is there, from when the one who was away is
// ready again. The figure is logged: how fast it must be is a matter of benchmarks.
func TestAThousandMissedMessagesArrive(t *testing.T) {
	a, b := two(t, t.TempDir())
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, "message %04d of a thousand\n", i)
	}
	cmd := a.client("send", "Bob", "--lines")
	cmd.Stdin = strings.NewReader(lines.String())
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("written in %v", time.Since(start).Round(time.Millisecond))
	if err := b.start(quietly...); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if _, err := a.until(`message 0999 of a thousand  \[delivered\]`, "read", "Bob", "--limit", "1"); err != nil {
		t.Fatal(err)
	}
	t.Logf("all delivered %v after the other was ready", time.Since(start).Round(time.Millisecond))
	thread := (&writer{p: b, to: "Ada"}).thread(t)
	if want := strings.Split(strings.TrimSpace("hello\n"+lines.String()), "\n"); strings.Join(thread, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d messages, of which some are lost, doubled or out of order; want %d", len(thread), len(want))
	}
}
