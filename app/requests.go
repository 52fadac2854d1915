package app

import (
	"crypto/sha256"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
)

// maxRequests bounds the requests that wait for the person. Who brings a token of ours is let in beyond it: we made no more of
// them than we wanted, and strangers could fill what there is to keep out who was invited.
const maxRequests = 200

// admit decides what an INIT is: a session with somebody known, or somebody new who asks us. Who is nobody to us, and does not
// even say hello, leaves nothing here.
func (h *herald) admit(tx *store.Tx, acc *ratchet.Accepted, records []wire.Record) (d store.Device, err error) {
	a, found, err := tx.Account(identity.AccountOf(acc.Account))
	if err != nil {
		return d, err
	}
	if !found || a.State == store.AccountMet {
		if err := h.mayAsk(tx, a, records); err != nil {
			return d, err
		}
		if a, err = tx.AddAccount(identity.AccountOf(acc.Account), store.AccountMet, h.ms()); err != nil {
			return d, err
		}
	}
	if a.State == store.AccountBlocked || a.Row == store.Own {
		return d, badly("blocked")
	}
	if a.Key == nil {
		a.Key = acc.Account.Bytes()
		if err := tx.SetAccountKey(a.Row, a.Key); err != nil {
			return d, err
		}
	}
	d, err = h.dir.addDevice(tx, a, acc.Certificate)
	if err == nil && d.State == store.DeviceRevoked {
		err = badly("revoked_device")
	}
	return d, err
}

// mayAsk refuses the INIT of somebody unknown who does not ask, or for whom there is no room. Members of our rooms need not ask.
func (h *herald) mayAsk(tx *store.Tx, a store.Account, records []wire.Record) error {
	if a.Row != 0 {
		rooms, err := tx.RoomsOf(a.Row)
		if err != nil || len(rooms) > 0 {
			return err
		}
	}
	for _, r := range records {
		if r.Kind != wire.RecordHello {
			continue
		}
		hello, err := wire.ParseHello(r.Body)
		if err != nil {
			return flawed("record_hello", err)
		}
		n, err := tx.CountAccounts(store.AccountAsks)
		if err != nil || n < maxRequests {
			return err
		}
		invited, err := tx.Welcome(tokenHash(hello), h.ms())
		if err == nil && !invited {
			err = badly("requests_full")
		}
		return err
	}
	return badly("init_stranger")
}

func tokenHash(h wire.Hello) [32]byte { return sha256.Sum256(h.Token) }

// takeHello is how somebody introduces themselves. Requests that cross accept each other.
func (h *herald) takeHello(tx *store.Tx, a store.Account, d store.Device, body []byte) error {
	hello, err := wire.ParseHello(body)
	if err != nil {
		return flawed("record_hello", err)
	}
	if err := tx.SetTheirName(a.Row, cleanName(hello.Name)); err != nil {
		return err
	}
	if len(hello.Token) > 0 {
		if _, err := tx.UseInvitation(tokenHash(hello), a.Row, h.ms()); err != nil {
			return err
		}
	}
	switch a.State {
	case store.AccountMet:
		h.relationChanged(tx)
		if err := tx.SetAccountState(a.Row, store.AccountAsks, h.ms()); err != nil {
			return err
		}
		_, err = openDirect(tx, h.core, a, store.RoomOffered)
		return err
	case store.AccountAsked:
		return h.befriend(tx, a)
	}
	return nil
}

func (h *herald) relationChanged(tx *store.Tx) {
	tx.OnCommit(func() {
		h.hub.tell(Change{Kind: ChangedPeople})
		h.push()
	})
}

// befriend makes a contact of somebody we asked: they asked too, or said yes. What invited us is used up.
func (h *herald) befriend(tx *store.Tx, a store.Account) error {
	h.relationChanged(tx)
	return tx.SetAccountState(a.Row, store.AccountContact, h.ms())
}

// joined is called when somebody's `open` was read: in a room of two it is their yes.
func (h *herald) joined(tx *store.Tx, room store.Room, author store.Device) error {
	if room.Kind != store.RoomDirect {
		return nil
	}
	a, _, err := tx.AccountRow(author.Account)
	if err != nil || a.State != store.AccountAsked {
		return err
	}
	return h.befriend(tx, a)
}
