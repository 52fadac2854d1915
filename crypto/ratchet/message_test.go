package ratchet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

func TestEveryFlippedByteOfAMessageRefuses(t *testing.T) {
	i, r := begin(t)
	msg := seal(t, &i, "hello")
	before := *r
	for n := range msg {
		if n > 60 && n < headSize-8 && n%16 != 0 { // the ciphertext of the key is one field
			continue
		}
		changed := bytes.Clone(msg)
		changed[n] ^= 1
		if o, err := r.Open(changed, devices()[1].seedOf); err == nil || o != nil {
			t.Errorf("byte %d flipped opens", n)
		}
	}
	if *r != before {
		t.Error("a refused message changed the session")
	}
	open(t, &r, msg, "hello")
}

func TestForeignAndReflectedMessagesRefuse(t *testing.T) {
	i, r := begin(t)
	_, other := begin(t)
	msg := seal(t, &i, "hello")
	if _, err := other.Open(msg, devices()[1].seedOf); !errors.Is(err, ErrAuth) {
		t.Errorf("in another session: %v", err)
	}
	if _, err := i.Open(msg, nil); !errors.Is(err, ErrAuth) {
		t.Errorf("reflected: %v", err)
	}
	relabelled := bytes.Clone(msg)
	relabelled[4+2+16] = FromResponder
	if _, err := i.Open(relabelled, nil); !errors.Is(err, ErrAuth) && !errors.Is(err, ErrKey) {
		t.Errorf("reflected with the direction changed: %v", err)
	}
	open(t, &r, msg, "hello")
	open(t, &i, seal(t, &r, "answer"), "answer")
	stranger, _ := begin(t)
	foreign := seal(t, &stranger, "x")
	if _, err := r.Open(foreign, nil); !errors.Is(err, ErrAuth) {
		t.Errorf("number 0 of another session, with 1 due: %v, want ErrAuth", err)
	}
	if _, err := i.Open(msg, nil); !errors.Is(err, ErrAuth) {
		t.Errorf("number 0 reflected, with 1 due: %v, want ErrAuth", err)
	}
}

// evil seals any body as R, which knows all the keys.
func evil(t *testing.T, r *Session, b []byte) []byte {
	t.Helper()
	shared, ct, err := hybrid.Encapsulate(r.peerKey[:])
	if err != nil {
		t.Fatal(err)
	}
	head := Head{SID: r.sid, Dir: r.dir, I: r.ns, To: r.peerNum}.marshal(ct)
	return appendBox(head, newStep(r.send, shared, head, r.peerKey[:]).seal(b))
}

func TestLyingPeersAreRefused(t *testing.T) {
	i, r := begin(t)
	seal(t, &i, "one message")
	bad := bytes.Repeat([]byte{0xff}, hybrid.PublicKeySize)
	before := *i
	for name, b := range map[string][]byte{
		"acknowledges what was not sent":   body{ack: 2}.marshal(),
		"announces what is no key":         body{num: 1, key: bad}.marshal(),
		"says neither yes nor no":          append(make([]byte, 8), append([]byte{2}, make([]byte, 55)...)...),
		"announces a key and is too short": append(make([]byte, 8), append([]byte{1}, make([]byte, 55)...)...),
	} {
		if _, err := i.Open(evil(t, r, b), nil); !errors.Is(err, ErrAuth) {
			t.Errorf("a peer that %s: %v, want ErrAuth", name, err)
		}
	}
	if *i != before {
		t.Error("a refused body changed the session")
	}
	good, err := hybrid.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	o, err := i.Open(evil(t, r, body{num: 0, key: good.PublicKey()}.marshal()), nil)
	if err != nil || o.Next.peerNum != 0 || o.Next.peerKey != before.peerKey {
		t.Errorf("a key announced under an old number replaced the newer one: %v", err)
	}
}

func TestLongRecordsFit(t *testing.T) {
	i, r := begin(t)
	for _, size := range []int{0, 55, 56, 1000, 30 << 10, MaxRecords} {
		records := bytes.Repeat([]byte{9}, size)
		next, msg, err := i.Seal(records)
		if err != nil || len(msg) > MaxMessage {
			t.Fatalf("%d bytes: message of %d, %v", size, len(msg), err)
		}
		i = next
		open(t, &r, msg, string(records))
	}
	if _, _, err := i.Seal(make([]byte, MaxRecords+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("a byte too much: %v", err)
	}
}

func TestMessagesOfManyLengthsLookAlike(t *testing.T) {
	i, _ := begin(t)
	sizes := map[int]bool{}
	for n := range 100 {
		_, msg, err := i.Seal(make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		sizes[len(msg)] = true
	}
	if len(sizes) > 3 {
		t.Errorf("100 lengths give %d sizes", len(sizes))
	}
	for n := range 62 << 10 {
		if p := paddedSize(n); p < n || paddedSize(p) != p || (n > 1024 && (p-n)*100 > 12*n) {
			t.Fatalf("paddedSize(%d) = %d", n, p)
		}
	}
}

func TestHeadsOfOtherThingsAreRefused(t *testing.T) {
	i, _ := begin(t)
	msg := seal(t, &i, "hello")
	change := func(at int, b byte) []byte {
		c := bytes.Clone(msg)
		c[at] = b
		return c
	}
	long := body{records: make([]byte, MaxRecords+3000)}.marshal() // padded as it should be, and too long
	for name, b := range map[string][]byte{
		"a longer message": appendBox(msg[:headSize:headSize], make([]byte, len(long)+tagSize)),
		"empty":            nil,
		"cut off":          msg[:len(msg)-1],
		"a byte behind":    append(bytes.Clone(msg), 0),
		"magic":            change(3, '2'),
		"suite":            change(5, 9),
		"direction":        change(22, 2),
		"length":           change(headSize+3, msg[headSize+3]+1),
		"unpadded":         append(change(headSize+3, msg[headSize+3]+1), 0),
		"empty box":        append(bytes.Clone(msg[:headSize]), 0, 0, 0, 0),
		"only a tag":       append(append(bytes.Clone(msg[:headSize]), 0, 0, 0, tagSize), make([]byte, tagSize)...),
		"a long length":    append(bytes.Clone(msg[:headSize]), 0xff, 0xff, 0xff, 0xff),
		"larger than any":  append(bytes.Clone(msg), make([]byte, MaxMessage)...),
	} {
		if _, err := ParseHead(b); err == nil {
			t.Errorf("%s: parses", name)
		}
		if IsInit(b) {
			t.Errorf("%s: is an INIT", name)
		}
	}
	if _, err := ParseHead(change(5, 9)); !errors.Is(err, identity.ErrSuite) {
		t.Errorf("a newer suite: %v", err)
	}
}

func TestSizesAreThoseOfTheDocument(t *testing.T) {
	for _, row := range []struct {
		name      string
		got, want int
	}{
		{"head of an INIT", initHead, 1191},
		{"smallest INIT", minInit, 13319},
		{"largest records of an INIT", MaxInitRecords, 52201},
		{"head of a message", headSize, 1155},
		{"largest message", MaxMessage, 64663},
		{"largest body, padded", paddedSize(8 + 1 + 4 + hybrid.PublicKeySize + MaxRecords), 62 << 10},
	} {
		if row.got != row.want {
			t.Errorf("%s: %d bytes, want %d", row.name, row.got, row.want)
		}
	}
}
