package wire

import (
	"crypto/sha256"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// MaxWelcome is the longest part of a welcome: a ratchet message that carries it still fits a mail blob.
const MaxWelcome = 48 << 10

const (
	maxGates    = 64
	maxSegments = 1024
	maxParts    = 4096
)

// Welcome is one part of what a newcomer's device is given of a room: what it is, its secrets, and of every log where it stands, with
// the entries that membership and names follow from. Parts come in any order; part 0 has genesis, gates and submit key. Each log and
// each segment of it proves itself, so no part trusts another or who sent it.
type Welcome struct {
	Room      RoomID
	Part, Of  uint16 // Part < Of
	Genesis   []byte // part 0 only
	Gates     []Gate // part 0 only; all of this room
	SubmitKey []byte // part 0 of a verified room only, 32 bytes
	Logs      []WelcomeLog
}

// WelcomeLog is where one log stands: the newest signed header, which is the newcomer's base (K, Digest(Header) and Next follow from
// it), and the edge of the tree before it, proven by its past root. A log may come in several parts, each with its head.
type WelcomeLog struct {
	Key       []byte // log public key, 1984 bytes
	Header    []byte
	Signature []byte
	Past      *segment.Tree // over headers 0 to K-1
	Segments  []WelcomeSegment
}

// WelcomeSegment is a segment of which some entries are whole, with what opens them, and the others leaf hashes.
type WelcomeSegment struct {
	FetchedSegment
	Inclusion [][32]byte // of its header under the log's Header; none when it is that header
	PRKs      [][32]byte // of the whole entries, in order
}

// Format hides the secrets.
func (Welcome) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the secrets.
func (Welcome) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Format hides the secrets.
func (WelcomeSegment) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the secrets.
func (WelcomeSegment) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Marshal returns room id 32 | part 2 | of 2 | part 0: [genesis | list {secret 32, list head 32} | has 1 [submit key 32]] | list log.
// A log is pk 1984 | header 216 | signature 3373 | edge | list segment; a segment is header, deps, list hash (inclusion), and for each
// entry 1 | raw | prk 32 or 0 | leaf hash 32.
func (c Welcome) Marshal() []byte {
	var w writer
	w.AddBytes(c.Room[:])
	w.AddUint16(c.Part)
	w.AddUint16(c.Of)
	if c.Part == 0 {
		w.bytes(c.Genesis)
		w.count(len(c.Gates))
		for _, g := range c.Gates {
			w.AddBytes(g.Secret[:])
			w.set(g.Heads)
		}
		w.flag(len(c.SubmitKey) > 0)
		w.AddBytes(c.SubmitKey)
	}
	w.count(len(c.Logs))
	for i := range c.Logs {
		c.Logs[i].write(&w)
	}
	return w.done()
}

func (l *WelcomeLog) write(w *writer) {
	w.AddBytes(l.Key)
	w.AddBytes(l.Header)
	w.AddBytes(l.Signature)
	w.bytes(l.Past.Marshal())
	w.count(len(l.Segments))
	for i := range l.Segments {
		l.Segments[i].write(w)
	}
}

func (s *WelcomeSegment) write(w *writer) {
	w.AddBytes(s.Header)
	w.AddBytes(s.Deps)
	w.hashes(s.Inclusion)
	opened := 0
	for _, e := range s.Entries {
		w.flag(!IsLeaf(e))
		w.AddBytes(e)
		if !IsLeaf(e) {
			w.AddBytes(s.PRKs[opened][:])
			opened++
		}
	}
}

// ParseWelcome reads one part of at most 48 KiB. That the genesis is the room's is checked; for the rest see WelcomeLog.Check.
func ParseWelcome(b []byte) (Welcome, error) {
	r := read(b)
	c := Welcome{Room: RoomID(r.hash()), Part: r.u16(), Of: r.u16()}
	r.need(len(b) <= MaxWelcome && c.Part < c.Of && c.Of <= maxParts)
	if c.Part == 0 {
		c.readFirst(r)
	}
	for range r.count(maxList, segment.HeaderSize+composite.SignatureSize) {
		c.Logs = append(c.Logs, readWelcomeLog(r))
	}
	if err := r.end("WELCOME"); err != nil {
		return Welcome{}, err
	}
	if c.Part > 0 {
		return c, nil
	}
	g, err := ParseGenesis(c.Genesis)
	if err != nil {
		return Welcome{}, err
	}
	if sha256.Sum256(c.Genesis) != c.Room || (len(c.SubmitKey) > 0) != (g.Policy == Verified) {
		return Welcome{}, fmt.Errorf("reading WELCOME to another room: %w", ErrFormat)
	}
	if g.Policy == Verified && sha256.Sum256(c.SubmitKey) != g.SubmitHash {
		return Welcome{}, fmt.Errorf("reading a submit key: %w", ErrFormat)
	}
	return c, nil
}

func (c *Welcome) readFirst(r *reader) {
	c.Genesis = r.bytes(maxList)
	for range r.count(maxGates, 34) {
		c.Gates = append(c.Gates, Gate{c.Room, r.hash(), r.set(MaxHeads)})
	}
	if r.flag() {
		c.SubmitKey = r.fixed(32)
	}
}

func readWelcomeLog(r *reader) WelcomeLog {
	l := WelcomeLog{
		Key: r.fixed(composite.PublicKeySize), Header: r.fixed(segment.HeaderSize), Signature: r.fixed(composite.SignatureSize),
	}
	edge := r.bytes(maxList)
	if r.bad {
		return l
	}
	var err error
	l.Past, err = segment.ParseTree(edge)
	r.need(err == nil)
	for range r.count(maxSegments, segment.HeaderSize+3) {
		s, n := r.head()
		ws := WelcomeSegment{FetchedSegment: s, Inclusion: r.hashes(segment.MaxProof)}
		for range n {
			e := r.entry()
			ws.Entries = append(ws.Entries, e)
			if !IsLeaf(e) && !r.bad {
				ws.PRKs = append(ws.PRKs, r.hash())
			}
		}
		l.Segments = append(l.Segments, ws)
	}
	return l
}

// Check says whether a log proves itself in a room: its key is that of its id, the header signed, the edge the header's past, every
// segment in it and whole by its roots. It returns the base header and those of the segments. Whether a prk opens its entry is seen
// by opening it.
func (l WelcomeLog) Check(room RoomID) (base *segment.Header, headers []*segment.Header, err error) {
	key, err := composite.ParsePublicKey(l.Key)
	if err != nil {
		return nil, nil, err
	}
	if base, err = segment.ParseHeader(l.Header); err != nil {
		return nil, nil, err
	}
	if err := checkKey(room, base.Log, key); err != nil {
		return nil, nil, err
	}
	if !segment.VerifyHeader(key, l.Header, l.Signature) {
		return nil, nil, fmt.Errorf("checking WELCOME: %w", segment.ErrSignature)
	}
	if l.Past.Size() != base.K || l.Past.Root() != base.PastRoot {
		return nil, nil, fmt.Errorf("checking the edge in WELCOME: %w", segment.ErrRoot)
	}
	for _, s := range l.Segments {
		h, err := s.Check()
		if err != nil {
			return nil, nil, err
		}
		if err := checkIncluded(base, l.Header, s.Header, h.K, s.Inclusion); err != nil {
			return nil, nil, err
		}
		headers = append(headers, h)
	}
	return base, headers, nil
}
