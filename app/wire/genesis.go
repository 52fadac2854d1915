package wire

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Kinds of rooms.
const (
	Direct uint8 = 1 // two members, nobody owns it
	Group  uint8 = 2
	Notes  uint8 = 3 // alone with oneself
)

// Policies: whether verifiers certify the room's logs.
const (
	Signed   uint8 = 0
	Verified uint8 = 1
)

// What a newcomer may read.
const (
	HistoryJoin uint8 = 0 // from joining on
	HistoryAll  uint8 = 1
)

// MaxSeats is the largest roster of verifiers.
const MaxSeats = 13

const genesisMagic = "CQ1 room"

// Seat is one verifier of a roster: its account and the SHA-256 of its seat key.
type Seat struct {
	Account identity.AccountID
	KeyHash [32]byte
}

// Genesis is what a room is, for ever: its SHA-256 is the room's name, so two rosters or owners under one name cannot exist.
// Marshalled: "CQ1 room" | suite 2 | owner 32 | kind 1 | policy 1 | history 1 | list {account 32, seat key hash 32} | q 1 |
// SHA-256(submit key) 32 | previous room 32 | nonce 32.
type Genesis struct {
	Owner      identity.AccountID
	Kind       uint8
	Policy     uint8
	History    uint8
	Seats      []Seat // in the order of their numbers; one for each account
	Quorum     uint8  // QuorumOf the seats, 0 without
	SubmitHash [32]byte
	Previous   [32]byte // the room that this one succeeds, or zeros
	Nonce      [32]byte
}

// QuorumOf is how many of n seats must sign: n - floor((n-1)/3). Safe against 2q-n-1 liars.
func QuorumOf(n int) uint8 {
	if n < 1 {
		return 0
	}
	return uint8(n - (n-1)/3)
}

// DirectGenesis is the chat of two accounts: both compute the same, so hellos that cross meet in one room.
func DirectGenesis(a, b identity.AccountID) Genesis {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return Genesis{Owner: a, Kind: Direct, Nonce: b}
}

// NotesGenesis is the room that somebody has for themselves.
func NotesGenesis(self identity.AccountID) Genesis {
	return Genesis{Owner: self, Kind: Notes, Nonce: self}
}

// ID is the room's name.
func (g Genesis) ID() RoomID { return sha256.Sum256(g.Marshal()) }

// Marshal returns the bytes that are hashed.
func (g Genesis) Marshal() []byte {
	var w writer
	w.AddBytes([]byte(genesisMagic))
	w.AddUint16(suite)
	w.AddBytes(g.Owner[:])
	w.AddUint8(g.Kind)
	w.AddUint8(g.Policy)
	w.AddUint8(g.History)
	w.count(len(g.Seats))
	for _, s := range g.Seats {
		w.AddBytes(s.Account[:])
		w.AddBytes(s.KeyHash[:])
	}
	w.AddUint8(g.Quorum)
	w.AddBytes(g.SubmitHash[:])
	w.AddBytes(g.Previous[:])
	w.AddBytes(g.Nonce[:])
	return w.done()
}

// ParseGenesis reads a genesis and refuses one that contradicts itself: see Valid. ErrNewer for a suite, kind, policy or history
// that this version does not know.
func ParseGenesis(b []byte) (Genesis, error) {
	var g Genesis
	r := read(b)
	r.need(string(r.fixed(len(genesisMagic))) == genesisMagic)
	version := r.u16()
	if !r.bad && version != suite {
		return Genesis{}, fmt.Errorf("reading a genesis of suite %d: %w", version, ErrNewer)
	}
	g.Owner = identity.AccountID(r.hash())
	g.Kind, g.Policy, g.History = r.u8(), r.u8(), r.u8()
	for range r.count(MaxSeats, 64) {
		g.Seats = append(g.Seats, Seat{identity.AccountID(r.hash()), r.hash()})
	}
	g.Quorum = r.u8()
	g.SubmitHash, g.Previous, g.Nonce = r.hash(), r.hash(), r.hash()
	if err := r.end("a genesis"); err != nil {
		return Genesis{}, err
	}
	if g.Kind > Notes || g.Policy > Verified || g.History > HistoryAll {
		return Genesis{}, fmt.Errorf("reading a genesis: %w", ErrNewer)
	}
	if !g.Valid() {
		return Genesis{}, fmt.Errorf("reading a genesis: %w", ErrFormat)
	}
	return g, nil
}

// Valid says whether the fields agree: seats, quorum and submit key are there iff the policy is Verified, seats are of different
// accounts; a signed direct or notes room is exactly that of DirectGenesis or NotesGenesis, a verified one succeeds another.
func (g Genesis) Valid() bool {
	if g.Kind < Direct || g.Kind > Notes || g.Policy > Verified || g.History > HistoryAll || !g.validRoster() {
		return false
	}
	if g.Kind == Group {
		return true
	}
	if g.Policy == Verified {
		return g.Previous != [32]byte{} && g.History == HistoryJoin
	}
	if g.History != HistoryJoin || g.Previous != [32]byte{} {
		return false
	}
	order := bytes.Compare(g.Owner[:], g.Nonce[:])
	return g.Kind == Direct && order < 0 || g.Kind == Notes && order == 0
}

func (g Genesis) validRoster() bool {
	n := len(g.Seats)
	if n > MaxSeats || g.Quorum != QuorumOf(n) || (g.Policy == Verified) != (n > 0) || (n > 0) != (g.SubmitHash != [32]byte{}) {
		return false
	}
	for i := range g.Seats {
		for j := range i {
			if g.Seats[i].Account == g.Seats[j].Account {
				return false
			}
		}
	}
	return true
}
