package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Sync is one step of comparing what two devices hold: exactly one field is set. Both the request and the reply of a SYNC frame
// are one: to 1, the reply is 1 with the same digest when all is equal, else 2; to 3, it is 3.
type Sync struct {
	One   *Sync1
	Two   *Sync2
	Three *Sync3
}

// Sync1 is the digest over the rooms that both share; see DigestRooms.
type Sync1 struct{ Digest [32]byte }

// Sync2 lists the shared rooms, ascending by id.
type Sync2 struct{ Rooms []RoomDigest }

// RoomDigest is what a device holds of one room, in 8 bytes; see DigestRoom.
type RoomDigest struct {
	Room   RoomID
	Digest [8]byte
}

// Sync3 tells the state of rooms that differ. Who has more than fits a frame sends several.
type Sync3 struct{ Rooms []RoomState }

// RoomState is what a device holds of one room and what it heard about others.
type RoomState struct {
	Room     RoomID
	Haves    Haves
	Evidence [][16]byte // ids, ascending
	Hearsay  []Hearsay  // used only for lost authors, kept 48 h
}

// Hearsay is the newest HAVE known of another device, and whether that log was mailed to it.
type Hearsay struct {
	Device identity.DeviceID
	Have   Have
	Mailed bool
}

const (
	roomDigestSize = 40
	roomStateSize  = 32 + 2 + 2 + 2
	hearsaySize    = 32 + haveSize + 1
	maxList        = 0xffff // what a frame can hold bounds these lists
)

// Marshal returns step 1 | content.
func (s Sync) Marshal() []byte {
	var w writer
	switch {
	case s.One != nil:
		w.AddUint8(1)
		w.AddBytes(s.One.Digest[:])
	case s.Two != nil:
		w.AddUint8(2)
		rooms := slices.Clone(s.Two.Rooms)
		slices.SortFunc(rooms, compareRooms)
		w.count(len(rooms))
		for _, d := range rooms {
			w.AddBytes(d.Room[:])
			w.AddBytes(d.Digest[:])
		}
	default:
		w.AddUint8(3)
		w.count(len(s.Three.Rooms))
		for i := range s.Three.Rooms {
			s.Three.Rooms[i].write(&w)
		}
	}
	return w.done()
}

func compareRooms(a, b RoomDigest) int { return bytes.Compare(a.Room[:], b.Room[:]) }

func compare16(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }

func (s *RoomState) write(w *writer) {
	w.AddBytes(s.Room[:])
	s.Haves.write(w)
	evidence := slices.Clone(s.Evidence)
	slices.SortFunc(evidence, compare16)
	evidence = slices.Compact(evidence)
	w.count(len(evidence))
	for i := range evidence {
		w.AddBytes(evidence[i][:])
	}
	w.count(len(s.Hearsay))
	for i := range s.Hearsay {
		w.AddBytes(s.Hearsay[i].Device[:])
		s.Hearsay[i].Have.write(w)
		w.flag(s.Hearsay[i].Mailed)
	}
}

// Size is how many bytes the state takes in a step 3, for who fills a frame.
func (s RoomState) Size() int {
	return roomStateSize + len(s.Haves)*haveSize + len(s.Evidence)*16 + len(s.Hearsay)*hearsaySize
}

// ParseSync reads one step.
func ParseSync(b []byte) (Sync, error) {
	r := read(b)
	var s Sync
	switch r.u8() {
	case 1:
		s.One = &Sync1{r.hash()}
	case 2:
		s.Two = &Sync2{readRoomDigests(r)}
	case 3:
		s.Three = &Sync3{readRoomStates(r)}
	default:
		r.need(false)
	}
	if err := r.end("SYNC"); err != nil {
		return Sync{}, err
	}
	return s, nil
}

func readRoomDigests(r *reader) (rooms []RoomDigest) {
	for range r.count(maxList, roomDigestSize) {
		d := RoomDigest{Room: RoomID(r.hash())}
		r.into(d.Digest[:])
		rooms = append(rooms, d)
	}
	r.need(ascending(rooms, compareRooms))
	return rooms
}

func readRoomStates(r *reader) (rooms []RoomState) {
	for range r.count(maxList, roomStateSize) {
		s := RoomState{Room: RoomID(r.hash()), Haves: readHaves(r, maxList)}
		for range r.count(maxList, 16) {
			var id [16]byte
			r.into(id[:])
			s.Evidence = append(s.Evidence, id)
		}
		r.need(ascending(s.Evidence, compare16))
		for range r.count(maxList, hearsaySize) {
			s.Hearsay = append(s.Hearsay, Hearsay{identity.DeviceID(r.hash()), readHave(r), r.flag()})
		}
		rooms = append(rooms, s)
	}
	return rooms
}

// DigestRooms is what step 1 compares: SHA-256 over room id 32 | digest 8 of each room, ascending by id. The order given does not
// matter.
func DigestRooms(rooms []RoomDigest) [32]byte {
	rooms = slices.Clone(rooms)
	slices.SortFunc(rooms, compareRooms)
	h := sha256.New()
	for _, d := range rooms {
		h.Write(d.Room[:])
		h.Write(d.Digest[:])
	}
	return [32]byte(h.Sum(nil))
}

// DigestRoom is a room's state in 8 bytes: SHA-256 over count 2 | log id 32, stored 8, head digest 32 of each log, ascending by log
// id, and the evidence ids, ascending. Logs of which nothing is held do not count: whether one knows of them differs.
func DigestRoom(haves []Have, evidence [][16]byte) [8]byte {
	held := slices.DeleteFunc(slices.Clone(haves), func(h Have) bool { return h.HeadK == NoHead })
	slices.SortFunc(held, func(a, b Have) int { return bytes.Compare(a.Log[:], b.Log[:]) })
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(held))))
	for i := range held {
		h.Write(held[i].Log[:])
		h.Write(binary.BigEndian.AppendUint64(nil, held[i].Stored))
		h.Write(held[i].HeadDigest[:])
	}
	evidence = slices.Clone(evidence)
	slices.SortFunc(evidence, compare16)
	for i := range evidence {
		h.Write(evidence[i][:])
	}
	return [8]byte(h.Sum(nil))
}

// EvidenceRequest asks for one object by its id, the first 16 bytes of its SHA-256. The reply is the object, or empty.
type EvidenceRequest struct{ ID [16]byte }

// Marshal returns the id.
func (e EvidenceRequest) Marshal() []byte { return e.ID[:] }

// ParseEvidenceRequest reads an id.
func ParseEvidenceRequest(b []byte) (EvidenceRequest, error) {
	if len(b) != 16 {
		return EvidenceRequest{}, fmt.Errorf("reading EVIDENCE: %w", ErrFormat)
	}
	return EvidenceRequest{[16]byte(b)}, nil
}

// Typing says that somebody began or stopped writing; never stored.
type Typing struct {
	Room RoomID
	On   bool
}

// Marshal returns room id 32 | 1 or 0.
func (t Typing) Marshal() []byte {
	var w writer
	w.AddBytes(t.Room[:])
	w.flag(t.On)
	return w.done()
}

// ParseTyping reads a TYPING frame.
func ParseTyping(b []byte) (Typing, error) {
	r := read(b)
	t := Typing{RoomID(r.hash()), r.flag()}
	return t, r.end("TYPING")
}
