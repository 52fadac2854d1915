package segment

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// HeaderSize is the length of a header: "CQS1" | suite 2 | room tag 16 | log id 32 | k 8 | epoch 8 | first 8 | count 2 |
// entries root 32 | prev 32 | past root 32 | deps root 32 | unix ms 8.
const HeaderSize = 216

const (
	headerMagic = "CQS1"
	// MaxK bounds the segments of one log: an inclusion and a consistency proof then have at most 79 hashes together, inside
	// the 80 that verifiers take, and all arithmetic stays far from the end of an int64.
	MaxK = 1 << 39
	// MaxMillis bounds the header's time (year 10889); beyond it the sort key of a message could overflow.
	MaxMillis = 1 << 48
)

// Header is what the log key signs. Times are unix milliseconds, by the author's clock; no reader refuses by them.
type Header struct {
	Tag         [16]byte // names the gate secret of the room; only topics look at it
	Log         ID
	K           uint64   // number of the segment in its log, from 0, below MaxK
	Epoch       uint64   // 0 in this version
	First       uint64   // entries of the log before this segment
	Count       uint16   // entries in this segment, 1 to 64
	EntriesRoot [32]byte // RFC 6962 root over the raw entries
	Prev        [32]byte // Digest of header K-1, zeros at 0
	PastRoot    [32]byte // RFC 6962 root over headers 0 to K-1, zeros at 0
	DepsRoot    [32]byte // RFC 6962 root over the items of deps, zeros without
	Millis      uint64
}

// Next is the absolute index of the first entry after this segment.
func (h *Header) Next() uint64 { return h.First + uint64(h.Count) }

// Marshal returns the 216 bytes that are signed.
func (h *Header) Marshal() []byte {
	b := cryptobyte.NewFixedBuilder(make([]byte, 0, HeaderSize))
	b.AddBytes([]byte(headerMagic))
	b.AddUint16(suite)
	b.AddBytes(h.Tag[:])
	b.AddBytes(h.Log[:])
	b.AddUint64(h.K)
	b.AddUint64(h.Epoch)
	b.AddUint64(h.First)
	b.AddUint16(h.Count)
	b.AddBytes(h.EntriesRoot[:])
	b.AddBytes(h.Prev[:])
	b.AddBytes(h.PastRoot[:])
	b.AddBytes(h.DepsRoot[:])
	b.AddUint64(h.Millis)
	return b.BytesOrPanic()
}

// ParseHeader reads a header and refuses what no honest log can hold: unknown version or epoch, K or time out of bounds,
// a count outside 1 to 64, a First that K segments cannot add up to, a past at K 0.
func ParseHeader(b []byte) (*Header, error) {
	h := new(Header)
	r := cryptobyte.String(b)
	var magic []byte
	var version uint16
	ok := r.ReadBytes(&magic, 4) && r.ReadUint16(&version) && r.CopyBytes(h.Tag[:]) && r.CopyBytes(h.Log[:]) &&
		r.ReadUint64(&h.K) && r.ReadUint64(&h.Epoch) && r.ReadUint64(&h.First) && r.ReadUint16(&h.Count) &&
		r.CopyBytes(h.EntriesRoot[:]) && r.CopyBytes(h.Prev[:]) && r.CopyBytes(h.PastRoot[:]) && r.CopyBytes(h.DepsRoot[:]) &&
		r.ReadUint64(&h.Millis) && r.Empty()
	if !ok || string(magic) != headerMagic || version != suite || h.Epoch != 0 || !h.sane() {
		return nil, fmt.Errorf("reading a header: %w", ErrFormat)
	}
	return h, nil
}

func (h *Header) sane() bool {
	if h.K >= MaxK || h.Millis >= MaxMillis || h.Count < 1 || h.Count > MaxEntries {
		return false
	}
	if h.K == 0 {
		return h.First == 0 && h.Prev == [32]byte{} && h.PastRoot == [32]byte{}
	}
	return h.First >= h.K && h.First <= h.K*MaxEntries
}

// Digest is what prev, receipts and deps name: SHA-256 of the 216 bytes.
func Digest(header []byte) [32]byte { return sha256.Sum256(header) }

// CheckDeps says whether raw is the list of deps that the header commits to: canonical, of other logs, under DepsRoot.
func (h *Header) CheckDeps(raw []byte) error {
	deps, err := ParseDeps(raw)
	if err != nil {
		return err
	}
	for _, d := range deps {
		if d.Log == h.Log {
			return fmt.Errorf("deps name their own log: %w", ErrFormat)
		}
	}
	if root, _ := DepsRoot(raw); root != h.DepsRoot {
		return fmt.Errorf("deps: %w", ErrRoot)
	}
	return nil
}

// CheckLeaves says whether leaves are the leaf hashes of the header's entries: the form in which FETCH and WELCOME give what
// the asker may not read.
func (h *Header) CheckLeaves(leaves [][32]byte) error {
	if len(leaves) != int(h.Count) {
		return fmt.Errorf("%d leaves for %d entries: %w", len(leaves), h.Count, ErrFormat)
	}
	if RootOfLeaves(leaves) != h.EntriesRoot {
		return fmt.Errorf("entries: %w", ErrRoot)
	}
	return nil
}

// CheckEntries says whether raws are the header's entries, whole.
func (h *Header) CheckEntries(raws [][]byte) error {
	for _, e := range raws {
		if err := CheckEntry(e); err != nil {
			return err
		}
	}
	leaves := make([][32]byte, len(raws))
	for i, e := range raws {
		leaves[i] = LeafHash(e)
	}
	return h.CheckLeaves(leaves)
}

// Follows says whether next can stand directly behind prev in one log: K, Prev and First continue. Past root is for Tree.
func Follows(prev, next []byte) error {
	p, err := ParseHeader(prev)
	if err != nil {
		return err
	}
	n, err := ParseHeader(next)
	if err != nil {
		return err
	}
	digest := Digest(prev)
	if n.Log != p.Log || n.K != p.K+1 || n.First != p.Next() || !bytes.Equal(n.Prev[:], digest[:]) {
		return fmt.Errorf("header %d does not follow %d: %w", n.K, p.K, ErrRoot)
	}
	return nil
}
