package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
)

// sending is what the flags of send say.
type sending struct {
	lines   bool
	wait    string
	timeout period
}

func (c threads) sendCommand() *cobra.Command {
	o := sending{timeout: period(30 * time.Second)}
	cmd := &cobra.Command{
		Use: "send ROOM [TEXT]", Short: "send a message, or each line of standard input as one",
		Args: func(cmd *cobra.Command, args []string) error {
			if o.lines {
				return exactly("the name of a room or contact")(cmd, args)
			}
			return exactly("the name of a room or contact", "a text; or --lines, to read it from standard input")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.wait != "queued" && o.wait != "held" && o.wait != "delivered" {
				return usagef("--wait is queued, held or delivered, not %q", o.wait)
			}
			if o.timeout < 0 {
				return usagef("--timeout is a time like 30s or 5m, not one that is over")
			}
			if !o.lines && !utf8.ValidString(args[1]) {
				return errNotText
			}
			room, err := c.room(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if o.lines {
				return c.sendLines(cmd.Context(), room, o)
			}
			return c.sendOne(cmd.Context(), room, args[1], o)
		},
	}
	cmd.Flags().BoolVar(&o.lines, "lines", false, "each line of standard input is a message")
	cmd.Flags().StringVar(&o.wait, "wait", "queued", "come back when it is in this `STATE`: queued, held or delivered")
	cmd.Flags().Var(&o.timeout, "timeout", "how long to wait, a `TIME` like 30s or 5m")
	return cmd
}

func (c threads) sendOne(ctx context.Context, room, text string, o sending) error {
	var m api.Message
	if err := c.client.Post(ctx, "/v1/rooms/"+room+"/messages", api.Draft{Text: text}, &m); err != nil {
		return err
	}
	var late error
	if o.wait != "queued" {
		if later, err := c.await(ctx, m, o.wait, time.Now().Add(time.Duration(o.timeout))); err != nil {
			late = err
		} else {
			m = later
		}
	}
	if err := show(c.console, m, c.messageLine); err != nil {
		return err
	}
	return late
}

// await asks for a message until it is in a state, or time runs out.
func (c threads) await(ctx context.Context, m api.Message, state string, until time.Time) (later api.Message, err error) {
	left := max(0, time.Until(until))
	err = c.client.Get(ctx, fmt.Sprintf("/v1/rooms/%s/messages/%s?wait=%s&timeout_s=%.3f", m.Room, m.ID, state, left.Seconds()), &later)
	return later, err
}

// sendLines sends each line of standard input that is not empty and prints it when it is stored. With --wait it then waits
// for all of them, and prints each again as it stands.
func (c threads) sendLines(ctx context.Context, room string, o sending) error {
	var sent []api.Message
	next := drafts(c.in)
	err := c.client.SendLines(ctx, "/v1/rooms/"+room+"/messages", next, func(l api.Line) error {
		if l.Message == nil {
			return nil
		}
		if o.wait != "queued" {
			sent = append(sent, *l.Message)
		}
		return show(c.console, *l.Message, c.messageLine)
	})
	if err != nil {
		return err
	}
	until := time.Now().Add(time.Duration(o.timeout))
	for _, m := range sent {
		later, err := c.await(ctx, m, o.wait, until)
		if err != nil {
			return err
		}
		if err := show(c.console, later, c.messageLine); err != nil {
			return err
		}
	}
	return nil
}

// longestLine is a little more than what a message can hold, so that the messenger is the one who says so.
const longestLine = app.MaxText + 1024

// errNotText stands against sending something else than what was given: what is not UTF-8 cannot be told from what it was.
var errNotText = advise("not_text", "This is not text in UTF-8, so it was not sent. Convert it first, for instance with iconv.")

// drafts returns the lines of r that are not empty, one at each call, and io.EOF at the end.
func drafts(r io.Reader) func() (api.Draft, error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, longestLine)
	return func() (api.Draft, error) {
		for in.Scan() {
			switch text := strings.TrimRight(in.Text(), "\r"); {
			case !utf8.ValidString(text):
				return api.Draft{}, errNotText
			case strings.TrimSpace(text) != "":
				return api.Draft{Text: text}, nil
			}
		}
		switch err := in.Err(); {
		case err == nil:
			return api.Draft{}, io.EOF
		case errors.Is(err, bufio.ErrTooLong):
			return api.Draft{}, app.ErrTooLong
		default:
			return api.Draft{}, fmt.Errorf("reading standard input: %w", err)
		}
	}
}

// messageLine prints a message for a person.
func (c threads) messageLine(m api.Message) error {
	state := ""
	if m.Own {
		state = "  [" + m.State
		if m.Of > 1 && m.DeliveredTo < m.Of {
			state = fmt.Sprintf("  [%d of %d", m.DeliveredTo, m.Of)
		}
		if m.Waiting != "" {
			state += ": " + reason(m.Waiting)
		}
		state += "]"
	}
	if m.ClockOff {
		state += "  [when it came: their clock is off]"
	}
	if m.Forked {
		state += "  [forked: their device signed two different stories]"
	}
	text := clean(m.Text)
	if m.Kind != "text" {
		text = "(needs a newer version)"
	}
	at := m.Sent.Local().Format("2006-01-02 15:04:05")
	_, err := io.WriteString(c.out, fmt.Sprintf("%s  %s: %s%s\n", at, clean(m.Name), strings.ReplaceAll(text, "\n", "\n    "), state))
	return err
}
