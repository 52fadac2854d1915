package setup

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/tyler-smith/go-bip39"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// suggested is how many words a suggestion has: 55 bits, each guess of which costs a second of this machine.
const suggested = 5

// wordBits is what a word of the list is worth: there are 2048.
const wordBits = 11

// Suggest is a new password: five words of the BIP-39 list, drawn evenly.
func Suggest() string {
	list := bip39.GetWordList()
	words := make([]string, suggested)
	for i := range words {
		var b [2]byte
		_, _ = rand.Read(b[:]) // never fails: Go ends the program instead
		words[i] = list[int(binary.BigEndian.Uint16(b[:]))%len(list)]
	}
	return strings.Join(words, " ")
}

// Strength is what a password is worth against somebody who has the file and guesses.
type Strength struct {
	Short bool    // of fewer characters than the vault takes
	Bits  float64 // a cautious estimate: words, repetitions and sequences count little
}

// Bits at which a password is called so. A guess costs a second: 2^28 are eight years of one machine.
const (
	fairBits   = 28
	goodBits   = 40
	strongBits = 52
)

// Level is how many bars of four it fills.
func (s Strength) Level() int {
	switch {
	case s.Bits == 0:
		return 0
	case s.Short || s.Bits < fairBits:
		return 1
	case s.Bits < goodBits:
		return 2
	case s.Bits < strongBits:
		return 3
	}
	return 4
}

// word says the level.
func (s Strength) word() text.Key {
	if s.Short {
		return text.MeterShort
	}
	return [...]text.Key{text.MeterShort, text.MeterWeak, text.MeterFair, text.MeterGood, text.MeterStrong}[s.Level()]
}

// tone is the colour of the level.
func (s Strength) tone() kit.Tone {
	return [...]kit.Tone{kit.ToneNeutral, kit.ToneBad, kit.ToneWarn, kit.ToneAccent, kit.ToneGood}[s.Level()]
}

// Weigh estimates a password.
func Weigh(password string) Strength {
	s := Strength{Short: len([]rune(password)) < app.MinPassword}
	seen := map[string]bool{}
	for _, part := range strings.FieldsFunc(password, func(r rune) bool { return !unicode.IsLetter(r) }) {
		part = strings.ToLower(part)
		switch known := slices.Contains(bip39.GetWordList(), part); {
		case seen[part] || common(part):
			s.Bits += 2
		case known:
			s.Bits += wordBits
		default:
			s.Bits += min(letterBits(part), wordBits+2) // it is a word of some language, most often
		}
		seen[part] = true
	}
	return Strength{Short: s.Short, Bits: s.Bits + signBits(password)}
}

// common reports whether a word is among the first that everybody tries.
func common(word string) bool {
	return slices.Contains([]string{"password", "passwort", "passphrase", "secret", "qwerty", "qwertz", "qwertyuiop", "asdf", "asdfgh", "letmein", "welcome", "admin", "iloveyou", "cryptexq", "abc", "abcdef"}, word)
}

// letterBits is what a run of letters is worth that is in no list: those that repeat or follow the one before are worth little.
func letterBits(word string) float64 {
	bits, last := 0.0, rune(-1)
	for _, r := range word {
		bits += fresh(last, r, 4)
		last = r
	}
	return bits
}

// signBits is what digits and signs are worth. Spaces and hyphens between words are worth nothing: everybody writes them.
func signBits(password string) float64 {
	bits, last := 0.0, rune(-1)
	for _, r := range password {
		switch {
		case unicode.IsLetter(r) || r == ' ' || r == '-':
		case unicode.IsDigit(r):
			bits += fresh(last, r, math.Log2(10))
		default:
			bits += fresh(last, r, 5)
		}
		last = r
	}
	return bits
}

// fresh is what r adds behind the character before it.
func fresh(before, r rune, bits float64) float64 {
	if d := r - before; before >= 0 && d >= -1 && d <= 1 {
		return 0.5
	}
	return bits
}
