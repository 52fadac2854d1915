package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
)

// people are the commands about whom one knows, or wants to.
type people struct{ *console }

func (c people) commands() []*cobra.Command {
	return []*cobra.Command{
		c.inviteCommand(), c.nearbyCommand(), c.addCommand(), c.requestsCommand(), c.acceptCommand(), c.declineCommand(),
		c.contactsCommand(), c.verifyContactCommand(), c.blockCommand(),
	}
}

func (c people) inviteCommand() *cobra.Command {
	expires := period(24 * time.Hour)
	cmd := plain("invite", "make a link by which one person can introduce themselves once", func(ctx context.Context) error {
		if expires < period(time.Second) {
			return usagef("--expires is a time like 30m, 24h or 7d")
		}
		var o api.Invite
		if err := c.client.Post(ctx, "/v1/invitations", map[string]any{"expires_s": time.Duration(expires).Seconds()}, &o); err != nil {
			return err
		}
		return show(c.console, o, func(o api.Invite) error { return c.say("%s", o.Link) })
	})
	cmd.Flags().Var(&expires, "expires", "how long it is good, a `TIME` like 30m, 24h or 7d; a year at most")
	return cmd
}

func (c people) nearbyCommand() *cobra.Command {
	return plain("nearby", "who is on the LAN and shows a name", func(ctx context.Context) error {
		var all []api.Nearby
		if err := c.client.Get(ctx, "/v1/nearby", &all); err != nil {
			return err
		}
		return showAll(c.console, all, fmt.Sprintf("Nobody found. Only those see each other who both run with --nearby (here: %s node --nearby).\n"+
			"Guest Wi-Fi often keeps computers apart: use an invitation.", c.command()), func(n api.Nearby) error {
			known := ""
			if n.Known != "" {
				known = "  " + n.Known
			}
			return c.say("%-24s %s%s", clean(n.Name), n.Account, known)
		})
	})
}

func (c people) addCommand() *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: "add LINK|WHO", Short: "ask somebody: by their invitation, or somebody nearby", Args: exactly("an invitation, or the name of somebody nearby"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.add(cmd.Context(), args[0], text) },
	}
	cmd.Flags().StringVar(&text, "text", "", "the first message, a `TEXT` that goes with the request")
	return cmd
}

func (c people) add(ctx context.Context, whom, text string) error {
	in := map[string]string{"text": text}
	switch {
	case strings.Count(whom, linkBegins) > 1:
		return advise("malformed", "These are two invitations, or one twice. Add them one at a time.")
	case looksLikeLink(whom):
		in["invitation"] = whom
	default:
		account, err := c.who(ctx, whom)
		if err != nil {
			return err
		}
		in["nearby"] = account
	}
	var o api.Added
	if err := c.client.Post(ctx, "/v1/contacts", in, &o); err != nil {
		return err
	}
	return show(c.console, o, func(o api.Added) error {
		if o.State == "accepted" {
			return c.say("%s asked you already: now you are contacts.", clean(o.Name))
		}
		if strings.HasPrefix(o.Contact, o.Name) { // an invitation does not hold a name
			return c.say("Asked whoever made this invitation, %s. Their name shows when they accept; whether it was read cannot be known.", o.Name)
		}
		return c.say("Asked %s. Whether it was read cannot be known; you see it when they accept.", clean(o.Name))
	})
}

// linkBegins is how an invitation begins.
const linkBegins = "cryptexq:"

// looksLikeLink tells an invitation, or what somebody takes for one, from a name or an ID.
func looksLikeLink(s string) bool {
	const longestName = 64
	oneWord := len(strings.Fields(s)) == 1
	return strings.Contains(s, ":") || len(s) > 4*longestName || oneWord && len(s) > longestName
}

// who finds the account that a name, an ID or the beginning of one means.
func (c people) who(ctx context.Context, who string) (string, error) {
	var o api.Found
	if err := c.client.Get(ctx, "/v1/contacts/find?who="+url.QueryEscape(who), &o); !isNotFound(err) {
		return o.ID, err
	}
	return "", advise(api.CodeNotFound, "Nobody here is called %q. %s contacts lists whom you know, nearby who is on the LAN.", clean(who), c.command())
}

func isNotFound(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == api.CodeNotFound
}

func (c people) requestsCommand() *cobra.Command {
	return plain("requests", "who asks you", func(ctx context.Context) error {
		var all []api.Request
		if err := c.client.Get(ctx, "/v1/requests", &all); err != nil {
			return err
		}
		return showAll(c.console, all, "Nobody asks.", func(r api.Request) error {
			invited := "not invited by you"
			if r.Token {
				invited = "with your invitation"
			}
			if err := c.say("%-24s %s  %s, %s", clean(r.Name), r.Account, invited, since(r.At)); err != nil || r.Text == "" {
				return err
			}
			return c.say("  %s", strings.ReplaceAll(clean(r.Text), "\n", "\n  "))
		})
	})
}

// onPerson makes a command about one person: it finds the account and posts to it.
func (c people) onPerson(use, short, act string, run func(ctx context.Context, path string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " WHO", Short: short, Args: exactly("the name of somebody, or their ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			account, err := c.who(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return run(cmd.Context(), "/v1/contacts/"+account+act)
		},
	}
}

func (c people) acceptCommand() *cobra.Command {
	return c.onPerson("accept", "say yes: to a request, to a new device, or to take back somebody blocked", "/accept", func(ctx context.Context, path string) error {
		var o api.Added
		if err := c.client.Post(ctx, path, nil, &o); err != nil {
			return err
		}
		return show(c.console, o, func(o api.Added) error {
			return c.say("%s is a contact. Write with: %s send %s TEXT", clean(o.Name), c.command(), quote(clean(o.Name)))
		})
	})
}

func (c people) declineCommand() *cobra.Command {
	return c.onPerson("decline", "turn a request down; nothing is sent", "/decline", func(ctx context.Context, path string) error {
		var o api.Found
		if err := c.client.Post(ctx, path, nil, &o); err != nil {
			return err
		}
		return show(c.console, o, func(api.Found) error { return c.say("Declined. They cannot tell it from silence.") })
	})
}

func (c people) blockCommand() *cobra.Command {
	return c.onPerson("block", "end all dealings with somebody", "/block", func(ctx context.Context, path string) error {
		var o api.Contact
		if err := c.client.Post(ctx, path, nil, &o); err != nil {
			return err
		}
		return show(c.console, o, func(o api.Contact) error {
			return c.say("%s is blocked. To take them back: %s accept %s", clean(o.Name), c.command(), quote(clean(o.Name)))
		})
	})
}

func (c people) contactsCommand() *cobra.Command {
	return plain("contacts", "who, how reached, verified or not", func(ctx context.Context) error {
		var all []api.Contact
		if err := c.client.Get(ctx, "/v1/contacts", &all); err != nil {
			return err
		}
		return showAll(c.console, all, "Nobody yet. Make an invitation with: "+c.command()+" invite", c.contactLine)
	})
}

// relations in words.
var relations = map[string]string{"requested": "asked, not answered", "pending": "asks you", "accepted": "contact", "blocked": "blocked"}

func (c people) contactLine(o api.Contact) error {
	facts := []string{relations[o.State]}
	if o.Verified {
		facts = append(facts, "verified")
	}
	if o.Path == "none" {
		facts = append(facts, "offline, last seen "+since(o.LastSeen))
	} else {
		facts = append(facts, "reached "+o.Path)
	}
	if o.Namesake {
		facts = append(facts, "another account goes by this name: compare before you write")
	}
	if o.Approve {
		facts = append(facts, "a new device waits for your yes")
	}
	if o.Problem != "" {
		facts = append(facts, reason(o.Problem))
	}
	return c.say("%-24s %s  %s", clean(o.Name), o.Account, strings.Join(facts, ", "))
}

func (c people) verifyContactCommand() *cobra.Command {
	var yes bool
	cmd := c.onPerson("verify-contact", "show the safety number to compare; --yes marks it compared", "", func(ctx context.Context, path string) error {
		var o api.Safety
		if err := c.client.Get(ctx, path+"/safety", &o); err != nil {
			return err
		}
		if yes {
			if err := c.client.Post(ctx, path+"/verify", nil, &o); err != nil {
				return err
			}
		}
		return show(c.console, o, func(o api.Safety) error {
			if err := c.say("%s\n%s", clean(o.Name), o.SafetyNumber); err != nil {
				return err
			}
			if o.Verified {
				return c.say("Marked as compared.")
			}
			return c.say("Compare it with them in person or on a call. The same on both sides? Then: %s verify-contact %s --yes",
				c.command(), quote(clean(o.Name)))
		})
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "the numbers were compared and are the same")
	return cmd
}
