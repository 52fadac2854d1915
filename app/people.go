package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// People is everybody we know or could know: contacts, requests both ways, who is nearby.
type People struct {
	*core
	dir    *directory
	rooms  *Rooms
	links  *links
	push   func() // the table of peers changed
	nearby nearbyList
}

// nearbyList is who answered hello on the LAN lately.
type nearbyList struct {
	mu  sync.Mutex
	all map[identity.PeerID]nearbyRow // guarded by mu
}

type nearbyRow struct {
	peer.Found
	at time.Time
}

// nearbyLife is how long somebody stays listed without answering again; they answer at least once a minute.
const nearbyLife = 150 * time.Second

// maxNearby bounds the list: anybody on the LAN can answer hello under many names.
const maxNearby = 256

func (l *nearbyList) found(f peer.Found, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[identity.PeerID]nearbyRow{}
	}
	for id, row := range l.all {
		if now.Sub(row.at) > nearbyLife {
			delete(l.all, id)
		}
	}
	if _, had := l.all[f.Peer]; had || len(l.all) < maxNearby {
		l.all[f.Peer] = nearbyRow{f, now}
	}
}

func (l *nearbyList) list(now time.Time) (rows []peer.Found) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, row := range l.all {
		if now.Sub(row.at) <= nearbyLife {
			rows = append(rows, row.Found)
		}
	}
	slices.SortFunc(rows, func(a, b peer.Found) int {
		return strings.Compare(a.Name+a.Account.String(), b.Name+b.Account.String())
	})
	return rows
}

// Nearby lists who is on the LAN with us. Names and accounts are what they claim.
func (p *People) Nearby(ctx context.Context) (all []Nearby, err error) {
	rows := p.nearby.list(p.now())
	err = p.st.View(ctx, func(r *store.Reader) error {
		for _, f := range rows {
			if f.Account == p.me.id {
				continue
			}
			a, found, err := r.Account(f.Account)
			if err != nil {
				return err
			}
			n := Nearby{Account: f.Account, Peer: f.Peer, Name: cleanName(f.Name)}
			if found {
				n.Known = relation(a.State)
			}
			all = append(all, n)
		}
		return nil
	})
	return all, err
}

func relation(state int) Relation {
	switch state {
	case store.AccountAsks:
		return Pending
	case store.AccountAsked:
		return Requested
	case store.AccountContact:
		return Accepted
	case store.AccountBlocked:
		return Blocked
	}
	return ""
}

// Invite makes a link by which one person may introduce themselves once until it expires.
func (p *People) Invite(ctx context.Context, life time.Duration) (link string, expires time.Time, err error) {
	expires = p.now().Add(life)
	inv := identity.Invitation{Account: p.me.id, Peer: p.me.peer, Expires: uint64(expires.Unix())}
	if _, err := rand.Read(inv.Token[:]); err != nil {
		return "", expires, err
	}
	inv.Addresses = p.me.addresses(2)
	err = p.st.Update(ctx, func(tx *store.Tx) error {
		return tx.AddInvitation(sha256.Sum256(inv.Token[:]), p.ms(), expires.UnixMilli())
	})
	return inv.Link(), expires, err
}

// Preview reads an invitation and says whose it is, or what is wrong with it.
func (p *People) Preview(ctx context.Context, link string) (*identity.Invitation, error) {
	inv, err := identity.ParseInvitation(link)
	switch {
	case errors.Is(err, identity.ErrNotOurs):
		return nil, ErrForeign
	case errors.Is(err, identity.ErrCutOff):
		return nil, ErrCutOff
	case errors.Is(err, identity.ErrNewer):
		return nil, ErrNewer
	case err != nil:
		return nil, fmt.Errorf("reading an invitation: %w", err)
	case inv.Account == p.me.id:
		return nil, ErrSelf
	case inv.Expired(uint64(p.now().Unix())):
		return nil, ErrExpired
	}
	return inv, p.checkNew(ctx, inv.Account)
}

func (p *People) checkNew(ctx context.Context, id identity.AccountID) error {
	return p.st.View(ctx, func(r *store.Reader) error {
		a, found, err := r.Account(id)
		if err != nil || !found {
			return err
		}
		switch a.State {
		case store.AccountContact:
			return ErrKnown
		case store.AccountBlocked:
			return ErrBlocked
		}
		return nil
	})
}

// Add asks somebody by an invitation, with a first message or none. Somebody who asks us already is accepted by it.
func (p *People) Add(ctx context.Context, link, text string) (Contact, error) {
	inv, err := p.Preview(ctx, link)
	if err != nil {
		return Contact{}, err
	}
	return p.ask(ctx, inv, "", text)
}

// AddNearby asks somebody on the LAN.
func (p *People) AddNearby(ctx context.Context, id identity.AccountID, text string) (Contact, error) {
	for _, f := range p.nearby.list(p.now()) {
		if f.Account != id {
			continue
		}
		if id == p.me.id {
			return Contact{}, ErrSelf
		}
		if err := p.checkNew(ctx, id); err != nil {
			return Contact{}, err
		}
		inv := &identity.Invitation{Account: f.Account, Peer: f.Peer, Addresses: f.Addresses, Expires: uint64(p.now().Add(24 * time.Hour).Unix())}
		return p.ask(ctx, inv, cleanName(f.Name), text)
	}
	return Contact{}, ErrNotFound
}

func (p *People) ask(ctx context.Context, inv *identity.Invitation, name, text string) (Contact, error) {
	text = cleanText(text)
	if len(text) > MaxText {
		return Contact{}, ErrTooLong
	}
	var room store.Room
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.AddAccount(inv.Account, store.AccountMet, p.ms())
		if err != nil {
			return err
		}
		state := store.AccountAsked
		if a.State == store.AccountAsks {
			state = store.AccountContact
		}
		if name != "" && a.TheirName == "" {
			if err := tx.SetTheirName(a.Row, name); err != nil {
				return err
			}
		}
		if err := errors.Join(tx.SetAccountState(a.Row, state, p.ms()), tx.SetAccountInvitation(a.Row, []byte(inv.Link()))); err != nil {
			return err
		}
		if room, err = openDirect(tx, p.core, a, store.RoomOpen); err != nil {
			return err
		}
		return movedBehind(tx, inv.Peer, inv.Addresses, p.ms())
	})
	if err != nil {
		return Contact{}, err
	}
	if text == "" {
		err = p.rooms.open(ctx, room.Row)
	} else {
		_, err = p.rooms.Send(ctx, room.ID, Draft{Text: text})
	}
	if err != nil {
		return Contact{}, err
	}
	p.push()
	p.hub.tell(Change{Kind: ChangedPeople})
	return p.Contact(ctx, inv.Account)
}

// Accept says yes to somebody who asks.
func (p *People) Accept(ctx context.Context, id identity.AccountID) (Contact, error) {
	var room store.Room
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.State != store.AccountAsks && a.State != store.AccountDeclined {
			return errors.Join(err, errUnless(found && a.State == store.AccountAsks, ErrNoRequest))
		}
		if err := tx.SetAccountState(a.Row, store.AccountContact, p.ms()); err != nil {
			return err
		}
		room, err = openDirect(tx, p.core, a, store.RoomOpen)
		return err
	})
	if err != nil {
		return Contact{}, err
	}
	if err := p.rooms.open(ctx, room.Row); err != nil {
		return Contact{}, err
	}
	if err := p.rooms.introduce(ctx, room.Row, id); err != nil {
		return Contact{}, err
	}
	p.push()
	p.hub.tell(Change{Kind: ChangedPeople}, Change{Kind: ChangedRoom, Room: room.ID})
	return p.Contact(ctx, id)
}

func errUnless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

// Decline turns somebody down. Nothing is sent: they cannot tell it from silence.
func (p *People) Decline(ctx context.Context, id identity.AccountID) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.State != store.AccountAsks {
			return errors.Join(err, errUnless(found && a.State == store.AccountAsks, ErrNoRequest))
		}
		return tx.SetAccountState(a.Row, store.AccountDeclined, p.ms())
	})
	if err == nil {
		p.push()
		p.hub.tell(Change{Kind: ChangedPeople})
	}
	return err
}

// Block ends all dealings with somebody; Unblock takes them back as a contact.
func (p *People) Block(ctx context.Context, id identity.AccountID) error {
	return p.move(ctx, id, store.AccountBlocked)
}

// Unblock takes a blocked person back.
func (p *People) Unblock(ctx context.Context, id identity.AccountID) error {
	return p.move(ctx, id, store.AccountContact)
}

func (p *People) move(ctx context.Context, id identity.AccountID, state int) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.Row == store.Own {
			return errors.Join(err, errUnless(err != nil, ErrNotFound))
		}
		if err := tx.Audit(auditBlocked, id[:], fmt.Sprint(state)); err != nil {
			return err
		}
		return tx.SetAccountState(a.Row, state, p.ms())
	})
	if err == nil {
		p.push()
		p.hub.tell(Change{Kind: ChangedPeople})
	}
	return err
}

// ways of comparing, as the store keeps them.
const comparedNumber = 3

// Compared notes that the safety numbers were compared and are the same.
func (p *People) Compared(ctx context.Context, id identity.AccountID) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.Key == nil {
			return errors.Join(err, errUnless(err != nil, ErrNotFound))
		}
		return errors.Join(tx.SetVerified(a.Row, comparedNumber, p.ms()), tx.Audit(auditCompared, id[:], ""))
	})
	if err == nil {
		p.hub.tell(Change{Kind: ChangedPeople})
	}
	return err
}

// SafetyNumber is what both sides of a chat read to each other: 60 digits.
func (p *People) SafetyNumber(ctx context.Context, id identity.AccountID) (number string, err error) {
	err = p.st.View(ctx, func(r *store.Reader) error {
		a, found, err := r.Account(id)
		if err != nil || !found || a.Key == nil {
			return errors.Join(err, errUnless(err != nil, ErrNotFound))
		}
		key, err := p.keys.parse(a.Key)
		if err != nil {
			return err
		}
		number = identity.SafetyNumber(p.me.key, key)
		return nil
	})
	return number, err
}

// Approve is the yes to a new device of somebody known.
func (p *People) Approve(ctx context.Context, id identity.AccountID) error {
	var name string
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found {
			return errors.Join(err, errUnless(found, ErrNotFound))
		}
		name = a.Name()
		devices, err := tx.Devices(a.Row)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d.State == store.DeviceValid && !d.Approved {
				if err := tx.ApproveDevice(d.Row); err != nil {
					return err
				}
			}
		}
		return tx.Audit(auditNewDevice, id[:], "approved")
	})
	if err == nil {
		p.notes.drop("device", name)
		p.links.hurry(identity.DeviceID{})
		p.hub.tell(Change{Kind: ChangedPeople}, Change{Kind: ChangedStatus})
	}
	return err
}

// Rename keeps what we call somebody; an empty name goes back to theirs.
func (p *People) Rename(ctx context.Context, id identity.AccountID, name string) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found {
			return errors.Join(err, errUnless(found, ErrNotFound))
		}
		return tx.SetPetname(a.Row, cleanName(name))
	})
	if err == nil {
		p.hub.tell(Change{Kind: ChangedPeople})
	}
	return err
}
