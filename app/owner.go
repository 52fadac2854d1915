package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/vault"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Owner is what concerns ourselves: who we are, the recovery words, the password, and how the program does.
type Owner struct {
	*core
	service *Service
	door    *door
}

// Identity says who we are.
func (o *Owner) Identity(ctx context.Context) (id Identity, err error) {
	var words []byte
	err = o.st.View(ctx, func(r *store.Reader) (err error) {
		words, err = r.Secret("words")
		return err
	})
	o.me.mu.Lock()
	defer o.me.mu.Unlock()
	return Identity{
		Name: o.me.name, Account: o.me.id, Device: o.me.deviceID(), Peer: o.me.peer, SafetyHalf: identity.SafetyHalf(o.me.key),
		Addresses: slices.Clone(o.me.addrs), WordsSaved: words == nil, ReadReceipts: o.me.receipts,
	}, err
}

// Words shows the 24 words, as long as they were not confirmed to be saved. The password is asked again.
func (o *Owner) Words(ctx context.Context, password []byte) (words string, err error) {
	if err := o.door.try(ctx, func() error { return o.st.CheckPassword(password) }); err != nil {
		return "", err
	}
	err = o.st.View(ctx, func(r *store.Reader) error {
		raw, err := r.Secret("words")
		words = string(raw)
		return err
	})
	if err == nil && words == "" {
		err = ErrWords
	}
	return words, err
}

// ConfirmWords erases the words from the vault: they were saved.
func (o *Owner) ConfirmWords(ctx context.Context) error {
	err := o.st.Erase(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.SetSecret("words", nil), tx.Audit(auditWords, nil, "erased"))
	})
	if err == nil {
		o.hub.tell(Change{Kind: ChangedStatus})
	}
	return err
}

// ChangePassword rewraps the vault's key. The 24 words do in place of the old password: who forgot it has nothing else.
func (o *Owner) ChangePassword(ctx context.Context, old, next []byte) error {
	if utf8.RuneCount(next) < MinPassword {
		return ErrShort
	}
	err := o.door.try(ctx, func() error {
		if seed, err := identity.ParseWords(strings.TrimSpace(string(old))); err == nil {
			if err := o.st.ResetPassword(seed.VaultKey(), next, vault.Min); !errors.Is(err, ErrPassword) {
				return err
			}
		}
		return o.st.ChangePassword(old, next, vault.Min) // words may be a password all the same
	})
	if err != nil {
		return err
	}
	return o.st.Update(ctx, func(tx *store.Tx) error { return tx.Audit(auditPassword, nil, "") })
}

// SetReadReceipts says whether we tell and are told what was read.
func (o *Owner) SetReadReceipts(ctx context.Context, on bool) error {
	if on == o.me.saysRead() {
		return nil
	}
	word := map[bool]string{true: "yes", false: "no"}[on]
	card := o.me.card()
	card.Flags &^= cardReadReceipts
	if on {
		card.Flags |= cardReadReceipts
	}
	return o.st.Update(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() { o.me.setReceipts(on) })
		return errors.Join(tx.SetSetting("read_receipts", word), o.handOut(tx, wire.Record{Kind: wire.RecordCard, Body: card.Marshal()}))
	})
}

// handOut tells every contact something of us.
func (o *Owner) handOut(tx *store.Tx, record wire.Record) error {
	contacts, err := tx.Accounts(store.AccountContact)
	if err != nil {
		return err
	}
	for _, a := range contacts {
		devices, err := tx.Devices(a.Row)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if !d.Trusted() {
				continue
			}
			if err := o.service.sessions.queue(tx, d, record); err != nil {
				return err
			}
		}
	}
	return nil
}

// Setting reads one by its key; what it means is for whoever keeps it.
func (o *Owner) Setting(ctx context.Context, key, otherwise string) (value string, err error) {
	err = o.st.View(ctx, func(r *store.Reader) (err error) {
		value, err = r.Setting(key, otherwise)
		return err
	})
	return value, err
}

// SetSetting keeps one.
func (o *Owner) SetSetting(ctx context.Context, key, value string) error {
	return o.st.Update(ctx, func(tx *store.Tx) error { return tx.SetSetting(key, value) })
}

// nearbySetting is whether others on the LAN are told our name, yes or no.
const nearbySetting = "nearby"

// SetNearby says whether others on the LAN are told our name. It is kept, and a NearbyNetwork is told at once.
func (o *Owner) SetNearby(ctx context.Context, on bool) error {
	word, name := "no", ""
	if on {
		word, name = "yes", o.me.called()
	}
	err := o.st.Update(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() { o.service.show(name) })
		return tx.SetSetting(nearbySetting, word)
	})
	if err == nil {
		o.hub.tell(Change{Kind: ChangedNearby})
	}
	return err
}

// Notices are what a person must know.
func (o *Owner) Notices() []Notice { return o.notes.list() }

// Dismiss takes a notice away.
func (o *Owner) Dismiss(code, subject string) {
	if !o.notes.drop(code, subject) {
		return
	}
	err := o.st.Update(context.Background(), func(tx *store.Tx) error { return tx.DropNotice(code, subject) })
	if err != nil {
		o.log.Warn("dismissing a notice", "err", err) // it will be back after the next start
	}
	o.hub.tell(Change{Kind: ChangedStatus})
}

// Status says how the program does.
func (o *Owner) Status(ctx context.Context) (st Status, err error) {
	o.service.mu.Lock()
	net, ready := o.service.net, o.service.ready
	o.service.mu.Unlock()
	var ps peer.Status
	if net != nil {
		ps = net.Status()
	}
	st = Status{
		Ready: ready, Peers: ps.Peers, LAN: ps.LAN, Relays: ps.Relays, Topics: ps.Topics, Heard: ps.Accepted,
		Uptime: o.now().Sub(o.service.started), Notices: o.notes.list(),
	}
	// Two profiles of one machine meet without a network.
	st.Online = o.service.links.online() || st.Peers > 0 || len(o.service.People.nearby.list(o.now())) > 0
	if !ready {
		st.Reason = "starting"
	}
	err = o.st.View(ctx, func(r *store.Reader) error {
		n, err := r.CountQueued()
		if err != nil {
			return err
		}
		st.Queued = int(n)
		st.Refused, err = r.RefusedCounts()
		return err
	})
	if err != nil {
		return st, err
	}
	for cause, n := range o.refused.counts() {
		st.Refused[cause] += n
	}
	for cause, n := range ps.Refused {
		st.Refused[cause] = max(st.Refused[cause], n)
	}
	return st, err
}

func (a *account) setReceipts(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.receipts = on
}

func (a *account) setPort(port int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.port = port
}

func (a *account) listening(f peer.Listening) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addrs, a.record = f.Addresses, f.Record
}
