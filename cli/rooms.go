package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
)

func (c *console) roomsCommand() *cobra.Command {
	return plain("rooms", "your conversations, the newest first", func(ctx context.Context) error {
		var all []api.Room
		if err := c.client.Get(ctx, "/v1/rooms", &all); err != nil {
			return err
		}
		return showAll(c, all, "No conversation yet.", func(r api.Room) error {
			unread := ""
			if r.Unread > 0 {
				unread = fmt.Sprintf("  %d unread", r.Unread)
			}
			return c.say("%-24s %s  %s%s", clean(r.Name), r.Room, r.Kind, unread)
		})
	})
}

func (c *console) roomCommand() *cobra.Command {
	show := &cobra.Command{
		Use: "show ROOM", Short: "one conversation", Args: exactly("the name of a room or contact, or an ID"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.showRoom(cmd.Context(), args[0]) },
	}
	return group("room", "one conversation", show)
}

func (c *console) showRoom(ctx context.Context, which string) error {
	id, err := c.room(ctx, which)
	if err != nil {
		return err
	}
	var r api.Room
	if err := c.client.Get(ctx, "/v1/rooms/"+id, &r); err != nil {
		return err
	}
	return show(c, r, func(r api.Room) error {
		return c.say("Name      %s\nRoom      %s\nKind      %s\nMembers   %d\nUnread    %d\nMessages  %s", clean(r.Name), r.Room, r.Kind, r.Members, r.Unread, r.Policy)
	})
}

// room finds the room that a name, an ID or the beginning of one means.
func (c *console) room(ctx context.Context, which string) (string, error) {
	var o api.Found
	err := c.client.Get(ctx, "/v1/rooms/find?room="+url.QueryEscape(which), &o)
	return o.ID, err
}
