// Package bench measures what the cryptography costs on this machine: the real code with keys made for the purpose.
//
// Every figure is the median of several rounds, and a round visits every row once, so that a machine which is busy for a
// moment is busy for all of them. The clock says how long one waits; beside it stands the time that this process used of
// all processors, garbage collection included, which says more on a machine that does something else as well.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Result is one row of the table.
type Result struct {
	Name      string  `json:"name"`
	Wall      float64 `json:"wall_ns"`     // by the clock, median over the rounds, for one
	CPU       float64 `json:"cpu_ns"`      // of all processors; 0 where the system does not tell
	PerSecond float64 `json:"per_second"`  // by the clock
	Bytes     int     `json:"bytes"`       // of what it makes; 0 where that says nothing
	Rounds    int     `json:"rounds"`      // that the medians are of
	Ops       int     `json:"ops_a_round"` // in a round
	Must      float64 `json:"must_ns"`     // what was promised of CPU, or of Wall where CPU is 0; 0 where nothing was
	Goal      float64 `json:"goal_ns"`     // what is hoped for
}

// Kept says whether a limit, one of Must and Goal, is kept.
func (r Result) Kept(limit float64) bool {
	if r.CPU == 0 {
		return r.Wall <= limit
	}
	return r.CPU <= limit
}

// row is something to measure.
type row struct {
	name  string
	bytes int
	batch int // how many things one call of do does, for the price of one; 0 is 1
	do    func() error

	must, goal time.Duration // of the processors' time, where something was promised
}

const (
	rounds = 5
	slice  = 40 * time.Millisecond // of each row in a round: the shortest that the clock's steps do not show in
)

// Primitives measures each primitive and what is built of them, and hands the results on when all rounds are done. It takes about
// eight seconds.
func Primitives(ctx context.Context, told func(Result) error) error {
	rows, err := primitives()
	if err != nil {
		return fmt.Errorf("preparing to measure: %w", err)
	}
	return measure(ctx, rows, rounds, slice, told)
}

func measure(ctx context.Context, rows []row, rounds int, slice time.Duration, told func(Result) error) error {
	wall, cpu, ops := make([][]float64, len(rows)), make([][]float64, len(rows)), make([]int, len(rows))
	for round := range rounds {
		for i, r := range rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			if round == 0 {
				n, err := count(r, slice)
				if err != nil {
					return fmt.Errorf("measuring %s: %w", r.name, err)
				}
				ops[i] = n
			}
			w, c, err := once(r, ops[i])
			if err != nil {
				return fmt.Errorf("measuring %s: %w", r.name, err)
			}
			wall[i], cpu[i] = append(wall[i], w), append(cpu[i], c)
		}
	}
	for i, r := range rows {
		w := median(wall[i])
		err := told(Result{
			Name: r.name, Wall: w, CPU: median(cpu[i]), PerSecond: 1e9 / w, Bytes: r.bytes, Rounds: rounds, Ops: ops[i],
			Must: float64(r.must), Goal: float64(r.goal),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// count finds out how often a row can be done in a slice of time, at least once. It warms up what there is to warm up.
func count(r row, slice time.Duration) (int, error) {
	start := time.Now()
	for n := 1; ; n++ {
		if err := r.do(); err != nil {
			return 0, err
		}
		if time.Since(start) >= slice {
			return n, nil
		}
	}
}

// once does a row n times and returns what one of its things took, in ns.
func once(r row, n int) (wall, cpu float64, err error) {
	start, used := time.Now(), processTime()
	for range n {
		if err := r.do(); err != nil {
			return 0, 0, err
		}
	}
	things := float64(n * max(1, r.batch))
	wall = max(1, float64(time.Since(start))) / things
	return wall, float64(processTime()-used) / things, nil
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
