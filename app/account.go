package app

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// account is ourselves on this device.
type account struct {
	id     identity.AccountID // set once, as all down to peer
	key    *composite.PublicKey
	device *identity.Device
	row    int64 // of our device
	host   ed25519.PrivateKey
	peer   identity.PeerID

	mu       sync.Mutex
	name     string           // guarded by mu, as all below
	list     *identity.List   // newest
	inc      uint64           // when volatile state began
	bundle   *identity.Bundle // newest signed prekey
	port     int
	receipts bool // say what was read
	record   []byte
	addrs    []string
}

// deviceID is the digest of our certificate.
func (a *account) deviceID() identity.DeviceID { return a.device.Certificate.ID() }

func (a *account) self() wire.SelfObject {
	a.mu.Lock()
	defer a.mu.Unlock()
	return wire.SelfObject{AccountKey: a.key.Bytes(), Certificate: a.device.Certificate.Raw, List: a.list.Raw, Bundle: a.bundle.Raw}
}

// cardReadReceipts is the bit of a card's flags by which its owner says what was read.
const cardReadReceipts = 1

// card is what we hand to people: who we are, what we are called, where we are.
func (a *account) card() wire.Card {
	self := a.self()
	self.Bundle = nil // it changes weekly, and SELF has it
	a.mu.Lock()
	defer a.mu.Unlock()
	c := wire.Card{Self: self, Name: a.name, Record: a.record, Addresses: a.addrs}
	if a.receipts {
		c.Flags |= cardReadReceipts
	}
	return c
}

func (a *account) incarnation() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.inc
}

func (a *account) called() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.name
}

func (a *account) saysRead() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.receipts
}

// mint makes all keys of a new account and writes them in one transaction. The words stay until they were saved.
func mint(tx *store.Tx, seed identity.Seed, name string, ms int64) error {
	owner, err := seed.AccountKey()
	if err != nil {
		return err
	}
	if err := tx.SetSecret("words", []byte(seed.Words())); err != nil {
		return err
	}
	row, err := tx.AddAccount(identity.AccountOf(owner.Public()), store.AccountContact, ms)
	if err != nil {
		return err
	}
	if row.Row != store.Own {
		return errors.New("making an account: the store holds one already")
	}
	if err := tx.SetAccountKey(row.Row, owner.Public().Bytes()); err != nil {
		return err
	}
	if err := tx.SetTheirName(row.Row, name); err != nil {
		return err
	}
	return mintDevice(tx, owner, ms)
}

// mintDevice makes a device of the account: certificate, host key, list, and when its volatile state began.
func mintDevice(tx *store.Tx, owner *composite.PrivateKey, ms int64) error {
	key, err := composite.GenerateKey()
	if err != nil {
		return err
	}
	host, err := newHostKey()
	if err != nil {
		return err
	}
	index, err := identity.NewIndex()
	if err != nil {
		return err
	}
	cert, err := identity.IssueCertificate(owner, key, host, identity.CertificateTemplate{Index: index, NotBefore: uint64(ms), TopSuite: identity.Suite})
	if err != nil {
		return err
	}
	list, err := identity.SignList(owner, uint64(ms), []identity.ListItem{{Index: index, Device: cert.ID(), State: identity.StateValid, Since: uint64(ms)}})
	if err != nil {
		return err
	}
	d, err := tx.AddDevice(store.Device{
		Account: store.Own, Index: index, Digest: cert.ID(), Peer: cert.Peer[:], State: store.DeviceValid, Approved: true, Inc: uint64(ms),
	}, key.Public().Bytes(), cert.Raw)
	if err != nil {
		return err
	}
	return errors.Join(
		tx.SetList(store.Own, list.Counter, list.Raw),
		tx.SetSecret("device", key.Seed()), tx.SetSecret("host", host.Seed()),
		tx.SetNumber("device", d.Row), tx.SetNumber("inc", ms),
	)
}

// load reads ourselves from the store.
func load(ctx context.Context, st *store.Store) (*account, error) {
	a := &account{}
	err := st.View(ctx, func(r *store.Reader) error { return a.read(r) })
	if err != nil {
		return nil, fmt.Errorf("reading the account: %w", err)
	}
	return a, nil
}

func (a *account) read(r *store.Reader) error {
	own, found, err := r.AccountRow(store.Own)
	if err != nil || !found {
		return either(err, errors.New("no account in this vault"))
	}
	if a.key, err = composite.ParsePublicKey(own.Key); err != nil {
		return err
	}
	a.id, a.name = own.Account, own.TheirName
	if a.list, err = identity.VerifyList(own.List, a.key); err != nil {
		return err
	}
	if err := a.readDevice(r); err != nil {
		return err
	}
	inc, err := r.Number("inc")
	if err != nil {
		return err
	}
	port, err := r.Number("port")
	if err != nil {
		return err
	}
	receipts, err := r.Setting("read_receipts", "no")
	a.inc, a.port, a.receipts = uint64(inc), int(port), receipts == "yes"
	return err
}

func (a *account) readDevice(r *store.Reader) error {
	row, err := r.Number("device")
	if err != nil {
		return err
	}
	raw, err := r.Certificate(row)
	if err != nil || raw == nil {
		return either(err, errors.New("no device in this vault"))
	}
	cert, err := identity.VerifyCertificate(raw, a.key)
	if err != nil {
		return err
	}
	seed, err := r.Secret("device")
	if err != nil {
		return err
	}
	key, err := composite.NewPrivateKey(seed)
	if err != nil {
		return err
	}
	host, err := r.Secret("host")
	if err != nil || len(host) != ed25519.SeedSize {
		return either(err, errors.New("no host key in this vault"))
	}
	a.row, a.device, a.host, a.peer = row, &identity.Device{Certificate: cert, Key: key}, ed25519.NewKeyFromSeed(host), cert.Peer
	return nil
}

// prekeyAge is how long a signed prekey is handed out, by the time for which we ran or by the clock, whichever is sooner: a
// clock that was years ahead when it was made must not keep it for years.
const prekeyAge = 7 * day

// renew hands out a new signed prekey when there is none, when it is a week old, or when our volatile state began anew.
func (a *account) renew(tx *store.Tx, ms int64) error { return a.renewFor(tx, ms, a.incarnation()) }

func (a *account) renewFor(tx *store.Tx, ms int64, inc uint64) error {
	newest, found, err := tx.NewestPrekey()
	if err != nil {
		return err
	}
	ran, err := tx.Number("ran")
	if err != nil {
		return err
	}
	if found {
		b, err := identity.VerifyBundle(newest.Raw, a.device.Certificate)
		if err != nil {
			return err
		}
		since, err := tx.Number("prekey_ran")
		if err != nil {
			return err
		}
		if b.Inc == inc && ms-newest.MadeAt < prekeyAge && ran-since < prekeyAge {
			tx.OnCommit(func() { a.setBundle(b) })
			return nil
		}
	}
	key, err := hybrid.GenerateKey()
	if err != nil {
		return err
	}
	made := max(ms, newest.MadeAt+1) // a clock set back must not make the new bundle look older than the old one
	b, err := identity.SignBundle(a.device, inc, uint64(made), key.PublicKey())
	if err != nil {
		return err
	}
	tx.OnCommit(func() { a.setBundle(b) })
	return errors.Join(
		tx.AddPrekey(store.Prekey{Digest: b.Digest(), Seed: key.Seed(), Raw: b.Raw, MadeAt: made}),
		tx.SetNumber("prekey_ran", ran),
	)
}

func (a *account) setBundle(b *identity.Bundle) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bundle, a.inc = b, b.Inc
}

// beginAnew starts a new life of volatile state, because what is here may be older than what others have seen of us: after a
// restore, when the store went back in time, when this profile runs twice. No log and no session is ever continued from an
// older state: every log of ours ends, to be continued by a new one that names it, and sessions begin anew under a higher inc.
func (a *account) beginAnew(tx *store.Tx, ms int64) error {
	inc := max(uint64(ms), a.incarnation()+1)
	return errors.Join(
		tx.SetNumber("inc", int64(inc)),
		tx.CloseOwnLogs(),
		tx.DropSessions(),
		a.renewFor(tx, ms, inc),
	)
}

func newHostKey() (ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
