package peer

import (
	"slices"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Fact is something that the node learnt. Facts come up in order, one at a time; a handler must not block on them.
type Fact interface{ fact() }

// PathChanged says how a device is reached from now on; None when its last link ended.
type PathChanged struct {
	Device identity.DeviceID
	Peer   identity.PeerID
	Path   Path
	Addr   string // the multiaddress in use, without /p2p; empty with None
}

// RecordLearned carries a newer signed peer record of somebody in the table.
type RecordLearned struct {
	Peer   identity.PeerID
	Seq    uint64
	Record []byte
}

// Found says that somebody on the LAN answered hello. It comes again at least once a minute while they answer.
// Name and account are what they claim: nothing is proven before a handshake.
type Found struct {
	Peer      identity.PeerID
	Account   identity.AccountID
	Name      string
	Addresses []string
}

// PortChosen is the port to keep in Self.Port at the next start.
type PortChosen struct{ Port int }

// Listening carries our own addresses, without /p2p, after every change of the network; empty without one.
type Listening struct {
	Addresses []string
	Record    []byte // our signed peer record, for cards
}

// Reachable says whether strangers can open connections to us.
type Reachable struct{ Public bool }

// Cause is why an attempt to reach somebody failed, in a word that the window turns into a sentence.
type Cause string

// The causes. An empty cause is a success.
const (
	CauseNoAddress Cause = "no_address"
	CauseOffline   Cause = "offline"   // no network here
	CauseTimeout   Cause = "timeout"   // packets vanish
	CauseClosed    Cause = "closed"    // nobody listens there
	CauseClassical Cause = "classical" // the peer offers no post-quantum key exchange
	CauseIdentity  Cause = "identity"  // somebody else answered
	CauseNewer     Cause = "newer"     // it runs a newer version
	CauseRefused   Cause = "refused"   // it turned us away
	CauseBroken    Cause = "handshake" // it does not speak our protocol, or badly
)

// telling are the causes, the one that tells least first: what we lack, what nobody answered, what the machine there
// answered, what the program there answered.
var telling = [...]Cause{
	CauseNoAddress, CauseTimeout, CauseOffline, CauseClosed, CauseBroken, CauseRefused, CauseIdentity, CauseClassical, CauseNewer,
}

// Tells is how much a cause tells about why a peer cannot be reached, from 0 up: of several addresses of one peer, the one
// whose cause tells most is worth showing. A success, and a cause that is not of this list, tell nothing: -1.
func (c Cause) Tells() int { return slices.Index(telling[:], c) }

// Attempt reports one try at one address of a peer. Of addresses that were tried together and all failed, the one whose
// cause tells most comes last: who keeps the last keeps the best.
type Attempt struct {
	Device identity.DeviceID // zero while unknown
	Peer   identity.PeerID
	Addr   string
	Cause  Cause
}

// Refused counts what was turned away, by cause, since the last such fact.
type Refused struct {
	Cause string
	N     uint64
}

func (PathChanged) fact()   {}
func (RecordLearned) fact() {}
func (Found) fact()         {}
func (PortChosen) fact()    {}
func (Listening) fact()     {}
func (Reachable) fact()     {}
func (Attempt) fact()       {}
func (Refused) fact()       {}
