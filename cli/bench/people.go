package bench

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/handshake"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
)

// person is somebody with one device, made to be measured.
type person struct {
	account *composite.PrivateKey
	device  *identity.Device
	list    *identity.List
	bundle  *identity.Bundle
	prekey  []byte
}

func newPerson() (p person, err error) {
	if p.account, err = composite.GenerateKey(); err != nil {
		return p, err
	}
	key, err := composite.GenerateKey()
	if err != nil {
		return p, err
	}
	_, host, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return p, err
	}
	c, err := identity.IssueCertificate(p.account, key, host, identity.CertificateTemplate{Index: 1, TopSuite: identity.Suite})
	if err != nil {
		return p, err
	}
	p.device = &identity.Device{Certificate: c, Key: key}
	p.list, err = identity.SignList(p.account, 1, []identity.ListItem{{Index: 1, Device: c.ID(), State: 1}})
	if err != nil {
		return p, err
	}
	prekey, err := hybrid.GenerateKey()
	if err != nil {
		return p, err
	}
	p.prekey = prekey.Seed()
	p.bundle, err = identity.SignBundle(p.device, 1, 1, prekey.PublicKey())
	return p, err
}

// calls is p's side of a handshake with q, whom p has met before or not.
func (p person) calls(q person, known bool) handshake.Config {
	c := handshake.Config{
		Self: p.device, Account: p.account.Public(), List: p.list.Head(),
		LocalPeer: p.device.Certificate.Peer, RemotePeer: q.device.Certificate.Peer, To: q.device.Certificate.Account,
	}
	if known {
		c.Known = func(identity.DeviceID) (*identity.Certificate, *composite.PublicKey, bool) {
			return q.device.Certificate, q.account.Public(), true
		}
	}
	return c
}

var errUnfinished = errors.New("the handshake did not end")

// shake is a whole handshake, both sides.
func shake(initiator, responder handshake.Config) error {
	i, m1, err := handshake.Initiate(initiator)
	if err != nil {
		return err
	}
	r, err := handshake.Respond(responder)
	if err != nil {
		return err
	}
	m2, _, err := r.Next(m1)
	if err != nil {
		return err
	}
	m3, done, err := i.Next(m2)
	if err != nil {
		return err
	}
	_, last, err := r.Next(m3)
	if err == nil && (done == nil || last == nil) {
		err = errUnfinished
	}
	return err
}

// seed hands out the prekey, as a store does that still has it.
func (p person) seed(digest [32]byte) ([]byte, bool) { return p.prekey, digest == p.bundle.Digest() }

func (p person) begins(q person) ratchet.InitConfig {
	return ratchet.InitConfig{Self: p.device, Account: p.account.Public(), Inc: 1, Peer: q.device.Certificate, Bundle: q.bundle, Records: make([]byte, 200)}
}

func (p person) accepts() ratchet.AcceptConfig {
	return ratchet.AcceptConfig{Self: p.device, Inc: 1, Prekey: p.seed}
}
