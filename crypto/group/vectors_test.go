package group

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/group.json anew")

const vectorFile = "testdata/group.json"

// hexBytes stands in JSON as hex.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// vectors are frozen: they were made by this package and may never change under suite 0x0001.
type vectors struct {
	Chain   []chainVector
	Entries []entryVector
	Gate    gateVector
}

type chainVector struct {
	Start hexBytes // ck_0
	Index uint32
	Key   hexBytes // mk_index
	Chain hexBytes // ck_index+1
}

type entryVector struct {
	Generation, Index uint32
	Key, Room, Log    hexBytes
	Kind              uint8
	Records, Random   hexBytes
	PRK, Raw          hexBytes
}

type gateVector struct {
	Secret, Room, Header hexBytes
	Tag, Key, Gate       hexBytes
	Topic                string
}

// pattern is n bytes that count up from first: inputs that show a swapped or cut field.
func pattern(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

func makeVectors(t *testing.T) (v vectors) {
	t.Helper()
	start := Chain{Generation: 0x01020304, Key: [32]byte(pattern(0x10, 32))}
	for _, index := range []uint32{0, 1, 255} {
		next, _, mk, err := start.To(index)
		if err != nil {
			t.Fatal(err)
		}
		v.Chain = append(v.Chain, chainVector{start.Key[:], index, mk.Key[:], next.Key[:]})
		records := pattern(0x61, int(index)*5)
		room, log, random := pattern(0x40, 32), pattern(0x80, 32), pattern(0xc0, 16)
		raw, prk, err := seal(mk, [32]byte(room), [32]byte(log), byte(index), records, [16]byte(random))
		if err != nil {
			t.Fatal(err)
		}
		v.Entries = append(v.Entries, entryVector{mk.Generation, index, mk.Key[:], room, log, byte(index), records, random, prk[:], raw})
	}
	g, room, header := GateSecret(pattern(0x20, 32)), pattern(0x40, 32), pattern(0, 216)
	tag, key := g.Tag(), g.Key([32]byte(room))
	gate := Gate(key, header)
	v.Gate = gateVector{g[:], room, header, tag[:], key[:], gate[:], g.Topic([32]byte(room))}
	return v
}

func TestFrozenVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeVectors(t), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("what is made differs from the frozen vectors: either an accident, or a new suite")
	}
}

func TestFrozenEntriesOpen(t *testing.T) {
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Entries) != 3 {
		t.Fatalf("%d entries", len(v.Entries))
	}
	for _, e := range v.Entries {
		entry := parse(t, e.Raw)
		mk := MessageKey{Generation: e.Generation, Index: e.Index, Key: [32]byte(e.Key)}
		text, prk, err := Open(mk, [32]byte(e.Room), [32]byte(e.Log), entry)
		if err != nil || !bytes.Equal(prk[:], e.PRK) || !bytes.HasPrefix(text, e.Records) || entry.Kind != e.Kind {
			t.Errorf("entry %d: %v", e.Index, err)
		}
	}
}
