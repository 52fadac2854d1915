package sim

import (
	"context"
	"flag"
	"strings"
	"testing"
)

var (
	from  = flag.Uint64("sim.seed", 1, "first seed")
	seeds = flag.Int("sim.seeds", 10, "how many")
)

func TestEveryAcceptedMessageArrivesOnceInCausalOrder(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 3) // `make test` runs fifty with the static binary, without the race detector
	}
	err := Run(context.Background(), Config{Seed: *from, Seeds: n}, func(r Result) error {
		t.Logf("seed %d: ok=%v %d messages, %d crashes, %d calls, %v, trace %s", r.Seed, r.OK, r.Messages, r.Crashes, r.Calls, r.Virtual, r.Trace)
		if !r.OK {
			n := max(0, len(r.Events)-60)
			t.Errorf("seed %d: %s\n%s", r.Seed, r.Failure, strings.Join(r.Events[n:], "\n"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestASeedReplays(t *testing.T) {
	a := One(context.Background(), *from, Plan{})
	b := One(context.Background(), *from, Plan{})
	if a.Trace != b.Trace {
		t.Errorf("seed %d: traces %s and %s differ", *from, a.Trace, b.Trace)
	}
}
