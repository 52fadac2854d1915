package main

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// killsPlain is how many rounds a plain `go test` plays; scripts/test.sh asks for more by TEST_KILLS.
const killsPlain = 3

// TestNothingIsLostToKills has two people write to each other without a pause while one of them, or both, are killed at
// random points, also while they start. All that is known of it is what the command line says. Afterwards every line that was
// acknowledged is on both sides exactly once, none is there that nobody wrote, the lines of each stand in the order in which they
// were written, and no line stands before one that its author had been shown when they wrote it.
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
		writing.Go(func() { w.watch(ctx) })
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
	t.Logf("seed %d: %d kills, %d and %d lines acknowledged, %d and %d of the other's shown meanwhile", seed, kills,
		len(writers[0].acknowledged), len(writers[1].acknowledged), writers[0].shown.Load(), writers[1].shown.Load())
	for _, w := range writers {
		if w.failed != nil {
			t.Fatalf("seed %d: %v", seed, w.failed)
		}
		if len(w.acknowledged) == 0 || w.shown.Load() == 0 {
			t.Fatalf("seed %d: %s got nothing acknowledged, or was shown nothing: this tested nothing", seed, w.p.name)
		}
		if _, err := w.p.until(`"queued":0,`, "status", "--json"); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	threads := [][]string{writers[0].thread(t), writers[1].thread(t)}
	for i, p := range []*person{a, b} {
		for _, w := range writers {
			w.check(t, p.name, threads[i])
		}
		checkCauses(t, p.name, threads[i])
	}
	same(t, a.name, threads[0], b.name, threads[1])
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

// check looks for the writer's lines in a thread: each acknowledged one once, none twice, none that was not written, all in order.
func (w *writer) check(t *testing.T, reader string, thread []string) {
	t.Helper()
	last, seen := 0, map[int]bool{}
	for _, text := range thread {
		l, ok := parseLine(text)
		if !ok || l.author != w.p.name {
			continue
		}
		switch {
		case seen[l.number]:
			t.Errorf("%s shows %q twice", reader, text)
		case l.number < last:
			t.Errorf("%s shows %q behind line %d", reader, text, last)
		case l.number > w.next:
			t.Errorf("%s shows %q, which nobody wrote", reader, text)
		}
		seen[l.number], last = true, max(last, l.number)
	}
	lost := 0
	for _, text := range w.acknowledged {
		l, ok := parseLine(text)
		if !ok || !seen[l.number] {
			if lost++; lost <= 3 {
				t.Errorf("%s does not show %q, which was acknowledged", reader, text)
			}
		}
	}
	if lost > 0 {
		t.Errorf("%s lacks %d of %d acknowledged lines of %s", reader, lost, len(w.acknowledged), w.p.name)
	}
}

// checkCauses looks for lines that stand before what their author had been shown.
func checkCauses(t *testing.T, reader string, thread []string) {
	t.Helper()
	newest := map[string]int{} // line of an author
	early := 0
	for _, text := range thread {
		l, ok := parseLine(text)
		if !ok {
			continue
		}
		other := 0
		for author, number := range newest {
			if author != l.author {
				other = max(other, number)
			}
		}
		if other < l.shown {
			if early++; early == 1 {
				t.Errorf("%s shows %q before a line that its author had been shown", reader, text)
			}
		}
		newest[l.author] = max(newest[l.author], l.number)
	}
	if early > 1 {
		t.Errorf("%s shows %d lines before what their authors had been shown", reader, early)
	}
}

// same looks whether two threads hold the same.
func same(t *testing.T, one string, a []string, other string, b []string) {
	t.Helper()
	in := map[string]int{}
	for _, text := range a {
		in[text]++
	}
	for _, text := range b {
		in[text]--
	}
	for text, n := range in {
		if n != 0 {
			t.Errorf("%s shows %q %d times more often than %s", one, text, n, other)
		}
	}
}
