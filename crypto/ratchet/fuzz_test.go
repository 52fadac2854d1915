package ratchet

import (
	"bytes"
	"testing"
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

func FuzzAccept(f *testing.F) {
	d := devices()
	_, init, err := Initiate(d[0].initConfig(d[1], []byte("records")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(init)
	f.Add(init[:initHead])
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := Accept(d[1].acceptConfig(), b); err == nil && (!bytes.Equal(b, init) || !IsInit(b) || a.Session == nil) {
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
		c := InitConfig{Account: got.account, Inc: got.incI, Attempt: got.attempt, Records: got.records, Self: d[0].self, Bundle: d[1].bundle}
		bundle := *c.Bundle
		bundle.Inc = got.incR
		c.Bundle = &bundle
		if got.certificate.ID() != d[0].self.Certificate.ID() || !bytes.Equal(c.body(got.rpk), b) {
			t.Fatal("the parsed body has other bytes")
		}
	})
}

func FuzzOpen(f *testing.F) {
	i, r := begin(f)
	msg := seal(f, &i, "hello")
	f.Add(msg)
	f.Add(seal(f, &i, "second"))
	before := *r
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := r.Open(b, devices()[1].seedOf); err == nil && !bytes.Equal(b, msg) {
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
