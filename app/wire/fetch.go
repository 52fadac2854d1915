package wire

import (
	"bytes"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// Fetch asks for the segments To, To-1, ... From of a log: newest first, for the screen.
type Fetch struct {
	Room     RoomID
	Log      segment.ID
	From, To uint64
}

// Marshal returns room id 32 | log id 32 | from 8 | to 8.
func (f Fetch) Marshal() []byte {
	var w writer
	w.AddBytes(f.Room[:])
	w.AddBytes(f.Log[:])
	w.AddUint64(f.From)
	w.AddUint64(f.To)
	return w.done()
}

// ParseFetch reads a request and refuses From above To.
func ParseFetch(b []byte) (Fetch, error) {
	r := read(b)
	f := Fetch{RoomID(r.hash()), segment.ID(r.hash()), r.k(), r.k()}
	r.need(f.From <= f.To)
	return f, r.end("FETCH")
}

// leafSize tells a leaf hash from an entry, which is longer.
const leafSize = 32

// FetchedSegment is a segment without signature. An item of Entries is a raw entry, or the 32 bytes of its leaf hash where the
// asker is not entitled to it or nobody has it any more.
type FetchedSegment struct {
	Header  []byte
	Deps    []byte
	Entries [][]byte
}

// IsLeaf says whether an item of Entries is a leaf hash instead of the entry.
func IsLeaf(entry []byte) bool { return len(entry) == leafSize }

// Leaves returns the leaf hashes of all entries.
func (s FetchedSegment) Leaves() [][32]byte {
	leaves := make([][32]byte, len(s.Entries))
	for i, e := range s.Entries {
		if IsLeaf(e) {
			leaves[i] = [32]byte(e)
		} else {
			leaves[i] = segment.LeafHash(e)
		}
	}
	return leaves
}

// Whole says whether every entry is there.
func (s FetchedSegment) Whole() bool {
	for _, e := range s.Entries {
		if IsLeaf(e) {
			return false
		}
	}
	return true
}

// Size is how many bytes the segment takes in a reply, for who fills one.
func (s FetchedSegment) Size() int {
	n := len(s.Header) + len(s.Deps)
	for _, e := range s.Entries {
		n += 1 + len(e)
	}
	return n
}

// Check says whether deps and entries are those of the header.
func (s FetchedSegment) Check() (*segment.Header, error) {
	h, err := segment.ParseHeader(s.Header)
	if err != nil {
		return nil, err
	}
	if err := h.CheckDeps(s.Deps); err != nil {
		return nil, err
	}
	return h, h.CheckLeaves(s.Leaves())
}

func (s FetchedSegment) write(w *writer) {
	w.AddBytes(s.Header)
	w.AddBytes(s.Deps)
	for _, e := range s.Entries {
		w.flag(!IsLeaf(e))
		w.AddBytes(e)
	}
}

// entry reads whole 1 | raw entry or leaf hash.
func (r *reader) entry() []byte {
	if !r.flag() {
		return r.fixed(leafSize)
	}
	raw, rest, err := segment.CutEntry(r.s)
	if r.need(err == nil) {
		r.s = rest
	}
	return raw
}

// head reads a header and the deps behind it.
func (r *reader) head() (s FetchedSegment, count int) {
	s.Header = r.fixed(segment.HeaderSize)
	if r.bad {
		return s, 0
	}
	h, err := segment.ParseHeader(s.Header)
	if !r.need(err == nil) {
		return s, 0
	}
	deps, rest, err := segment.CutDeps(r.s)
	if !r.need(err == nil) {
		return s, 0
	}
	s.Deps, r.s = deps, rest
	return s, int(h.Count)
}

// Fetched is the reply to FETCH: nothing (Header nil), or a signed header, the newest that the answerer holds, and segments from
// To downwards that hang on it.
type Fetched struct {
	Header    []byte
	Signature []byte
	Inclusion [][32]byte // of header To under Header; none when it is that header
	Key       []byte     // log public key, iff segment 0 is among them
	Segments  []FetchedSegment
	More      bool // there are more down to From, to be asked for
}

// FetchedOverhead is what a reply weighs at most without its segments.
const FetchedOverhead = 1 + segment.HeaderSize + composite.SignatureSize + 2 + segment.MaxProof*32 + 1 + composite.PublicKeySize + 2 + 1

// Marshal returns 0, or 1 | header 216 | signature 3373 | list hash | has 1 [log pk 1984] | list segment | more 1. A segment is
// header, deps, and for each entry 1 | raw or 0 | leaf hash 32.
func (f Fetched) Marshal() []byte {
	var w writer
	w.flag(f.Header != nil)
	if f.Header == nil {
		return w.done()
	}
	w.AddBytes(f.Header)
	w.AddBytes(f.Signature)
	w.hashes(f.Inclusion)
	w.flag(f.Key != nil)
	w.AddBytes(f.Key)
	w.count(len(f.Segments))
	for _, s := range f.Segments {
		s.write(&w)
	}
	w.flag(f.More)
	return w.done()
}

// ParseFetched reads a reply of at most 64 KiB. It checks form only; see Check.
func ParseFetched(b []byte) (Fetched, error) {
	var f Fetched
	r := read(b)
	r.need(len(b) <= MaxBody)
	if !r.flag() {
		return f, r.end("a FETCH reply")
	}
	f.Header, f.Signature = r.fixed(segment.HeaderSize), r.fixed(composite.SignatureSize)
	f.Inclusion = r.hashes(segment.MaxProof)
	if r.flag() {
		f.Key = r.fixed(composite.PublicKeySize)
	}
	for range r.count(maxList, segment.HeaderSize+2) {
		s, n := r.head()
		for range n {
			s.Entries = append(s.Entries, r.entry())
		}
		f.Segments = append(f.Segments, s)
	}
	f.More = r.flag()
	r.need(len(f.Segments) > 0)
	if err := r.end("a FETCH reply"); err != nil {
		return Fetched{}, err
	}
	return f, nil
}

// LogKey unpacks the key that a reply with segment 0 brings, and checks it against the log's id.
func (f Fetched) LogKey(req Fetch) (*composite.PublicKey, error) {
	pk, err := composite.ParsePublicKey(f.Key)
	if err != nil {
		return nil, err
	}
	return pk, checkKey(req.Room, req.Log, pk)
}

func checkKey(room RoomID, log segment.ID, pk *composite.PublicKey) error {
	if segment.LogID(room, pk) != log {
		return segment.ErrKey
	}
	return nil
}

// Check says whether a reply proves what it brings: the newest header is signed by the log's key, the first segment is To and in
// it, each next one is linked by prev, and deps and entries are the headers'. It returns the parsed headers of the segments. An
// empty reply passes. What it cannot know is whether the author told others another story: compare with headers held.
func (f Fetched) Check(req Fetch, key *composite.PublicKey) ([]*segment.Header, error) {
	if f.Header == nil {
		return nil, nil
	}
	if err := checkKey(req.Room, req.Log, key); err != nil {
		return nil, err
	}
	newest, err := segment.ParseHeader(f.Header)
	if err != nil {
		return nil, err
	}
	if newest.Log != req.Log || !segment.VerifyHeader(key, f.Header, f.Signature) {
		return nil, fmt.Errorf("checking a FETCH reply: %w", segment.ErrSignature)
	}
	headers, err := f.checkChain(req)
	if err != nil {
		return nil, err
	}
	if headers[0].K != req.To {
		return nil, fmt.Errorf("segment %d where %d was asked: %w", headers[0].K, req.To, ErrFormat)
	}
	return headers, checkIncluded(newest, f.Header, f.Segments[0].Header, headers[0].K, f.Inclusion)
}

func (f Fetched) checkChain(req Fetch) ([]*segment.Header, error) {
	if len(f.Segments) == 0 {
		return nil, fmt.Errorf("a FETCH reply without segments: %w", ErrFormat)
	}
	headers := make([]*segment.Header, len(f.Segments))
	for i, s := range f.Segments {
		h, err := s.Check()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			if err := segment.Follows(s.Header, f.Segments[i-1].Header); err != nil {
				return nil, err
			}
		}
		headers[i] = h
	}
	last := headers[len(headers)-1].K
	if last < req.From || f.More && last == req.From || (last == 0) != (f.Key != nil) {
		return nil, fmt.Errorf("segments down to %d: %w", last, ErrFormat)
	}
	return headers, nil
}

// checkIncluded says whether header k is newest itself or stands in its past.
func checkIncluded(newest *segment.Header, newestRaw, header []byte, k uint64, proof [][32]byte) error {
	if k == newest.K && len(proof) == 0 && bytes.Equal(header, newestRaw) {
		return nil
	}
	return segment.CheckInclusion(proof, newest.K, newest.PastRoot, k, segment.LeafHash(header))
}
