package wire

import (
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/segment"
)

// MaxHeads bounds the newest control entries that one can know at once: more than 64 members with several devices write at the same
// moment.
const MaxHeads = 256

// Gate brings a gate secret to an entitled device.
type Gate struct {
	Room   RoomID
	Secret [32]byte
	Heads  [][32]byte // newest control entries that its maker knew, ascending
}

// Format hides the secret.
func (Gate) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the secret.
func (Gate) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

func (g *Gate) write(w *writer) {
	w.AddBytes(g.Room[:])
	w.AddBytes(g.Secret[:])
	w.set(g.Heads)
}

func readGate(r *reader) Gate { return Gate{RoomID(r.hash()), r.hash(), r.set(MaxHeads)} }

// Marshal returns room id 32 | secret 32 | list head 32.
func (g Gate) Marshal() []byte {
	var w writer
	g.write(&w)
	return w.done()
}

// ParseGate reads a record GATE.
func ParseGate(b []byte) (Gate, error) {
	r := read(b)
	g := readGate(r)
	if err := r.end("GATE"); err != nil {
		return Gate{}, err
	}
	return g, nil
}

// Why a chain was made.
const (
	CauseFirst   uint8 = 1 // none yet, or a new log
	CauseRemoval uint8 = 2
	CauseLength  uint8 = 3 // 256 entries
	CauseAge     uint8 = 4
	CauseEcho    uint8 = 5 // in a room of two, the other began one after ours
)

// chainLength is that of crypto/group: a chain of 256 entries stands at 256 when it is used up.
const chainLength = 256

// Chain brings the sending chain of a log to an entitled device, at its current place.
type Chain struct {
	Room           RoomID
	Log            segment.ID
	Generation     uint32
	Index          uint32 // 0 to 256
	Key            [32]byte
	Cause          uint8
	Heads          [][32]byte // newest control entries that its maker knew, ascending
	LogCertificate []byte     // the first time, else nil
}

// Format hides the key.
func (Chain) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the key.
func (Chain) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Marshal returns room id 32 | log id 32 | generation 4 | index 4 | ck 32 | cause 1 | list head 32 | has 1 [log certificate 8872].
func (c Chain) Marshal() []byte {
	var w writer
	w.AddBytes(c.Room[:])
	w.AddBytes(c.Log[:])
	w.AddUint32(c.Generation)
	w.AddUint32(c.Index)
	w.AddBytes(c.Key[:])
	w.AddUint8(c.Cause)
	w.set(c.Heads)
	w.flag(c.LogCertificate != nil)
	w.AddBytes(c.LogCertificate)
	return w.done()
}

// ParseChain reads a record CHAIN; segment verifies the certificate.
func ParseChain(b []byte) (Chain, error) {
	r := read(b)
	c := Chain{
		Room: RoomID(r.hash()), Log: segment.ID(r.hash()), Generation: r.u32(), Index: r.u32(), Key: r.hash(), Cause: r.u8(),
		Heads: r.set(MaxHeads),
	}
	r.need(c.Index <= chainLength && c.Cause >= CauseFirst && c.Cause <= CauseEcho)
	if r.flag() {
		c.LogCertificate = r.fixed(segment.LogCertificateSize)
	}
	if err := r.end("CHAIN"); err != nil {
		return Chain{}, err
	}
	return c, nil
}

// Close says on the new session that nothing beyond NS will be sent on the old one.
type Close struct {
	SID [16]byte
	NS  uint64
}

// Marshal returns sid 16 | ns 8.
func (c Close) Marshal() []byte {
	var w writer
	w.AddBytes(c.SID[:])
	w.AddUint64(c.NS)
	return w.done()
}

// ParseClose reads a record CLOSE.
func ParseClose(b []byte) (Close, error) {
	r := read(b)
	var c Close
	r.into(c.SID[:])
	c.NS = r.u64()
	return c, r.end("CLOSE")
}

// Meet brings the pair secret under which two contacts find each other at a rendezvous; from the lower account, once per contact.
type Meet struct{ Secret [32]byte }

// Format hides the secret.
func (Meet) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the secret.
func (Meet) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Marshal returns the secret.
func (m Meet) Marshal() []byte { return m.Secret[:] }

// ParseMeet reads a record MEET.
func ParseMeet(b []byte) (Meet, error) {
	r := read(b)
	m := Meet{r.hash()}
	return m, r.end("MEET")
}
