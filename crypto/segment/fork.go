package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

const (
	forkMagic = "CQEF" // evidence, fork
	// MaxFork bounds a marshalled Fork: 9.2 KB and at most 78 hashes, whatever the distance.
	MaxFork = 12 << 10
)

// ErrNoConflict says that two headers do not contradict each other, or that what was given does not show that they do.
var ErrNoConflict = errors.New("the headers do not conflict")

// Side is one of the two headers of a Fork and what it says about the disputed index.
type Side struct {
	Header    []byte // raw
	Signature []byte
	Leaf      [32]byte   // LeafHash of the header at the index. At the header's own number it is LeafHash(Header)
	Path      [][32]byte // inclusion of Leaf under the header's past root; nil at the header's own number
}

// Fork is transferable proof that the owner of a log key signed two histories: two signed headers of one log under which two
// different headers stand at one index. It needs nothing beside itself, and is under 12 KB for any distance. Marshalled it is
// "CQEF" | suite 2 | room 32 | log pk 1984 | index 8 | lower side | higher side; a side is header 216 | signature 3373 and,
// below the header's own number, leaf 32 | count 1 | hashes. The lower side has the lower number, then the lower digest.
type Fork struct {
	Room  [32]byte
	Key   []byte // log public key, 1984 bytes
	Index uint64
	Sides [2]Side
}

// NewFork puts two sides into their order and checks everything, signatures too. It is for who has the two proofs at hand, from
// a FETCH reply and the own store; with both branches at hand, see Conflict.
func NewFork(room [32]byte, key *composite.PublicKey, index uint64, a, b Side) (*Fork, error) {
	f := &Fork{Room: room, Key: key.Bytes(), Index: index, Sides: [2]Side{a, b}}
	for i := range f.Sides {
		h, err := ParseHeader(f.Sides[i].Header)
		if err != nil {
			return nil, err
		}
		if h.K == index {
			f.Sides[i].Leaf = LeafHash(f.Sides[i].Header)
		}
	}
	if f.order() > 0 {
		f.Sides[0], f.Sides[1] = f.Sides[1], f.Sides[0]
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	return f, nil
}

// order compares the sides by number, then digest.
func (f *Fork) order() int {
	a, _ := ParseHeader(f.Sides[0].Header)
	b, _ := ParseHeader(f.Sides[1].Header)
	if a == nil || b == nil {
		return 0
	}
	if a.K != b.K {
		if a.K < b.K {
			return -1
		}
		return 1
	}
	da, db := Digest(f.Sides[0].Header), Digest(f.Sides[1].Header)
	return bytes.Compare(da[:], db[:])
}

// Log is the log that forked.
func (f *Fork) Log() ID { return logID(f.Room, f.Key) }

// ID names the object as SYNC and EVIDENCE do: SHA-256 of the marshalled bytes, the first 16.
func (f *Fork) ID() [16]byte {
	h := sha256.Sum256(f.Marshal())
	return [16]byte(h[:16])
}

// Check says whether the object proves a fork: both headers are of the log of Key in Room and signed by it, and at Index stand
// two different headers. Below the lower number of the two it is history that was rewritten; at it, the header itself.
func (f *Fork) Check() error {
	if f.order() >= 0 || f.Sides[0].Leaf == f.Sides[1].Leaf {
		return ErrNoConflict
	}
	log := f.Log()
	for i := range f.Sides {
		if err := f.Sides[i].check(log, f.Index); err != nil {
			return fmt.Errorf("checking side %d of a fork: %w", i, err)
		}
	}
	key, err := composite.ParsePublicKey(f.Key)
	if err != nil {
		return fmt.Errorf("checking a fork: %w", err)
	}
	for i, s := range f.Sides {
		if !VerifyHeader(key, s.Header, s.Signature) {
			return fmt.Errorf("checking side %d of a fork: %w", i, ErrSignature)
		}
	}
	return nil
}

func (s *Side) check(log ID, index uint64) error {
	h, err := ParseHeader(s.Header)
	if err != nil {
		return err
	}
	if h.Log != log || index > h.K {
		return ErrNoConflict
	}
	if index < h.K {
		return CheckInclusion(s.Path, h.K, h.PastRoot, index, s.Leaf)
	}
	if s.Leaf != LeafHash(s.Header) || len(s.Path) != 0 {
		return ErrNoConflict
	}
	return nil
}

// Marshal returns the object's bytes, whose hash is its id.
func (f *Fork) Marshal() []byte {
	b := append(make([]byte, 0, MaxFork), forkMagic...)
	b = binary.BigEndian.AppendUint16(b, suite)
	b = append(b, f.Room[:]...)
	b = append(b, f.Key...)
	b = binary.BigEndian.AppendUint64(b, f.Index)
	for i := range f.Sides {
		b = f.Sides[i].appendTo(b, f.Index)
	}
	return b
}

func (s *Side) appendTo(b []byte, index uint64) []byte {
	b = append(append(b, s.Header...), s.Signature...)
	if h, err := ParseHeader(s.Header); err != nil || h.K == index {
		return b
	}
	b = append(append(b, s.Leaf[:]...), uint8(len(s.Path)))
	for _, p := range s.Path {
		b = append(b, p[:]...)
	}
	return b
}

// ParseFork reads what Marshal makes. It proves nothing before Check. The result refers to b.
func ParseFork(b []byte) (*Fork, error) {
	f := new(Fork)
	r := cryptobyte.String(b)
	var magic []byte
	var version uint16
	ok := r.ReadBytes(&magic, 4) && r.ReadUint16(&version) && r.CopyBytes(f.Room[:]) &&
		r.ReadBytes(&f.Key, composite.PublicKeySize) && r.ReadUint64(&f.Index)
	if !ok || string(magic) != forkMagic || version != suite {
		return nil, fmt.Errorf("reading a fork: %w", ErrFormat)
	}
	for i := range f.Sides {
		if err := f.Sides[i].read(&r, f.Index); err != nil {
			return nil, fmt.Errorf("reading side %d of a fork: %w", i, err)
		}
	}
	if !r.Empty() || f.order() >= 0 {
		return nil, fmt.Errorf("reading a fork: %w", ErrFormat)
	}
	return f, nil
}

func (s *Side) read(r *cryptobyte.String, index uint64) error {
	if !r.ReadBytes(&s.Header, HeaderSize) || !r.ReadBytes(&s.Signature, composite.SignatureSize) {
		return ErrFormat
	}
	h, err := ParseHeader(s.Header)
	if err != nil {
		return err
	}
	if h.K == index {
		s.Leaf = LeafHash(s.Header)
		return nil
	}
	var count uint8
	if !r.CopyBytes(s.Leaf[:]) || !r.ReadUint8(&count) || count > MaxProof || index > h.K {
		return ErrFormat
	}
	s.Path = make([][32]byte, count)
	for i := range s.Path {
		if !r.CopyBytes(s.Path[i][:]) {
			return ErrFormat
		}
	}
	return nil
}
