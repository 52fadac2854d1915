package cli

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
)

func (c *console) statusCommand() *cobra.Command {
	return plain("status", "is it running, whom does it reach, what waits", func(ctx context.Context) error {
		var st api.Status
		if err := c.client.Get(ctx, "/v1/status", &st); err != nil {
			return err
		}
		return show(c, st, c.statusLines)
	})
}

func (c *console) statusLines(st api.Status) error {
	state := "ready"
	if !st.Ready {
		state = st.Reason
	}
	up := time.Duration(st.UptimeS * float64(time.Second)).Round(time.Second)
	if err := c.say("Profile   %s, version %s, process %d\nState     %s for %s, %d MB\nPeers     %d connected, %d on the LAN, %d relays\nQueued    %d",
		st.Profile, st.Version, st.PID, state, up, st.RSS>>20, st.Peers, st.LAN, st.Relays, st.Queued); err != nil {
		return err
	}
	if !st.Online {
		if err := c.say("Network   none: messages wait here"); err != nil {
			return err
		}
	}
	for _, cause := range slices.Sorted(maps.Keys(st.Refused)) {
		if err := c.say("Refused   %d x %s", st.Refused[cause], cause); err != nil {
			return err
		}
	}
	for _, n := range st.Notices {
		if err := c.say("Notice    %s", c.notice(n)); err != nil {
			return err
		}
	}
	return nil
}

// notices in sentences; NAME is whom it is about, CRYPTEXQ as in sentences.
var notices = map[string]string{
	"copied":      "This profile also runs somewhere else, or was copied. It goes on with new logs; keep one copy, and erase the other.",
	"rolled_back": "This profile is older than the last one that was seen on this machine: it was put back. It goes on with new logs.",
	"peer_copied": "The profile of NAME seems to run in two places. Tell them by another way.",
	"disk_full":   "The disk is full. What was accepted is kept; make room.",
	"damaged":     "The file NAME is damaged. Keep the folder as it is, and restore a backup into a new profile.",
	"forked":      "The device of NAME signed two different stories. Do not rely on either before you have talked.",
	"device":      "NAME has a new device. Ask them about it, then say yes with: CRYPTEXQ accept WHO",
	"two_lists":   "The account of NAME gave out two different lists of devices. Do not rely on it before you have talked.",
}

func (c *console) notice(n api.Notice) string {
	text, ok := notices[n.Code]
	if !ok {
		text = n.Code + " NAME"
	}
	who := clean(n.Subject)
	if who == "" {
		who = "somebody"
	}
	return strings.Replace(c.addressed(text), "NAME", who, 1)
}
