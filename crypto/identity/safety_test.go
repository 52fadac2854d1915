package identity

import (
	"crypto/sha512"
	"fmt"
	"math/big"
	"regexp"
	"testing"
)

func TestBothSidesSeeTheSameSafetyNumber(t *testing.T) {
	a, b, c := newPerson(t, 1).account.Public(), newPerson(t, 5).account.Public(), newPerson(t, 9).account.Public()
	ab := SafetyNumber(a, b)
	if ab != SafetyNumber(b, a) {
		t.Error("the sides see different numbers")
	}
	if ab == SafetyNumber(a, c) || SafetyHalf(a) == SafetyHalf(b) {
		t.Error("another key gives the same number")
	}
	if !regexp.MustCompile(`^(\d{5} ){11}\d{5}$`).MatchString(ab) {
		t.Errorf("SafetyNumber = %q, want 12 groups of 5 digits", ab)
	}
	x, y := SafetyHalf(a), SafetyHalf(b)
	if want := min(x, y) + " " + max(x, y); ab != want {
		t.Errorf("SafetyNumber = %s, want %s", ab, want)
	}
}

// TestASafetyHalfIsWhatItsTextSays computes it another way: with big numbers and no reuse of buffers.
func TestASafetyHalfIsWhatItsTextSays(t *testing.T) {
	pk := newPerson(t, 1).account.Public()
	id := AccountOf(pk)
	h := id[:]
	for i := 0; i < 5200; i++ {
		sum := sha512.Sum512([]byte(string(h) + string(pk.Bytes())))
		h = sum[:]
	}
	want := ""
	for i := 0; i < 30; i += 5 {
		n := new(big.Int).SetBytes(h[i : i+5])
		want += fmt.Sprintf(" %05d", n.Mod(n, big.NewInt(100000)))
	}
	if got := SafetyHalf(pk); got != want[1:] {
		t.Errorf("SafetyHalf = %s, want %s", got, want[1:])
	}
}
