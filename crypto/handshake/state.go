package handshake

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// State is one side of one handshake. It ends with a result or with an error, and then answers nothing but errors; it keeps no
// secret after that. It is for one goroutine, and prints as "[secret]".
//
// A responder that waits for M3 is this struct of 200 bytes and nothing more: no message, no key pair, no Config. A caller may hold a
// thousand of them for strangers and drop any.
type State struct {
	c      *Config               // nil in a responder that waits for M3
	eph    *hybrid.PrivateKey    // initiator
	self   *identity.Certificate // whose account and suite the other side is measured against
	known  func(identity.DeviceID) (*identity.Certificate, *composite.PublicKey, bool)
	remote identity.PeerID // Config.RemotePeer
	step   step            // here, because the 38 bytes before leave room for it
	th     transcript      // after the last message
	hs     [32]byte        // responder that waits for M3: HS
	keys   proofKeys       // responder that waits for M3: kI, fI
}

// step says what a State waits for. The zero State waits for nothing.
type step uint8

const (
	over step = iota
	waitFirst
	waitSecond
	waitThird
)

// Initiate begins a handshake and returns M1, FirstSize bytes. It fails with ErrSelf when the way leads to ourselves, and when the
// configuration cannot work.
func Initiate(c Config) (s *State, m1 []byte, err error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	if c.To == c.Self.Certificate.Account {
		return nil, nil, ErrSelf
	}
	if c.To == (identity.AccountID{}) && !c.Nearby {
		return nil, nil, errors.New("handshake: nobody to dial: neither an account nor nearby")
	}
	eph, err := hybrid.GenerateKey()
	if err != nil {
		return nil, nil, fmt.Errorf("handshake: %w", err)
	}
	m := first{nonce: newNonce(), key: eph.PublicKey()}
	to := [32]byte(c.To)
	if c.Nearby {
		m.flags, to = flagNearby, nearby(c.RemotePeer)
	}
	m.mac1 = mac1(to, m.body())
	m1 = m.marshal()
	s = newState(c, waitSecond)
	s.eph, s.th = eph, begin(c.LocalPeer, c.RemotePeer).with(m1)
	return s, m1, nil
}

// Respond makes the side that waits for M1. It fails when the configuration cannot work.
func Respond(c Config) (*State, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return newState(c, waitFirst), nil
}

func newState(c Config, at step) *State {
	return &State{step: at, c: &c, self: c.Self.Certificate, known: c.Known, remote: c.RemotePeer}
}

// CheckFilter says whether a responder with this configuration would take up m1, in about 3 us: its form, and that its mac1 is
// addressed to us. Where it says no, Next returns the reason at the same cost.
func CheckFilter(m1 []byte, c Config) bool {
	if c.Self == nil || c.Self.Certificate == nil {
		return false
	}
	_, err := c.filter(m1)
	return err == nil
}

// filter parses M1 and checks mac1.
func (c *Config) filter(m1 []byte) (*first, error) {
	m, err := parseFirst(m1)
	if err != nil {
		return nil, err
	}
	to := [32]byte(c.Self.Certificate.Account)
	if m.flags&flagNearby != 0 {
		if !c.Nearby {
			return nil, ErrAuth
		}
		to = nearby(c.LocalPeer)
	}
	if !hmac.Equal(m.mac1, mac1(to, m1[:firstBody])) {
		return nil, ErrAuth
	}
	return m, nil
}

// Next takes the message that the other side sent and returns the reply to send, if any, and the result when there is one.
//
//	responder  Next(M1) -> M2, nil       Next(M3) -> nil, result     (a reply too if the initiator asked about quantum keys: send it)
//	initiator  Next(M2) -> M3, result
//
// After an error there is no reply and no result, and the handshake is over. In is not kept or changed. Checks come in order of
// cost: form, filter, box and MAC, certificate, signature.
func (s *State) Next(in []byte) (reply []byte, done *Result, err error) {
	if s == nil {
		return nil, nil, errUsed
	}
	switch s.step {
	case waitFirst:
		reply, err = s.answer(in)
	case waitSecond:
		reply, done, err = s.complete(in)
	case waitThird:
		reply, done, err = s.accept(in)
	default:
		err = errUsed
	}
	if err != nil || done != nil {
		*s = State{}
	}
	if err != nil {
		return nil, nil, err
	}
	return reply, done, nil
}

// answer is R's first step: M1 in, M2 out, and all but the keys for M3 forgotten.
func (s *State) answer(m1 []byte) ([]byte, error) {
	in, err := s.c.filter(m1)
	if err != nil {
		return nil, err
	}
	ss, ct, err := hybrid.Encapsulate(in.key)
	if err != nil {
		return nil, ErrFormat
	}
	m := second{nonce: newNonce(), ciphertext: ct}
	th := begin(s.remote, s.c.LocalPeer).with(m1).with(m.body())
	k := derive(ss, th)
	if m.box, th, err = k.r.prove(s.c, th, contextR); err != nil {
		return nil, err
	}
	s.th, s.hs, s.keys = th, k.hs, k.i
	s.c, s.step = nil, waitThird
	return m.marshal(), nil
}

// complete is I's only step: M2 in, M3 out. Who we are is said only to whom we wanted.
func (s *State) complete(m2 []byte) ([]byte, *Result, error) {
	in, err := parseSecond(m2)
	if err != nil {
		return nil, nil, err
	}
	ss, err := s.eph.Decapsulate(in.ciphertext)
	if err != nil {
		return nil, nil, ErrAuth
	}
	th := s.th.with(m2[:secondBody])
	k := derive(ss, th)
	p, signed, th, err := k.r.open(in.box, th)
	if err != nil {
		return nil, nil, err
	}
	peer, err := s.verify(p, signed, contextR)
	if err != nil {
		return nil, nil, err
	}
	m3, thF, err := k.i.prove(s.c, th, contextI)
	if err != nil {
		return nil, nil, err
	}
	ms, policy := master(k.hs, thF), []byte{policyOff}
	q1, err := sealPolicy(ms, thF, fromI, policy)
	if err != nil {
		return nil, nil, err
	}
	return append(m3, q1...), peer.result(ms, thF, policy, nil), nil
}

// accept is R's second step: M3 in, and an answer only to a policy other than off.
func (s *State) accept(m3 []byte) ([]byte, *Result, error) {
	in, err := parseThird(m3)
	if err != nil {
		return nil, nil, err
	}
	p, signed, thF, err := s.keys.open(in.box, s.th)
	if err != nil {
		return nil, nil, err
	}
	ms := master(s.hs, thF)
	theirs, err := openPolicy(ms, thF, fromI, in.record)
	if err != nil {
		return nil, nil, err
	}
	peer, err := s.verify(p, signed, contextI)
	if err != nil {
		return nil, nil, err
	}
	if theirs[0] == policyOff {
		return nil, peer.result(ms, thF, theirs, nil), nil
	}
	ours := []byte{policyOff}
	q1, err := sealPolicy(ms, thF, fromR, ours)
	if err != nil {
		return nil, nil, err
	}
	return q1, peer.result(ms, thF, theirs, ours), nil
}

// newNonce makes nI or nR.
func newNonce() []byte {
	b := make([]byte, nonceSize)
	_, _ = rand.Read(b) // never fails: it would end the process
	return b
}

// Format prints "[secret]" whatever the verb.
func (State) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret) }

// MarshalText returns "[secret]".
func (State) MarshalText() ([]byte, error) { return []byte(secret), nil }
