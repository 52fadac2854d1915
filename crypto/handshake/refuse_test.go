package handshake

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// flipped calls f with b once for every stride'th byte changed, and with every byte of the first dense.
func flipped(b []byte, dense, stride int, f func(at int, b []byte)) {
	for at := 0; at < len(b); at++ {
		if at >= dense && at%stride != 0 {
			continue
		}
		c := bytes.Clone(b)
		c[at] ^= 1 << (at % 8)
		f(at, c)
	}
}

func TestEveryChangedByteOfM1IsRefused(t *testing.T) {
	c := bob().config(alice())
	_, m1 := initiate(t, alice().config(bob()))
	flipped(m1, len(m1), 1, func(at int, b []byte) {
		if CheckFilter(b, c) {
			t.Errorf("byte %d changed: the filter lets M1 pass", at)
		}
		refuse(t, respond(t, c), b, nil)
	})
	if !CheckFilter(m1, c) {
		t.Errorf("the filter refuses the real M1")
	}
}

func TestChangingM1WithARightFilterIsRefusedByTheInitiator(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	reached := 0
	flipped(m1[:firstBody], headSize, 29, func(at int, b []byte) {
		b = append(b, mac1(bob().id(), b)...)
		m2, _, err := respond(t, bob().config(alice())).Next(b)
		if err != nil {
			return // version, suite, flags, or no public key any more
		}
		reached++
		s := *si
		refuse(t, &s, m2, ErrAuth)
	})
	if reached < 40 {
		t.Errorf("only %d of the changed messages came to the initiator", reached)
	}
}

// The box is one GCM ciphertext: every fifth of its bytes is enough, and every byte of what stands before it.
func TestEveryChangedByteOfM2IsRefused(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	m2, _ := next(t, respond(t, bob().config(alice())), m1)
	flipped(m2, secondBody, 5, func(at int, b []byte) {
		s := *si
		refuse(t, &s, b, nil)
		if t.Failed() {
			t.Fatalf("byte %d changed", at)
		}
	})
	next(t, si, m2)
}

func TestEveryChangedByteOfM3IsRefused(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	m3, _ := next(t, si, m2)
	flipped(m3, 0, 1, func(at int, b []byte) {
		s := *sr
		refuse(t, &s, b, nil)
		if t.Failed() {
			t.Fatalf("byte %d changed", at)
		}
	})
	next(t, sr, m3)
}

// TestEveryByteOfAProofIsCovered changes bytes inside the box of somebody who can seal: MAC and signatures alone must find them.
func TestEveryByteOfAProofIsCovered(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	for at := 0; at < idSize+composite.SignatureSize; at += 41 {
		f := forgery{late: func(p *proof) {
			if at < idSize {
				p.id[at] ^= 1
			} else {
				p.sig[at-idSize] ^= 1
			}
		}}
		s := *sr
		refuse(t, &s, f.third(t, si, m2), nil)
		if t.Failed() {
			t.Fatalf("byte %d changed", at)
		}
	}
}

func TestEveryOtherLengthIsRefused(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	r1 := respond(t, bob().config(alice()))
	r2 := *r1
	m2, _ := next(t, &r2, m1)
	i2 := *si
	m3, _ := next(t, &i2, m2)
	for _, row := range []struct {
		name string
		s    *State
		m    []byte
	}{{"M1", r1, m1}, {"M2", si, m2}, {"M3", &r2, m3}} {
		for n := 0; n <= len(row.m); n += 1 + n/37 {
			s := *row.s
			refuse(t, &s, row.m[:min(n, len(row.m)-1)], nil)
		}
		for _, more := range []int{1, 16, 19, 20, MaxMessage, 70_000} {
			s := *row.s
			refuse(t, &s, append(bytes.Clone(row.m), make([]byte, more)...), ErrFormat)
		}
		if row.name == "M3" {
			s := *row.s
			refuse(t, &s, row.m[:boxSize], ErrFormat) // the record about quantum keys cut off
		}
		if t.Failed() {
			t.Fatalf("%s of another length", row.name)
		}
	}
}

func TestHeadersOfOtherVersionsAreRefused(t *testing.T) {
	for _, row := range []struct {
		name string
		head []byte
		m1   error
		m2   error
	}{
		{"a newer version", []byte{2, 0, 1, 0}, ErrNewer, ErrNewer},
		{"a newer version and suite", []byte{9, 3, 3, 0xff}, ErrNewer, ErrNewer},
		{"version 0", []byte{0, 0, 1, 0}, ErrFormat, ErrFormat},
		{"a newer suite", []byte{1, 0, 2, 0}, ErrSuite, ErrSuite},
		{"suite 0", []byte{1, 0, 0, 0}, ErrSuite, ErrSuite},
		{"an unknown flag", []byte{1, 0, 1, 2}, ErrFormat, ErrFormat},
		{"all flags", []byte{1, 0, 1, 0xff}, ErrFormat, ErrFormat},
		{"nearby", []byte{1, 0, 1, 1}, ErrAuth, ErrFormat}, // of M1 only, and not switched on here
	} {
		si, m1 := initiate(t, alice().config(bob()))
		b1 := append(bytes.Clone(row.head), m1[4:firstBody]...)
		b1 = append(b1, mac1(bob().id(), b1)...)
		refuse(t, respond(t, bob().config(alice())), b1, row.m1)
		m2, _ := next(t, respond(t, bob().config(alice())), m1)
		refuse(t, si, append(bytes.Clone(row.head), m2[4:]...), row.m2)
		if t.Failed() {
			t.Fatalf("with the head of %s", row.name)
		}
	}
}

func TestANewerVersionIsRecognisedWhateverFollows(t *testing.T) {
	refuse(t, respond(t, bob().config(alice())), []byte{2}, ErrNewer)
	si, _ := initiate(t, alice().config(bob()))
	refuse(t, si, []byte{7, 7}, ErrNewer)
}

func TestFilterLetsNobodyPassWhoCallsSomebodyElse(t *testing.T) {
	toBob, toMallory := alice().config(bob()), alice().config(mallory())
	toMallory.RemotePeer = bob().peer()
	byPeer, byWrongPeer := toBob, toMallory
	byPeer.Nearby, byWrongPeer.Nearby = true, true
	byWrongPeer.RemotePeer = mallory().peer()
	off, on := bob().config(alice()), bob().config(alice())
	on.Nearby = true
	for _, row := range []struct {
		name    string
		ci, cr  Config
		passing bool
	}{
		{"Bob by account", toBob, off, true},
		{"Bob by account, nearby on", toBob, on, true},
		{"Mallory by account", toMallory, off, false},
		{"Mallory by account, nearby on", toMallory, on, false},
		{"Bob by host, nearby off", byPeer, off, false},
		{"Bob by host, nearby on", byPeer, on, true},
		{"another host, nearby on", byWrongPeer, on, false},
		{"nobody's configuration", toBob, Config{}, false},
	} {
		_, m1 := initiate(t, row.ci)
		if got := CheckFilter(m1, row.cr); got != row.passing {
			t.Errorf("CheckFilter(%s) = %v, want %v", row.name, got, row.passing)
		}
		if row.cr.Self == nil {
			continue
		}
		if _, _, err := respond(t, row.cr).Next(m1); (err == nil) != row.passing || err != nil && !errors.Is(err, ErrAuth) {
			t.Errorf("Next(%s) = %v, want passing %v", row.name, err, row.passing)
		}
	}
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	change := func(f func(c *Config)) Config {
		c := alice().config(bob())
		f(&c)
		return c
	}
	for _, row := range []struct {
		name      string
		c         Config
		want      error
		responder bool // refused there as well
	}{
		{"nothing", Config{}, nil, true},
		{"no key", change(func(c *Config) { c.Self = &identity.Device{Certificate: c.Self.Certificate} }), nil, true},
		{"another account key", change(func(c *Config) { c.Account = bob().account.Public() }), nil, true},
		{"another host", change(func(c *Config) { c.LocalPeer = mallory().peer() }), nil, true},
		{"towards our own host", change(func(c *Config) { c.RemotePeer = c.LocalPeer }), ErrSelf, true},
		{"towards our own account", change(func(c *Config) { c.To = alice().id() }), ErrSelf, false},
		{"towards nobody", change(func(c *Config) { c.To = identity.AccountID{} }), nil, false},
	} {
		s, m1, err := Initiate(row.c)
		if err == nil || s != nil || m1 != nil || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("Initiate(%s) = %v, want %v", row.name, err, row.want)
		}
		if s, err := Respond(row.c); (err != nil) != row.responder || (s == nil) != row.responder {
			t.Errorf("Respond(%s) = %v, want refusal %v", row.name, err, row.responder)
		}
	}
}

func TestStatesThatAreOverAnswerErrors(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	m3, _ := next(t, si, m2)
	next(t, sr, m3)
	refuse(t, si, m2, errUsed)
	refuse(t, sr, m3, errUsed)
	refuse(t, new(State), m1, errUsed)
	if out, done, err := (*State)(nil).Next(m1); !errors.Is(err, errUsed) || out != nil || done != nil {
		t.Errorf("Next without a state = %v", err)
	}
}

func TestNextLeavesItsInputAlone(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	a := bytes.Clone(m1)
	m2, _ := next(t, sr, a)
	b := bytes.Clone(m2)
	m3, _ := next(t, si, b)
	c := bytes.Clone(m3)
	next(t, sr, c)
	if !bytes.Equal(a, m1) || !bytes.Equal(b, m2) || !bytes.Equal(c, m3) {
		t.Errorf("Next changes the message that it is given")
	}
}
