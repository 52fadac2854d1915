package identity

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

func FuzzParseAccountID(f *testing.F) {
	id := AccountID{1, 2, 3}
	f.Add(id.String())
	f.Add(strings.ToUpper(id.String()))
	f.Add("cq1lqfn3a")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseAccountID(s)
		if err == nil && id.String() != strings.ToLower(s) {
			t.Errorf("ParseAccountID(%q).String() = %q", s, id)
		}
	})
}

func FuzzParsePeerID(f *testing.F) {
	f.Add(peerID(1).String())
	f.Add("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeerID(s)
		if err == nil && p.String() != s {
			t.Errorf("ParsePeerID(%q).String() = %q", s, p)
		}
	})
}

func FuzzParseWords(f *testing.F) {
	for _, row := range bip39Rows {
		f.Add(row.words)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seed, err := ParseWords(s)
		if err == nil && seed.Words() != strings.Join(strings.Fields(strings.ToLower(s)), " ") {
			t.Errorf("ParseWords(%q) has the words %q", s, seed.Words())
		}
	})
}

func FuzzParseCertificate(f *testing.F) {
	raw := newPerson(f, 1).device.Certificate.Raw
	f.Add(raw)
	f.Add(raw[:certificateBody])
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Raw, b) || !bytes.Equal(c.body(), b[:certificateBody]) {
			t.Error("a parsed certificate marshals to other bytes")
		}
	})
}

func FuzzParseList(f *testing.F) {
	p := newPerson(f, 1)
	f.Add(p.list(f, 1).Raw)
	f.Add(p.list(f, 1<<40, items(3)...).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseList(b)
		if err != nil {
			return
		}
		if !bytes.Equal(l.Raw, b) || !bytes.Equal(l.body(), b[:len(b)-composite.SignatureSize]) {
			t.Error("a parsed list marshals to other bytes")
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	f.Add(newPerson(f, 1).bundle(f).Raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseBundle(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Raw, b) || !bytes.Equal(p.body(), b[:bundleBody]) {
			t.Error("a parsed bundle marshals to other bytes")
		}
	})
}

func FuzzParseListEvidence(f *testing.F) {
	p := newPerson(f, 1)
	e, err := NewListEvidence(p.account.Public(), p.list(f, 7, items(1)...), p.list(f, 7, items(2)...))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseListEvidence(b)
		if err == nil && !bytes.Equal(e.Marshal(), b) {
			t.Error("parsed evidence marshals to other bytes")
		}
	})
}

// FuzzParseInvitation works on the bytes behind base64, so that it gets anywhere.
func FuzzParseInvitation(f *testing.F) {
	f.Add(fullInvitation().compact().marshal())
	f.Add((&Invitation{Peer: peerID(1)}).compact().marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		link := linkOf(b)
		i, err := ParseInvitation(link)
		if err == nil && i.Link() != link {
			t.Errorf("ParseInvitation(%q).Link() = %q", link, i.Link())
		}
	})
}

func FuzzParseInvitationLink(f *testing.F) {
	f.Add(fullInvitation().Link())
	f.Add("cryptexq:")
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseInvitation(s)
		if err == nil && i.Link() != strings.Join(strings.Fields(s), "") {
			t.Errorf("ParseInvitation(%q).Link() = %q", s, i.Link())
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range plainAddresses {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseAddress(s)
		if err != nil {
			return
		}
		if again, err := parseAddress(a.String()); err != nil || again != a {
			t.Errorf("parseAddress(%q) prints %q, which is %v, %v", s, a, again, err)
		}
	})
}
