package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
)

// reading is what the flags of read say.
type reading struct {
	limit  int
	before string
	follow bool
}

func (c threads) readCommand() *cobra.Command {
	var o reading
	cmd := &cobra.Command{
		Use: "read ROOM", Short: "the thread, oldest first; with --follow what comes, and again what changes", Args: exactly("the name of a room or contact"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.limit < 1 {
				return usagef("--limit is a number from 1 on")
			}
			room, err := c.room(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.read(cmd.Context(), room, o)
		},
	}
	cmd.Flags().IntVar(&o.limit, "limit", 50, "how many, the newest `N`")
	cmd.Flags().StringVar(&o.before, "before", "", "only older ones than the message of this `ID`, which --json shows")
	cmd.Flags().BoolVar(&o.follow, "follow", false, "and then what comes")
	return cmd
}

func (c threads) read(ctx context.Context, room string, o reading) error {
	query := url.Values{"limit": {strconv.Itoa(o.limit)}}
	if o.before != "" {
		query.Set("before", o.before)
	}
	if o.follow {
		query.Set("follow", "1")
	}
	marks := newMarker(ctx, c.client, room)
	err := c.client.Lines(ctx, "/v1/rooms/"+room+"/messages?"+query.Encode(), func(l api.Line) error {
		if l.Gap != nil {
			return c.gap(*l.Gap)
		}
		if l.Message == nil {
			return nil
		}
		if err := show(c.console, *l.Message, c.messageLine); err != nil {
			return err
		}
		if !l.Own && o.before == "" {
			marks.put(l.ID)
		}
		return nil
	})
	marks.end()
	switch {
	case ctx.Err() != nil:
		return nil // interrupted: that is how following ends
	case o.before != "" && isNotFound(err):
		return advise(api.CodeNotFound, "There is no message %q in this conversation. %s read --json shows what each is called.", clean(o.before), c.command())
	}
	return err
}

func (c threads) gap(g api.Gap) error {
	if c.json {
		return c.object(api.Line{Gap: &g})
	}
	return c.say("(%d messages of %s are missing; %s)", g.Missing, g.From, asking(g.Asking))
}

func asking(n int) string {
	if n == 0 {
		return "nobody who has them can be reached"
	}
	return fmt.Sprintf("asking %d", n)
}

// marker notes on the side what was read; of many at once only the last one counts.
type marker struct {
	newest chan string // holds one
	ended  sync.WaitGroup
}

func newMarker(ctx context.Context, client *api.Client, room string) *marker {
	m := &marker{newest: make(chan string, 1)}
	m.ended.Go(func() {
		for id := range m.newest {
			// Whether this works changes nothing of what was printed; the next one covers it.
			_ = client.Post(ctx, "/v1/rooms/"+room+"/read", map[string]string{"up_to": id}, nil)
		}
	})
	return m
}

// put says that a message was printed. Only one goroutine may call it.
func (m *marker) put(id string) {
	select {
	case <-m.newest:
	default:
	}
	m.newest <- id
}

// end waits until the last one is noted.
func (m *marker) end() {
	close(m.newest)
	m.ended.Wait()
}
