package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestBech32mTakesTheValidStringsOfBIP350(t *testing.T) {
	for _, s := range []string{
		"A1LQFN3A",
		"a1lqfn3a",
		"an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
		"abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
		"11" + strings.Repeat("l", 82) + "ludsr8",
		"split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
		"?1v759aa",
	} {
		prefix, _, err := splitBech32m(s)
		if err != nil || !strings.HasPrefix(strings.ToLower(s), prefix+"1") {
			t.Errorf("%s: prefix %q, %v", s, prefix, err)
		}
		at := strings.LastIndexByte(s, '1') + 1
		for n := at; n < len(s); n++ { // any one wrong character is found
			bad := s[:n] + string(other(s[n])) + s[n+1:]
			if _, _, err := splitBech32m(bad); err == nil {
				t.Errorf("%s passes instead of %s", bad, s)
			}
		}
	}
}

// other is another character of the alphabet, in the same case.
func other(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return "QP"[b2i(c == 'Q')]
	}
	return "qp"[b2i(c == 'q')]
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestBech32mRefusesTheInvalidStringsOfBIP350(t *testing.T) {
	for name, s := range map[string]string{
		"space in prefix":      "\x201xj0phk",
		"DEL in prefix":        "\x7f1g6xzxy",
		"0x80 in prefix":       "\x801vctc34",
		"too long":             "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
		"no separator":         "qyrz8wqd2c9m",
		"empty prefix":         "1qyrz8wqd2c9m",
		"foreign character":    "y1b0jsk6g",
		"foreign character 2":  "lt1igcx5c0",
		"checksum too short":   "in1muywd",
		"foreign in checksum":  "mm1crxm3i",
		"foreign in checksum2": "au1s5cgom",
		"upper-case checksum":  "M1VUXWEZ",
		"empty prefix 2":       "16plkw9",
		"empty prefix 3":       "1p2gdwpf",
		"bech32, not bech32m":  "A12UEL5L",
		"mixed case":           "A1lqfn3a",
		"empty":                "",
	} {
		if _, _, err := splitBech32m(s); err == nil {
			t.Errorf("%s: %q passes", name, s)
		}
	}
}

func TestBech32mRefusesPaddingThatIsNotZero(t *testing.T) {
	groups := toGroups([]byte{1, 2, 3}) // 24 bits in 5 groups: one bit of padding
	if _, ok := fromGroups(groups); !ok {
		t.Fatal("zero padding is refused")
	}
	groups[len(groups)-1] |= 1
	if _, ok := fromGroups(groups); ok {
		t.Error("padding that is not zero passes")
	}
	if _, ok := fromGroups(make([]byte, 6)); ok { // 30 bits: 3 bytes and 6 bits
		t.Error("padding of a whole group passes")
	}
}

func TestAccountIDIsTheHashOfItsKey(t *testing.T) {
	pk := newPerson(t, 1).account.Public()
	want := sha256.Sum256(append([]byte("CQ1 identity\x00\x00\x07\xc0"), pk.Bytes()...))
	if got := AccountOf(pk); got != want {
		t.Errorf("AccountOf = %x, want %x", got, want)
	}
}

func TestAccountIDComesBackFromItsText(t *testing.T) {
	id := AccountOf(newPerson(t, 1).account.Public())
	s := id.String()
	if len(s) != 61 || !strings.HasPrefix(s, "cq1") || id.Short() != s[:10] {
		t.Errorf("String = %s, Short = %s", s, id.Short())
	}
	for _, text := range []string{s, strings.ToUpper(s)} {
		if got, err := ParseAccountID(text); err != nil || got != id {
			t.Errorf("ParseAccountID(%s) = %v, %v", text, got, err)
		}
	}
	long, short := encodeBech32m("cq", make([]byte, 33)), encodeBech32m("cq", make([]byte, 31))
	kelvin := strings.Replace(strings.ToUpper(encodeBech32m("cq", bytes.Repeat([]byte{0xb5}, 32))), "K", "\u212a", 1)
	if !strings.Contains(kelvin, "\u212a") {
		t.Fatal("no K in the text")
	}
	for _, bad := range []string{kelvin, "", s[1:], s[:60], s + "q", " " + s, encodeBech32m("cr", id[:]), long, short, strings.ToUpper(s[:30]) + s[30:]} {
		if _, err := ParseAccountID(bad); err == nil {
			t.Errorf("ParseAccountID(%q) passes", bad)
		}
	}
}

func TestPeerIDsAreLibp2ps(t *testing.T) {
	b, err := os.ReadFile("testdata/peer.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Seed, ID, Bytes string }
	if err := json.Unmarshal(b, &rows); err != nil || len(rows) == 0 {
		t.Fatalf("peer.json: %d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		seed, err := hex.DecodeString(row.Seed)
		if err != nil {
			t.Fatal(err)
		}
		pk := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		p := PeerIDOf(pk)
		if p.String() != row.ID || hex.EncodeToString(p[:]) != row.Bytes {
			t.Errorf("PeerIDOf = %s %x, want %s %s", p, p[:], row.ID, row.Bytes)
		}
		if got, err := ParsePeerID(row.ID); err != nil || got != p {
			t.Errorf("ParsePeerID(%s) = %v, %v", row.ID, got, err)
		}
		if key, err := p.Key(); err != nil || !key.Equal(pk) {
			t.Errorf("Key = %x, %v", key, err)
		}
	}
}

func TestPeerIDsOfOtherKeysAreRefused(t *testing.T) {
	good := PeerIDOf(newPerson(t, 1).host.Public().(ed25519.PublicKey))
	bad := good
	bad[3] = 2 // secp256k1
	if _, err := bad.Key(); err == nil {
		t.Error("Key takes a secp256k1 PeerID")
	}
	if _, err := (PeerID{}).Key(); err == nil {
		t.Error("Key takes zeros")
	}
	s := good.String()
	for _, text := range []string{
		"", s[1:], s[:len(s)-1], s + "1", "1" + s, " " + s, strings.Repeat("z", 52), strings.Repeat("z", 500), "0" + s[1:],
		"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", bad.String(),
	} {
		if p, err := ParsePeerID(text); err == nil {
			t.Errorf("ParsePeerID(%q) = %x", text, p[:])
		}
	}
}

func TestShortNamesAreShortAndDiffer(t *testing.T) {
	a, b := newPerson(t, 1).device.Certificate, newPerson(t, 5).device.Certificate
	if len(a.Account.Short()) != 10 || len(a.ID().Short()) != 8 || len(a.Peer.Short()) != 8 || (PeerID{}).Short() == "" {
		t.Errorf("Short: %s %s %s", a.Account.Short(), a.ID().Short(), a.Peer.Short())
	}
	if a.Account.Short() == b.Account.Short() || a.ID().Short() == b.ID().Short() || a.Peer.Short() == b.Peer.Short() {
		t.Error("two people have one short name")
	}
	if id := a.ID(); id.String() != hex.EncodeToString(id[:]) {
		t.Errorf("DeviceID.String = %s", id)
	}
}
