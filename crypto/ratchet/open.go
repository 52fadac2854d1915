package ratchet

import (
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
)

// Opened is what a message said, and the session behind it.
type Opened struct {
	Next    *Session
	Records []byte // with their padding: zeros at the end
	Ack     uint64 // the peer has opened all of ours below this number: erase them
	Num     uint64 // number of this message
}

// Open opens the message that is next in order and returns the session behind it; s stays as it is. The next session
// holds neither the chain key nor the keys of our own that the message made old, so nothing opened before opens with it.
//
// prekeySeed is asked for the seed of the signed prekey that the session began with, as long as Prekey names one; it may
// be nil where it does not. Errors: ErrOld, ErrEarly, ErrKey, ErrAuth, and what ParseHead returns.
func (s *Session) Open(msg []byte, prekeySeed func(digest [32]byte) (seed []byte, ok bool)) (*Opened, error) {
	m, err := parseMessage(msg)
	if err != nil {
		return nil, fmt.Errorf("reading a session message: %w", err)
	}
	switch {
	case m.SID != s.sid || m.Dir == s.dir:
		return nil, ErrAuth
	case m.I < s.nr:
		return nil, ErrOld
	case m.I > s.nr:
		return nil, ErrEarly
	}
	key, err := s.ownKey(m.To, prekeySeed)
	if err != nil {
		return nil, err
	}
	shared, err := key.Decapsulate(m.ct)
	if err != nil {
		return nil, fmt.Errorf("opening a session message: %w", err)
	}
	defer clear(shared)

	st := newStep(s.receive, shared, m.raw, key.PublicKey())
	defer st.erase()
	plaintext, ok := st.open(m.box)
	if !ok {
		return nil, ErrAuth
	}
	b, ok := parseBody(plaintext)
	if !ok || b.ack > s.ns { // an ack of what was never sent: our state is an old one, or the peer lies
		return nil, ErrAuth
	}
	n := *s
	if b.key != nil && b.num > s.peerNum {
		if hybrid.CheckPublicKey(b.key) != nil { // or nothing could be sealed on this session any more
			return nil, ErrAuth
		}
		n.peerNum, n.peerKey = b.num, [hybrid.PublicKeySize]byte(b.key)
	}
	n.receive = st.next(m.box)
	n.nr++
	n.forget(m.To)
	return &Opened{Next: &n, Records: b.records, Ack: b.ack, Num: m.I}, nil
}

// ownKey is our key with this number, or ErrKey.
func (s *Session) ownKey(to uint32, prekeySeed func([32]byte) ([]byte, bool)) (*hybrid.PrivateKey, error) {
	if to < s.used || to > s.top {
		return nil, ErrKey
	}
	seed := s.own[to-s.used][:]
	if digest, byRef := s.Prekey(); byRef && to == 0 {
		if prekeySeed == nil {
			return nil, ErrKey
		}
		var ok bool
		if seed, ok = prekeySeed(digest); !ok {
			return nil, ErrKey
		}
	}
	key, err := hybrid.NewPrivateKey(seed)
	if err != nil {
		return nil, fmt.Errorf("opening a session message: %w", err)
	}
	return key, nil
}

// forget drops our keys below to.
func (s *Session) forget(to uint32) {
	kept := s.own[to-s.used : s.top-s.used+1]
	var own [window + 1][SeedSize]byte
	copy(own[:], kept)
	s.own, s.used = own, to
}
