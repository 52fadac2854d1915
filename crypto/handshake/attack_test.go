package handshake

import (
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

func TestStolenKeysOfTheVictimDoNotHelpToImpersonateOthersToIt(t *testing.T) {
	// Mallory has everything of Bob's and wants to be Alice to him.
	asAlice := alice().config(bob())
	asAlice.Self = &identity.Device{Certificate: alice().device.Certificate, Key: bob().device.Key}
	si, m1 := initiate(t, asAlice)
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	m3, _ := next(t, si, m2)
	refuse(t, sr, m3, ErrAuth)

	// And with everything of Alice's, Bob to her.
	asBob := bob().config(alice())
	asBob.Self = &identity.Device{Certificate: bob().device.Certificate, Key: alice().device.Key}
	si, m1 = initiate(t, alice().config(bob()))
	m2, _ = next(t, respond(t, asBob), m1)
	refuse(t, si, m2, ErrAuth)
}

func TestASelfIssuedCertificateIsNoUse(t *testing.T) {
	// Mallory knows Bob's account ID, passes his filter towards Alice, and has a perfect identity: her own.
	c := mallory().config(alice())
	evil := alice().config(mallory())
	evil.To = bob().id()
	si, m1 := initiate(t, evil)
	refuse(t, si, forgery{}.second(t, c, m1), ErrAuth)

	// Bob's account key beside Mallory's certificate.
	si, m1 = initiate(t, evil)
	f := forgery{id: func(b []byte) { copy(b, bob().account.Public().Bytes()) }}
	refuse(t, si, f.second(t, c, m1), ErrAuth)
}

func TestACertificateOfAnotherHostIsRefused(t *testing.T) {
	// Mallory relays between Alice and Bob at her own host: their boxes do not open, because the transcript begins with the hosts.
	toMallory, fromMallory := alice().config(bob()), bob().config(alice())
	toMallory.RemotePeer, fromMallory.RemotePeer = mallory().peer(), mallory().peer()
	si, m1 := initiate(t, toMallory)
	m2, _ := next(t, respond(t, fromMallory), m1)
	refuse(t, si, m2, ErrAuth)

	// A device whose certificate is good, at a connection that libp2p authenticated for another host.
	elsewhere := bob().config(alice())
	elsewhere.LocalPeer = mallory().peer()
	si, m1 = initiate(t, toMallory)
	refuse(t, si, forgery{}.second(t, elsewhere, m1), ErrPeer)

	s := alice().config(bob())
	si, m1 = initiate(t, s)
	si.th = begin(mallory().peer(), bob().peer()).with(m1)
	sr := respond(t, fromMallory)
	m2, _ = next(t, sr, m1)
	refuse(t, sr, forgery{}.third(t, si, m2), ErrPeer)
}

func TestOurOwnAccountIsRefusedOnBothSides(t *testing.T) {
	other := deviceOf(1, 77, identity.Suite) // Alice's account at another host
	ci, cr := alice().config(other), other.config(alice())
	ci.To, ci.Nearby, cr.Nearby = identity.AccountID{}, true, true
	si, m1 := initiate(t, ci)
	sr := respond(t, cr)
	m2, _ := next(t, sr, m1)
	s := *si
	refuse(t, &s, m2, ErrSelf)
	refuse(t, sr, forgery{}.third(t, si, m2), ErrSelf)
}

func TestASuiteBelowTheBestOfBothIsRefused(t *testing.T) {
	newA, newB := newPerson(11, 2), newPerson(12, 3)
	si, m1 := initiate(t, newA.config(newB))
	sr := respond(t, newB.config(newA))
	m2, _ := next(t, sr, m1)
	s := *si
	refuse(t, &s, m2, ErrSuite)
	refuse(t, sr, forgery{}.third(t, si, m2), ErrSuite)
	run(t, newA.config(bob()), bob().config(newA)) // one side has only this suite
	run(t, bob().config(newA), newA.config(bob()))
}

func TestMessagesOfOneHandshakeMeanNothingInAnother(t *testing.T) {
	ci, cr := alice().config(bob()), bob().config(alice())
	i1, m1 := initiate(t, ci)
	r1 := respond(t, cr)
	m2, _ := next(t, r1, m1)
	keep := *i1
	m3, _ := next(t, i1, m2)
	next(t, r1, m3)

	r2 := respond(t, cr) // M1 again: an answer, but what was M3 does not fit it
	again, _ := next(t, r2, m1)
	refuse(t, r2, m3, ErrAuth)

	refuse(t, &keep, append(again[:secondBody:secondBody], m2[secondBody:]...), ErrAuth) // the new M2 with the old box

	i3, other := initiate(t, ci) // M2 to another handshake of the same two
	refuse(t, i3, m2, ErrAuth)
	r3 := respond(t, cr)
	next(t, r3, other)
	refuse(t, r3, m3, ErrAuth)
}

func TestMessagesSentBackAreRefused(t *testing.T) {
	ci, cr := alice().config(bob()), bob().config(alice())
	si, m1 := initiate(t, ci)
	s := *si
	refuse(t, &s, m1, ErrFormat)
	refuse(t, respond(t, alice().config(bob())), m1, ErrAuth) // to Alice's own responder
	sr := respond(t, cr)
	m2, _ := next(t, sr, m1)
	for name, m := range map[string][]byte{
		"M1": m1, "M2": m2, "the box of M2": m2[secondBody:],
	} {
		s := *sr
		refuse(t, &s, m, ErrFormat)
		if t.Failed() {
			t.Fatalf("%s sent back to the responder", name)
		}
	}
	m3, _ := next(t, si, m2)
	mirrored := append(append([]byte(nil), m2[secondBody:]...), m3[boxSize:]...)
	refuse(t, sr, mirrored, ErrAuth)
}

func TestAProofOfTheOtherSideIsRefusedUnderTheRightKeys(t *testing.T) {
	// Bob's own box of M2, opened and sealed again for him as M3 by somebody who has the session keys.
	si, m1 := initiate(t, alice().config(bob()))
	sr := respond(t, bob().config(alice()))
	m2, _ := next(t, sr, m1)
	ss, err := si.eph.Decapsulate(m2[headSize:secondBody])
	if err != nil {
		t.Fatalf("Decapsulate: %v", err)
	}
	th := si.th.with(m2[:secondBody])
	k := derive(ss, th)
	p, _, _, err := k.r.open(m2[secondBody:], th)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	f := forgery{late: func(q *proof) { q.id, q.sig = p.id, p.sig }}
	refuse(t, sr, f.third(t, si, m2), ErrSelf)
}

func TestAKnownCertificateIsTakenOnlyWithItsAccountKey(t *testing.T) {
	asked := 0
	c := alice().config(bob())
	c.Known = func(d identity.DeviceID) (*identity.Certificate, *composite.PublicKey, bool) {
		asked++
		if d != bob().device.Certificate.ID() {
			t.Errorf("asked for a certificate that nobody showed")
		}
		return bob().device.Certificate, bob().account.Public(), true
	}
	si, m1 := initiate(t, c)
	next(t, si, forgery{}.second(t, bob().config(alice()), m1))
	if asked != 1 {
		t.Errorf("Known was asked %d times, want once", asked)
	}
	si, m1 = initiate(t, c)
	f := forgery{id: func(b []byte) { copy(b, mallory().account.Public().Bytes()) }}
	refuse(t, si, f.second(t, bob().config(alice()), m1), ErrAuth)

	c.Known = func(identity.DeviceID) (*identity.Certificate, *composite.PublicKey, bool) { // a cache gone wrong
		return mallory().device.Certificate, bob().account.Public(), true
	}
	si, m1 = initiate(t, c)
	refuse(t, si, forgery{}.second(t, bob().config(alice()), m1), ErrAuth)
}

func TestAKnownDeviceStillHasToSign(t *testing.T) {
	c := alice().config(bob())
	c.Known = knows(bob())
	si, m1 := initiate(t, c)
	refuse(t, si, forgery{key: mallory().device.Key}.second(t, bob().config(alice()), m1), ErrAuth)
}

func TestACertificateOfAnotherSuiteIsRefused(t *testing.T) {
	f := forgery{id: func(b []byte) { b[composite.PublicKeySize+4] = 1 }} // behind its magic
	si, m1 := initiate(t, alice().config(bob()))
	refuse(t, si, f.second(t, bob().config(alice()), m1), ErrSuite)
}
