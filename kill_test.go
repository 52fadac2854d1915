package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/api"
)

// killsPlain is how many rounds a plain `go test` plays; scripts/test.sh asks for more by TEST_KILLS.
const killsPlain = 3

// TestNothingIsLostToKills has two people write to each other without a pause while one of them, or both, are killed at
// random points, also while they start. Afterwards every line that was acknowledged is on both sides exactly once, and the
// lines of each stand in the order in which they were written.
func TestNothingIsLostToKills(t *testing.T) {
	rounds := killsPlain
	if text := os.Getenv("TEST_KILLS"); text != "" {
		rounds = must(strconv.Atoi(text))(t)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	a, b := two(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	writers := []*writer{{p: a, to: b.shown()}, {p: b, to: a.shown()}}
	var writing sync.WaitGroup
	for _, w := range writers {
		writing.Go(func() { w.run(ctx) })
	}
	kills := 0
	for range rounds {
		victims := [][]*person{{a}, {b}, {a, b}}[random.IntN(3)]
		pause(time.Duration(random.IntN(1200)) * time.Millisecond)
		for _, v := range victims {
			if err := v.crash(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			kills++
		}
		for _, v := range victims {
			kills += interrupted(t, v, random)
			if err := v.start(quietly...); err != nil {
				t.Fatalf("seed %d, after %d kills: %v", seed, kills, err)
			}
		}
	}
	stop()
	writing.Wait()
	for _, w := range writers {
		if w.failed != nil {
			t.Fatalf("seed %d: %v", seed, w.failed)
		}
		if len(w.acknowledged) == 0 {
			t.Fatalf("seed %d: %s got nothing acknowledged: this tested nothing", seed, w.p.name)
		}
	}
	t.Logf("seed %d: %d kills, %d and %d lines acknowledged", seed, kills, len(writers[0].acknowledged), len(writers[1].acknowledged))
	for _, p := range []*person{a, b} {
		if _, err := p.until(`"queued":0,`, "status", "--json"); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	for _, reader := range writers {
		thread := reader.thread(t)
		for _, w := range writers {
			w.check(t, reader.p.name, thread)
		}
	}
}

// interrupted starts a node and kills it again before it can be ready, now and then.
func interrupted(t *testing.T, p *person, random *rand.Rand) int {
	t.Helper()
	if random.IntN(3) > 0 {
		return 0
	}
	cmd := p.client(append([]string{"node", "--password-file", p.secret()}, "--no-mdns")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pause(time.Duration(random.IntN(1500)) * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	return 1
}

// pause lets a random time go by: what the test is about.
func pause(d time.Duration) { <-time.After(d) }

// writer is somebody who writes numbered lines without a pause, whatever happens to their node.
type writer struct {
	p            *person
	to           string
	next         int
	acknowledged []string
	failed       error
}

const (
	lineEvery  = 4 * time.Millisecond // of a writer: 250 lines a second
	unanswered = 64                   // lines that may wait for their acknowledgement
)

// run writes until ctx ends. When the node is gone it waits for the next one.
func (w *writer) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.session(ctx)
		var exit *exec.ExitError
		switch {
		case err == nil:
		case errors.As(err, &exit) && exit.ExitCode() == 3: // killed, or not back yet
			pause(step)
		default:
			w.failed = fmt.Errorf("%s, line %d: %w", w.p.name, w.next, err)
			return
		}
	}
}

// session is one `send --lines`, from its start to its end or to that of the node.
func (w *writer) session(ctx context.Context) error {
	cmd := w.p.client("send", w.to, "--lines", "--json")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return err
	}
	slots := make(chan struct{}, unanswered)
	gone := make(chan struct{})
	var feeding sync.WaitGroup
	feeding.Go(func() { w.feed(ctx, in, slots, gone) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var m api.Message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return err
		}
		w.acknowledged = append(w.acknowledged, m.Text)
		<-slots
	}
	close(gone)
	feeding.Wait()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, complaint.String())
	}
	return nil
}

// feed hands in lines until ctx ends or there is nobody to take them. A line is never handed in again: whether one that was
// not acknowledged is there, nobody knows.
func (w *writer) feed(ctx context.Context, in io.WriteCloser, slots chan<- struct{}, gone <-chan struct{}) {
	defer in.Close()
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-gone:
			return
		case <-tick.C:
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		case <-gone:
			return
		}
		w.next++
		if _, err := fmt.Fprintf(in, "%s %07d\n", w.p.name, w.next); err != nil {
			return
		}
	}
}

// thread is everything that is shown of the conversation, oldest first.
func (w *writer) thread(t *testing.T) (all []string) {
	t.Helper()
	const page = 10_000
	before := []string{}
	for {
		out := must(w.p.do(append([]string{"read", w.to, "--json", "--limit", strconv.Itoa(page)}, before...)...))(t)
		var texts []string
		first := ""
		for line := range strings.Lines(out) {
			var l api.Line
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Gap != nil {
				t.Errorf("%s: %d messages are missing", w.p.name, l.Gap.Missing)
				continue
			}
			if first == "" {
				first = l.ID
			}
			texts = append(texts, l.Text)
		}
		all = append(texts, all...)
		if len(texts) < page {
			return all
		}
		before = []string{"--before", first}
	}
}

// check looks for the writer's lines in a thread: each acknowledged one once, none twice, all in order.
func (w *writer) check(t *testing.T, reader string, thread []string) {
	t.Helper()
	last := ""
	seen := map[string]bool{}
	for _, text := range thread {
		if !strings.HasPrefix(text, w.p.name+" ") {
			continue
		}
		if seen[text] {
			t.Errorf("%s shows %q twice", reader, text)
		}
		if text < last {
			t.Errorf("%s shows %q behind %q", reader, text, last)
		}
		seen[text], last = true, text
	}
	lost := 0
	for _, text := range w.acknowledged {
		if !seen[text] {
			if lost++; lost <= 3 {
				t.Errorf("%s does not show %q, which was acknowledged", reader, text)
			}
		}
	}
	if lost > 0 {
		t.Errorf("%s lacks %d of %d acknowledged lines of %s", reader, lost, len(w.acknowledged), w.p.name)
	}
}
