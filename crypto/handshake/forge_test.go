package handshake

import (
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/record"
)

// forgery is what a dishonest side, which has done its key exchange properly, does differently. Zero fields do as the protocol says.
type forgery struct {
	id      func([]byte)          // changes the identity before it is signed
	key     *composite.PrivateKey // signs instead of the device
	context string                // of the signature
	late    func(*proof)          // changes the proof when it is signed; fin is made afterwards
	fin     func([]byte)          // changes fin
	policy  []byte                // inside Q1
	typ     uint8                 // of the record Q1
	wrongQ1 bool                  // seals Q1 under the other direction's key
}

// prove is proofKeys.prove with f's changes.
func (f forgery) prove(t testing.TB, k *proofKeys, c *Config, th transcript, context string) ([]byte, transcript) {
	t.Helper()
	d := id{account: c.Account.Bytes(), certificate: c.Self.Certificate.Raw, list: c.List}
	p := proof{id: d.marshal()}
	if f.id != nil {
		f.id(p.id)
	}
	key := c.Self.Key
	if f.key != nil {
		key = f.key
	}
	if f.context != "" {
		context = f.context
	}
	signed := th.with(p.id)
	var err error
	if p.sig, err = key.Sign(signed[:], context); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if f.late != nil {
		f.late(&p)
	}
	th = th.with(p.id).with(p.sig)
	p.fin = k.finish(th)
	if f.fin != nil {
		f.fin(p.fin)
	}
	return k.aead().Seal(nil, make([]byte, 12), p.marshal(), nil), th.with(p.fin)
}

// second answers m1 for a responder with configuration c.
func (f forgery) second(t testing.TB, c Config, m1 []byte) []byte {
	t.Helper()
	in, err := parseFirst(m1)
	if err != nil {
		t.Fatalf("parseFirst: %v", err)
	}
	ss, ct, err := hybrid.Encapsulate(in.key)
	if err != nil {
		t.Fatalf("Encapsulate: %v", err)
	}
	m := second{nonce: newNonce(), ciphertext: ct}
	th := begin(c.RemotePeer, c.LocalPeer).with(m1).with(m.body())
	k := derive(ss, th)
	m.box, _ = f.prove(t, &k.r, &c, th, contextR)
	return m.marshal()
}

// third answers m2 for the initiator s, without checking anything. S is left as it is.
func (f forgery) third(t testing.TB, s *State, m2 []byte) []byte {
	t.Helper()
	in, err := parseSecond(m2)
	if err != nil {
		t.Fatalf("parseSecond: %v", err)
	}
	ss, err := s.eph.Decapsulate(in.ciphertext)
	if err != nil {
		t.Fatalf("Decapsulate: %v", err)
	}
	th := s.th.with(m2[:secondBody])
	k := derive(ss, th)
	_, _, th, err = k.r.open(in.box, th)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	m3, thF := f.prove(t, &k.i, s.c, th, contextI)
	return append(m3, f.q1(t, master(k.hs, thF), thF)...)
}

func (f forgery) q1(t testing.TB, ms []byte, thF transcript) []byte {
	t.Helper()
	direction, policy := fromI, []byte{policyOff}
	if f.wrongQ1 {
		direction = fromR
	}
	if f.policy != nil || f.typ == record.FIN {
		policy = f.policy
	}
	s, err := record.NewSealer(quantumKey(ms, thF, direction))
	if err != nil {
		t.Fatalf("NewSealer: %v", err)
	}
	q1, err := s.Seal(nil, f.typ, policy)
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return q1
}

func TestAForgerWhoChangesNothingIsAccepted(t *testing.T) {
	si, m1 := initiate(t, alice().config(bob()))
	if _, done := next(t, si, forgery{}.second(t, bob().config(alice()), m1)); done == nil {
		t.Errorf("no result from a proper M2")
	}
	si, m1 = initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	if _, done := next(t, sr, forgery{}.third(t, si, m2)); done == nil {
		t.Errorf("no result from a proper M3")
	}
}

// proofForgeries are lies by somebody who holds all session keys, of whom the device key of the claimed identity is not one.
func proofForgeries(victim person, own, other string) map[string]forgery {
	flip := func(at int) func([]byte) { return func(b []byte) { b[at] ^= 1 } }
	return map[string]forgery{
		"signed by somebody else":              {key: mallory().device.Key},
		"signed by the victim's own key":       {key: victim.device.Key},
		"signed by the account key":            {key: victim.account},
		"signed as the other side":             {context: other},
		"signed for another purpose":           {context: "CQ1 prekey"},
		"signed without a side":                {context: own[:len(own)-2]},
		"another list counter after signing":   {late: func(p *proof) { p.id[idSize-33] ^= 1 }},
		"another list digest after signing":    {late: func(p *proof) { p.id[idSize-1] ^= 1 }},
		"another account key":                  {id: flip(0)},
		"another Ed25519 account key":          {id: flip(composite.PublicKeySize - 1)},
		"a certificate of another form":        {id: flip(composite.PublicKeySize)},
		"a certificate with another index":     {id: flip(composite.PublicKeySize + 41)},
		"a certificate with another signature": {id: flip(idSize - 40 - 65)},
		"a certificate of another host":        {id: flip(idSize - 40 - 1)},
		"a broken lattice half":                {late: func(p *proof) { p.sig[0] ^= 1 }},
		"a broken classical half":              {late: func(p *proof) { p.sig[composite.SignatureSize-64] ^= 1 }},
		"another MAC":                          {fin: flip(31)},
	}
}

func TestInitiatorRefusesEveryLieInM2(t *testing.T) {
	for name, f := range proofForgeries(alice(), contextR, contextI) {
		t.Run(name, func(t *testing.T) {
			si, m1 := initiate(t, alice().config(bob()))
			refuse(t, si, f.second(t, bob().config(alice()), m1), ErrAuth)
		})
	}
}

func TestResponderRefusesEveryLieInM3(t *testing.T) {
	for name, f := range proofForgeries(bob(), contextI, contextR) {
		t.Run(name, func(t *testing.T) {
			si, m1 := initiate(t, alice().config(bob()))
			sr := respond(t, bob().config(alice()))
			m2, _ := next(t, sr, m1)
			refuse(t, sr, f.third(t, si, m2), ErrAuth)
		})
	}
}

func TestPoliciesOtherThanOffAreAnsweredWithOff(t *testing.T) {
	policy := []byte("\x01 whatever comes later")
	si, m1 := initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	m3 := forgery{policy: policy}.third(t, si, m2)
	waiting := *sr
	q1, done := next(t, sr, m3)
	if q1 == nil || done == nil {
		t.Fatalf("a policy got %d bytes in reply, result %v", len(q1), done != nil)
	}
	_, _, thF, err := waiting.keys.open(m3[:boxSize], waiting.th)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	ms := master(waiting.hs, thF)
	ciphertext, rest, err := record.Split(q1)
	if err != nil || len(rest) != 0 {
		t.Fatalf("the reply is not one record: %v", err)
	}
	if got, err := openPolicy(ms, thF, fromR, ciphertext); err != nil || string(got) != "\x00" {
		t.Errorf("the reply says %x, %v, want off", got, err)
	}
	if want := (&party{}).result(ms, thF, policy, []byte{0}); done.Transcript != want.Transcript || done.Master != want.Master {
		t.Errorf("the transcript does not hold both policies")
	}
	if none := (&party{}).result(ms, thF, policy, nil); done.Transcript == none.Transcript {
		t.Errorf("an answered policy leaves no trace in the transcript")
	}
}

func TestResponderRefusesMalformedPolicies(t *testing.T) {
	for name, f := range map[string]forgery{
		"off and something more":        {policy: []byte{0, 0}},
		"the end of a stream":           {typ: record.FIN},
		"under the other direction key": {wrongQ1: true},
	} {
		t.Run(name, func(t *testing.T) {
			si, m1 := initiate(t, alice().config(bob()))
			sr := respond(t, bob().config(alice()))
			m2, _ := next(t, sr, m1)
			refuse(t, sr, f.third(t, si, m2), ErrAuth)
		})
	}
}
