package identity

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

// wordCount is what 32 bytes and their checksum of 8 bits need at 11 bits a word (BIP-39).
const wordCount = 24

// Seed is the master seed of an account. Whoever has it is that account. It prints as [secret].
type Seed [32]byte

// NewSeed makes a seed from crypto/rand.
func NewSeed() (Seed, error) {
	var s Seed
	if _, err := rand.Read(s[:]); err != nil {
		return Seed{}, fmt.Errorf("making a master seed: %w", err)
	}
	return s, nil
}

// ParseWords reads the 24 English words of Words. Case and white space do not matter. Errors name the place of a word,
// never the word.
func ParseWords(words string) (Seed, error) {
	list := strings.Fields(strings.ToLower(words))
	if len(list) != wordCount {
		return Seed{}, fmt.Errorf("reading recovery words: these are %d words, it takes %d", len(list), wordCount)
	}
	for i, w := range list {
		if _, ok := bip39.GetWordIndex(w); !ok {
			return Seed{}, fmt.Errorf("reading recovery words: word %d is not on the list; look for a slip of the pen", i+1)
		}
	}
	entropy, err := bip39.EntropyFromMnemonic(strings.Join(list, " "))
	if err != nil || len(entropy) != len(Seed{}) {
		return Seed{}, fmt.Errorf("reading recovery words: they do not fit together; one is wrong or two are swapped")
	}
	return Seed(entropy), nil
}

// Words is the seed as 24 BIP-39 English words, the last of which holds a checksum.
func (s Seed) Words() string {
	words, err := bip39.NewMnemonic(s[:])
	if err != nil {
		panic("identity: BIP-39: " + err.Error()) // 32 bytes are always allowed
	}
	return words
}

// AccountKey is the key that signs certificates and device lists.
func (s Seed) AccountKey() (*composite.PrivateKey, error) {
	ml := expand(s[:], "CQ1 account ml-dsa-65", 32)
	ed := expand(s[:], "CQ1 account ed25519", 32)
	return composite.NewPrivateKey(append(ml, ed...))
}

// VaultKey is the 32 bytes that open the vault's recovery slot.
func (s Seed) VaultKey() []byte { return expand(s[:], "CQ1 vault slot", 32) }

// BackupKey is the 32 bytes from which the recipient of backups comes.
func (s Seed) BackupKey() []byte { return expand(s[:], "CQ1 backup recipient", 32) }

// Format prints [secret] for every verb, so that no log and no message shows a seed.
func (Seed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// MarshalText is [secret]: it keeps seeds out of JSON and out of structured logs.
func (Seed) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
