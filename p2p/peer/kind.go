package peer

import "time"

// Kind is the number of a frame on a link. The node knows its size cap, its deadline and whom it is for, never what it means.
type Kind uint8

// The frames of a link. A reply has the kind of its request with ReplyBit set.
const (
	Deliver  Kind = 1
	Have     Kind = 2
	Sync     Kind = 3
	Fetch    Kind = 4
	Control  Kind = 6 // CTL: an INIT, a ratchet message or a receipt
	KeyReq   Kind = 7
	Evidence Kind = 8
	Cert     Kind = 9
	Verify   Kind = 10
	SelfInfo Kind = 11 // SELF
	Typing   Kind = 12
	Hint     Kind = 13
	Box      Kind = 14

	ReplyBit Kind = 0x80
)

// MaxBody bounds the body of every frame: a segment of 52 KiB, or a FETCH reply of 64 KiB, and room for what stands around it.
const MaxBody = 72 << 10

// Limits is what the node enforces for a kind before anybody looks inside.
type Limits struct {
	Name     string
	Body     int           // largest body of a request, in bytes
	Deadline time.Duration // for the reply, since the last progress
	Stranger bool          // may be asked by somebody who is neither invited, member nor contact
}

// requestDeadline covers a commit on a slow disk behind a path of 2 s round trip.
const requestDeadline = 30 * time.Second

var limits = map[Kind]Limits{
	Deliver:  {"deliver", 60 << 10, requestDeadline, true},
	Have:     {"have", 4 << 10, requestDeadline, false},
	Sync:     {"sync", MaxBody, requestDeadline, false},
	Fetch:    {"fetch", 1 << 10, requestDeadline, false},
	Control:  {"ctl", MaxBody, requestDeadline, true},
	KeyReq:   {"keyreq", 8 << 10, requestDeadline, false},
	Evidence: {"evidence", 1 << 10, requestDeadline, false},
	Cert:     {"cert", 1 << 10, requestDeadline, false},
	Verify:   {"verify", MaxBody, requestDeadline, false},
	SelfInfo: {"self", 16, requestDeadline, true},
	Typing:   {"typing", 64, requestDeadline, false},
	Hint:     {"hint", 64, requestDeadline, false},
	Box:      {"box", MaxBody, requestDeadline, false},
}

// Limits returns the row of k, and false for a kind that this version does not know.
func (k Kind) Limits() (Limits, bool) {
	l, ok := limits[k]
	return l, ok
}

// String is the name of the frame in lower case, as protocol.md has it.
func (k Kind) String() string {
	if l, ok := limits[k&^ReplyBit]; ok {
		return l.Name
	}
	return "unknown"
}
