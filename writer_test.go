package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/api"
)

// pause lets a random time go by: what the test is about.
func pause(d time.Duration) { <-time.After(d) }

// writer is somebody who writes numbered lines without a pause, whatever happens to their node, and watches what comes.
type writer struct {
	p            *person
	to           string
	next         int
	acknowledged []string
	failed       error
	shown        atomic.Int64 // newest line of the other that was on the screen
}

// line is what a writer writes: its number, and the newest line of the other that they had been shown by then.
type line struct {
	author        string
	number, shown int
}

func (l line) String() string { return fmt.Sprintf("%s %07d after %07d", l.author, l.number, l.shown) }

// parseLine reads one; false: somebody wrote something else.
func parseLine(text string) (l line, ok bool) {
	_, err := fmt.Sscanf(text, "%s %d after %d", &l.author, &l.number, &l.shown)
	return l, err == nil
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
		if _, err := fmt.Fprintln(in, line{w.p.name, w.next, int(w.shown.Load())}); err != nil {
			return
		}
	}
}

// watch keeps an eye on the conversation until ctx ends: one `read --follow` after the other, as nodes come and go.
func (w *writer) watch(ctx context.Context) {
	for ctx.Err() == nil {
		cmd := w.p.client("read", w.to, "--follow", "--limit", "1", "--json")
		out, err := cmd.StdoutPipe()
		if err != nil || cmd.Start() != nil {
			return // the test finds out that nothing was shown
		}
		end := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var m api.Line
			if json.Unmarshal(lines.Bytes(), &m) != nil || m.Message == nil || m.Own {
				continue
			}
			if l, ok := parseLine(m.Text); ok {
				w.shown.Store(max(w.shown.Load(), int64(l.number)))
			}
		}
		_ = cmd.Wait() // its node was killed, or is not back yet
		end()
		pause(step)
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
