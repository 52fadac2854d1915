package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
)

// threads are the commands about conversations and what stands in them.
type threads struct{ *console }

func (c threads) commands() []*cobra.Command {
	return []*cobra.Command{c.roomsCommand(), c.roomCommand(), c.sendCommand(), c.readCommand()}
}

func (c threads) roomsCommand() *cobra.Command {
	return plain("rooms", "your conversations, the newest first", func(ctx context.Context) error {
		var all []api.Room
		if err := c.client.Get(ctx, "/v1/rooms", &all); err != nil {
			return err
		}
		return showAll(c.console, all, "No conversation yet.", func(r api.Room) error {
			unread := ""
			if r.Unread > 0 {
				unread = fmt.Sprintf("  %d unread", r.Unread)
			}
			return c.say("%-24s %s  %s%s", clean(r.Name), r.Room, r.Kind, unread)
		})
	})
}

func (c threads) roomCommand() *cobra.Command {
	show := &cobra.Command{
		Use: "show ROOM", Short: "one conversation", Args: exactly("the name of a room or contact, or an ID"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.showRoom(cmd.Context(), args[0]) },
	}
	return group("room", "one conversation", show)
}

func (c threads) showRoom(ctx context.Context, which string) error {
	id, err := c.room(ctx, which)
	if err != nil {
		return err
	}
	var r api.Room
	if err := c.client.Get(ctx, "/v1/rooms/"+id, &r); err != nil {
		return err
	}
	return show(c.console, r, func(r api.Room) error {
		return c.say("Name      %s\nRoom      %s\nKind      %s\nMembers   %d\nUnread    %d\nMessages  %s", clean(r.Name), r.Room, r.Kind, r.Members, r.Unread, r.Policy)
	})
}

// room finds the room that a name, an ID or the beginning of one means.
func (c threads) room(ctx context.Context, which string) (string, error) {
	var o api.Found
	if err := c.client.Get(ctx, "/v1/rooms/find?room="+url.QueryEscape(which), &o); !isNotFound(err) {
		return o.ID, err
	}
	if who, asks := c.whoAsks(ctx, which); asks {
		return "", advise(api.CodeNotFound, "%s asks you, and waits for your answer. First: %s accept %s", clean(who), c.command(), quote(clean(who)))
	}
	return "", advise(api.CodeNotFound, "There is no conversation with %q here. %s rooms lists what there is.", clean(which), c.command())
}

// whoAsks reports whether a name, an ID or the beginning of one means somebody who asks us: there is no room with them yet.
func (c threads) whoAsks(ctx context.Context, which string) (name string, asks bool) {
	var found api.Found
	var all []api.Request
	if c.client.Get(ctx, "/v1/contacts/find?who="+url.QueryEscape(which), &found) != nil || c.client.Get(ctx, "/v1/requests", &all) != nil {
		return "", false
	}
	for _, r := range all {
		if r.Account == found.ID {
			return r.Name, true
		}
	}
	return "", false
}
