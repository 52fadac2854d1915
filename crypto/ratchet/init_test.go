package ratchet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/hybrid"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

func TestInitTellsWhoBeganAndWhatTheySaid(t *testing.T) {
	d := devices()
	for _, size := range []int{0, 1, 1000, 30 << 10, MaxInitRecords} {
		records := bytes.Repeat([]byte{7}, size)
		i, init, err := Initiate(d[0].initConfig(d[1], records))
		if err != nil {
			t.Fatal(err)
		}
		if len(init) != minInit+size || len(init) > MaxInit || !IsInit(init) {
			t.Errorf("INIT with %d bytes of records has %d", size, len(init))
		}
		a, err := Accept(d[1].acceptConfig(), init)
		if err != nil {
			t.Fatalf("INIT with %d bytes of records: %v", size, err)
		}
		if !bytes.Equal(a.Records, records) || !a.Account.Equal(d[0].account.Public()) || a.Attempt != 3 ||
			a.Certificate.ID() != d[0].self.Certificate.ID() || a.PeerInc != d[0].inc || a.Bundle != d[1].bundle.Digest() {
			t.Errorf("INIT with %d bytes of records says something else than it was told", size)
		}
		iir, iri := i.MailKeys()
		rir, rri := a.Session.MailKeys()
		if i.ID() != a.Session.ID() || i.Rank() != a.Session.Rank() || iir != rir || iri != rri || iir == iri ||
			i.Dir() != FromInitiator || a.Session.Dir() != FromResponder {
			t.Error("the two sides have different sessions")
		}
	}
}

func TestInitsOfOneTemplateAreDifferentSessions(t *testing.T) {
	d := devices()
	a, first, _ := Initiate(d[0].initConfig(d[1], nil))
	b, second, _ := Initiate(d[0].initConfig(d[1], nil))
	if a.ID() == b.ID() || bytes.Equal(first[:initHead], second[:initHead]) {
		t.Error("two INITs share a session id or a head")
	}
}

func TestInitiateRefusesWhatCannotBeAccepted(t *testing.T) {
	d := devices()
	for name, change := range map[string]func(*InitConfig){
		"a foreign account key":   func(c *InitConfig) { c.Account = d[2].account.Public() },
		"another device's bundle": func(c *InitConfig) { c.Bundle = d[2].bundle },
		"oneself":                 func(c *InitConfig) { c.Peer, c.Bundle = d[0].self.Certificate, d[0].bundle },
		"too many records":        func(c *InitConfig) { c.Records = make([]byte, MaxInitRecords+1) },
		"a prekey that is none": func(c *InitConfig) {
			bad := *c.Bundle
			bad.Prekey = bytes.Repeat([]byte{0xff}, hybrid.PublicKeySize)
			c.Bundle = &bad
		},
	} {
		c := d[0].initConfig(d[1], nil)
		change(&c)
		if s, init, err := Initiate(c); err == nil || s != nil || init != nil {
			t.Errorf("Initiate takes %s", name)
		}
	}
}

func TestAcceptRefusesEveryFlippedByte(t *testing.T) {
	d := devices()
	_, init, err := Initiate(d[0].initConfig(d[1], []byte("records")))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(init); i += 1 + i/97 { // all of the head's fields, then ever fewer: GCM tells no byte from another
		changed := bytes.Clone(init)
		changed[i] ^= 0x10
		if a, err := Accept(d[1].acceptConfig(), changed); err == nil || a != nil {
			t.Errorf("byte %d flipped is accepted", i)
		}
	}
	for name, b := range map[string][]byte{
		"cut off":       init[:len(init)-1],
		"a byte behind": append(bytes.Clone(init), 0),
		"empty":         nil,
		"too long":      append(bytes.Clone(init), make([]byte, MaxInit)...),
	} {
		if _, err := Accept(d[1].acceptConfig(), b); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestAcceptRefusesWhatIsForAnother(t *testing.T) {
	d := devices()
	_, init, err := Initiate(d[0].initConfig(d[1], nil))
	if err != nil {
		t.Fatal(err)
	}
	third := d[2].acceptConfig()
	third.Prekey = d[1].seedOf // even one who stole the prekey is not its owner
	gone := d[1].acceptConfig()
	gone.Prekey = func([32]byte) ([]byte, bool) { return nil, false }
	wrong := d[1].acceptConfig()
	wrong.Prekey = func([32]byte) ([]byte, bool) { return d[2].prekey, true }
	reborn := d[1].acceptConfig()
	reborn.Inc++
	for _, row := range []struct {
		name string
		c    AcceptConfig
		want error
	}{
		{"another device", third, ErrAuth},
		{"a prekey erased", gone, ErrKey},
		{"another prekey", wrong, ErrAuth},
		{"another incarnation", reborn, ErrKey},
	} {
		if _, err := Accept(row.c, init); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

// forge makes an INIT from d[0] to d[1] of any content; the attacker knows whatever it is given here.
func forge(t *testing.T, change func(*InitConfig, *[]byte), signer *composite.PrivateKey, context string) []byte {
	t.Helper()
	d := devices()
	c := d[0].initConfig(d[1], nil)
	shared, ct, err := hybrid.Encapsulate(c.Bundle.Prekey)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := hybrid.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	rpk := reply.PublicKey()
	change(&c, &rpk)
	head, err := c.head(ct)
	if err != nil {
		t.Fatal(err)
	}
	k := newInitKeys(shared, head, d[1].self.Certificate, d[1].bundle.Prekey)
	body := c.body(rpk)
	thB := k.bodyHash(body)
	sig, err := signer.Sign(thB[:], context)
	if err != nil {
		t.Fatal(err)
	}
	return k.seal(head, append(body, sig...))
}

func TestAcceptRefusesForgeries(t *testing.T) {
	d := devices()
	same := func(*InitConfig, *[]byte) {}
	if _, err := Accept(d[1].acceptConfig(), forge(t, same, d[0].self.Key, ctxInit)); err != nil {
		t.Fatalf("the honest one: %v", err)
	}
	other := newDevice(77)
	for _, row := range []struct {
		name    string
		change  func(*InitConfig, *[]byte)
		signer  *composite.PrivateKey
		context string
	}{
		{"signed by the receiver", same, d[1].self.Key, ctxInit},
		{"signed by the account", same, d[0].account, ctxInit},
		{"signed for another purpose", same, d[0].self.Key, "CQ1 log"},
		{"a certificate of another account", func(c *InitConfig, _ *[]byte) { c.Account = d[2].account.Public() }, d[0].self.Key, ctxInit},
		{"somebody else's certificate", func(c *InitConfig, _ *[]byte) {
			c.Account, c.Self = d[2].account.Public(), &identity.Device{Certificate: d[2].self.Certificate}
		}, d[0].self.Key, ctxInit},
		{"a damaged certificate", func(c *InitConfig, _ *[]byte) {
			raw := bytes.Clone(c.Self.Certificate.Raw)
			raw[len(raw)-1] ^= 1
			c.Self = &identity.Device{Certificate: &identity.Certificate{Raw: raw}}
		}, d[0].self.Key, ctxInit},
		{"a key nobody can encapsulate to", func(_ *InitConfig, rpk *[]byte) {
			*rpk = bytes.Repeat([]byte{0xff}, hybrid.PublicKeySize)
		}, d[0].self.Key, ctxInit},
		{"the receiver itself", func(c *InitConfig, _ *[]byte) { c.Account, c.Self = d[1].account.Public(), d[1].self }, d[1].self.Key, ctxInit},
	} {
		if a, err := Accept(d[1].acceptConfig(), forge(t, row.change, row.signer, row.context)); !errors.Is(err, ErrAuth) || a != nil {
			t.Errorf("%s: %v, want ErrAuth", row.name, err)
		}
	}
	stranger := forge(t, func(c *InitConfig, _ *[]byte) { c.Account, c.Self = other.account.Public(), other.self }, other.self.Key, ctxInit)
	if a, err := Accept(d[1].acceptConfig(), stranger); err != nil || a.Certificate.ID() != other.self.Certificate.ID() {
		t.Errorf("a stranger's own INIT: %v", err)
	}
}

func TestAcceptSaysNewerOrMalformed(t *testing.T) {
	d := devices()
	_, init, _ := Initiate(d[0].initConfig(d[1], nil))
	newer, flagged := bytes.Clone(init), bytes.Clone(init)
	newer[5] = 2
	flagged[6] = 1
	if _, err := Accept(d[1].acceptConfig(), newer); !errors.Is(err, identity.ErrSuite) {
		t.Errorf("another suite: %v", err)
	}
	long := forge(t, func(c *InitConfig, _ *[]byte) { c.Records = make([]byte, MaxInitRecords+1) }, d[0].self.Key, ctxInit)
	if _, err := Accept(d[1].acceptConfig(), long); !errors.Is(err, identity.ErrMalformed) {
		t.Errorf("a byte too long: %v", err)
	}
	if _, err := Accept(d[1].acceptConfig(), flagged); !errors.Is(err, identity.ErrMalformed) {
		t.Errorf("an unknown flag: %v", err)
	}
}

func TestSessionNeedsItsPrekeyUntilThePeerMovedOn(t *testing.T) {
	d := devices()
	i, r := begin(t)
	if _, byRef := i.Prekey(); byRef {
		t.Error("the initiator refers to a prekey")
	}
	if digest, byRef := r.Prekey(); !byRef || digest != d[1].bundle.Digest() {
		t.Error("the responder does not refer to its prekey")
	}
	first := seal(t, &i, "first")
	for name, f := range map[string]func([32]byte) ([]byte, bool){
		"no store": nil,
		"expired":  func([32]byte) ([]byte, bool) { return nil, false },
	} {
		if _, err := r.Open(first, f); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v, want ErrKey", name, err)
		}
	}
	open(t, &r, first, "first")
	open(t, &i, seal(t, &r, "second"), "second")
	open(t, &r, seal(t, &i, "third"), "third") // to the key that "second" announced
	if _, byRef := r.Prekey(); byRef {
		t.Error("the responder still refers to its prekey")
	}
	if _, err := r.Open(seal(t, &i, "fourth"), nil); err != nil {
		t.Errorf("without the prekey: %v", err)
	}
}
