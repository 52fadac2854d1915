package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

var update = flag.Bool("update", false, "write the frozen vectors anew")

func TestEveryTypeComesBackAsItWas(t *testing.T) {
	for _, s := range samples() {
		if got, err := s.parse(s.bytes); err != nil || !bytes.Equal(got, s.bytes) {
			t.Errorf("%s: %v, %x", s.name, err, got)
		}
	}
}

func TestNothingMayBeMissingOrFollow(t *testing.T) {
	for _, s := range samples() {
		step := 1 + len(s.bytes)/500
		for n := 0; n < len(s.bytes); n += step {
			_, err := s.parse(s.bytes[:n])
			if s.name == "records" && (n == 0 || n == 6) || s.name == "Deliver" && n > 32 {
				continue // the first record alone is a list; what a segment is, DELIVER does not know
			}
			if err == nil {
				t.Errorf("%s cut off at %d of %d parses", s.name, n, len(s.bytes))
			}
		}
		if s.name == "Deliver" || s.name == "records" {
			continue
		}
		for _, more := range [][]byte{{0}, {1}, make([]byte, 32)} {
			if _, err := s.parse(append(bytes.Clone(s.bytes), more...)); err == nil {
				t.Errorf("%s with %d bytes behind it parses", s.name, len(more))
			}
		}
	}
}

// Whatever byte changes, the parser refuses or sees another value: no two encodings of one.
func TestNoTwoEncodingsOfOneValue(t *testing.T) {
	for _, s := range samples() {
		step := 1 + len(s.bytes)/2000
		for i := 0; i < len(s.bytes); i += step {
			b := bytes.Clone(s.bytes)
			b[i] ^= 1 << (i % 8)
			if got, err := s.parse(b); err == nil && !bytes.Equal(got, b) {
				t.Errorf("%s with byte %d flipped parses, and marshals to other bytes", s.name, i)
			}
		}
	}
}

func TestVectors(t *testing.T) {
	const path = "testdata/wire.json"
	got := map[string]string{}
	for _, s := range samples() {
		got[s.name] = hex.EncodeToString(s.bytes)
		if len(s.bytes) > 400 {
			got[s.name] = fmt.Sprintf("%d bytes, SHA-256 %x", len(s.bytes), sha256.Sum256(s.bytes))
		}
	}
	direct, notes := DirectGenesis(identity.AccountID(h32(2)), identity.AccountID(h32(1))), NotesGenesis(identity.AccountID(h32(2)))
	got["id direct"], got["id notes"], got["id verified"] = direct.ID().String(), notes.ID().String(), verifiedGenesis().ID().String()
	room := DigestRoom([]Have{sampleHave(3), sampleHave(1)}, [][16]byte{{2}, {1}})
	rooms := DigestRooms([]RoomDigest{{RoomID(h32(2)), room}, {RoomID(h32(1)), [8]byte{1}}})
	got["digest room"], got["digest rooms"] = hex.EncodeToString(room[:]), hex.EncodeToString(rooms[:])
	if *update {
		b, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s = %s, want %s", name, got[name], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d vectors, want %d", len(got), len(want))
	}
}

func TestValuesKeepTheirFields(t *testing.T) {
	card := sampleCard()
	if got, err := ParseCard(card.Marshal()); err != nil || !reflect.DeepEqual(got, card) {
		t.Errorf("card: %v", err)
	}
	fetched := sampleFetched()
	if got, err := ParseFetched(fetched.Marshal()); err != nil || !reflect.DeepEqual(got, fetched) {
		t.Errorf("fetched: %v", err)
	}
	welcome := sampleWelcome()
	if got, err := ParseWelcome(welcome.Marshal()); err != nil || !reflect.DeepEqual(got, welcome) {
		t.Errorf("welcome: %v", err)
	}
	chain := sampleChain()
	got, err := ParseChain(chain.Marshal())
	chain.Heads[0], chain.Heads[1] = chain.Heads[1], chain.Heads[0] // Marshal sorted them
	if err != nil || !reflect.DeepEqual(got, chain) {
		t.Errorf("chain: %v", err)
	}
}

func TestMarshalSortsSetsAndLeavesTheCallersListAlone(t *testing.T) {
	c := sampleControl()
	c.Parents = [][32]byte{h32(2), h32(1), h32(2)}
	got, err := ParseControl(c.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Parents, [][32]byte{h32(1), h32(2)}) || got.Cut[0].Log != segment.ID(h32(8)) {
		t.Errorf("read %x, %+v", got.Parents, got.Cut)
	}
	if c.Parents[0] != h32(2) || c.Cut[0].Log != segment.ID(h32(9)) {
		t.Error("Marshal sorted the caller's list")
	}
}

// secretBytes would be seen in a log as hex, as numbers or as base64.
func TestSecretsPrintNothing(t *testing.T) {
	room, key := RoomID(h32(1)), h32(0xab)
	values := map[string]any{
		"gate":    Gate{room, key, nil},
		"chain":   Chain{Room: room, Key: key},
		"keys":    Keys{Keys: []IndexedKey{{1, key}}},
		"reply":   KeyReply{Keys: []IndexedKey{{1, key}}, Gate: &Gate{Secret: key}},
		"meet":    Meet{key},
		"welcome": Welcome{Room: room, SubmitKey: key[:]},
		"segment": WelcomeSegment{PRKs: [][32]byte{key}},
		"card":    Card{Mailboxes: []identity.Mailbox{{WriteKey: key}}},
		"hello":   Hello{Token: key[:16]},
		"record":  Record{6, key[:]},
		"text":    Text{Body: string(key[:])},
		"pointer": &Gate{room, key, nil},
	}
	for name, v := range values {
		var text, asJSON bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&asJSON, nil)).Info("x", "v", v)
		all := fmt.Sprintf("%v %+v %#v %x %s %d", v, v, v, v, v, v) + text.String() + asJSON.String()
		for _, bad := range []string{"abab", "171 171", "171,171", "0xab", "q6ur", "\xab\xab", `\xab`} {
			if strings.Contains(all, bad) {
				t.Errorf("%s prints its secret: %q", name, all)
				break
			}
		}
	}
}

func TestLengthsThatDoNotFitPanicInsteadOfLying(t *testing.T) {
	for name, f := range map[string]func(){
		"text":    func() { Text{Body: strings.Repeat("x", 1<<16)}.Marshal() },
		"list":    func() { Haves(make([]Have, 1<<16)).Marshal() },
		"kind 0":  func() { MarshalRecords([]Record{{0, []byte("x")}}) },
		"cert":    func() { SelfObject{Certificate: make([]byte, 1<<16)}.Marshal() },
		"heads":   func() { Gate{Heads: manyHashes(1 << 16)}.Marshal() },
		"control": func() { Control{Value: make([]byte, 1<<16)}.Marshal() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func manyHashes(n int) [][32]byte {
	list := make([][32]byte, n)
	for i := range list {
		list[i] = [32]byte{byte(i >> 8), byte(i), byte(i >> 16)}
	}
	return list
}

func TestTextIsMendedToUTF8AndRefusedOtherwise(t *testing.T) {
	got, err := ParseText(Text{Body: "a\xffb"}.Marshal())
	if err != nil || got.Body != "a\uFFFDb" {
		t.Errorf("ParseText = %q, %v", got.Body, err)
	}
	if _, err := ParseText([]byte{0, 1, 0xff, 0}); !errors.Is(err, ErrFormat) {
		t.Errorf("bytes that are not UTF-8: %v, want ErrFormat", err)
	}
	if _, err := ParseText(Text{Body: strings.Repeat("x", MaxText)}.Marshal()); err != nil {
		t.Errorf("32 KiB: %v", err)
	}
	if _, err := ParseText(Text{Body: strings.Repeat("x", MaxText+1)}.Marshal()); !errors.Is(err, ErrFormat) {
		t.Errorf("32 KiB and a byte: %v, want ErrFormat", err)
	}
}

func TestPaddingIsZerosAndNothingElse(t *testing.T) {
	b := MarshalRecords([]Record{{RecordClose, []byte("abc")}})
	for name, c := range map[string]struct {
		raw  []byte
		want int
	}{
		"none":                 {b, 1},
		"some":                 {append(bytes.Clone(b), make([]byte, 60)...), 1},
		"only zeros":           {make([]byte, 64), 0},
		"nothing":              {nil, 0},
		"record after zeros":   {append(append(bytes.Clone(b), 0), b...), -1},
		"a byte in the zeros":  {append(bytes.Clone(b), 0, 0, 7, 0), -1},
		"longer than it is":    {[]byte{1, 0, 0, 0, 9, 1}, -1},
		"length of 4 GiB":      {[]byte{1, 0xff, 0xff, 0xff, 0xff, 1}, -1},
		"half a length":        {[]byte{1, 0, 0}, -1},
		"an empty record last": {append(bytes.Clone(b), 5, 0, 0, 0, 0), 2},
	} {
		got, err := ParseRecords(c.raw)
		if (err != nil) != (c.want < 0) || err == nil && len(got) != c.want {
			t.Errorf("%s: %d records, %v", name, len(got), err)
		}
	}
}

func TestAnswersSayOneThing(t *testing.T) {
	for name, b := range map[string][]byte{
		"no reason":           {1, 0},
		"refused for nothing": {2, 0},
		"code 3":              {3, 1},
		"have and more":       append([]byte{0}, append(sampleHave(1).Marshal(), 1)...),
		"later with HAVE":     append([]byte{1}, sampleHave(1).Marshal()...),
	} {
		if _, err := ParseAnswer(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	h := sampleHave(1)
	h.HeadK = NoHead
	if _, err := ParseHave(h.Marshal()); !errors.Is(err, ErrFormat) {
		t.Errorf("no head, but its digest: %v, want ErrFormat", err)
	}
	h.HeadK, h.Stored = 1, MaxIndex+1
	if _, err := ParseHave(h.Marshal()); !errors.Is(err, ErrFormat) {
		t.Errorf("an index that no log has: %v, want ErrFormat", err)
	}
	if _, err := ParseHaves(Haves(make([]Have, MaxHaves)).Marshal()); err != nil || 2+MaxHaves*haveSize > 4<<10 {
		t.Errorf("the longest HAVE frame: %v", err)
	}
	if _, err := ParseHaves(Haves(nil).Marshal()); !errors.Is(err, ErrFormat) {
		t.Errorf("an empty HAVE frame: %v, want ErrFormat", err)
	}
}

func TestDigestsDependOnTheSetAlone(t *testing.T) {
	a, b := sampleHave(1), sampleHave(2)
	base := DigestRoom([]Have{a, b}, [][16]byte{{1}, {2}})
	if DigestRoom([]Have{b, a}, [][16]byte{{2}, {1}}) != base {
		t.Error("the order matters")
	}
	if DigestRoom([]Have{a, {Log: segment.ID(h32(7)), HeadK: NoHead}, b}, [][16]byte{{1}, {2}}) != base {
		t.Error("a log of which nothing is held matters")
	}
	read := a
	read.Read, read.Opened = 1, 2
	if DigestRoom([]Have{read, b}, [][16]byte{{1}, {2}}) != base {
		t.Error("what was opened or read matters")
	}
	stored, head := a, a
	stored.Stored++
	head.HeadDigest[0]++
	for name, d := range map[string][8]byte{
		"stored":   DigestRoom([]Have{stored, b}, [][16]byte{{1}, {2}}),
		"head":     DigestRoom([]Have{head, b}, [][16]byte{{1}, {2}}),
		"a log":    DigestRoom([]Have{a}, [][16]byte{{1}, {2}}),
		"evidence": DigestRoom([]Have{a, b}, [][16]byte{{1}}),
	} {
		if d == base {
			t.Errorf("%s does not matter", name)
		}
	}
	x, y := RoomDigest{RoomID(h32(1)), base}, RoomDigest{RoomID(h32(2)), base}
	if DigestRooms([]RoomDigest{x, y}) != DigestRooms([]RoomDigest{y, x}) || DigestRooms([]RoomDigest{x}) == DigestRooms([]RoomDigest{y}) {
		t.Error("DigestRooms is not of the set")
	}
}

func TestRoomStatesSayTheirSize(t *testing.T) {
	s := RoomState{RoomID(h32(1)), Haves{sampleHave(1), sampleHave(2)}, [][16]byte{{1}}, []Hearsay{{Have: sampleHave(1)}}}
	if n := len(Sync{Three: &Sync3{[]RoomState{s}}}.Marshal()) - 3; n != s.Size() {
		t.Errorf("Size = %d, want %d", s.Size(), n)
	}
}

func TestKeyRequestsAscendAndDoNotOverlap(t *testing.T) {
	for name, ranges := range map[string][]Range{
		"none":          nil,
		"empty":         {{1, 0}},
		"overlapping":   {{1, 3}, {3, 1}},
		"descending":    {{5, 1}, {1, 1}},
		"over the end":  {{MaxIndex, 1}},
		"more than 512": make([]Range, 513),
	} {
		if name == "more than 512" {
			for i := range ranges {
				ranges[i] = Range{uint64(2 * i), 1}
			}
		}
		if _, err := ParseKeyRequest(KeyRequest{Keys: &KeyReq{Ranges: ranges}}.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}
