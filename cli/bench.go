package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/cli/bench"
)

func (c *console) benchCommand() *cobra.Command {
	return plain("bench", "measure the cryptography on this machine", func(ctx context.Context) error {
		if !c.json {
			if err := c.say("%-46s %12s %12s %12s %8s", "", "one takes", "processors", "a second", "bytes"); err != nil {
				return err
			}
		}
		return bench.Primitives(ctx, func(r bench.Result) error { return show(c, r, c.benchLine) })
	})
}

func (c *console) benchLine(r bench.Result) error {
	bytes := ""
	if r.Bytes > 0 {
		bytes = strconv.Itoa(r.Bytes)
	}
	return c.say("%-46s %12s %12s %12.0f %8s", r.Name, duration(r.Wall), duration(r.CPU), r.PerSecond, bytes)
}

// duration prints nanoseconds with three digits that mean something.
func duration(ns float64) string {
	d := time.Duration(ns)
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}
