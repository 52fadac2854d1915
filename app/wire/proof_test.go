package wire

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// testLog is a log of real, signed segments.
type testLog struct {
	key  *composite.PrivateKey
	id   segment.ID
	segs []*segment.Segment
	past []*segment.Tree // past[k] is over headers 0 to k-1
}

func newLog(t testing.TB, room RoomID, n int, entries func(k int) [][]byte) *testLog {
	t.Helper()
	key, err := composite.NewPrivateKey(fill(1, composite.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	l := &testLog{key: key, id: segment.LogID(room, key.Public()), past: []*segment.Tree{nil}}
	for k := range n {
		p := segment.BuildParams{Key: key, Room: room, Log: l.id, K: uint64(k), Past: l.past[k], Entries: entries(k), Millis: uint64(k)}
		if k > 0 {
			p.First, p.Prev = l.segs[k-1].Header.Next(), segment.Digest(l.segs[k-1].RawHeader)
		}
		s, err := segment.Build(p)
		if err != nil {
			t.Fatal(err)
		}
		l.segs, l.past = append(l.segs, s), append(l.past, l.past[k].Append(s.RawHeader))
	}
	return l
}

func (l *testLog) source() segment.Source {
	return segment.Source{Leaf: func(i uint64) ([32]byte, error) { return segment.LeafHash(l.segs[i].RawHeader), nil }}
}

func (l *testLog) inclusion(t testing.TB, newest, k uint64) [][32]byte {
	t.Helper()
	if newest == k {
		return nil
	}
	p, err := segment.ProveInclusion(newest, k, l.source())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func two(k int) [][]byte { return [][]byte{entryOf(byte(k), 5), entryOf(byte(k+1), 6)} }

// answer is what an honest peer sends for a request.
func (l *testLog) answer(t testing.TB, q Fetch, leaves bool) Fetched {
	newest := l.segs[len(l.segs)-1]
	f := Fetched{Header: newest.RawHeader, Signature: newest.Signature, Inclusion: l.inclusion(t, newest.Header.K, q.To)}
	for k := int(q.To); k >= int(q.From); k-- {
		s := FetchedSegment{l.segs[k].RawHeader, l.segs[k].RawDeps, slices.Clone(l.segs[k].Entries)}
		if leaves {
			for i, h := range s.Leaves() {
				s.Entries[i] = h[:]
			}
		}
		f.Segments = append(f.Segments, s)
		if k == 0 {
			f.Key = l.segs[0].Key
		}
	}
	return f
}

func TestAFetchReplyProvesItself(t *testing.T) {
	room := RoomID(h32(7))
	l := newLog(t, room, 9, two)
	for _, leaves := range []bool{false, true} {
		for _, q := range []Fetch{{room, l.id, 0, 8}, {room, l.id, 0, 3}, {room, l.id, 2, 5}, {room, l.id, 8, 8}} {
			f, err := ParseFetched(l.answer(t, q, leaves).Marshal())
			if err != nil {
				t.Fatal(err)
			}
			headers, err := f.Check(q, l.key.Public())
			if err != nil || len(headers) != int(q.To-q.From+1) || headers[0].K != q.To {
				t.Errorf("%d to %d: %v", q.To, q.From, err)
			}
			if f.Segments[0].Whole() == leaves {
				t.Errorf("leaves %v, Whole %v", leaves, f.Segments[0].Whole())
			}
			if pk, err := f.LogKey(q); (err == nil) != (q.From == 0) || err == nil && !pk.Equal(l.key.Public()) {
				t.Errorf("LogKey from %d: %v", q.From, err)
			}
		}
	}
}

func TestAFetchReplyThatLiesIsRefused(t *testing.T) {
	room := RoomID(h32(7))
	l := newLog(t, room, 9, two)
	other := newLog(t, room, 9, func(k int) [][]byte { return two(k + k/4) }) // another history from 4 on
	q := Fetch{room, l.id, 2, 6}
	for name, change := range map[string]func(f *Fetched, q *Fetch){
		"another room":         func(f *Fetched, q *Fetch) { q.Room[0]++ },
		"another log":          func(f *Fetched, q *Fetch) { q.Log[0]++ },
		"not what was asked":   func(f *Fetched, q *Fetch) { q.To = 5 },
		"lower than asked":     func(f *Fetched, q *Fetch) { q.From = 3 },
		"a gap":                func(f *Fetched, q *Fetch) { f.Segments = slices.Delete(f.Segments, 1, 2) },
		"a segment of another": func(f *Fetched, q *Fetch) { f.Segments[1] = other.answer(t, *q, false).Segments[1] },
		"history of another":   func(f *Fetched, q *Fetch) { f.Segments = other.answer(t, *q, false).Segments },
		"header of another":    func(f *Fetched, q *Fetch) { f.Header = other.segs[8].RawHeader },
		"an entry of another":  func(f *Fetched, q *Fetch) { f.Segments[0].Entries[0] = entryOf(99, 5) },
		"an entry missing":     func(f *Fetched, q *Fetch) { f.Segments[0].Entries = f.Segments[0].Entries[:1] },
		"a false leaf":         func(f *Fetched, q *Fetch) { f.Segments[0].Entries[0] = fill(9, 32) },
		"deps of its own": func(f *Fetched, q *Fetch) {
			f.Segments[0].Deps, _ = segment.MarshalDeps([]segment.Dep{{Log: segment.ID{1}}})
		},
		"a signature of another":   func(f *Fetched, q *Fetch) { f.Signature = l.segs[7].Signature },
		"no inclusion":             func(f *Fetched, q *Fetch) { f.Inclusion = nil },
		"inclusion of another":     func(f *Fetched, q *Fetch) { f.Inclusion = l.inclusion(t, 8, 5) },
		"a key without segment 0":  func(f *Fetched, q *Fetch) { f.Key = l.segs[0].Key },
		"more where there is none": func(f *Fetched, q *Fetch) { f.More = true },
		"no segments":              func(f *Fetched, q *Fetch) { f.Segments = nil },
	} {
		f, q := l.answer(t, q, false), q
		f.Segments = slices.Clone(f.Segments)
		change(&f, &q)
		if _, err := f.Check(q, l.key.Public()); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// Another header under the newest's number needs no inclusion; so it must be the very same.
func TestTheNewestSegmentIsTheSignedOne(t *testing.T) {
	room := RoomID(h32(7))
	l := newLog(t, room, 5, two)
	other := newLog(t, room, 5, func(k int) [][]byte { return two(k + k/4) })
	q := Fetch{room, l.id, 4, 4}
	f := l.answer(t, q, false)
	f.Segments = other.answer(t, q, false).Segments
	if _, err := f.Check(q, l.key.Public()); err == nil {
		t.Error("a segment passes under another one's signature")
	}
}

func TestALargestSegmentFitsAFetchReply(t *testing.T) {
	room := RoomID(h32(7))
	first := segment.Overhead(true, 0)
	l := newLog(t, room, 1, func(int) [][]byte {
		return [][]byte{entryOf(1, 30000), entryOf(2, segment.MaxSegment-first-2*segment.EntryOverhead-30000)}
	})
	q := Fetch{room, l.id, 0, 0}
	f := l.answer(t, q, false)
	f.Inclusion = manyHashes(segment.MaxProof)
	b := f.Marshal()
	if _, err := ParseFetched(b); err != nil || len(b) > FetchedOverhead+f.Segments[0].Size() || len(b) > MaxBody {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	d := Deliver{room, l.segs[0].Marshal()}
	if got, err := ParseDeliver(d.Marshal()); err != nil || !bytes.Equal(got.Segment, d.Segment) {
		t.Errorf("DELIVER of 52 KiB: %v", err)
	}
}

// welcomeLog gives the log with whole entries where whole says so.
func (l *testLog) welcomeLog(t testing.TB, whole func(k, i int) bool) WelcomeLog {
	newest := l.segs[len(l.segs)-1]
	w := WelcomeLog{Key: l.key.Public().Bytes(), Header: newest.RawHeader, Signature: newest.Signature, Past: l.past[len(l.segs)-1]}
	for k, s := range l.segs {
		ws := WelcomeSegment{FetchedSegment: FetchedSegment{s.RawHeader, s.RawDeps, slices.Clone(s.Entries)}, Inclusion: l.inclusion(t, newest.Header.K, uint64(k))}
		for i, h := range ws.Leaves() {
			if whole(k, i) {
				ws.PRKs = append(ws.PRKs, prkOf(k, i))
			} else {
				ws.Entries[i] = h[:]
			}
		}
		w.Segments = append(w.Segments, ws)
	}
	return w
}

func prkOf(k, i int) [32]byte { return [32]byte{byte(k), byte(i), 0xcc} }

func TestAWelcomeProvesWhereEachLogStands(t *testing.T) {
	g := verifiedGenesis()
	room := g.ID()
	l := newLog(t, room, 9, two)
	w := l.welcomeLog(t, func(k, i int) bool { return (k+i)%2 == 0 })
	base, headers, err := w.Check(room)
	if err != nil || base.K != 8 || len(headers) != 9 {
		t.Fatalf("Check = %+v, %d headers, %v", base, len(headers), err)
	}
	if next := w.Past.Append(w.Header); next.Root() != l.past[9].Root() {
		t.Error("the newcomer's tree goes another way")
	}
	for name, change := range map[string]func(w *WelcomeLog){
		"another key":       func(w *WelcomeLog) { w.Key = fill(1, composite.PublicKeySize) },
		"an older header":   func(w *WelcomeLog) { w.Header = l.segs[7].RawHeader },
		"a false signature": func(w *WelcomeLog) { w.Signature = l.segs[7].Signature },
		"a false edge":      func(w *WelcomeLog) { w.Past = w.Past.AppendLeaf(h32(1)) },
		"no edge":           func(w *WelcomeLog) { w.Past = nil },
		"a false inclusion": func(w *WelcomeLog) { w.Segments[2].Inclusion = w.Segments[3].Inclusion },
		"a false entry":     func(w *WelcomeLog) { w.Segments[2].Entries[0] = entryOf(77, 1) },
	} {
		w := l.welcomeLog(t, func(int, int) bool { return true })
		change(&w)
		if _, _, err := w.Check(room); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if _, _, err := w.Check(RoomID{}); err == nil {
		t.Error("it passes in another room")
	}
}

func TestASplitWelcomeLosesNothingAndEachPartStandsAlone(t *testing.T) {
	g := verifiedGenesis()
	room := g.ID()
	large := func(k int) [][]byte {
		return [][]byte{entryOf(byte(k), 20000+100*k), entryOf(byte(k+1), 6), entryOf(byte(k+2), 26000)}
	}
	l := newLog(t, room, 6, large)
	log := l.welcomeLog(t, func(k, i int) bool { return i != 1 })
	whole := Welcome{Room: room, Genesis: g.Marshal(), SubmitKey: sampleSubmitKey, Gates: []Gate{{room, h32(1), nil}}, Logs: []WelcomeLog{log, {
		Key: log.Key, Header: log.Header, Signature: log.Signature, Past: log.Past,
	}}}
	parts, err := whole.Split()
	if err != nil {
		t.Fatal(err)
	}
	found := map[[2]int]bool{}
	for i, p := range parts {
		b := p.Marshal()
		got, err := ParseWelcome(b)
		if err != nil || len(b) > MaxWelcome || int(got.Part) != i || int(got.Of) != len(parts) {
			t.Fatalf("part %d of %d, %d bytes: %v", i, len(parts), len(b), err)
		}
		for _, l := range got.Logs {
			_, headers, err := l.Check(room)
			if err != nil {
				t.Fatalf("part %d: %v", i, err)
			}
			for j, s := range l.Segments {
				opened := 0
				for e, raw := range s.Entries {
					if IsLeaf(raw) {
						continue
					}
					k := int(headers[j].K)
					if s.PRKs[opened] != prkOf(k, e) || found[[2]int{k, e}] {
						t.Errorf("part %d: segment %d entry %d has another's key, or comes twice", i, k, e)
					}
					found[[2]int{k, e}], opened = true, opened+1
				}
			}
		}
	}
	if len(found) != 12 || len(parts) < 5 {
		t.Errorf("%d of 12 entries in %d parts", len(found), len(parts))
	}
}

func TestAWelcomeOfNothingButTheRoomIsOnePart(t *testing.T) {
	g := verifiedGenesis()
	parts, err := Welcome{Room: g.ID(), Genesis: g.Marshal(), SubmitKey: sampleSubmitKey}.Split()
	if err != nil || len(parts) != 1 || parts[0].Of != 1 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	if _, err := ParseWelcome(parts[0].Marshal()); err != nil {
		t.Errorf("ParseWelcome: %v", err)
	}
	other := parts[0]
	other.Room[0]++
	if _, err := ParseWelcome(other.Marshal()); err == nil {
		t.Error("the genesis of another room passes")
	}
	other = parts[0]
	other.SubmitKey = fill(1, 32)
	if _, err := ParseWelcome(other.Marshal()); err == nil {
		t.Error("a false submit key passes")
	}
}

func TestAnEntryThatFitsNoPartIsAnError(t *testing.T) {
	g := verifiedGenesis()
	room := g.ID()
	l := newLog(t, room, 1, func(int) [][]byte { return [][]byte{entryOf(1, segment.MaxEntry-segment.EntryOverhead)} })
	log := l.welcomeLog(t, func(int, int) bool { return true })
	log.Segments[0].Inclusion = manyHashes(segment.MaxProof * 8)
	if _, err := (Welcome{Room: room, Genesis: g.Marshal(), SubmitKey: sampleSubmitKey, Logs: []WelcomeLog{log}}).Split(); err == nil {
		t.Error("it was split")
	}
}

func TestPartsAndRequestsAreBounded(t *testing.T) {
	room := RoomID(h32(7))
	if _, err := ParseFetch(Fetch{room, segment.ID(h32(1)), 4, 3}.Marshal()); err == nil {
		t.Error("FETCH from 4 to 3 parses")
	}
	log := WelcomeLog{Key: fill(3, composite.PublicKeySize), Header: plainSegment(2).Header, Signature: fill(4, composite.SignatureSize)}
	w := Welcome{Room: room, Part: 1, Of: 2}
	for len(w.Marshal()) <= MaxWelcome {
		if _, err := ParseWelcome(w.Marshal()); err != nil {
			t.Fatalf("a part of %d bytes: %v", len(w.Marshal()), err)
		}
		w.Logs = append(w.Logs, log)
	}
	if _, err := ParseWelcome(w.Marshal()); err == nil {
		t.Error("a part over 48 KiB parses")
	}
	w.Logs, w.Part = nil, 2
	if _, err := ParseWelcome(w.Marshal()); err == nil {
		t.Error("part 2 of 2 parses")
	}
}
