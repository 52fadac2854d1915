// Package sim runs whole messengers against each other on a simulated network: the real services on real stores, with
// delay, loss, duplication, reordering, partition, crash to what was synced, and clocks that are off by up to a day.
//
// There is one thread and one clock, and everything random comes from the seed, keys included: a seed that fails fails
// again. After the storm the network heals, and when nobody has anything left to do, every message that was accepted must
// be at its recipient once, behind everything that its author had seen, and shown in the same order on both sides.
package sim

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"time"
)

// Config says what to simulate. The zero value is one seed, 0, of the default storm.
type Config struct {
	Seed  uint64
	Seeds int // how many from Seed on; default 1
	Plan  Plan
}

// Plan is how hard the storm is. Zero fields mean the default.
type Plan struct {
	People   int           // 2 to 8; default 2 or 3 by the seed
	Messages int           // handed in during the storm; default 30
	Loss     float64       // of requests, and of replies; default 0.1
	Again    float64       // requests that arrive a second time, later; default 0.1
	Crash    float64       // chance of a crash at each act; default 0.04
	Cut      float64       // chance that two people lose or find each other; default 0.15
	Full     float64       // chance that a disk runs full, or has room again; default 0.02
	Skew     time.Duration // clocks are off by up to this, both ways; default 24 h
}

func (p Plan) filled(r *rand.Rand) Plan {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	if p.People == 0 {
		p.People = 2 + r.IntN(2)
	}
	if p.Messages == 0 {
		p.Messages = 30
	}
	if p.Skew == 0 {
		p.Skew = 24 * time.Hour
	}
	set(&p.Loss, 0.1)
	set(&p.Again, 0.1)
	set(&p.Crash, 0.04)
	set(&p.Cut, 0.15)
	set(&p.Full, 0.02)
	return p
}

// Result is what became of one seed.
type Result struct {
	Seed    uint64 `json:"seed"`
	OK      bool   `json:"ok"`
	Trace   string `json:"trace"` // SHA-256 over everything that happened: the same for the same seed
	Failure string `json:"failure"`

	Messages, Crashes, Calls int           `json:"-"`
	Virtual                  time.Duration `json:"-"`
	Events                   []string      `json:"-"` // the last ones, of a failure
}

// Run simulates each seed and tells the result. It ends early with ctx, or with an error of told.
func Run(ctx context.Context, c Config, told func(Result) error) error {
	if c.Seeds == 0 {
		c.Seeds = 1
	}
	for i := range c.Seeds {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := told(One(ctx, c.Seed+uint64(i), c.Plan)); err != nil {
			return err
		}
	}
	return nil
}

// One simulates a single seed. It replaces crypto/rand.Reader while it runs: nothing else may need randomness then.
func One(ctx context.Context, seed uint64, plan Plan) (res Result) {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	old := crand.Reader
	crand.Reader = rand.NewChaCha8(sha256.Sum256(key[:]))
	defer func() { crand.Reader = old }()
	r := rand.New(rand.NewChaCha8(key))
	w := newWorld(r, plan.filled(r))
	defer w.close()
	res = Result{Seed: seed}
	err := w.run(ctx)
	res.OK = err == nil
	if err != nil {
		res.Failure = err.Error()
		res.Events = w.trace.last
	}
	res.Trace, res.Messages, res.Crashes, res.Calls = w.trace.sum(), len(w.said), w.crashes, w.calls
	res.Virtual = w.now.Sub(epoch)
	return res
}

// epoch is when every simulation begins.
var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// trace hashes what happens, and keeps the end of it for who has to read it.
type trace struct {
	h    hash.Hash
	last []string
}

const traceKept = 400

func (t *trace) add(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if t.h == nil {
		t.h = sha256.New()
	}
	_, _ = io.WriteString(t.h, line+"\n")
	if t.last = append(t.last, line); len(t.last) > 2*traceKept {
		t.last = append([]string(nil), t.last[traceKept:]...)
	}
}

func (t *trace) sum() string {
	if t.h == nil {
		return ""
	}
	return hex.EncodeToString(t.h.Sum(nil))[:16]
}
