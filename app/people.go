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
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// People is everybody we know or could know: contacts, requests both ways, who is nearby.
type People struct {
	*core
	rooms    *Rooms
	sessions *sessions
	links    *links
	push     func() // the table of peers changed
	nearby   nearbyList
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
	var answers bool
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.AddAccount(inv.Account, store.AccountMet, p.ms())
		if err != nil {
			return err
		}
		state := store.AccountAsked
		if a.State == store.AccountAsks || a.State == store.AccountDeclined {
			state, answers = store.AccountContact, true
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
	if err == nil && answers {
		err = p.rooms.introduce(ctx, inv.Account)
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
			return either(err, ErrNoRequest)
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
	if err := p.rooms.introduce(ctx, id); err != nil {
		return Contact{}, err
	}
	p.push()
	p.hub.tell(Change{Kind: ChangedPeople}, Change{Kind: ChangedRoom, Room: room.ID})
	return p.Contact(ctx, id)
}

// Decline turns somebody down. Nothing is sent: they cannot tell it from silence.
func (p *People) Decline(ctx context.Context, id identity.AccountID) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.State != store.AccountAsks {
			return either(err, ErrNoRequest)
		}
		return tx.SetAccountState(a.Row, store.AccountDeclined, p.ms())
	})
	if err == nil {
		p.push()
		p.hub.tell(Change{Kind: ChangedPeople})
	}
	return err
}

// Block ends all dealings with somebody.
func (p *People) Block(ctx context.Context, id identity.AccountID) error {
	return p.move(ctx, id, func(tx *store.Tx, a store.Account) (int, error) { return store.AccountBlocked, nil })
}

// Unblock makes a blocked person again what they were: a contact, asked, or somebody who asks.
func (p *People) Unblock(ctx context.Context, id identity.AccountID) error {
	return p.move(ctx, id, func(tx *store.Tx, a store.Account) (int, error) {
		if a.State != store.AccountBlocked {
			return a.State, nil
		}
		return p.before(tx, a)
	})
}

func (p *People) move(ctx context.Context, id identity.AccountID, to func(tx *store.Tx, a store.Account) (int, error)) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.Row == store.Own {
			return either(err, ErrNotFound)
		}
		state, err := to(tx, a)
		if err != nil || state == a.State {
			return err
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

// before is what somebody was before they were blocked, as the room of two says: they asked, or were asked, or both are in.
func (p *People) before(tx *store.Tx, a store.Account) (state int, err error) {
	room, found, err := tx.Room(wire.DirectGenesis(p.me.id, a.Account).ID())
	switch {
	case err != nil:
		return 0, err
	case !found:
		return store.AccountMet, nil
	case room.State == store.RoomOffered:
		return store.AccountAsks, nil
	}
	logs, err := tx.Logs(room.Row)
	for _, l := range logs {
		if l.Seed == nil && l.Device != 0 && l.Opened > 0 {
			return store.AccountContact, err
		}
	}
	return store.AccountAsked, err
}

// ways of comparing, as the store keeps them.
const comparedNumber = 3

// Compared notes that the safety numbers were compared and are the same.
func (p *People) Compared(ctx context.Context, id identity.AccountID) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found || a.Key == nil {
			return either(err, ErrNotFound)
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
			return either(err, ErrNotFound)
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

// Approve is the yes to a new device of somebody known: what waited for it goes out, and so do the keys.
func (p *People) Approve(ctx context.Context, id identity.AccountID) error {
	var names []string
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		names = []string{shownName(a), a.TheirName, a.Petname}
		devices, err := tx.Devices(a.Row)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d.State != store.DeviceValid || d.Approved {
				continue
			}
			if err := p.approve(tx, d); err != nil {
				return err
			}
		}
		for _, name := range names {
			if err := tx.DropNotice("device", name); err != nil {
				return err
			}
		}
		return tx.Audit(auditNewDevice, id[:], "approved")
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		p.notes.drop("device", name)
	}
	p.links.hurryAll()
	p.hub.tell(Change{Kind: ChangedPeople}, Change{Kind: ChangedStatus})
	return nil
}

func (p *People) approve(tx *store.Tx, d store.Device) error {
	if err := tx.ApproveDevice(d.Row); err != nil {
		return err
	}
	d.Approved = true
	return p.sessions.tell(tx, d)
}

// Rename keeps what we call somebody; an empty name goes back to theirs.
func (p *People) Rename(ctx context.Context, id identity.AccountID, name string) error {
	err := p.st.Update(ctx, func(tx *store.Tx) error {
		a, found, err := tx.Account(id)
		if err != nil || !found {
			return either(err, ErrNotFound)
		}
		return tx.SetPetname(a.Row, cleanName(name))
	})
	if err == nil {
		p.hub.tell(Change{Kind: ChangedPeople})
	}
	return err
}
