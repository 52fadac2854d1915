package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/sim"
)

func (c *console) simCommand() *cobra.Command {
	var o sim.Config
	cmd := plain("sim", "simulate a network with loss, crashes and wrong clocks", func(ctx context.Context) error {
		if o.Seeds < 1 {
			return usagef("--seeds is a number from 1 on")
		}
		return c.simulate(ctx, o)
	})
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "the first seed, a number `N`; the same seed replays the same run")
	cmd.Flags().IntVar(&o.Seeds, "seeds", 1, "how many from there on, a `COUNT`")
	return cmd
}

// simulate prints what became of each seed and fails when one of them did.
func (c *console) simulate(ctx context.Context, o sim.Config) error {
	failed := 0
	err := sim.Run(ctx, o, func(r sim.Result) error {
		if !r.OK {
			failed++
		}
		return show(c, r, c.simLine)
	})
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d seeds failed; each replays with: %s sim --seed N", failed, o.Seeds, c.command())
	}
	if c.json {
		return nil
	}
	return c.say("%d seeds, none failed", o.Seeds)
}

func (c *console) simLine(r sim.Result) error {
	if r.OK {
		return c.say("seed %d ok  %d messages, %d crashes, %s simulated, trace %.16s", r.Seed, r.Messages, r.Crashes, r.Virtual, r.Trace)
	}
	return c.say("seed %d FAILED: %s\n  %s", r.Seed, r.Failure, strings.Join(r.Events, "\n  "))
}
