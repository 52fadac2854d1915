package app

import (
	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// openDirect makes the room of two with somebody, or finds it. Both sides compute the same id. A room that is only offered
// to us has no gate secret of ours: declining must leave nothing behind.
func openDirect(tx *store.Tx, c *core, a store.Account, state int) (store.Room, error) {
	g := wire.DirectGenesis(c.me.id, a.Account)
	room, err := tx.AddRoom(store.Room{ID: g.ID(), Genesis: g.Marshal(), Kind: store.RoomDirect, State: state, LastSort: c.ms()},
		map[int64]int{store.Own: store.RoleMember, a.Row: store.RoleMember})
	if err != nil || state == store.RoomOffered {
		return room, err
	}
	if room.State != state {
		room.State = state
		if err := tx.SetRoomState(room.Row, state); err != nil {
			return room, err
		}
	}
	return room, ensureGate(tx, c, room)
}

// openNotes makes the room in which we write to ourselves.
func openNotes(tx *store.Tx, own identity.AccountID, ms int64) error {
	g := wire.NotesGenesis(own)
	room, err := tx.AddRoom(store.Room{ID: g.ID(), Genesis: g.Marshal(), Kind: store.RoomNotes, State: store.RoomOpen, LastSort: ms},
		map[int64]int{store.Own: store.RoleOwner})
	if err != nil {
		return err
	}
	return addGate(tx, room.Row, ms)
}

// ensureGate gives a room a gate secret when it has none: the one that came with a request serves as well.
func ensureGate(tx *store.Tx, c *core, room store.Room) error {
	all, err := tx.Gates(room.Row)
	if err != nil || len(all) > 0 {
		return err
	}
	return addGate(tx, room.Row, c.ms())
}

func addGate(tx *store.Tx, room, ms int64) error {
	secret, err := group.NewGateSecret()
	if err != nil {
		return err
	}
	tag := secret.Tag()
	return tx.AddGate(room, store.GateSecret{Tag: tag[:], Secret: secret, Heads: []byte{}, MadeAt: ms})
}
