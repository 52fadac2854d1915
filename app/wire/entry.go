package wire

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// MaxText is the longest message, in bytes.
const MaxText = 32 << 10

// Open is what the first entry of a log holds: who writes it, and in which room. Whoever reads it needs nothing else to check it.
type Open struct {
	Genesis           []byte
	LogCertificate    []byte // 8872 bytes
	DeviceCertificate []byte
	AccountKey        []byte // composite public key, 1984 bytes
}

// Marshal returns genesis | log certificate 8872 | device certificate | account pk 1984; the first and third behind their lengths.
func (o Open) Marshal() []byte {
	var w writer
	w.bytes(o.Genesis)
	w.AddBytes(o.LogCertificate)
	w.bytes(o.DeviceCertificate)
	w.AddBytes(o.AccountKey)
	return w.done()
}

// ParseOpen reads an opening. The genesis is one of this version's, or ErrNewer; signatures are the caller's.
func ParseOpen(b []byte) (Open, error) {
	r := read(b)
	o := Open{r.bytes(maxList), r.fixed(segment.LogCertificateSize), r.bytes(maxList), r.fixed(composite.PublicKeySize)}
	r.need(len(o.DeviceCertificate) > 0)
	if err := r.end("an opening"); err != nil {
		return Open{}, err
	}
	if _, err := ParseGenesis(o.Genesis); err != nil {
		return Open{}, err
	}
	return o, nil
}

// MessageRef names a message for ever: its log and its absolute index there.
type MessageRef struct {
	Log   segment.ID
	Index uint64
}

// Text is a message as somebody wrote it.
type Text struct {
	Body  string
	Reply *MessageRef // what it answers, or nil
}

// Format hides the message.
func (Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[text]") }

// MarshalText hides the message.
func (Text) MarshalText() ([]byte, error) { return []byte("[text]"), nil }

// Marshal returns text | has 1 [log id 32 | index 8].
func (t Text) Marshal() []byte {
	var w writer
	w.text(t.Body)
	w.flag(t.Reply != nil)
	if t.Reply != nil {
		w.AddBytes(t.Reply.Log[:])
		w.AddUint64(t.Reply.Index)
	}
	return w.done()
}

// ParseText reads a message of at most 32 KiB.
func ParseText(b []byte) (Text, error) {
	r := read(b)
	t := Text{Body: r.text(MaxText)}
	if r.flag() {
		t.Reply = &MessageRef{segment.ID(r.hash()), r.index()}
	}
	if err := r.end("a text"); err != nil {
		return Text{}, err
	}
	return t, nil
}

// Operations of control entries.
const (
	OpGrant    uint8 = 1  // makes an admin; owner only
	OpRevoke   uint8 = 2  // ends a GRANT, with a cut; owner only
	OpTransfer uint8 = 3  // makes another the owner; owner only
	OpAdd      uint8 = 4  // with the newcomer's card and role
	OpRemove   uint8 = 5  // with a cut
	OpRole     uint8 = 6  // member or reader
	OpLeave    uint8 = 7  // of its author
	OpName     uint8 = 8  // of the room
	OpPicture  uint8 = 9  // of the room
	OpTimer    uint8 = 10 // after which messages vanish
	OpEndLog   uint8 = 11 // where the log of a lost device ends: a cut of one
	OpSeat     uint8 = 12 // a verifier and its acceptance
)

// Roles that ADD and ROLE give.
const (
	RoleMember uint8 = 1
	RoleReader uint8 = 2 // reads, reacts and leaves
)

// MaxCut bounds the logs of one account that a cut names; MaxValue the value of a control entry, so that one always fits a part of
// a WELCOME with its log's proofs.
const (
	MaxCut   = 256
	MaxValue = 24 << 10
)

// CutItem is how far a log counts: up to header K of this digest.
type CutItem struct {
	Log    segment.ID
	K      uint64
	Digest [32]byte
}

// Control changes a room. Fields that its operation does not use are zero; see uses.
type Control struct {
	Op      uint8
	Parents [][32]byte // newest control entries in its past, ascending
	Target  identity.AccountID
	Role    uint8
	Value   []byte    // ADD: Card; NAME, PICTURE, TIMER, SEAT: theirs
	Cut     []CutItem // ascending by log id
}

// use says which fields an operation has.
type use struct{ target, role, value, cut bool }

var uses = [...]use{
	OpGrant:    {target: true},
	OpRevoke:   {target: true, cut: true},
	OpTransfer: {target: true},
	OpAdd:      {target: true, role: true, value: true},
	OpRemove:   {target: true, cut: true},
	OpRole:     {target: true, role: true},
	OpLeave:    {},
	OpName:     {value: true},
	OpPicture:  {value: true},
	OpTimer:    {value: true},
	OpEndLog:   {cut: true},
	OpSeat:     {target: true, value: true},
}

// Marshal returns op 1 | list parent 32 | target 32 | role 1 | value | list {log id 32, k 8, digest 32}.
func (c Control) Marshal() []byte {
	var w writer
	w.AddUint8(c.Op)
	w.set(c.Parents)
	w.AddBytes(c.Target[:])
	w.AddUint8(c.Role)
	w.bytes(c.Value)
	cut := slices.Clone(c.Cut)
	slices.SortFunc(cut, compareCuts)
	w.count(len(cut))
	for i := range cut {
		w.AddBytes(cut[i].Log[:])
		w.AddUint64(cut[i].K)
		w.AddBytes(cut[i].Digest[:])
	}
	return w.done()
}

func compareCuts(a, b CutItem) int { return bytes.Compare(a.Log[:], b.Log[:]) }

// ParseControl reads a control entry's record; ErrNewer for an operation that this version does not know.
func ParseControl(b []byte) (Control, error) {
	r := read(b)
	c := Control{Op: r.u8(), Parents: r.set(MaxHeads), Target: identity.AccountID(r.hash()), Role: r.u8(), Value: r.bytes(MaxValue)}
	for range r.count(MaxCut, 72) {
		c.Cut = append(c.Cut, CutItem{segment.ID(r.hash()), r.k(), r.hash()})
	}
	r.need(ascending(c.Cut, compareCuts))
	if err := r.end("a control entry"); err != nil {
		return Control{}, err
	}
	if int(c.Op) >= len(uses) {
		return Control{}, fmt.Errorf("reading control operation %d: %w", c.Op, ErrNewer)
	}
	if !c.Valid() {
		return Control{}, fmt.Errorf("reading a control entry: %w", ErrFormat)
	}
	return c, nil
}

// Valid says whether the operation is known and has its fields and no others. A cut may be empty (no log of the target is known),
// but for ENDLOG, which has one item. NAME and PICTURE may be empty: taken away.
func (c Control) Valid() bool {
	if c.Op < OpGrant || int(c.Op) >= len(uses) {
		return false
	}
	u := uses[c.Op]
	if (c.Target != identity.AccountID{}) != u.target || len(c.Cut) > 0 && !u.cut || len(c.Value) > 0 && !u.value {
		return false
	}
	if u.role != (c.Role == RoleMember || c.Role == RoleReader) || !u.role && c.Role != 0 {
		return false
	}
	return c.Op != OpEndLog || len(c.Cut) == 1
}
