package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// sample is a value of a type by its name, how it marshals, and its parser with Marshal behind it.
type sample struct {
	name  string
	bytes []byte
	parse func([]byte) ([]byte, error)
}

type marshaler interface{ Marshal() []byte }

// back makes a parser one that marshals again.
func back[T marshaler](parse func([]byte) (T, error)) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		v, err := parse(b)
		if err != nil {
			return nil, err
		}
		return v.Marshal(), nil
	}
}

func h32(n byte) [32]byte { return [32]byte(bytes.Repeat([]byte{n}, 32)) }

func fill(n byte, size int) []byte { return bytes.Repeat([]byte{n}, size) }

func peerOf(n byte) identity.PeerID {
	return identity.PeerIDOf(ed25519.NewKeyFromSeed(fill(n, 32)).Public().(ed25519.PublicKey))
}

// entryOf is an entry with a ciphertext of n bytes beside the tag.
func entryOf(seed byte, n int) []byte {
	e := fill(seed, segment.EntryOverhead+n)
	binary.BigEndian.PutUint32(e[segment.EntryHeadSize-4:], uint32(16+n))
	return e
}

func sampleHave(n byte) Have {
	return Have{Log: segment.ID(h32(n)), Stored: 7, Opened: 6, Read: 5, HeadK: 3, HeadDigest: h32(n + 1)}
}

func sampleSelf(bundle []byte) SelfObject {
	return SelfObject{fill(1, composite.PublicKeySize), []byte("certificate"), []byte("list"), bundle}
}

func sampleCard() Card {
	return Card{
		Self: sampleSelf(nil), Name: "Zoë", Record: []byte("record"), Addresses: []string{"/ip4/192.0.2.1/tcp/4001", "/ip6/2001:db8::1/udp/4001/quic-v1"},
		Relays:    []identity.Relay{{Peer: peerOf(1), Address: "/dns4/relay.example/tcp/443"}},
		Mailboxes: []identity.Mailbox{{Peer: peerOf(2), Address: "/dns4/box.example/tcp/443", Slot: [16]byte{3}, WriteKey: h32(4)}},
		Flags:     FlagReceipts,
	}
}

var sampleSubmitKey = fill(12, 32)

func verifiedGenesis() Genesis {
	g := Genesis{Owner: identity.AccountID(h32(1)), Kind: Group, Policy: Verified, History: HistoryAll, Quorum: 3, SubmitHash: sha256.Sum256(sampleSubmitKey), Previous: h32(3), Nonce: h32(4)}
	for i := range byte(4) {
		g.Seats = append(g.Seats, Seat{identity.AccountID(h32(20 + i)), h32(30 + i)})
	}
	return g
}

func sampleControl() Control {
	return Control{
		Op: OpRemove, Parents: [][32]byte{h32(2), h32(1)}, Target: identity.AccountID(h32(3)),
		Cut: []CutItem{{segment.ID(h32(9)), 4, h32(1)}, {segment.ID(h32(8)), 0, h32(2)}},
	}
}

// plainSegment is a segment with one entry whole and one as its leaf hash; the header matches.
func plainSegment(k uint64) FetchedSegment {
	entries := [][]byte{entryOf(1, 5), entryOf(2, 6)}
	deps, _ := segment.MarshalDeps(nil)
	h := segment.Header{Log: segment.ID(h32(5)), K: k, First: 2 * k, Count: 2, EntriesRoot: segment.EntriesRoot(entries), Millis: 1000 + k}
	leaf := segment.LeafHash(entries[1])
	return FetchedSegment{Header: h.Marshal(), Deps: deps, Entries: [][]byte{entries[0], leaf[:]}}
}

func sampleFetched() Fetched {
	return Fetched{
		Header: plainSegment(9).Header, Signature: fill(2, composite.SignatureSize), Inclusion: [][32]byte{h32(1), h32(2)},
		Key: fill(3, composite.PublicKeySize), Segments: []FetchedSegment{plainSegment(1), plainSegment(0)},
	}
}

func sampleWelcome() Welcome {
	g := verifiedGenesis()
	tree := new(segment.Tree).AppendLeaf(h32(1)).AppendLeaf(h32(2))
	room := g.ID()
	return Welcome{
		Room: room, Of: 2, Genesis: g.Marshal(), SubmitKey: sampleSubmitKey,
		Gates: []Gate{{room, h32(6), [][32]byte{h32(1)}}, {room, h32(7), nil}},
		Logs: []WelcomeLog{{
			Key: fill(3, composite.PublicKeySize), Header: plainSegment(2).Header, Signature: fill(4, composite.SignatureSize), Past: tree,
			Segments: []WelcomeSegment{{plainSegment(0), [][32]byte{h32(5)}, [][32]byte{h32(6)}}, {plainSegment(2), nil, [][32]byte{h32(8)}}},
		}},
	}
}

func sampleChain() Chain {
	return Chain{Room: RoomID(h32(1)), Log: segment.ID(h32(2)), Generation: 3, Index: 4, Key: h32(5), Cause: CauseAge, Heads: [][32]byte{h32(7), h32(6)}}
}

// records lets MarshalRecords and ParseRecords pass for a type.
type records []Record

func (r records) Marshal() []byte { return MarshalRecords(r) }

func parseRecords(b []byte) (records, error) { return ParseRecords(b) }

// samples are at least one value of each type, in an order that stays.
func samples() []sample {
	have, gate := sampleHave(1), Gate{RoomID(h32(1)), h32(2), [][32]byte{h32(4), h32(3)}}
	later := sampleWelcome()
	later.Part, later.Genesis, later.Gates, later.SubmitKey = 1, nil, nil, nil
	certified := sampleChain()
	certified.LogCertificate = fill(8, segment.LogCertificateSize)
	keys := []IndexedKey{{70, h32(2)}, {3, h32(1)}}
	open := Open{DirectGenesis(identity.AccountID(h32(2)), identity.AccountID(h32(1))).Marshal(), fill(1, segment.LogCertificateSize), []byte("device"), fill(2, composite.PublicKeySize)}
	return []sample{
		{"Genesis direct", DirectGenesis(identity.AccountID(h32(2)), identity.AccountID(h32(1))).Marshal(), back(ParseGenesis)},
		{"Genesis notes", NotesGenesis(identity.AccountID(h32(2))).Marshal(), back(ParseGenesis)},
		{"Genesis verified", verifiedGenesis().Marshal(), back(ParseGenesis)},
		{"Deliver", Deliver{RoomID(h32(1)), []byte("segment")}.Marshal(), back(ParseDeliver)},
		{"Answer have", Answer{Code: AnswerHave, Have: &have}.Marshal(), back(ParseAnswer)},
		{"Answer later", Answer{Code: AnswerLater, Reason: LaterFull}.Marshal(), back(ParseAnswer)},
		{"Answer refused", Answer{Code: AnswerRefused, Reason: RefusedFork}.Marshal(), back(ParseAnswer)},
		{"Have", have.Marshal(), back(ParseHave)},
		{"Have none", Have{Log: segment.ID(h32(1)), HeadK: NoHead}.Marshal(), back(ParseHave)},
		{"Haves", Haves{have, sampleHave(2)}.Marshal(), back(ParseHaves)},
		{"Sync 1", Sync{One: &Sync1{h32(1)}}.Marshal(), back(ParseSync)},
		{"Sync 2", Sync{Two: &Sync2{[]RoomDigest{{RoomID(h32(2)), [8]byte{2}}, {RoomID(h32(1)), [8]byte{1}}}}}.Marshal(), back(ParseSync)},
		{"Sync 3", Sync{Three: &Sync3{[]RoomState{{
			RoomID(h32(1)), Haves{have}, [][16]byte{{2}, {1}}, []Hearsay{{identity.DeviceID(h32(3)), have, true}},
		}, {Room: RoomID(h32(2))}}}}.Marshal(), back(ParseSync)},
		{"EvidenceRequest", EvidenceRequest{[16]byte{1, 2}}.Marshal(), back(ParseEvidenceRequest)},
		{"Typing", Typing{RoomID(h32(1)), true}.Marshal(), back(ParseTyping)},
		{"Fetch", Fetch{RoomID(h32(1)), segment.ID(h32(2)), 3, 9}.Marshal(), back(ParseFetch)},
		{"Fetched", sampleFetched().Marshal(), back(ParseFetched)},
		{"Fetched nothing", Fetched{}.Marshal(), back(ParseFetched)},
		{"KeyRequest keys", KeyRequest{Keys: &KeyReq{segment.ID(h32(1)), []Range{{0, 3}, {3, 1}, {9, 256}}}}.Marshal(), back(ParseKeyRequest)},
		{"KeyRequest gate", KeyRequest{Gate: &GateReq{RoomID(h32(1)), [16]byte{2}}}.Marshal(), back(ParseKeyRequest)},
		{"KeyReply no", KeyReply{}.Marshal(), back(ParseKeyReply)},
		{"KeyReply keys", KeyReply{Keys: keys}.Marshal(), back(ParseKeyReply)},
		{"KeyReply gate", KeyReply{Gate: &gate}.Marshal(), back(ParseKeyReply)},
		{"Keys", Keys{segment.ID(h32(1)), keys}.Marshal(), back(ParseKeys)},
		{"SelfObject", sampleSelf([]byte("bundle")).Marshal(), back(ParseSelfObject)},
		{"Card", sampleCard().Marshal(), back(ParseCard)},
		{"Card bare", Card{Self: sampleSelf(nil)}.Marshal(), back(ParseCard)},
		{"Hello", Hello{"Ann", fill(1, 16)}.Marshal(), back(ParseHello)},
		{"Hello without token", Hello{Name: "Ann"}.Marshal(), back(ParseHello)},
		{"Gate", gate.Marshal(), back(ParseGate)},
		{"Chain", sampleChain().Marshal(), back(ParseChain)},
		{"Chain certified", certified.Marshal(), back(ParseChain)},
		{"Close", Close{[16]byte{1}, 2}.Marshal(), back(ParseClose)},
		{"Meet", Meet{h32(1)}.Marshal(), back(ParseMeet)},
		{"Welcome first", sampleWelcome().Marshal(), back(ParseWelcome)},
		{"Welcome later", later.Marshal(), back(ParseWelcome)},
		{"Open", open.Marshal(), back(ParseOpen)},
		{"Text", Text{Body: "hello, wörld"}.Marshal(), back(ParseText)},
		{"Text reply", Text{"yes", &MessageRef{segment.ID(h32(1)), 5}}.Marshal(), back(ParseText)},
		{"Control", sampleControl().Marshal(), back(ParseControl)},
		{"records", MarshalRecords([]Record{{RecordHello, []byte("a")}, {200, nil}}), back(parseRecords)},
	}
}

// fuzzType runs a parser from the samples whose name begins with name.
func fuzzType(f *testing.F, names ...string) {
	var parse func([]byte) ([]byte, error)
	for _, s := range samples() {
		for _, n := range names {
			if s.name == n {
				parse = s.parse
				f.Add(s.bytes)
			}
		}
	}
	if parse == nil {
		f.Fatalf("no sample is named %v", names)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parse(b)
		if err == nil && !bytes.Equal(got, b) {
			t.Errorf("%x parses, and marshals to %x", b, got)
		}
		_ = fmt.Sprint(err)
	})
}
