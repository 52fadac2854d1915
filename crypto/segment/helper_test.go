package segment

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

var update = flag.Bool("update", false, "write the frozen vectors anew")

// logKey is the same key for the same number, so that vectors and fuzz seeds stay.
func logKey(t testing.TB, n byte) *composite.PrivateKey {
	t.Helper()
	k, err := composite.NewPrivateKey(bytes.Repeat([]byte{n}, composite.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var testRoom = [32]byte{'r', 'o', 'o', 'm'}

// entryOf is an entry with a ciphertext of n bytes beside the tag.
func entryOf(seed byte, n int) []byte {
	e := make([]byte, EntryOverhead+n)
	for i := range e {
		e[i] = seed + byte(i)
	}
	binary.BigEndian.PutUint32(e[EntryHeadSize-4:], uint32(tagSize+n))
	return e
}

// testLog makes segments of a log, one after the other.
type testLog struct {
	t    testing.TB
	key  *composite.PrivateKey
	id   ID
	past *Tree
	raw  [][]byte // headers
	segs []*Segment
}

func newLog(t testing.TB, seed byte) *testLog {
	k := logKey(t, seed)
	return &testLog{t: t, key: k, id: LogID(testRoom, k.Public())}
}

func (l *testLog) params(entries ...[]byte) BuildParams {
	p := BuildParams{
		Key: l.key, Room: testRoom, Tag: [16]byte{1, 2, 3}, Log: l.id, K: uint64(len(l.raw)), Past: l.past, Entries: entries,
		Millis: 1_700_000_000_000 + uint64(len(l.raw)),
	}
	if p.K > 0 {
		last := l.segs[p.K-1]
		p.First, p.Prev = last.Header.Next(), Digest(last.RawHeader)
	}
	return p
}

func (l *testLog) add(entries ...[]byte) *Segment {
	l.t.Helper()
	return l.addAs(l.params(entries...))
}

func (l *testLog) addAs(p BuildParams) *Segment {
	l.t.Helper()
	s, err := Build(p)
	if err != nil {
		l.t.Fatalf("Build of segment %d: %v", p.K, err)
	}
	l.segs, l.raw, l.past = append(l.segs, s), append(l.raw, s.RawHeader), l.past.Append(s.RawHeader)
	return s
}

// unsigned are the headers of a log without the cost of signatures: tag is a mark by which branches differ.
func unsigned(log ID, n int, mark func(k uint64) byte) [][]byte {
	raw := make([][]byte, 0, n)
	var past *Tree
	for k := range uint64(n) {
		h := Header{Tag: [16]byte{mark(k)}, Log: log, K: k, First: k, Count: 1, EntriesRoot: [32]byte{9}, PastRoot: past.Root(), Millis: k}
		if k > 0 {
			h.Prev = Digest(raw[k-1])
		}
		raw = append(raw, h.Marshal())
		past = past.Append(raw[k])
	}
	return raw
}

func plain(uint64) byte { return 0 }

// sourceOf reads headers from memory.
func sourceOf(raw [][]byte) Source {
	return Source{Leaf: func(i uint64) ([32]byte, error) {
		if i >= uint64(len(raw)) {
			return [32]byte{}, fmt.Errorf("header %d of %d", i, len(raw))
		}
		return LeafHash(raw[i]), nil
	}}
}

// checkVectors compares bytes with testdata/name.json, or writes it under -update.
func checkVectors(t *testing.T, name string, got map[string][]byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".json")
	if *update {
		text := map[string]string{}
		for k, v := range got {
			text[k] = hex.EncodeToString(v)
		}
		b, err := json.MarshalIndent(text, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if hex.EncodeToString(got[k]) != want[k] {
			t.Errorf("%s = %.80x..., want %.80s...", k, got[k], want[k])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d vectors, want %d", len(got), len(want))
	}
}

func readVectors(t *testing.T, name string) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var text map[string]string
	if err := json.Unmarshal(b, &text); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for k, v := range text {
		if out[k], err = hex.DecodeString(v); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
