package ratchet

import (
	"bytes"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

func FuzzParseHead(f *testing.F) {
	i, _ := begin(f)
	msg := seal(f, &i, "hello")
	f.Add(msg)
	f.Add(msg[:headSize])
	f.Add(seal(f, &i, string(make([]byte, 3000))))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHead(b)
		if err != nil {
			return
		}
		m, err := parseMessage(b)
		if err != nil || m.Head != h || !bytes.Equal(appendBox(h.marshal(m.ct), m.box), b) {
			t.Fatal("the parsed message has other bytes")
		}
	})
}

func FuzzParse(f *testing.F) {
	i, r := begin(f)
	f.Add(i.Marshal())
	f.Add(r.Marshal())
	for range 10 {
		seal(f, &i, "x")
	}
	f.Add(i.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Marshal(), b) {
			t.Fatal("the parsed session has other bytes")
		}
		next, msg, err := s.Seal([]byte("x"))
		if err != nil {
			t.Fatalf("a parsed session does not seal: %v", err)
		}
		if _, err := Parse(next.Marshal()); err != nil {
			t.Fatalf("a session behind Seal does not parse: %v", err)
		}
		if _, err := s.Open(msg, nil); err == nil {
			t.Fatal("a session opens what it sealed")
		}
	})
}

// FuzzAccept and FuzzOpen take what must open from the frozen vectors: fuzzing runs in processes of its own, where fresh
// keys are other keys.
func FuzzAccept(f *testing.F) {
	v := readVectors(f)
	c := v.acceptConfig(f)
	f.Add(v.Init)
	f.Add(v.Init[:initHead])
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := Accept(c, b); err == nil && (!bytes.Equal(b, v.Init) || !IsInit(b) || a.Session == nil) {
			t.Fatal("a forged INIT is accepted")
		}
	})
}

// FuzzInitBody looks behind the box, where only a peer with valid keys gets.
func FuzzInitBody(f *testing.F) {
	d := devices()
	c := d[0].initConfig(d[1], []byte("records"))
	good := c.body(d[0].bundle.Prekey)
	f.Add(good)
	f.Add(good[:initBody])
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := parseInitBody(b)
		if !ok {
			return
		}
		c := InitConfig{
			Self: &identity.Device{Certificate: got.certificate}, Account: got.account, Inc: got.incI,
			Bundle: &identity.Bundle{Inc: got.incR}, Attempt: got.attempt, Records: got.records,
		}
		if !bytes.Equal(c.body(got.rpk), b) {
			t.Fatal("the parsed body has other bytes")
		}
	})
}

func FuzzOpen(f *testing.F) {
	v := readVectors(f)
	m := v.Messages[0]
	r, err := Parse(m.Before)
	if err != nil {
		f.Fatal(err)
	}
	prekey := v.acceptConfig(f).Prekey
	for _, m := range v.Messages {
		f.Add(m.Message)
	}
	before := *r
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := r.Open(b, prekey); err == nil && !bytes.Equal(b, m.Message) {
			t.Fatal("a forged message opens")
		}
		if *r != before {
			t.Fatal("Open changed its session")
		}
	})
}

func FuzzParseBody(f *testing.F) {
	d := devices()
	f.Add(body{ack: 1, records: []byte("x")}.marshal())
	f.Add(body{ack: 1, num: 2, key: d[0].bundle.Prekey, records: []byte("x")}.marshal())
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		if paddedSize(len(plaintext)) != len(plaintext) {
			return // parseMessage refuses it before
		}
		if b, ok := parseBody(plaintext); ok && !bytes.Equal(b.marshal(), plaintext) {
			t.Fatal("the parsed body has other bytes")
		}
	})
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(Receipt{SID: [16]byte{1}, NR: 2}.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseReceipt(b); err == nil && !bytes.Equal(r.Marshal(), b) {
			t.Fatal("the parsed receipt has other bytes")
		}
	})
}
