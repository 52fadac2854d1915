package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// someDeps are n heads of other logs, every other one with a certificate.
func someDeps(n int) []Dep {
	deps := make([]Dep, n)
	for i := range deps {
		deps[i] = Dep{Log: ID{1, byte(i)}, K: uint64(i), Digest: [32]byte{2, byte(i)}}
		if i%2 == 1 {
			deps[i].Certificate = &[32]byte{3, byte(i)}
		}
	}
	return deps
}

func TestSegmentsComeBackAsTheyWere(t *testing.T) {
	l := newLog(t, 1)
	p := l.params(entryOf(1, 0))
	p.Deps = someDeps(0)
	first := l.addAs(p)
	p = l.params(entryOf(2, 100), entryOf(3, 5))
	p.Deps = someDeps(5)
	second := l.addAs(p)
	for _, s := range []*Segment{first, second} {
		raw := s.Marshal()
		got, err := Parse(raw)
		if err != nil {
			t.Fatalf("Parse of segment %d: %v", s.Header.K, err)
		}
		if !bytes.Equal(got.Marshal(), raw) {
			t.Errorf("segment %d marshals to other bytes", s.Header.K)
		}
		if !got.Verify(l.key.Public()) {
			t.Errorf("segment %d does not verify", s.Header.K)
		}
		if got.Verify(logKey(t, 9).Public()) {
			t.Errorf("segment %d verifies under a foreign key", s.Header.K)
		}
		if len(got.Deps) != len(s.Deps) || len(got.Entries) != len(s.Entries) {
			t.Errorf("segment %d: %d deps and %d entries", s.Header.K, len(got.Deps), len(got.Entries))
		}
	}
	if err := Follows(first.RawHeader, second.RawHeader); err != nil {
		t.Errorf("Follows: %v", err)
	}
	if err := Follows(second.RawHeader, first.RawHeader); err == nil {
		t.Error("segment 0 follows segment 1")
	}
	if second.Header.PastRoot != new(Tree).Append(first.RawHeader).Root() {
		t.Error("the past root is not the root over header 0")
	}
}

func TestTheFirstSegmentBringsItsOwnKeyAndNoOther(t *testing.T) {
	l := newLog(t, 1)
	s := l.add(entryOf(1, 1))
	pk, err := s.LogKey(testRoom)
	if err != nil || !pk.Equal(l.key.Public()) {
		t.Fatalf("LogKey = %v, %v", pk, err)
	}
	if _, err := s.LogKey([32]byte{'x'}); !errors.Is(err, ErrKey) {
		t.Errorf("in another room: %v, want ErrKey", err)
	}
	s.Key = logKey(t, 2).Public().Bytes()
	if _, err := s.LogKey(testRoom); !errors.Is(err, ErrKey) {
		t.Errorf("with another key: %v, want ErrKey", err)
	}
	if _, err := l.add(entryOf(2, 1)).LogKey(testRoom); !errors.Is(err, ErrKey) {
		t.Errorf("segment 1: %v, want ErrKey", err)
	}
}

// Every byte is under the signature, under a root or under the log id; none can change unnoticed.
func TestEachFlippedByteIsRefused(t *testing.T) {
	l := newLog(t, 1)
	p := l.params(entryOf(1, 7), entryOf(2, 60))
	p.Deps = someDeps(3)
	raw := l.addAs(p).Marshal()
	refused := func(b []byte) bool {
		s, err := Parse(b)
		if err != nil {
			return true
		}
		pk, err := s.LogKey(testRoom)
		return err != nil || !s.Verify(pk)
	}
	if refused(raw) {
		t.Fatal("the segment itself is refused")
	}
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 1 << (i % 8)
		if !refused(b) {
			t.Errorf("byte %d flipped and accepted", i)
		}
	}
	for n := range raw {
		if n%97 == 0 && !refused(raw[:n]) {
			t.Errorf("cut off at %d and accepted", n)
		}
	}
	if !refused(append(bytes.Clone(raw), 0)) {
		t.Error("a trailing byte is accepted")
	}
}

func TestASegmentIsAtMost52KiBAndStillHoldsALargestEntry(t *testing.T) {
	l := newLog(t, 1)
	p := l.params(entryOf(1, MaxEntry-EntryOverhead))
	p.Deps = someDeps(MaxDeps)
	for i := range p.Deps {
		p.Deps[i].Certificate = new([32]byte)
	}
	s := l.addAs(p)
	if n, want := len(s.Marshal()), Overhead(true, MaxDeps)+MaxEntry; n != want || n > MaxSegment {
		t.Errorf("the largest first segment of one entry: %d bytes, want %d", n, want)
	}
	p = l.params(entryOf(1, MaxSegment-Overhead(false, 0)-2*EntryOverhead-500), entryOf(2, 500))
	if _, err := Build(p); !errors.Is(err, ErrFormat) {
		t.Errorf("an entry over 36 KiB: %v", err)
	}
	p = l.params(entryOf(1, 30000), entryOf(2, MaxSegment-Overhead(false, 0)-2*EntryOverhead-30000))
	if s, err := Build(p); err != nil || len(s.Marshal()) != MaxSegment {
		t.Errorf("a segment of 52 KiB: %v", err)
	}
	p = l.params(entryOf(1, 30000), entryOf(2, MaxSegment-Overhead(false, 0)-2*EntryOverhead-30000+1))
	if _, err := Build(p); !errors.Is(err, ErrFormat) {
		t.Errorf("a segment of 52 KiB and a byte: %v, want ErrFormat", err)
	}
}

func TestBuildSignsNothingThatParseRefuses(t *testing.T) {
	l := newLog(t, 1)
	l.add(entryOf(1, 1))
	many := slices.Repeat([][]byte{entryOf(1, 1)}, MaxEntries+1)
	for name, change := range map[string]func(p *BuildParams){
		"no entry":           func(p *BuildParams) { p.Entries = nil },
		"65 entries":         func(p *BuildParams) { p.Entries = many },
		"half an entry":      func(p *BuildParams) { p.Entries = [][]byte{entryOf(1, 1)[:50]} },
		"two entries as one": func(p *BuildParams) { p.Entries = [][]byte{append(entryOf(1, 1), entryOf(2, 1)...)} },
		"foreign log":        func(p *BuildParams) { p.Log[0]++ },
		"foreign room":       func(p *BuildParams) { p.Room[0]++ },
		"gap in k":           func(p *BuildParams) { p.K++ },
		"no past":            func(p *BuildParams) { p.Past = nil },
		"first too low":      func(p *BuildParams) { p.First = 0 },
		"first too high":     func(p *BuildParams) { p.First = 65 },
		"time of 2^48":       func(p *BuildParams) { p.Millis = 1 << 48 },
		"deps not sorted":    func(p *BuildParams) { p.Deps = []Dep{{Log: ID{2}}, {Log: ID{1}}} },
		"deps twice":         func(p *BuildParams) { p.Deps = []Dep{{Log: ID{2}}, {Log: ID{2}, K: 1}} },
		"deps on itself":     func(p *BuildParams) { p.Deps = []Dep{{Log: p.Log}} },
		"65 deps":            func(p *BuildParams) { p.Deps = someDeps(MaxDeps + 1) },
	} {
		p := l.params(entryOf(2, 2))
		change(&p)
		if s, err := Build(p); err == nil {
			t.Errorf("%s: built %+v", name, s.Header)
		}
	}
	if _, err := Build(l.params(many[:MaxEntries]...)); err != nil {
		t.Errorf("64 entries: %v", err)
	}
}

func TestHeadersThatNoHonestLogHoldsAreRefused(t *testing.T) {
	good := Header{Log: ID{1}, K: 2, First: 70, Count: 64, Millis: 1<<48 - 1}
	if _, err := ParseHeader(good.Marshal()); err != nil {
		t.Fatalf("a good header: %v", err)
	}
	for name, change := range map[string]func(h *Header){
		"epoch":                 func(h *Header) { h.Epoch = 1 },
		"k of 2^39":             func(h *Header) { h.K, h.First = MaxK, MaxK },
		"no entries":            func(h *Header) { h.Count = 0 },
		"65 entries":            func(h *Header) { h.Count = 65 },
		"2^48 ms":               func(h *Header) { h.Millis = 1 << 48 },
		"fewer entries than k":  func(h *Header) { h.First = 1 },
		"more than k can bring": func(h *Header) { h.First = 129 },
		"first at 0":            func(h *Header) { h.K, h.First = 0, 1 },
		"prev at 0":             func(h *Header) { h.K, h.First, h.Prev = 0, 0, [32]byte{1} },
		"past at 0":             func(h *Header) { h.K, h.First, h.PastRoot = 0, 0, [32]byte{1} },
	} {
		h := good
		change(&h)
		if _, err := ParseHeader(h.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	b := good.Marshal()
	binary.BigEndian.PutUint16(b[4:], 2)
	if _, err := ParseHeader(b); !errors.Is(err, ErrFormat) {
		t.Errorf("suite 2: %v, want ErrFormat", err)
	}
}

func TestLeafHashesStandForEntries(t *testing.T) {
	l := newLog(t, 1)
	s := l.add(entryOf(1, 1), entryOf(2, 2), entryOf(3, 3))
	leaves := make([][32]byte, 3)
	for i, e := range s.Entries {
		leaves[i] = LeafHash(e)
	}
	if err := s.Header.CheckLeaves(leaves); err != nil {
		t.Errorf("CheckLeaves: %v", err)
	}
	if err := s.Header.CheckEntries(s.Entries); err != nil {
		t.Errorf("CheckEntries: %v", err)
	}
	slices.Reverse(leaves)
	if err := s.Header.CheckLeaves(leaves); !errors.Is(err, ErrRoot) {
		t.Errorf("in another order: %v, want ErrRoot", err)
	}
	if err := s.Header.CheckLeaves(leaves[:2]); !errors.Is(err, ErrFormat) {
		t.Errorf("two of three: %v, want ErrFormat", err)
	}
	if err := s.Header.CheckEntries([][]byte{s.Entries[0][:40], s.Entries[1], s.Entries[2]}); !errors.Is(err, ErrFormat) {
		t.Errorf("half an entry: %v, want ErrFormat", err)
	}
}

func TestVectorsOfSegments(t *testing.T) {
	l := newLog(t, 1)
	p := l.params(entryOf(1, 7))
	p.Deps = someDeps(3)
	s := l.addAs(p)
	tree := new(Tree)
	for _, h := range unsigned(ID{7}, 11, plain) {
		tree = tree.Append(h)
	}
	root := tree.Root()
	digest := Digest(s.RawHeader)
	c := &LogCertificate{
		Device: [32]byte{1}, Room: testRoom, Key: l.key.Public().Bytes(), PrevLog: ID{2}, PrevK: 3, PrevDigest: [32]byte{4},
	}
	checkVectors(t, "segment", map[string][]byte{
		"header":           s.RawHeader,
		"digest":           digest[:],
		"deps":             s.RawDeps,
		"log id":           s.Header.Log[:],
		"unsigned segment": s.Marshal()[:len(s.Marshal())-composite.SignatureSize],
		"tree of 11":       tree.Marshal(),
		"root of 11":       root[:],
		"log certificate":  c.body(),
	})
}

// A signature of an earlier build still verifies: the signed bytes and the context have not moved.
func TestFrozenSignaturesStillVerify(t *testing.T) {
	l := newLog(t, 1)
	s := l.add(entryOf(1, 7))
	device := logKey(t, 2)
	c, err := SignLogCertificate(device, l.key, LogCertificate{Device: [32]byte{1}, Room: testRoom})
	if err != nil {
		t.Fatal(err)
	}
	f := mustFork(t)
	if *update {
		checkVectors(t, "signed", map[string][]byte{"segment": s.Marshal(), "log certificate": c.Raw, "fork": f.Marshal()})
		return
	}
	frozen := readVectors(t, "signed")
	old, err := Parse(frozen["segment"])
	if err != nil || !old.Verify(l.key.Public()) || !bytes.Equal(old.RawHeader, s.RawHeader) {
		t.Errorf("segment: %v", err)
	}
	if _, err := VerifyLogCertificate(frozen["log certificate"], device.Public()); err != nil {
		t.Errorf("log certificate: %v", err)
	}
	fork, err := ParseFork(frozen["fork"])
	if err != nil {
		t.Fatalf("fork: %v", err)
	}
	if err := fork.Check(); err != nil {
		t.Errorf("fork: %v", err)
	}
}

func TestTheKeyStandsInSegment0AndNowhereElse(t *testing.T) {
	l := newLog(t, 1)
	first, second := l.add(entryOf(1, 1)), l.add(entryOf(2, 2))
	first.Key, second.Key = nil, first.Key
	for _, s := range []*Segment{first, second} {
		if _, err := Parse(s.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("segment %d: %v, want ErrFormat", s.Header.K, err)
		}
	}
}

func TestAnEntryHasRoomForItsTag(t *testing.T) {
	short := entryOf(1, 0)
	short[EntryHeadSize-1]--
	if err := CheckEntry(short[:len(short)-1]); !errors.Is(err, ErrFormat) {
		t.Errorf("15 bytes of ciphertext: %v, want ErrFormat", err)
	}
	if err := CheckEntry(entryOf(1, 0)); err != nil {
		t.Errorf("an empty plaintext: %v", err)
	}
	if err := CheckEntry(entryOf(1, MaxEntry-EntryOverhead)); err != nil {
		t.Errorf("36 KiB: %v", err)
	}
	if err := CheckEntry(entryOf(1, MaxEntry-EntryOverhead+1)); !errors.Is(err, ErrFormat) {
		t.Errorf("36 KiB and a byte: %v, want ErrFormat", err)
	}
}

func TestDepsAndEntriesAreCutOffTheFront(t *testing.T) {
	deps, err := MarshalDeps(someDeps(3))
	if err != nil {
		t.Fatal(err)
	}
	rest := append(entryOf(1, 4), "rest"...)
	raw, more, err := CutDeps(append(bytes.Clone(deps), rest...))
	if err != nil || !bytes.Equal(raw, deps) || !bytes.Equal(more, rest) {
		t.Errorf("CutDeps = %x, %x, %v", raw, more, err)
	}
	entry, last, err := CutEntry(more)
	if err != nil || !bytes.Equal(entry, entryOf(1, 4)) || string(last) != "rest" {
		t.Errorf("CutEntry = %x, %q, %v", entry, last, err)
	}
	if _, _, err := CutDeps([]byte{1}); !errors.Is(err, ErrFormat) {
		t.Errorf("half a dep: %v, want ErrFormat", err)
	}
	if _, _, err := CutEntry(entry[:60]); !errors.Is(err, ErrFormat) {
		t.Errorf("half an entry: %v, want ErrFormat", err)
	}
}

func TestFollowsTellsWhatDoesNot(t *testing.T) {
	raw, other := unsigned(ID{1}, 4, plain), unsigned(ID{2}, 4, plain)
	branched := unsigned(ID{1}, 4, func(k uint64) byte { return byte(k) })
	for name, pair := range map[string][2][]byte{
		"another log":     {raw[1], other[2]},
		"a gap":           {raw[0], raw[2]},
		"itself":          {raw[1], raw[1]},
		"another history": {raw[1], branched[2]},
		"no header":       {raw[1][:100], raw[2]},
		"behind nothing":  {raw[1], nil},
	} {
		if Follows(pair[0], pair[1]) == nil {
			t.Errorf("%s follows", name)
		}
	}
	if err := Follows(raw[1], raw[2]); err != nil {
		t.Errorf("the next one: %v", err)
	}
	h, _ := ParseHeader(raw[2])
	h.First++
	if Follows(raw[1], h.Marshal()) == nil {
		t.Error("an entry may be skipped")
	}
	h.First--
	h.Log[0]++
	if Follows(raw[1], h.Marshal()) == nil {
		t.Error("a log may be continued under another name")
	}
}

func TestLogIDsPrintInHex(t *testing.T) {
	id := ID{0xab, 1, 2, 3}
	if len(id.String()) != 64 || id.String()[:4] != "ab01" || id.Short() != "ab010203" {
		t.Errorf("%s, %s", id, id.Short())
	}
}

func BenchmarkParseAndVerify(b *testing.B) {
	l := newLog(b, 1)
	pk := l.key.Public()
	var entries [][]byte
	for i := range byte(64) {
		entries = append(entries, entryOf(i, 256))
	}
	raw := l.add(entries...).Marshal()
	for b.Loop() {
		s, err := Parse(raw)
		if err != nil || !s.Verify(pk) {
			b.Fatal(err)
		}
	}
}
