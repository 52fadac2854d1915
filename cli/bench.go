package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/cli/bench"
)

func (c *console) benchCommand() *cobra.Command {
	return plain("bench", "measure the cryptography on this machine", func(ctx context.Context) error {
		if !c.json {
			if err := c.say("%-46s %12s %12s %12s %8s  %s", "", "one takes", "processors", "a second", "bytes", "promised of the processors"); err != nil {
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
	line := fmt.Sprintf("%-46s %12s %12s %12.0f %8s", r.Name, duration(r.Wall), duration(r.CPU), r.PerSecond, bytes)
	if r.Must > 0 {
		line += fmt.Sprintf("  must %s: %s; goal %s: %s", time.Duration(r.Must), verdict(r, r.Must), time.Duration(r.Goal), verdict(r, r.Goal))
	}
	return c.say("%s", line)
}

func verdict(r bench.Result, limit float64) string {
	if r.Kept(limit) {
		return "holds"
	}
	return "MISSED"
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
