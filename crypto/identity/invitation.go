package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	linkScheme        = "cryptexq:"
	invitationVersion = 1

	// maxInvitation keeps the QR code readable by a poor camera: 400 characters of base64url.
	maxInvitation = 300
)

var (
	// ErrNotOurs says that a text is no invitation of this program.
	ErrNotOurs = errors.New("this is not a CryptexQ invitation")
	// ErrCutOff says that the end of an invitation is missing: it was not copied whole.
	ErrCutOff = errors.New("the invitation is cut off; copy all of it")
	// ErrNewer says that a newer version made the invitation.
	ErrNewer = errors.New("the invitation needs a newer version")

	errShort = errors.New("identity: bytes are missing")
)

// Invitation is what a link or a QR code tells somebody who does not know us: who we are and where to reach us. It is not
// signed: the AccountID in it is what the handshake proves. Whoever holds it may introduce themselves once.
type Invitation struct {
	Account   AccountID
	Peer      PeerID
	Addresses []string // multiaddresses without /p2p, at most 2
	Relays    []Relay  // at most 2
	Mailbox   *Mailbox // nil without one
	Token     [16]byte // goes into HELLO; counts once
	Expires   uint64   // unix seconds
}

// Relay is a host that passes on connections to us.
type Relay struct {
	Peer    PeerID
	Address string // multiaddress without /p2p
}

// Mailbox is where mail for us may be left. Its write key is a secret of those who were told.
type Mailbox struct {
	Peer     PeerID
	Address  string // multiaddress without /p2p
	Slot     [16]byte
	WriteKey [32]byte
}

// Link is the invitation as text, "cryptexq:" and base64url without padding. What cannot be carried is left out: addresses
// that CheckAddress refuses, what exceeds two addresses or two relays, and then, until at most 300 bytes are encoded, the
// second relay, the second address and, with very long host names, the first address, the mailbox, the first relay.
func (i *Invitation) Link() string {
	c := i.compact()
	for _, drop := range []func(){
		func() { c.relays = c.relays[:min(1, len(c.relays))] },
		func() { c.addresses = c.addresses[:min(1, len(c.addresses))] },
		func() { c.addresses = nil },
		func() { c.mailbox = nil },
		func() { c.relays = nil },
	} {
		if len(c.marshal()) <= maxInvitation {
			break
		}
		drop()
	}
	return linkScheme + base64.RawURLEncoding.EncodeToString(c.marshal())
}

// ParseInvitation reads a link. White space in and around it does not matter: mail programs wrap lines. ErrNotOurs,
// ErrCutOff and ErrNewer each have a remedy; everything else is ErrMalformed. Expiry is for the caller to ask.
func ParseInvitation(link string) (*Invitation, error) {
	text, ok := strings.CutPrefix(strings.Join(strings.Fields(link), ""), linkScheme)
	if !ok {
		return nil, ErrNotOurs
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, linkError(text)
	}
	c, err := parseInvitation(raw)
	if errors.Is(err, errShort) {
		return nil, ErrCutOff
	}
	if err != nil {
		return nil, fmt.Errorf("reading invitation: %w", err)
	}
	return c.invitation(), nil
}

// Expired says whether the invitation is no longer good at nowUnix, in unix seconds. A clock of ours that is wrong does
// not matter to the inviter, who judges the token by their own.
func (i *Invitation) Expired(nowUnix uint64) bool { return nowUnix >= i.Expires }

// Format prints [secret] for every verb: whoever holds an invitation is invited.
func (Invitation) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// MarshalText is [secret]: it keeps invitations out of JSON and out of structured logs. Link is the text to hand over.
func (Invitation) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Format prints [secret] for every verb: whoever knows the write key can fill the slot.
func (Mailbox) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// MarshalText is [secret]: it keeps write keys out of JSON and out of structured logs.
func (Mailbox) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// linkError tells a link that ends within a group of base64 from one with foreign characters in it.
func linkError(text string) error {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if strings.Trim(text, alphabet) == "" {
		return ErrCutOff
	}
	return fmt.Errorf("reading invitation: %w", ErrMalformed)
}
