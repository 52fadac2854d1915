package handshake

import (
	"encoding/binary"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Result is what both sides have in common at the end, and who the other side is. Account and Certificate are verified and may
// be kept for Config.Known. List is what the other side says its newest device list is: the caller fetches a list that it lacks,
// and closes if the device is revoked.
type Result struct {
	Account     *composite.PublicKey
	Certificate *identity.Certificate
	List        identity.ListHead
	Master      Secret   // MS'
	Transcript  [32]byte // thQ: the same on both sides, and different in every handshake
}

// LinkID names the link, in clear, at the beginning of its streams: Expand(MS', "link", thQ, 16).
func (r *Result) LinkID() [16]byte {
	return [16]byte(identity.Expand(r.Master[:], "link", r.Transcript[:], 16))
}

// StreamKey is key 32 | iv 12 for what one side sends on stream n of the link: Expand(MS', "stream", H(thQ, protocol, n,
// direction), 44), direction 0 from the initiator, 1 from the responder. A pair (protocol, n) must be used for one stream only:
// n is even when the handshake's initiator opened the stream and odd when its responder did.
func (r *Result) StreamKey(protocol string, n uint64, fromInitiator bool) []byte {
	direction := fromR
	if fromInitiator {
		direction = fromI
	}
	th := identity.Hash(r.Transcript[:], []byte(protocol), binary.BigEndian.AppendUint64(nil, n), []byte{direction})
	return identity.Expand(r.Master[:], "stream", th[:], streamKeySize)
}

// Who sent what a key is for.
const (
	fromI byte = 0
	fromR byte = 1
)

const streamKeySize = 44 // key 32 | iv 12
