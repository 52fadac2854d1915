// Package ratchet starts sessions between two devices and keeps them: INIT, and one KEM chain in each direction.
//
// A session carries control only: chains, keys, cards. INIT is the only way to start one. It is encapsulated to the
// signed prekey of the receiver, names both devices in its transcript and is signed by its sender inside the box, so it
// can wait in a mailbox. Each message then mixes a fresh encapsulation, to the newest key that the peer announced, into
// the chain of its direction, so a session heals after a theft of its state as soon as both sides have spoken; and each
// chain key goes when it was used, so a theft tells nothing of what was opened before.
//
// # Steps
//
// A [Session] is a value that never changes. [Session.Seal] and [Session.Open] return the next one and leave their
// receiver as it is, also on error. The caller stores the next session and whatever goes with it (the bytes to send, the
// records that came) in one transaction and takes it as the current one after that; a transaction that fails is as if
// the step had never been tried, provided that none of its bytes left. A retry sends the stored bytes again and never
// seals anew: a message number under one session belongs to one message.
//
// # What is left to the caller
//
//   - Keep every sealed message under its number (Sent before the step) until a [Receipt] or an Opened.Ack is above it.
//   - Open in order: park what is ErrEarly, but few and none far ahead, since a number is not authenticated before its
//     turn; answer a receipt to what is ErrOld. ErrKey and ErrAuth change nothing.
//   - Keep the bytes of an INIT and send them again until a message of its session opens. Keep SHA-256 of an accepted one
//     while the prekey lives and refuse it a second time. Check its sender's device list, and its incarnation against the
//     one pinned. Seal R's first message in the transaction that stores the accepted session: nothing else answers.
//   - Send on the session of the highest Rank, receive on all. Say CLOSE for each other one, and again when the session
//     that said it is replaced too; a CLOSE may come before the INIT of the session that it ends. Remember Received of a
//     session that is gone, to answer receipts for it.
//   - Hold the seed of a signed prekey as long as its key life says: a session in which Prekey names it needs it.
//
// The tests contain such a caller, and a network that does its worst to it.
package ratchet

import (
	"bytes"
	"cmp"
	"errors"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// The two directions of a session, as heads name them: the side that sent the INIT is I, the other R.
const (
	FromInitiator uint8 = 0
	FromResponder uint8 = 1
)

// window bounds the keys that we announced and the peer has not used yet; with the one in use a session holds at most
// one more. It bounds state where no answer comes, and no key ever goes by age.
const window = 8

// Errors that a caller branches on. After each of them everything is as before.
var (
	ErrOld     = errors.New("this message was opened before")        // i < nr: answer a receipt
	ErrEarly   = errors.New("messages before this one are missing")  // i > nr: park it and ask for nr
	ErrKey     = errors.New("addressed to a key that is gone")       // a used, unknown or expired key, or another incarnation
	ErrAuth    = errors.New("this message does not open")            // forged or damaged, or of another session: which is not told
	ErrTooLong = errors.New("these records are too long to be sent") // more than MaxRecords or MaxInitRecords
)

// Party names a device by what orders two of them: the account, then the index in its certificate.
type Party struct {
	Account identity.AccountID
	Index   uint32
}

// PartyOf is the device of a certificate.
func PartyOf(c *identity.Certificate) Party { return Party{Account: c.Account, Index: c.Index} }

// Compare is negative where p is the lower device, positive where q is, and 0 if they are the same.
func (p Party) Compare(q Party) int {
	if c := bytes.Compare(p.Account[:], q.Account[:]); c != 0 {
		return c
	}
	return cmp.Compare(p.Index, q.Index)
}

// Session is one side of a session between two devices, at one point. It is immutable and safe for concurrent use; it is
// secret and prints as "[secret]". It holds no slice, so that a copy shares nothing.
type Session struct {
	sid     [16]byte
	dir     uint8     // ours
	inc     [2]uint64 // incarnations of the lower and of the higher device
	attempt uint32
	mail    [2][32]byte // m_IR, m_RI

	send, receive [32]byte // chain keys cs and cr
	ns, nr        uint64   // numbers of the next message out and in

	peerNum uint32                     // P: the peer's newest key
	peerKey [hybrid.PublicKeySize]byte // checked by hybrid.CheckPublicKey
	top     uint32                     // our newest key
	used    uint32                     // the key that the peer's last message used; those before are erased
	own     [window + 1][SeedSize]byte // seeds of the keys used to top; R's key 0 is its bundle's digest instead
}

// SeedSize is the length of the seed of a key.
const SeedSize = hybrid.SeedSize

// ID is the sid, 16 bytes: derived by both sides, it names the session in heads and in mail.
func (s *Session) ID() [16]byte { return s.sid }

// Dir is the direction in which this side sends: FromInitiator or FromResponder.
func (s *Session) Dir() uint8 { return s.dir }

// Rank orders the sessions of two devices, compared as bytes, the same on both sides: incarnation of the lower device 8,
// of the higher 8, attempt 4, the complement of the sid 16. Sending is on the highest; of two that crossed, the one with
// the smaller sid.
func (s *Session) Rank() [36]byte {
	b := cryptobyte.NewFixedBuilder(make([]byte, 0, 36))
	b.AddUint64(s.inc[0])
	b.AddUint64(s.inc[1])
	b.AddUint32(s.attempt)
	for _, x := range s.sid {
		b.AddUint8(^x)
	}
	return [36]byte(b.BytesOrPanic())
}

// MailKeys are the keys of mail between the two devices, from I to R and from R to I. They never change while the
// session lives, so mail may be lost and come in any order.
func (s *Session) MailKeys() (ir, ri [32]byte) { return s.mail[0], s.mail[1] }

// Sent is ns: the number that the next Seal gives its message, and so how many were sealed.
func (s *Session) Sent() uint64 { return s.ns }

// Received is nr: the number of the message that Open takes next, and so how many were opened. A receipt says it.
func (s *Session) Received() uint64 { return s.nr }

// Prekey says, on R's side and until the peer has used a later key, by which bundle the session began; Open then needs
// the seed of that bundle's prekey. Anywhere else byRef is false.
func (s *Session) Prekey() (digest [32]byte, byRef bool) {
	if s.dir != FromResponder || s.used != 0 {
		return [32]byte{}, false
	}
	return s.own[0], true
}

// Erase overwrites a session that its successor has replaced in the store, or that is closed. It must not be used then.
func (s *Session) Erase() { *s = Session{} }
