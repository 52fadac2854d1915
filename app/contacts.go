package app

import (
	"context"
	"strings"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Contacts lists everybody who asks, was asked, was accepted or is blocked.
func (p *People) Contacts(ctx context.Context) (all []Contact, err error) {
	err = p.st.View(ctx, func(r *store.Reader) error {
		accounts, err := r.Accounts(store.AccountAsks, store.AccountAsked, store.AccountContact, store.AccountBlocked)
		if err != nil {
			return err
		}
		names := map[string]int{}
		for _, a := range accounts {
			names[strings.ToLower(a.Name())]++
		}
		for _, a := range accounts {
			c, err := p.contact(r, a)
			if err != nil {
				return err
			}
			c.Namesake = names[strings.ToLower(a.Name())] > 1 && a.Verified == 0
			all = append(all, c)
		}
		return nil
	})
	return all, err
}

// Contact is one of them.
func (p *People) Contact(ctx context.Context, id identity.AccountID) (c Contact, err error) {
	err = p.st.View(ctx, func(r *store.Reader) error {
		a, found, err := r.Account(id)
		if err != nil || !found || a.Row == store.Own {
			return either(err, ErrNotFound)
		}
		c, err = p.contact(r, a)
		return err
	})
	return c, err
}

func (p *People) contact(r *store.Reader, a store.Account) (Contact, error) {
	c := Contact{
		Account: a.Account, Name: shownName(a), State: relation(a.State), Verified: a.Verified > 0,
		Room: wire.DirectGenesis(p.me.id, a.Account).ID(), Since: p.at(a.StateAt),
	}
	seen, err := r.SeenAt(a.Row)
	if err != nil {
		return c, err
	}
	if seen > 0 {
		c.LastSeen = p.at(seen)
	}
	devices, err := r.Devices(a.Row)
	if err != nil {
		return c, err
	}
	for _, d := range devices {
		c.Path = max(c.Path, p.links.path(d.Digest))
		c.Approve = c.Approve || d.State == store.DeviceValid && !d.Approved
		if cause := p.links.cause(identity.PeerID(d.Peer)); cause != "" {
			c.Cause = cause
		}
		if c.Cause == peer.CauseNewer {
			c.Problem = ReasonNewer
		}
	}
	if c.Path > 0 {
		c.LastSeen, c.Cause = p.now(), ""
	}
	return c, nil
}

// shownName is the name of somebody, or the beginning of their account when they gave none.
func shownName(a store.Account) string {
	if n := a.Name(); n != "" {
		return n
	}
	return identity.AccountID(a.Account).Short()
}

// Requests lists who asks us, with the message that came along.
func (p *People) Requests(ctx context.Context) (all []Request, err error) {
	err = p.st.View(ctx, func(r *store.Reader) error {
		accounts, err := r.Accounts(store.AccountAsks)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			q := Request{Account: a.Account, Name: shownName(a), Room: wire.DirectGenesis(p.me.id, a.Account).ID(), At: p.at(a.StateAt)}
			if q.Token, err = r.Invited(a.Row); err != nil {
				return err
			}
			room, found, err := r.Room(q.Room)
			if err != nil {
				return err
			}
			if found {
				m, found, err := r.LastMessage(room.Row, p.ms()+holdBack)
				if err != nil {
					return err
				}
				if found {
					q.Text = m.Body
				}
			}
			all = append(all, q)
		}
		return nil
	})
	return all, err
}

// Find says whom a name, an ID or the unique beginning of one means, among contacts and who is nearby.
func (p *People) Find(ctx context.Context, who string) (identity.AccountID, error) {
	if id, err := identity.ParseAccountID(who); err == nil {
		return id, nil
	}
	contacts, err := p.Contacts(ctx)
	if err != nil {
		return identity.AccountID{}, err
	}
	var c chooser
	for _, o := range contacts {
		c.offer(o.Account, o.Name, who)
	}
	if len(c.exact)+len(c.begins) == 0 {
		near, err := p.Nearby(ctx)
		if err != nil {
			return identity.AccountID{}, err
		}
		for _, o := range near {
			c.offer(o.Account, o.Name, who)
		}
	}
	return c.choose()
}

// chooser picks by name or by the beginning of a name or ID; an exact name wins.
type chooser struct {
	exact, begins []identity.AccountID
	names         []string
}

func (c *chooser) offer(id identity.AccountID, name, who string) {
	lower, want := strings.ToLower(name), strings.ToLower(strings.TrimSpace(who))
	if want == "" {
		return
	}
	switch {
	case lower == want:
		c.exact = append(c.exact, id)
	case strings.HasPrefix(lower, want), len(want) >= 6 && strings.HasPrefix(id.String(), want):
		c.begins = append(c.begins, id)
	default:
		return
	}
	c.names = append(c.names, name+" "+id.String())
}

func (c *chooser) choose() (identity.AccountID, error) {
	for _, list := range [][]identity.AccountID{c.exact, c.begins} {
		if len(list) == 1 {
			return list[0], nil
		}
		if len(list) > 1 {
			return identity.AccountID{}, &AmbiguousError{Matches: c.names}
		}
	}
	return identity.AccountID{}, ErrNotFound
}

// addresses are our own multiaddresses for others to dial, at most n.
func (a *account) addresses(n int) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.addrs[:min(n, len(a.addrs))]...)
}

// Name is the name that we go by.
func (p *People) Name() string { return p.me.called() }
