package handshake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/cryptotest"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
)

var update = flag.Bool("update", false, "write the vectors anew")

// vector is one handshake with all that follows from it. Bytes are base64.
type vector struct {
	About         string
	Random        uint64 // seed of testing/cryptotest.SetGlobalRandom
	PeerI, PeerR  []byte
	AccountR      []byte // AccountID, for mac1
	EphemeralSeed []byte // X-Wing seed of I
	M1, M2, M3    []byte // M3 with the record behind it

	SS, HS, TH2, KR, KI, THF, MS []byte
	THQ, Master                  []byte
	LinkID, StreamI, StreamR     []byte // stream 2 of /cryptexq/link/1
}

const (
	vectorFile     = "handshake.json"
	vectorRandom   = 7
	vectorProtocol = "/cryptexq/link/1"
	vectorStream   = 2
)

// makeVector runs a handshake with fixed randomness and notes what the code makes of it.
func makeVector(t *testing.T) vector {
	cryptotest.SetGlobalRandom(t, vectorRandom)
	a, b := newPerson(1, 1), newPerson(2, 1)
	si, m1 := initiate(t, a.config(b))
	sr := respond(t, b.config(a))
	m2, _ := next(t, sr, m1)
	waiting, eph := *sr, si.eph
	m3, i := next(t, si, m2)
	next(t, sr, m3)
	ss, err := eph.Decapsulate(m2[headSize:secondBody])
	if err != nil {
		t.Fatalf("Decapsulate: %v", err)
	}
	th2 := begin(a.peer(), b.peer()).with(m1).with(m2[:secondBody])
	k := derive(ss, th2)
	_, _, thF, err := waiting.keys.open(m3[:boxSize], waiting.th)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	pi, pr, id, link := a.peer(), b.peer(), b.id(), i.LinkID()
	return vector{
		About:  "/cryptexq/hs/1, quantum keys off; made by TestVectors -update with Go 1.26 and circl 1.6.5",
		Random: vectorRandom, PeerI: pi[:], PeerR: pr[:], AccountR: id[:], EphemeralSeed: eph.Seed(), M1: m1, M2: m2, M3: m3,
		SS: ss, HS: k.hs[:], TH2: th2[:], KR: k.r.seal[:], KI: k.i.seal[:], THF: thF[:], MS: master(k.hs, thF),
		THQ: i.Transcript[:], Master: i.Master[:], LinkID: link[:],
		StreamI: i.StreamKey(vectorProtocol, vectorStream, true), StreamR: i.StreamKey(vectorProtocol, vectorStream, false),
	}
}

func readVector(t testing.TB) vector {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", vectorFile))
	if err != nil {
		t.Fatalf("reading vectors: %v", err)
	}
	var v vector
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("reading vectors: %v", err)
	}
	return v
}

func TestVectors(t *testing.T) {
	got := makeVector(t)
	if *update {
		b, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatalf("writing vectors: %v", err)
		}
		if err := os.WriteFile(filepath.Join("testdata", vectorFile), append(b, '\n'), 0o644); err != nil {
			t.Fatalf("writing vectors: %v", err)
		}
	}
	want := readVector(t)
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s differs from the frozen vector", g.Type().Field(i).Name)
		}
	}
}

// pageHash is H of docs/protocol.md, written again from its text.
func pageHash(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	h := sha256.Sum256(b)
	return h[:]
}

func pageExpand(t *testing.T, key []byte, label string, th []byte, n int) []byte {
	t.Helper()
	out, err := hkdf.Expand(sha256.New, key, "CQ1 "+label+"\x00"+string(th), n)
	if err != nil {
		t.Fatalf("Expand: %v", err)
	}
	return out
}

func pageExtract(t *testing.T, salt, ikm []byte) []byte {
	t.Helper()
	out, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		t.Fatalf("Extract: %v", err)
	}
	return out
}

func pageMAC(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

func pageOpen(t *testing.T, key, nonce, box []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatalf("AES: %v", err)
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatalf("GCM: %v", err)
	}
	plain, err := g.Open(nil, nonce, box, nil)
	if err != nil {
		t.Fatalf("a box of the vector does not open: %v", err)
	}
	return plain
}

// TestTheFrozenHandshakeIsTheOneOfThePage derives everything from the messages and the ephemeral seed by the text of section 2,
// with nothing of this package.
func TestTheFrozenHandshakeIsTheOneOfThePage(t *testing.T) {
	v := readVector(t)
	equal := func(name string, got, want []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("%s = %s, want %s", name, base64.StdEncoding.EncodeToString(got), base64.StdEncoding.EncodeToString(want))
		}
	}
	equal("head of M1", v.M1[:4], []byte{1, 0, 1, 0})
	equal("head of M2", v.M2[:4], []byte{1, 0, 1, 0})
	equal("mac1", v.M1[1252:], pageMAC(pageHash([]byte("CQ1 mac1"), v.AccountR), v.M1[:1252])[:16])

	key, err := hybrid.NewPrivateKey(v.EphemeralSeed)
	if err != nil {
		t.Fatalf("NewPrivateKey: %v", err)
	}
	equal("xw_pk", v.M1[36:1252], key.PublicKey())
	ss, err := key.Decapsulate(v.M2[36:1156])
	if err != nil {
		t.Fatalf("Decapsulate: %v", err)
	}
	th := pageHash([]byte("CQ1 hs"), []byte("X-Wing MLDSA65-Ed25519-SHA512 AES-256-GCM HKDF-SHA256"), v.PeerI, v.PeerR)
	th2 := pageHash(pageHash(th, v.M1), v.M2[:1156])
	hs := pageExtract(t, make([]byte, 32), ss)
	r, i := pageExpand(t, hs, "hs r", th2, 64), pageExpand(t, hs, "hs i", th2, 64)

	th = pageProof(t, r, th2, v.M2[1156:])
	thF := pageProof(t, i, th, v.M3[:10964])
	ms := pageExpand(t, hs, "master", thF, 32)

	qkd := pageExpand(t, ms, "qkd", pageHash(thF, []byte{0}), 44)
	equal("length of Q1_I", v.M3[10964:10966], []byte{0, 18})
	equal("Q1_I", pageOpen(t, qkd[:32], qkd[32:], v.M3[10966:]), []byte{0 /* data */, 0 /* off */})
	thQ := pageHash(thF, []byte{0}, nil, nil, nil)
	ms2 := pageExtract(t, ms, make([]byte, 32))

	for _, row := range []struct {
		name      string
		got, want []byte
	}{
		{"ss", v.SS, ss},
		{"HS", v.HS, hs},
		{"th2", v.TH2, th2},
		{"kR", v.KR, r[:32]},
		{"kI", v.KI, i[:32]},
		{"thF", v.THF, thF},
		{"MS", v.MS, ms},
		{"thQ", v.THQ, thQ},
		{"MS'", v.Master, ms2},
		{"link id", v.LinkID, pageExpand(t, ms2, "link", thQ, 16)},
		{"stream I", v.StreamI, pageExpand(t, ms2, "stream", pageHash(thQ, []byte(vectorProtocol), []byte{0, 0, 0, 0, 0, 0, 0, 2}, []byte{0}), 44)},
		{"stream R", v.StreamR, pageExpand(t, ms2, "stream", pageHash(thQ, []byte(vectorProtocol), []byte{0, 0, 0, 0, 0, 0, 0, 2}, []byte{1}), 44)},
	} {
		equal(row.name, row.got, row.want)
	}
}

// pageProof opens a box and takes its three parts up into the transcript, checking fin on the way.
func pageProof(t *testing.T, keys, th, box []byte) []byte {
	t.Helper()
	plain := pageOpen(t, keys[:32], make([]byte, 12), box)
	id, sig, fin := plain[:7543], plain[7543:7543+3373], plain[7543+3373:]
	th = pageHash(pageHash(th, id), sig)
	if !bytes.Equal(fin, pageMAC(keys[32:], th)) {
		t.Errorf("fin is not the MAC over the transcript")
	}
	return pageHash(th, fin)
}
