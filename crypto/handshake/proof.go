package handshake

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// prove makes our box: identity, signature over the transcript after it, MAC over the transcript after that. It returns the
// transcript after all three.
func (k *proofKeys) prove(c *Config, th transcript, context string) (box []byte, after transcript, err error) {
	d := id{account: c.Account.Bytes(), certificate: c.Self.Certificate.Raw, list: c.List}
	p := proof{id: d.marshal()}
	th = th.with(p.id)
	if p.sig, err = c.Self.Key.Sign(th[:], context); err != nil {
		return nil, transcript{}, fmt.Errorf("handshake: %w", err)
	}
	th = th.with(p.sig)
	p.fin = k.finish(th)
	plain := p.marshal()
	return k.aead().Seal(plain[:0], make([]byte, 12), plain, nil), th.with(p.fin), nil
}

// open opens the other side's box and checks its MAC, which costs microseconds. Signed is the transcript that the signature must be
// over, after the one after all.
func (k *proofKeys) open(box []byte, th transcript) (p *proof, signed, after transcript, err error) {
	fail := func() (*proof, transcript, transcript, error) { return nil, transcript{}, transcript{}, ErrAuth }
	plain, err := k.aead().Open(nil, make([]byte, 12), box, nil)
	if err != nil {
		return fail()
	}
	if p, err = parseProof(plain); err != nil {
		return fail()
	}
	signed = th.with(p.id)
	th = signed.with(p.sig)
	if !hmac.Equal(p.fin, k.finish(th)) {
		return fail()
	}
	return p, signed, th.with(p.fin), nil
}

// party is somebody who has proven who they are.
type party struct {
	account     *composite.PublicKey
	certificate *identity.Certificate
	list        identity.ListHead
}

// verify checks everything that p claims: account, certificate, that this is whom we may talk to, and last its signature.
func (s *State) verify(p *proof, signed transcript, context string) (*party, error) {
	d, err := parseID(p.id)
	if err != nil {
		return nil, err
	}
	account, certificate, err := s.certify(d)
	if err != nil {
		return nil, err
	}
	if err := s.admit(certificate); err != nil {
		return nil, err
	}
	if !certificate.Key.Verify(signed[:], context, p.sig) {
		return nil, ErrAuth
	}
	return &party{account: account, certificate: certificate, list: d.list}, nil
}

// certify returns the account key and the certificate in d as a pair that belongs together, from what is known or by verifying.
func (s *State) certify(d *id) (*composite.PublicKey, *identity.Certificate, error) {
	if s.known != nil {
		if c, account, ok := s.known(sha256.Sum256(d.certificate)); ok {
			if !bytes.Equal(c.Raw, d.certificate) || !bytes.Equal(account.Bytes(), d.account) {
				return nil, nil, ErrAuth
			}
			return account, c, nil
		}
	}
	account, err := composite.ParsePublicKey(d.account)
	if err != nil {
		return nil, nil, ErrAuth
	}
	c, err := identity.VerifyCertificate(d.certificate, account)
	if errors.Is(err, identity.ErrSuite) {
		return nil, nil, ErrSuite
	}
	if err != nil {
		return nil, nil, ErrAuth
	}
	return account, c, nil
}

// admit says whether the owner of a certificate is somebody to go on with.
func (s *State) admit(c *identity.Certificate) error {
	switch {
	case c.Account == s.self.Account:
		return ErrSelf
	case s.c != nil && s.c.To != identity.AccountID{} && c.Account != s.c.To:
		return ErrAuth
	case c.Peer != s.remote:
		return ErrPeer
	case min(c.TopSuite, s.self.TopSuite) > identity.Suite:
		return ErrSuite
	}
	return nil
}
