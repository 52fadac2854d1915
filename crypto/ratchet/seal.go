package ratchet

import (
	"fmt"
	"math"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
)

// Seal makes message number Sent of this side out of records, at most MaxRecords bytes, and the session behind it; s
// stays as it is. It encapsulates to the peer's newest key, acknowledges what was received, and announces a new key of
// our own while fewer than 8 are unused. The caller stores next and msg in one transaction before msg leaves; what is
// sent again is always the stored msg.
func (s *Session) Seal(records []byte) (next *Session, msg []byte, err error) {
	if len(records) > MaxRecords {
		return nil, nil, ErrTooLong
	}
	n := *s
	b := body{ack: s.nr, records: records}
	if s.top-s.used < window && s.top < math.MaxUint32 {
		if b.num, b.key, err = n.announce(); err != nil {
			return nil, nil, fmt.Errorf("sealing a session message: %w", err)
		}
	}
	plaintext := b.marshal() // first: randomness that repeats then makes no second message under one key
	shared, ct, err := hybrid.Encapsulate(s.peerKey[:], s.send[:], plaintext)
	if err != nil {
		return nil, nil, fmt.Errorf("sealing a session message: %w", err)
	}
	defer clear(shared)

	head := Head{SID: s.sid, Dir: s.dir, I: s.ns, To: s.peerNum}.marshal(ct)
	st := newStep(s.send, shared, head, s.peerKey[:])
	defer st.erase()
	box := st.seal(plaintext)
	n.send = st.next(box)
	n.ns++
	return &n, appendBox(head, box), nil
}

// announce adds a new key of our own behind the newest one.
func (s *Session) announce() (num uint32, pk []byte, err error) {
	key, err := hybrid.GenerateKey()
	if err != nil {
		return 0, nil, err
	}
	s.top++
	s.own[s.top-s.used] = [SeedSize]byte(key.Seed())
	return s.top, key.PublicKey(), nil
}
