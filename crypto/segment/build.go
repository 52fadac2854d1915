package segment

import (
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// BuildParams says what the next segment of an own log is made of.
type BuildParams struct {
	Key     *composite.PrivateKey // log key
	Room    [32]byte
	Tag     [16]byte // of the newest gate secret that the room's members share
	Log     ID
	K       uint64
	First   uint64   // entries of the log before this segment
	Prev    [32]byte // Digest of header K-1, zeros at 0
	Past    *Tree    // over headers 0 to K-1; nil at 0
	Deps    []Dep    // sorted by log id
	Entries [][]byte // raw entries as group.Seal made them
	Millis  uint64   // unix ms
}

// Build makes and signs one segment, or says why it cannot be: parts that do not fit together, or more than 52 KiB. It never
// signs what Parse would refuse, because a signed segment that nobody takes would end the log.
func Build(p BuildParams) (*Segment, error) {
	pk := p.Key.Public()
	if LogID(p.Room, pk) != p.Log {
		return nil, fmt.Errorf("building a segment: %w", ErrKey)
	}
	if p.Past.Size() != p.K {
		return nil, fmt.Errorf("building segment %d on a past of %d: %w", p.K, p.Past.Size(), ErrFormat)
	}
	s, err := assemble(p)
	if err != nil {
		return nil, fmt.Errorf("building a segment: %w", err)
	}
	if p.K == 0 {
		s.Key = pk.Bytes()
	}
	s.Signature = make([]byte, composite.SignatureSize)
	if _, err := Parse(s.Marshal()); err != nil {
		return nil, fmt.Errorf("building a segment: %w", err)
	}
	if s.Signature, err = p.Key.Sign(s.RawHeader, contextSign); err != nil {
		return nil, fmt.Errorf("signing a segment: %w", err)
	}
	return s, nil
}

func assemble(p BuildParams) (*Segment, error) {
	if len(p.Entries) > MaxEntries {
		return nil, fmt.Errorf("%d entries: %w", len(p.Entries), ErrFormat)
	}
	deps, err := MarshalDeps(p.Deps)
	if err != nil {
		return nil, err
	}
	root, err := DepsRoot(deps)
	if err != nil {
		return nil, err
	}
	h := &Header{
		Tag: p.Tag, Log: p.Log, K: p.K, First: p.First, Count: uint16(len(p.Entries)), EntriesRoot: EntriesRoot(p.Entries),
		Prev: p.Prev, PastRoot: p.Past.Root(), DepsRoot: root, Millis: p.Millis,
	}
	return &Segment{Header: h, RawHeader: h.Marshal(), RawDeps: deps, Deps: p.Deps, Entries: p.Entries}, nil
}
