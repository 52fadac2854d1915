package api

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/cryptexq/cryptexq/app"
)

// Identity is who we are.
type Identity struct {
	Name         string   `json:"name"`
	Account      string   `json:"account"`
	Device       string   `json:"device"`
	Peer         string   `json:"peer"`
	SafetyNumber string   `json:"safety_number"` // our half: the 30 digits that stand in every number we compare
	Addresses    []string `json:"addresses"`
	WordsSaved   bool     `json:"words_saved"`
	ReadReceipts bool     `json:"read_receipts"`
}

// Invite is a link by which one person may introduce themselves once.
type Invite struct {
	Link    string `json:"link"`
	Expires Time   `json:"expires"`
}

// Added is what adding or accepting somebody came to.
type Added struct {
	Contact string `json:"contact"` // the account
	Name    string `json:"name"`
	State   string `json:"state"` // requested, accepted
	Room    string `json:"room"`
}

// Request is somebody who asks us.
type Request struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Token   bool   `json:"token"` // they brought an invitation of ours
	Text    string `json:"text"`
	At      Time   `json:"at"`
}

// Contact is somebody we know.
type Contact struct {
	Account  string `json:"account"`
	Name     string `json:"name"`
	State    string `json:"state"` // requested, pending, accepted, blocked
	Verified bool   `json:"verified"`
	Path     string `json:"path"` // none, relayed, direct, local
	LastSeen Time   `json:"last_seen"`
	Room     string `json:"room"`
	Namesake bool   `json:"namesake"` // somebody else goes by the same name
	Approve  bool   `json:"approve"`  // a new device of theirs waits for our yes
	Problem  string `json:"problem"`  // newer: they run a version that cannot be talked with
	Cause    string `json:"cause"`    // why the last attempt to reach them failed
}

// Nearby is somebody on the LAN; name and account are what they claim.
type Nearby struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Known   string `json:"known"` // as Contact.State, empty for a stranger
}

// Safety is what two people compare.
type Safety struct {
	Account      string `json:"account"`
	Name         string `json:"name"`
	SafetyNumber string `json:"safety_number"` // 60 digits
	Verified     bool   `json:"verified"`
}

// Room is a conversation.
type Room struct {
	Room    string `json:"room"`
	Name    string `json:"name"`
	Kind    string `json:"kind"` // direct, group, notes
	Members int    `json:"members"`
	Unread  int    `json:"unread"`
	Policy  string `json:"policy"`  // signed, verified
	Contact string `json:"contact"` // the account of the other one, in a direct room
	Active  Time   `json:"active"`
}

// Message is one message of a thread.
type Message struct {
	ID          string    `json:"id"`
	Room        string    `json:"room"`
	From        string    `json:"from"` // account
	Name        string    `json:"name"`
	Kind        string    `json:"kind"` // text, unknown
	Text        string    `json:"text"`
	Sent        Time      `json:"sent"`
	Received    Time      `json:"received"`
	State       string    `json:"state"` // queued, held, delivered, read
	DeliveredTo int       `json:"delivered_to"`
	Of          int       `json:"of"`
	Signed      bool      `json:"signed"`
	Verified    *Verified `json:"verified"`
	Forked      bool      `json:"forked"`
	Own         bool      `json:"own"`
	Waiting     string    `json:"waiting"`   // why it is not delivered yet
	ClockOff    bool      `json:"clock_off"` // sent is the time of receipt: the author's clock is ahead
}

// Verified is what a quorum certificate says of a message.
type Verified struct {
	K int `json:"k"`
	N int `json:"n"`
	S int `json:"s"`
}

// Gap says that something of somebody is known to be missing.
type Gap struct {
	Room    string `json:"room"`
	From    string `json:"from"` // account
	Missing int    `json:"missing"`
	Asking  int    `json:"asking"`
}

// Line is one line of a thread as it is read or sent: a message, a gap, or an error that ends it.
type Line struct {
	*Message
	Gap   *Gap   `json:"gap,omitempty"`
	Error *Error `json:"error,omitempty"`
}

// Draft is a message to send.
type Draft struct {
	Text string `json:"text"`
}

// Status is how the program does.
type Status struct {
	Profile string            `json:"profile"`
	Version string            `json:"version"`
	Ready   bool              `json:"ready"`
	Peers   int               `json:"peers"`
	LAN     int               `json:"lan"`
	Relays  int               `json:"relays"`
	Queued  int               `json:"queued"`
	Refused map[string]uint64 `json:"refused"`
	Gossip  Gossip            `json:"gossip"`
	UptimeS float64           `json:"uptime_s"`
	RSS     uint64            `json:"rss_bytes"`
	Reason  string            `json:"reason"` // why it is not ready
	Online  bool              `json:"online"` // this machine has a network, or somebody is within reach without one
	PID     int               `json:"pid"`
	Notices []Notice          `json:"notices"`
}

// Gossip is what status says of topics.
type Gossip struct {
	Topics   int    `json:"topics"`
	Accepted uint64 `json:"accepted"`
}

// Notice is something that a person must know.
type Notice struct {
	Code    string `json:"code"` // copied, rolled_back, disk_full, forked, device, session
	Subject string `json:"subject"`
	At      Time   `json:"at"`
}

// Health says whether the program is ready.
type Health struct {
	Ready  bool   `json:"ready"`
	Reason string `json:"reason"`
}

// Event says what to ask for again.
type Event struct {
	Kind string `json:"kind"` // room, people, nearby, status, lock
	Room string `json:"room,omitempty"`
}

// Words are the 24 words.
type Words struct {
	Words string `json:"words"`
}

// Found is what a name, an ID or the beginning of one means.
type Found struct {
	ID string `json:"id"`
}

// messageID is a message's name: the log in hex, a dot, and its index there.
func messageID(id app.MessageID) string {
	return hex.EncodeToString(id.Log[:]) + "." + strconv.FormatUint(id.Index, 10)
}

var errMessageID = errors.New("not the ID of a message")

func parseMessageID(s string) (id app.MessageID, err error) {
	log, index, _ := strings.Cut(s, ".")
	raw, err := hex.DecodeString(log)
	if err != nil || len(raw) != len(id.Log) {
		return id, errMessageID
	}
	copy(id.Log[:], raw)
	if id.Index, err = strconv.ParseUint(index, 10, 63); err != nil {
		return id, errMessageID
	}
	return id, nil
}

func hexRoom(id app.RoomID) string { return hex.EncodeToString(id[:]) }

func parseRoom(s string) (id app.RoomID, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(id) {
		return id, app.ErrNotFound
	}
	copy(id[:], raw)
	return id, nil
}

// IdentityObject is how the API shows who we are.
func IdentityObject(id app.Identity) Identity {
	return Identity{
		Name: id.Name, Account: id.Account.String(), Device: id.Device.String(), Peer: id.Peer.String(), SafetyNumber: id.SafetyHalf,
		Addresses: append([]string{}, id.Addresses...), WordsSaved: id.WordsSaved, ReadReceipts: id.ReadReceipts,
	}
}

func contactObject(c app.Contact) Contact {
	return Contact{
		Account: c.Account.String(), Name: c.Name, State: string(c.State), Verified: c.Verified, Path: c.Path.String(),
		LastSeen: Time{c.LastSeen}, Room: hexRoom(c.Room), Namesake: c.Namesake, Approve: c.Approve, Problem: string(c.Problem), Cause: string(c.Cause),
	}
}

func addedObject(c app.Contact) Added {
	return Added{Contact: c.Account.String(), Name: c.Name, State: string(c.State), Room: hexRoom(c.Room)}
}

func roomObject(r app.Room) Room {
	o := Room{
		Room: hexRoom(r.ID), Name: r.Name, Kind: r.Kind, Members: r.Members, Unread: r.Unread, Policy: r.Policy, Active: Time{r.Active},
	}
	if r.Kind == "notes" && r.Name == "" {
		o.Name = "notes" // by which it is found
	}
	if r.Peer != nil {
		o.Contact = r.Peer.String()
	}
	return o
}

func messageObject(m app.Message) *Message {
	return &Message{
		ID: messageID(m.ID), Room: hexRoom(m.Room), From: m.From.String(), Name: m.Name, Kind: m.Kind, Text: m.Text,
		Sent: Time{m.Sent}, Received: Time{m.Received}, State: m.State.String(), DeliveredTo: m.DeliveredTo, Of: m.Of,
		Signed: m.Signed, Forked: m.Forked, Own: m.Own, Waiting: string(m.Waiting), ClockOff: m.ClockOff,
	}
}

func gapObject(g app.Gap) *Gap {
	return &Gap{Room: hexRoom(g.Room), From: g.From.String(), Missing: g.Missing, Asking: g.Asking}
}
