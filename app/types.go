package app

import (
	"cmp"
	"time"

	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// RoomID names a conversation: the SHA-256 of its genesis.
type RoomID = wire.RoomID

// MessageID names a message: the log that holds it and its absolute index there.
type MessageID struct {
	Log   segment.ID
	Index uint64
}

// Delivery is what is known of a message's way. It never claims more than a receipt says.
type Delivery uint8

// The states in the words of the interface.
const (
	Queued Delivery = iota
	Held
	Delivered
	Read
)

// String is the word that commands print.
func (d Delivery) String() string { return [...]string{"queued", "held", "delivered", "read"}[d] }

// Draft is what somebody wants to say.
type Draft struct {
	Text string // at most 32 KiB
}

// MaxText bounds a message's text, in bytes.
const MaxText = 32 << 10

// Message is one message as a thread shows it.
type Message struct {
	ID          MessageID
	Room        RoomID
	From        identity.AccountID
	Name        string
	Own         bool
	Kind        string // text, or unknown: needs a newer version
	Text        string
	Sent        time.Time
	Received    time.Time
	State       Delivery // of our own messages; Delivered for others'
	DeliveredTo int      // devices that have stored and opened it
	Of          int      // devices entitled to it
	Waiting     Reason   // why it is not delivered yet
	Signed      bool
	Forked      bool
	ClockOff    bool  // the label is the receipt time: the author's clock is ahead
	Seen        int64 // its number in the order in which messages became visible on this machine, over all rooms
	Key         Key
}

// Key is a message's place in its thread.
type Key struct{ Sort, Tie, Index int64 }

// Compare is below 0 when k stands before o, and above 0 when it stands behind.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Sort, o.Sort), cmp.Compare(k.Tie, o.Tie), cmp.Compare(k.Index, o.Index))
}

// Reason says why something waits, for the window to turn into a sentence.
type Reason string

// The reasons.
const (
	ReasonNone     Reason = ""
	ReasonNetwork  Reason = "no_network" // this machine has none
	ReasonOffline  Reason = "offline"    // they cannot be reached at the moment
	ReasonAsked    Reason = "asked"      // they have not accepted yet
	ReasonKey      Reason = "waits_key"  // they have it, and wait for the key
	ReasonNewer    Reason = "newer"      // they run a newer version: update
	ReasonApproval Reason = "approval"   // a new device of theirs waits for our yes
	ReasonUnderWay Reason = "under_way"  // it is on its way right now
	ReasonRefused  Reason = "refused"    // they refused it
	ReasonFull     Reason = "their_disk" // their disk is full
	ReasonBlocked  Reason = "blocked"    // we blocked them
)

// Gap says that something of somebody is known to be missing in a room.
type Gap struct {
	Room    RoomID
	From    identity.AccountID
	Name    string
	Missing int
	Asking  int
}

// Page says which messages to read: Limit of them before a place, or after it.
type Page struct {
	Before *Key
	After  *Key
	Since  *int64 // those that became visible after this number, in that order; used when no place is given
	Limit  int    // default 50
}

// Room is one line of the list of conversations.
type Room struct {
	ID      RoomID
	Name    string
	Kind    string // direct, group, notes
	Members int
	Unread  int
	Policy  string              // signed, verified
	Peer    *identity.AccountID // of a direct room
	Offered bool                // they ask us
	Last    *Message
	Draft   string
	Active  time.Time
}

// Relation is what somebody is to us.
type Relation string

// The relations in the words of the command line.
const (
	Requested Relation = "requested" // we asked
	Pending   Relation = "pending"   // they ask
	Accepted  Relation = "accepted"
	Blocked   Relation = "blocked"
)

// Contact is somebody we know.
type Contact struct {
	Account  identity.AccountID
	Name     string
	State    Relation
	Verified bool
	Path     peer.Path
	LastSeen time.Time // zero: never
	Room     RoomID
	Since    time.Time
	Namesake bool // another account goes by the same name
	Approve  bool // a new device of theirs waits for our yes
	Problem  Reason
	Cause    peer.Cause // why the last attempt to reach them failed; empty when none has, or when they are reached
}

// Request is somebody who asks us.
type Request struct {
	Account identity.AccountID
	Name    string
	Token   bool // they brought a token of ours
	Text    string
	Room    RoomID
	At      time.Time
}

// Nearby is somebody on the LAN. Name and account are claims until compared.
type Nearby struct {
	Account identity.AccountID
	Peer    identity.PeerID
	Name    string
	Known   Relation // empty: nobody we know
}

// Identity is ourselves.
type Identity struct {
	Name         string
	Account      identity.AccountID
	Device       identity.DeviceID
	Peer         identity.PeerID
	SafetyHalf   string
	Addresses    []string
	WordsSaved   bool
	ReadReceipts bool
}

// Status is how the program does.
type Status struct {
	Ready   bool
	Reason  string // why not
	Peers   int
	LAN     int
	Relays  int
	Queued  int
	Refused map[string]uint64
	Topics  int
	Heard   uint64 // gossiped messages accepted
	Uptime  time.Duration
	Notices []Notice
	Online  bool // this machine has a network, or somebody is within reach without one
}

// Notice is something that a person must know: shown until dealt with.
type Notice struct {
	Code    string // copied, rolled_back, disk_full, forked, device, session
	Subject string // whom it is about, a name
	At      time.Time
}

// Change says what to ask for again. A watcher gets each at most once until it looks.
type Change struct {
	Kind ChangeKind
	Room RoomID // of ChangedRoom
}

// ChangeKind is a part of what the window shows.
type ChangeKind uint8

// The parts.
const (
	ChangedRoom ChangeKind = iota // its messages, their states, its line in the list
	ChangedPeople
	ChangedNearby
	ChangedStatus
	ChangedLock
)
