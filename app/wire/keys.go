package wire

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cryptexq/cryptexq/crypto/segment"
)

// MaxRanges is how many ranges of entries one KEYREQ may ask for, MaxKeys how many keys one answer brings.
const (
	MaxRanges = 512
	MaxKeys   = 1024
)

// Range is Count entries from absolute index First on.
type Range struct {
	First uint64
	Count uint16
}

// KeyReq asks for what opens entries of a log.
type KeyReq struct {
	Log    segment.ID
	Ranges []Range // ascending, apart
}

// GateReq asks for the gate secret that a tag names.
type GateReq struct {
	Room RoomID
	Tag  [16]byte
}

// KeyRequest is the body of the frame KEYREQ: exactly one field is set.
type KeyRequest struct {
	Keys *KeyReq
	Gate *GateReq
}

// Marshal returns 1 | log id 32 | list {first 8, count 2}, or 2 | room id 32 | tag 16.
func (q KeyRequest) Marshal() []byte {
	var w writer
	if q.Gate != nil {
		w.AddUint8(2)
		w.AddBytes(q.Gate.Room[:])
		w.AddBytes(q.Gate.Tag[:])
		return w.done()
	}
	w.AddUint8(1)
	w.AddBytes(q.Keys.Log[:])
	w.count(len(q.Keys.Ranges))
	for _, g := range q.Keys.Ranges {
		w.AddUint64(g.First)
		w.AddUint16(g.Count)
	}
	return w.done()
}

// ParseKeyRequest reads a KEYREQ and refuses ranges that are empty, overlap or do not ascend.
func ParseKeyRequest(b []byte) (KeyRequest, error) {
	r := read(b)
	var q KeyRequest
	switch r.u8() {
	case 1:
		q.Keys = readKeyReq(r)
	case 2:
		q.Gate = &GateReq{Room: RoomID(r.hash())}
		r.into(q.Gate.Tag[:])
	default:
		r.need(false)
	}
	if err := r.end("KEYREQ"); err != nil {
		return KeyRequest{}, err
	}
	return q, nil
}

func readKeyReq(r *reader) *KeyReq {
	q := &KeyReq{Log: segment.ID(r.hash())}
	next := uint64(0)
	for range r.count(MaxRanges, 10) {
		g := Range{r.index(), r.u16()}
		r.need(g.Count > 0 && g.First >= next)
		next = g.First + uint64(g.Count)
		r.need(next <= MaxIndex)
		q.Ranges = append(q.Ranges, g)
	}
	r.need(len(q.Ranges) > 0)
	return q
}

// IndexedKey is what opens one entry: the prk of protocol.md, checked against the entry's commitment before it is believed.
type IndexedKey struct {
	Index uint64
	PRK   [32]byte
}

// Format hides the key.
func (IndexedKey) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the key.
func (IndexedKey) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

func compareKeys(a, b IndexedKey) int { return cmp.Compare(a.Index, b.Index) }

func writeKeys(w *writer, keys []IndexedKey) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, compareKeys)
	w.count(len(keys))
	for i := range keys {
		w.AddUint64(keys[i].Index)
		w.AddBytes(keys[i].PRK[:])
	}
}

func readKeys(r *reader) (keys []IndexedKey) {
	for range r.count(MaxKeys, 40) {
		keys = append(keys, IndexedKey{r.index(), r.hash()})
	}
	r.need(len(keys) > 0 && ascending(keys, compareKeys))
	return keys
}

// KeyReply answers KEYREQ: keys, a gate secret, or neither, which is no.
type KeyReply struct {
	Keys []IndexedKey // ascending by index
	Gate *Gate
}

// Marshal returns 0, 1 | list {index 8, prk 32}, or 2 | GATE.
func (k KeyReply) Marshal() []byte {
	var w writer
	switch {
	case k.Gate != nil:
		w.AddUint8(2)
		k.Gate.write(&w)
	case len(k.Keys) > 0:
		w.AddUint8(1)
		writeKeys(&w, k.Keys)
	default:
		w.AddUint8(0)
	}
	return w.done()
}

// ParseKeyReply reads an answer to KEYREQ.
func ParseKeyReply(b []byte) (KeyReply, error) {
	r := read(b)
	var k KeyReply
	switch r.u8() {
	case 0:
	case 1:
		k.Keys = readKeys(r)
	case 2:
		g := readGate(r)
		k.Gate = &g
	default:
		r.need(false)
	}
	if err := r.end("an answer to KEYREQ"); err != nil {
		return KeyReply{}, err
	}
	return k, nil
}

// Keys is the record that answers KEYREQ where there is no link, or gives keys unasked.
type Keys struct {
	Log  segment.ID
	Keys []IndexedKey // ascending by index, 1 to 1024
}

// Marshal returns log id 32 | list {index 8, prk 32}.
func (k Keys) Marshal() []byte {
	var w writer
	w.AddBytes(k.Log[:])
	writeKeys(&w, k.Keys)
	return w.done()
}

// ParseKeys reads a record KEYS.
func ParseKeys(b []byte) (Keys, error) {
	r := read(b)
	k := Keys{segment.ID(r.hash()), readKeys(r)}
	if err := r.end("KEYS"); err != nil {
		return Keys{}, err
	}
	return k, nil
}
