package ratchet

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

var update = flag.Bool("update", false, "write testdata/ratchet.json anew")

const vectorFile = "testdata/ratchet.json"

// vectors freeze what a receiver computes: an INIT, then messages in both directions. What the senders made of their
// randomness is in the bytes, so nothing here depends on how a library draws it. Byte strings are base64.
type vectors struct {
	Certificate []byte // of R
	Inc         uint64 // of R
	Bundle      []byte
	PrekeySeed  []byte

	Init           []byte
	InitShared     []byte // what the prekey decapsulates from it
	SID            []byte
	Rank           []byte
	MailIR         []byte
	MailRI         []byte
	Records        []byte
	InitiatorState []byte // I's session behind Initiate
	ResponderState []byte // R's session behind Accept

	Messages []messageVector
}

// messageVector is one message and the state of its receiver once it is opened. The receiver may have sealed since its
// last one: Before is where it stood.
type messageVector struct {
	FromInitiator bool
	Before        []byte
	Message       []byte
	Shared        []byte // what the key named in the head decapsulates from it
	PublicKey     []byte // of that key
	Records       []byte
	Ack           uint64
	After         []byte
}

func makeVectors(t *testing.T) vectors {
	t.Helper()
	d := devices()
	records := []byte("\x03\x00\x00\x00\x05hello")
	i, init := must2(Initiate(d[0].initConfig(d[1], records)))
	a := must(Accept(d[1].acceptConfig(), init))
	r := a.Session
	sid, rank := i.ID(), i.Rank()
	ir, ri := i.MailKeys()
	v := vectors{
		Certificate: d[1].self.Certificate.Raw, Inc: d[1].inc, Bundle: d[1].bundle.Raw, PrekeySeed: d[1].prekey,
		Init: init, InitShared: must(must(hybrid.NewPrivateKey(d[1].prekey)).Decapsulate(init[71:initHead])),
		SID: sid[:], Rank: rank[:], MailIR: ir[:], MailRI: ri[:], Records: a.Records,
		InitiatorState: i.Marshal(), ResponderState: r.Marshal(),
	}
	say := func(from, to **Session, text string) {
		msg := seal(t, from, text)
		m := must(parseMessage(msg))
		key := must((*to).ownKey(m.To, d[1].seedOf))
		mv := messageVector{
			FromInitiator: m.Dir == FromInitiator, Before: (*to).Marshal(), Message: msg,
			Shared: must(key.Decapsulate(m.ct)), PublicKey: key.PublicKey(), Records: []byte(text),
		}
		mv.Ack = open(t, to, msg, text).Ack
		mv.After = (*to).Marshal()
		v.Messages = append(v.Messages, mv)
	}
	say(&i, &r, "first")
	say(&r, &i, "an answer")
	for range window { // fill R's window without a word from I
		seal(t, &r, "lost")
	}
	say(&i, &r, "to the key that the answer announced")
	return v
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func TestFrozenVectors(t *testing.T) {
	if *update {
		data := must(json.MarshalIndent(makeVectors(t), "", "\t"))
		if err := os.WriteFile(vectorFile, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v := readVectors(t)
	checkInit(t, v)
	if len(v.Messages) != 3 {
		t.Fatalf("%d messages", len(v.Messages))
	}
	for k, m := range v.Messages {
		before, err := Parse(m.Before)
		if err != nil {
			t.Fatal(err)
		}
		o, err := before.Open(m.Message, v.acceptConfig(t).Prekey)
		if err != nil {
			t.Fatalf("message %d: %v", k, err)
		}
		if o.Ack != m.Ack || !bytes.Equal(bytes.TrimRight(o.Records, "\x00"), m.Records) || !bytes.Equal(o.Next.Marshal(), m.After) {
			t.Errorf("message %d differs from the frozen one", k)
		}
		if (before.Dir() == FromResponder) != m.FromInitiator {
			t.Errorf("message %d goes the other way", k)
		}
	}
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// acceptConfig is R, as far as it takes to receive.
func (v vectors) acceptConfig(t testing.TB) AcceptConfig {
	t.Helper()
	c, err := identity.ParseCertificate(v.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := identity.VerifyBundle(v.Bundle, c)
	if err != nil {
		t.Fatal(err)
	}
	prekey := func(digest [32]byte) ([]byte, bool) { return v.PrekeySeed, digest == bundle.Digest() }
	return AcceptConfig{Self: &identity.Device{Certificate: c}, Inc: v.Inc, Prekey: prekey}
}

func checkInit(t *testing.T, v vectors) {
	t.Helper()
	a, err := Accept(v.acceptConfig(t), v.Init)
	if err != nil {
		t.Fatal(err)
	}
	i, err := Parse(v.InitiatorState)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Session{a.Session, i} {
		sid, rank := s.ID(), s.Rank()
		ir, ri := s.MailKeys()
		if !bytes.Equal(sid[:], v.SID) || !bytes.Equal(rank[:], v.Rank) || !bytes.Equal(ir[:], v.MailIR) || !bytes.Equal(ri[:], v.MailRI) {
			t.Errorf("side %d: the session differs from the frozen one", s.Dir())
		}
	}
	if !bytes.Equal(a.Records, v.Records) || !bytes.Equal(a.Session.Marshal(), v.ResponderState) {
		t.Error("the accepted INIT differs from the frozen one")
	}
}
