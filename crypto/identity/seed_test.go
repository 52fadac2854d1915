package identity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// bip39 are the four patterns of BIP-39's vectors for 32 bytes.
var bip39Rows = []struct {
	fill  byte
	words string
}{
	{0x00, strings.Repeat("abandon ", 23) + "art"},
	{0x7f, strings.Repeat("legal winner thank year wave sausage worth useful ", 2) + "legal winner thank year wave sausage worth title"},
	{0x80, strings.Repeat("letter advice cage absurd amount doctor acoustic avoid ", 2) + "letter advice cage absurd amount doctor acoustic bless"},
	{0xff, strings.Repeat("zoo ", 23) + "vote"},
}

func TestWordsAreBIP39(t *testing.T) {
	for _, row := range bip39Rows {
		seed := Seed(bytes.Repeat([]byte{row.fill}, 32))
		if got := seed.Words(); got != row.words {
			t.Errorf("Words of %x = %s, want %s", row.fill, got, row.words)
		}
		messy := "  " + strings.ToUpper(row.words[:5]) + strings.ReplaceAll(row.words[5:], " ", " \n\t ") + "\n"
		for _, text := range []string{row.words, messy} {
			if got, err := ParseWords(text); err != nil || got != seed {
				t.Errorf("ParseWords(%q): %v", text, err)
			}
		}
	}
}

func TestWrongWordsAreRefusedWithTheirPlaceAndNeverRepeated(t *testing.T) {
	good := strings.Fields(bip39Rows[2].words)
	with := func(n int, w string) string {
		list := append([]string(nil), good...)
		list[n] = w
		return strings.Join(list, " ")
	}
	for _, row := range []struct{ name, words, want string }{
		{"nothing", "", "0 words"},
		{"23 words", strings.Join(good[:23], " "), "23 words"},
		{"25 words", strings.Join(good, " ") + " zoo", "25 words"},
		{"12 words", strings.Repeat("abandon ", 11) + "about", "12 words"},
		{"unknown word", with(16, "xyzzy"), "word 17 "},
		{"another word", with(3, "zoo"), "do not fit"},
		{"swapped", strings.Join(append([]string{good[1], good[0]}, good[2:]...), " "), "do not fit"},
	} {
		_, err := ParseWords(row.words)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q in it", row.name, err, row.want)
			continue
		}
		for _, w := range []string{"xyzzy", "letter", "zoo", "abandon"} {
			if strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error repeats a word: %v", row.name, err)
			}
		}
	}
}

func TestSeedsAreRandomAndComeBackFromTheirWords(t *testing.T) {
	a, err := NewSeed()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewSeed()
	if err != nil {
		t.Fatal(err)
	}
	if a == b || a == (Seed{}) {
		t.Error("two seeds are the same, or zero")
	}
	if got, err := ParseWords(a.Words()); err != nil || got != a {
		t.Errorf("the words give another seed: %v", err)
	}
}

func TestWhatComesFromASeedDiffers(t *testing.T) {
	s := newPerson(t, 1).seed
	key, err := s.AccountKey()
	if err != nil {
		t.Fatal(err)
	}
	secrets := [][]byte{s[:], key.Seed()[:32], key.Seed()[32:], s.VaultKey(), s.BackupKey()}
	for i, a := range secrets {
		for _, b := range secrets[:i] {
			if len(a) != 32 || bytes.Equal(a, b) {
				t.Errorf("secret %d has %d bytes or is another one", i, len(a))
			}
		}
	}
	if want := expand(s[:], "CQ1 account ml-dsa-65", 32); !bytes.Equal(key.Seed()[:composite.SeedSize/2], want) {
		t.Error("the ML-DSA half is not the first of the account key's seed")
	}
}

func TestSecretsNeverPrint(t *testing.T) {
	p := newPerson(t, 0x41)
	m := Mailbox{WriteKey: [32]byte{0x41, 0x41, 0x41}}
	i := Invitation{Token: [16]byte{0x41, 0x41, 0x41}, Mailbox: &m}
	for _, secret := range []any{p.seed, &p.seed, m, &m, i, &i} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			if got := fmt.Sprintf(verb, secret); got != "[secret]" {
				t.Errorf("%T by %s: %q", secret, verb, got)
			}
		}
		if j, err := json.Marshal(secret); err != nil || string(j) != `"[secret]"` {
			t.Errorf("%T as JSON: %s, %v", secret, j, err)
		}
	}
	for _, holder := range []any{p.device, *p.device} {
		if got := fmt.Sprintf("%+v", holder); !strings.Contains(got, "Key:[secret]") {
			t.Errorf("a device prints %.200s", got)
		}
	}
}
