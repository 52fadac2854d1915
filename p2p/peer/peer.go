// Package peer holds the words that the messenger and the node share: who we are, whom we know, what came of an attempt.
//
// It is a leaf: plain values and no libp2p, so that app can import it without learning what a host is. Tables travel
// whole and down (SetPeers, SetServices), facts travel up (Fact), and nothing here is kept by the node across a restart.
package peer

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Class is what somebody is to us; it settles limits, scores and whose connections are protected. The zero value is a stranger.
type Class uint8

// The classes, from the least trusted one up; Relay and Blocked stand beside the order.
const (
	Stranger Class = iota
	Invited        // brought a token of ours, or we asked them
	Member         // shares a room, no contact
	Contact
	Relay // helps us reach others, says nothing to us
	Blocked
)

// Verdict is what a check of a gossiped message found.
type Verdict uint8

// Accept passes a message on, Ignore drops it, Reject drops it and costs its sender score: only for provable malice.
const (
	Accept Verdict = iota
	Ignore
	Reject
)

// Path says how a device is reached at the moment.
type Path uint8

// The paths in the words of the command line: none, relayed, direct, local.
const (
	None Path = iota
	Relayed
	Direct
	Local
)

// String is the word that commands print.
func (p Path) String() string { return [...]string{"none", "relayed", "direct", "local"}[p] }

// Self is what the node needs of our own identity: to prove it, and nothing that it has to remember.
type Self struct {
	Account *composite.PublicKey
	Device  *identity.Device
	Host    ed25519.PrivateKey // makes the PeerID; never the identity of a person
	List    identity.ListHead
	Port    int // TCP and UDP, chosen at first run and kept; 0 lets the node choose and report PortChosen
}

// Known is one row of the table of peers that the messenger pushes down whole. The node dials the rows of class Invited
// and Contact and keeps their links up, answers all but Blocked, and protects the connections of contacts and relays.
type Known struct {
	Account   identity.AccountID
	Device    identity.DeviceID // zero until a certificate of theirs was seen
	Peer      identity.PeerID
	Class     Class
	Record    []byte   // signed libp2p peer record in its envelope, or nil
	Addresses []string // multiaddresses without /p2p: from an invitation, from Nearby, or the last that worked, which stands first
	Meet      [32]byte // rendezvous secret, zeros without
}

// Hello is who stands at the other end of a fresh link, proven by the handshake.
type Hello struct {
	Account     *composite.PublicKey
	Certificate *identity.Certificate
	List        identity.ListHead
	Peer        identity.PeerID
}

// Address is where a bare call goes: a PeerID and one multiaddress without /p2p.
type Address struct {
	Peer identity.PeerID
	Addr string
}

// Services says what the node does for us and for others.
type Services struct {
	Relay, Rendezvous, Public bool
	MDNS                      bool   // look for others on the LAN, and be found as a bare PeerID
	NearbyName                string // what hello answers; empty: hello is off, and so is the nearby filter of the handshake
	// Listen are multiaddresses to listen on: plain TCP or QUIC, by number. Nil is every interface, TCP and QUIC, on Self.Port,
	// or nothing behind a proxy. An empty list that is not nil is nothing: we dial others, nobody dials us, and nobody finds
	// us on the LAN; Status.DialOnly says so.
	Listen []string
	Proxy  string // socks5://[user:password@]host:port; then nothing goes past it: no QUIC, nothing on the LAN
}

// Topic names a gossip topic in hex, as gate secrets derive it.
type Topic string

// Status is a snapshot of the node's figures.
type Status struct {
	Peers, LAN, Relays int               // devices with a link now, of these on a local path; relays reserved at
	Listen             []string          // multiaddresses that the host listens on, without /p2p
	DialOnly           bool              // the host runs and listens nowhere, as Services want it: nobody can dial us
	Refused            map[string]uint64 // what was turned away since the start, by cause
	Topics             int
	Accepted           uint64 // gossiped messages that passed both checks
}

// Errors of Call and Push that a caller branches on.
var (
	ErrUnreachable = errors.New("no path to this device")           // nothing left this machine, or nothing came back
	ErrLater       = errors.New("the peer asks to try again later") // it answered, it is busy
	ErrRefused     = errors.New("the peer refused")                 // it answered no; trying again is useless
	ErrNewer       = errors.New("the peer runs a newer version")    // update to talk
)

// RefusedError carries the cause under which a refusal is counted; HandleFrame returns it to make the node answer no.
type RefusedError struct{ Cause string }

// Error says what was refused.
func (e *RefusedError) Error() string { return fmt.Sprintf("refused: %s", e.Cause) }

// Is makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }
