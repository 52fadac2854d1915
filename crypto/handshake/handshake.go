// Package handshake authenticates two devices to each other and gives them a secret: /cryptexq/hs/1.
//
// It is SIGMA-I in the shape of TLS 1.3: ephemeral keys first (X-Wing), then each side proves in turn who it is, encrypted, by a
// composite signature of its device key over the whole transcript and a MAC under a fresh key. I is who opens, R who answers.
//
//	M1 I->R  ver 1 | suite 2 | flags 1 | nI 32 | xw_pk 1216 | mac1 16                                       1268 B
//	M2 R->I  ver 1 | suite 2 | flags 1 | nR 32 | xw_ct 1120 | GCM(kR, 0^12){ id_R | sig_R 3373 | fin_R 32 } 12120 B
//	M3 I->R  GCM(kI, 0^12){ id_I | sig_I 3373 | fin_I 32 } | record Q1_I                                    10964 + 20 B
//	id       account key 1984 | device certificate 5519 | list counter 8 | list digest 32
//
// mac1 is HMAC(H("CQ1 mac1", to), M1 before mac1)[:16], where to is R's AccountID, or H("CQ1 nearby", PeerID of R) with flag 1.
// It is no secret's work: it turns away who does not know whom they call, before R computes anything dear. Flag 1 is the only
// flag, of M1 only; M2 has none.
//
// The transcript begins with H("CQ1 hs", SuiteName, PeerID of I, PeerID of R) and takes up one part after the other, th = H(th,
// part): M1, M2 to the end of xw_ct, id_R, sig_R, fin_R, id_I, sig_I, fin_I. Each side signs it as it stands after its id, and MACs
// it as it stands after its signature; thF is the end of it.
//
// Q1_I is the record (crypto/record) in which I tells its policy about quantum keys, under Expand(MS, "qkd", H(thF, 0), 44). This
// version always sends the one byte 00, off, and then nothing follows. A responder to whom another policy comes answers with its
// own record 00 under H(thF, 1): Next then returns that reply together with the result. Either way thQ = H(thF, Q1_I, Q1_R, "", ""), on
// the bytes inside the records, and MS' = Extract(MS, 0^32).
//
// The package does no I/O and knows no time: the caller carries frames of at most MaxMessage bytes, limits how long and how often
// others may try, fetches a device list that is newer than its own, and asks it whether the device still counts.
//
// At M2, I knows that R agrees up to there; that R accepted M3, I knows only when R's first record under a key of the result opens.
package handshake

import (
	"errors"
	"fmt"
	"io"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// SuiteName is what the transcript begins with beside the PeerIDs: the primitives of identity.Suite.
const SuiteName = "X-Wing MLDSA65-Ed25519-SHA512 AES-256-GCM HKDF-SHA256"

const (
	// MaxMessage bounds every message; the caller's frames have a u16 length and refuse more.
	MaxMessage = 16 << 10

	version = 1

	flagNearby = 1 << 0 // M1: mac1 is made from R's PeerID
)

// Contexts of the signatures, one for each side, so that neither side's proof can be sent back to it.
const (
	contextI = "CQ1 hs I"
	contextR = "CQ1 hs R"
)

var (
	// ErrAuth is the one answer to everything that failed to authenticate: filter, box, MAC, signature, account, certificate.
	ErrAuth = errors.New("handshake: authentication failed")

	// ErrFormat says that bytes cannot be the message that was expected: length, flags, version 0.
	ErrFormat = errors.New("handshake: not a message of this protocol")

	// ErrNewer says that the remote speaks a newer version of the handshake.
	ErrNewer = errors.New("handshake: the other side runs a newer version")

	// ErrSuite says that the suite is unknown, or lower than the highest that both certificates allow.
	ErrSuite = errors.New("handshake: the suite is not the best that both sides have")

	// ErrSelf says that the other side is our own account.
	ErrSelf = errors.New("handshake: this is our own account")

	// ErrPeer says that the other side's certificate is for another host than the one at the end of the connection.
	ErrPeer = errors.New("handshake: the certificate is for another host")

	errUsed = errors.New("handshake: this handshake is over")
)

// Config says who we are, and whom we expect. A responder that waits for M3 keeps nothing of it but Known and RemotePeer.
type Config struct {
	Self    *identity.Device     // certificate and the key that signs for it
	Account *composite.PublicKey // the account key that Self.Certificate is signed with
	List    identity.ListHead    // our newest device list

	LocalPeer  identity.PeerID // our host, the one in Self.Certificate
	RemotePeer identity.PeerID // the host that the connection below has authenticated

	// To is whom the initiator wants; any other account is refused with ErrAuth. Zero takes whoever answers, and needs Nearby.
	To identity.AccountID

	// Nearby makes an initiator name R by its PeerID instead of its AccountID, and makes a responder answer to that.
	Nearby bool

	// Known saves unpacking and verifying a certificate again: it returns the certificate with this ID and the key of its account as an
	// earlier Result had them, and false for all others. It must return nothing that VerifyCertificate has not accepted.
	// Whether the device still counts is asked elsewhere. Nil knows none. It is called at most once, from Next.
	Known func(identity.DeviceID) (c *identity.Certificate, account *composite.PublicKey, ok bool)
}

// check refuses configurations that no remote would accept.
func (c *Config) check() error {
	if c.Self == nil || c.Self.Certificate == nil || c.Self.Key == nil || c.Account == nil {
		return errors.New("handshake: a device, its certificate and the account key are needed")
	}
	if identity.AccountOf(c.Account) != c.Self.Certificate.Account {
		return errors.New("handshake: our certificate is for another account key")
	}
	if c.LocalPeer != c.Self.Certificate.Peer {
		return errors.New("handshake: our certificate is for another host")
	}
	if c.RemotePeer == c.LocalPeer {
		return ErrSelf
	}
	return nil
}

// Secret is a key of 32 bytes. It prints as "[secret]".
type Secret [32]byte

// Format prints "[secret]" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret) }

// MarshalText returns "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte(secret), nil }

const secret = "[secret]"
