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
	}
	if c.Path > peer.None {
		c.LastSeen = p.now()
		return c, nil
	}
	c.Cause = p.links.causeOf(hostsOf(a, devices))
	if c.Cause == peer.CauseNewer {
		c.Problem = ReasonNewer
	}
	return c, nil
}

// hostsOf are the hosts where somebody may be found: of their devices that count, or, before any is known, of the invitation.
func hostsOf(a store.Account, devices []store.Device) (all []identity.PeerID) {
	for _, d := range devices {
		if d.State != store.DeviceRevoked {
			all = append(all, identity.PeerID(d.Peer))
		}
	}
	if len(devices) > 0 || a.Invitation == nil {
		return all
	}
	if inv, err := identity.ParseInvitation(string(a.Invitation)); err == nil {
		all = append(all, inv.Peer)
	}
	return all
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
	c := choose[identity.AccountID](who)
	for _, o := range contacts {
		c.offer(o.Account, o.Name, o.Account.String())
	}
	if c.none() {
		near, err := p.Nearby(ctx)
		if err != nil {
			return identity.AccountID{}, err
		}
		for _, o := range near {
			c.offer(o.Account, o.Name, o.Account.String())
		}
	}
	return c.one()
}

// chooser picks whom or what somebody means by a name, an ID or the beginning of one; what is named exactly wins.
type chooser[K comparable] struct {
	who           string
	exact, begins choice[K]
}

// choice is what could be meant, and how it is told apart.
type choice[K comparable] struct {
	keys  []K
	names []string
}

// choose begins a choice of what somebody calls who.
func choose[K comparable](who string) *chooser[K] {
	return &chooser[K]{who: strings.ToLower(strings.TrimSpace(who))}
}

// offer is one to choose from, by its name and by IDs of which at least six characters are said.
func (c *chooser[K]) offer(key K, name string, ids ...string) {
	if c.who == "" {
		return
	}
	lower := strings.ToLower(name)
	exact, begins := lower == c.who, strings.HasPrefix(lower, c.who)
	for _, id := range ids {
		exact = exact || id == c.who
		begins = begins || len(c.who) >= 6 && strings.HasPrefix(id, c.who)
	}
	list := &c.begins
	switch {
	case exact:
		list = &c.exact
	case !begins:
		return
	}
	list.keys, list.names = append(list.keys, key), append(list.names, name+" "+ids[0])
}

// none reports whether nothing that was offered is meant.
func (c *chooser[K]) none() bool { return len(c.exact.keys)+len(c.begins.keys) == 0 }

// one is what is meant: ErrNotFound, or an AmbiguousError that lists what could be.
func (c *chooser[K]) one() (key K, err error) {
	list := c.exact
	if len(list.keys) == 0 {
		list = c.begins
	}
	switch len(list.keys) {
	case 0:
		return key, ErrNotFound
	case 1:
		return list.keys[0], nil
	}
	return key, &AmbiguousError{Matches: list.names}
}

// addresses are our own multiaddresses for others to dial, at most n.
func (a *account) addresses(n int) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.addrs[:min(n, len(a.addrs))]...)
}

// Name is the name that we go by.
func (p *People) Name() string { return p.me.called() }
