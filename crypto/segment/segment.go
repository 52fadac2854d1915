// Package segment is the form in which messages travel, are stored and are signed.
//
// A device's log in a room is a chain of segments. A segment is a signed header and the 1 to 64 entries that it adds; all
// that anyone must check hangs on the header alone: it carries the digest of the header before it, the RFC 6962 root over
// all headers before it, and the roots over its own entries and over the heads of other logs that it names. So one newer
// signature covers everything older, and two signed headers with at most two inclusion proofs show that a device told two
// stories (Fork), to anybody and for any distance between them.
//
// The order of a reader: Parse (sizes, canonical form, roots), LogKey for segment 0, Verify (the signature), Follows and
// Tree.Root against what it holds. Nothing here reads an entry: the key of its ciphertext is none of this package's concern,
// and neither are clocks. Parsed values refer to the bytes they were parsed from; whoever reuses a buffer copies first.
// Hashes are taken over bytes as they came, never over a re-serialisation.
package segment

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// Sizes in bytes, but for MaxEntries and MaxDeps, which count.
const (
	MaxEntries    = 64       // entries of one segment
	MaxDeps       = 64       // heads of other logs that one segment names
	MaxSegment    = 52 << 10 // a whole segment: fits one mail blob of 64 KiB and one FETCH reply
	MaxEntry      = 36 << 10 // an entry with its head and commitment
	EntryHeadSize = 29       // kind 1 | generation 4 | index 4 | nonce 16 | length 4: "entry header" of protocol.md
	EntryOverhead = EntryHeadSize + tagSize + commitSize
	tagSize       = 16
	commitSize    = 32
	suite         = 0x0001
	contextSign   = "CQ1 segment"
)

// Errors of Parse and its relatives. Each comes wrapped with what was being read; a caller only tells them from success.
var (
	ErrFormat = errors.New("malformed segment")
	ErrRoot   = errors.New("a root does not match the bytes under it")
	ErrKey    = errors.New("the log id is not of this key and room")
	// ErrSignature is the one answer to every signature that does not hold.
	ErrSignature = errors.New("invalid signature")
)

// Segment is a header with everything it commits to and its signature. Header and Deps are what RawHeader and RawDeps say.
type Segment struct {
	Header    *Header
	RawHeader []byte
	Key       []byte // log public key, 1984 bytes; nil unless K is 0
	RawDeps   []byte
	Deps      []Dep
	Entries   [][]byte // raw, each with head, ciphertext, tag and commitment
	Signature []byte   // 3373 bytes, of the log key over RawHeader
}

// Marshal returns the body of DELIVER behind the room id: header, has 1 | [log pk], deps, entries, signature.
func (s *Segment) Marshal() []byte {
	n := len(s.RawHeader) + 1 + len(s.Key) + len(s.RawDeps) + len(s.Signature)
	for _, e := range s.Entries {
		n += len(e)
	}
	b := append(make([]byte, 0, n), s.RawHeader...)
	if s.Key == nil {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), s.Key...)
	}
	b = append(b, s.RawDeps...)
	for _, e := range s.Entries {
		b = append(b, e...)
	}
	return append(b, s.Signature...)
}

// Parse reads what Marshal makes and refuses every other encoding, wrong sizes and roots that do not match. It checks no
// signature and does not know the room: see LogKey and Verify. The result refers to b.
func Parse(b []byte) (*Segment, error) {
	if len(b) > MaxSegment {
		return nil, fmt.Errorf("reading a segment of %d bytes: %w", len(b), ErrFormat)
	}
	r := cryptobyte.String(b)
	s := new(Segment)
	if !r.ReadBytes(&s.RawHeader, HeaderSize) {
		return nil, fmt.Errorf("reading the header: %w", ErrFormat)
	}
	var err error
	if s.Header, err = ParseHeader(s.RawHeader); err != nil {
		return nil, err
	}
	if err := s.readKey(&r); err != nil {
		return nil, err
	}
	if err := s.readDeps(&r); err != nil {
		return nil, err
	}
	if err := s.readEntries(&r); err != nil {
		return nil, err
	}
	if len(r) != composite.SignatureSize {
		return nil, fmt.Errorf("reading the signature: %w", ErrFormat)
	}
	s.Signature = r
	return s, nil
}

func (s *Segment) readKey(r *cryptobyte.String) error {
	var has uint8
	if !r.ReadUint8(&has) || has > 1 || (has == 1) != (s.Header.K == 0) {
		return fmt.Errorf("reading the log key's flag: %w", ErrFormat)
	}
	if has == 1 && !r.ReadBytes(&s.Key, composite.PublicKeySize) {
		return fmt.Errorf("reading the log key: %w", ErrFormat)
	}
	return nil
}

func (s *Segment) readDeps(r *cryptobyte.String) error {
	start := *r
	var err error
	if s.Deps, err = readDeps(r); err != nil {
		return err
	}
	s.RawDeps = start[:len(start)-len(*r)]
	return s.Header.CheckDeps(s.RawDeps)
}

func (s *Segment) readEntries(r *cryptobyte.String) error {
	s.Entries = make([][]byte, s.Header.Count)
	for i := range s.Entries {
		e, err := readEntry(r)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		s.Entries[i] = e
	}
	if EntriesRoot(s.Entries) != s.Header.EntriesRoot {
		return fmt.Errorf("entries: %w", ErrRoot)
	}
	return nil
}

// CutDeps takes one list of deps off the front of b, as FETCH replies and WELCOME carry it: deps delimit themselves. What it
// returns refers to b.
func CutDeps(b []byte) (raw, rest []byte, err error) {
	r := cryptobyte.String(b)
	if _, err := readDeps(&r); err != nil {
		return nil, nil, err
	}
	return b[:len(b)-len(r)], r, nil
}

// CutEntry takes one whole entry off the front of b; see CutDeps.
func CutEntry(b []byte) (raw, rest []byte, err error) {
	r := cryptobyte.String(b)
	if raw, err = readEntry(&r); err != nil {
		return nil, nil, fmt.Errorf("reading an entry: %w", err)
	}
	return raw, r, nil
}

// readEntry takes one self-delimiting entry: kind 1 | generation 4 | index 4 | nonce 16 | length 4 | ciphertext, tag | commit 32.
func readEntry(r *cryptobyte.String) ([]byte, error) {
	head := *r
	var length uint32
	if !head.Skip(EntryHeadSize-4) || !head.ReadUint32(&length) {
		return nil, ErrFormat
	}
	if length < tagSize || length > MaxEntry-EntryHeadSize-commitSize {
		return nil, ErrFormat
	}
	var e []byte
	if !r.ReadBytes(&e, EntryHeadSize+int(length)+commitSize) {
		return nil, ErrFormat
	}
	return e, nil
}

// CheckEntry says whether raw is one whole entry by its lengths; the rest of it is group.ParseEntry's to judge.
func CheckEntry(raw []byte) error {
	r := cryptobyte.String(raw)
	if _, err := readEntry(&r); err != nil || !r.Empty() {
		return fmt.Errorf("reading an entry of %d bytes: %w", len(raw), ErrFormat)
	}
	return nil
}

// LogKey unpacks the key that segment 0 brings and checks that the log id is its own in this room.
func (s *Segment) LogKey(room [32]byte) (*composite.PublicKey, error) {
	if s.Key == nil {
		return nil, fmt.Errorf("segment %d brings no key: %w", s.Header.K, ErrKey)
	}
	if logID(room, s.Key) != s.Header.Log {
		return nil, ErrKey
	}
	pk, err := composite.ParsePublicKey(s.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the log key: %w", err)
	}
	return pk, nil
}

// Verify checks the signature of the log key over the header. That pk is the log's own is the caller's knowledge: by LogKey
// for segment 0, by LogID for every other.
func (s *Segment) Verify(pk *composite.PublicKey) bool {
	return VerifyHeader(pk, s.RawHeader, s.Signature)
}

// VerifyHeader checks the signature of a bare header, as gossip and FETCH carry it.
func VerifyHeader(pk *composite.PublicKey, header, sig []byte) bool {
	return len(header) == HeaderSize && len(sig) == composite.SignatureSize && pk.Verify(header, contextSign, sig)
}

// Overhead is what a segment weighs before its entries: header, key with first, deps and signature.
func Overhead(first bool, deps int) int {
	n := HeaderSize + 1 + 1 + deps*maxDepSize + composite.SignatureSize
	if first {
		n += composite.PublicKeySize
	}
	return n
}
