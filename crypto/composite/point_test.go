package composite

import (
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestSmallOrderAndNonCanonicalPointsAreRefused(t *testing.T) {
	zeros, ones := strings.Repeat("00", 30), strings.Repeat("ff", 30)
	const eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
	const otherEight = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
	raw := testKey(t, 1).Public().Bytes()
	for _, row := range []struct {
		name, point string
		want        error
	}{
		{"order 1", "01" + zeros + "00", errOrder},
		{"order 1, sign set", "01" + zeros + "80", errOrder},
		{"order 2", "ec" + ones + "7f", errOrder},
		{"order 2, sign set", "ec" + ones + "ff", errOrder},
		{"order 4", "00" + zeros + "00", errOrder},
		{"order 4, sign set", "00" + zeros + "80", errOrder},
		{"order 8", eight + "05", errOrder},
		{"order 8, sign set", eight + "85", errOrder},
		{"other order 8", otherEight + "7a", errOrder},
		{"other order 8, sign set", otherEight + "fa", errOrder},
		{"y = p", "ed" + ones + "7f", errCanonical},
		{"y = p + 1", "ee" + ones + "7f", errCanonical},
		{"y = p + 1, sign set", "ee" + ones + "ff", errCanonical},
		{"y = 2^255 - 1", "ff" + ones + "7f", errCanonical},
		{"y = 2, on the twist", "02" + zeros + "00", errPoint},
	} {
		point, err := hex.DecodeString(row.point)
		if err != nil {
			t.Fatal(err)
		}
		copy(raw[PublicKeySize-32:], point)
		if _, err := ParsePublicKey(raw); !errors.Is(err, row.want) {
			t.Errorf("%s: ParsePublicKey: %v, want %v", row.name, err, row.want)
		}
	}
}

// TestPointsAgreeWithSquareRoots computes x itself: a point is one exactly if x^2 has a root.
func TestPointsAgreeWithSquareRoots(t *testing.T) {
	r, f, points := rand.New(rand.NewPCG(3, 4)), newField(), 0
	for range 500 {
		b := randomBytes(r, 32)
		le := slices.Clone(b)
		slices.Reverse(le)
		le[0] &= 0x7f
		y := new(big.Int).SetBytes(le)
		u := new(big.Int).Sub(f.mul(y, y), big.NewInt(1))
		v := new(big.Int).Add(f.mul(f.d, f.mul(y, y)), big.NewInt(1))
		xx := f.mul(u, v.ModInverse(v, f.p))
		x := new(big.Int).ModSqrt(xx, f.p)
		if got := checkPoint(b) == nil; got != (x != nil) {
			t.Errorf("checkPoint(%x) = %v, but the root is %v", b, got, x)
		}
		if x != nil {
			points++
		}
	}
	if points < 150 || points > 350 {
		t.Errorf("%d of 500 are points, expected about half", points)
	}
}

func TestEveryHonestKeyIsAPoint(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		k, err := NewPrivateKey(randomBytes(r, SeedSize))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePublicKey(k.Public().Bytes()); err != nil {
			t.Errorf("seed %x: %v", k.Seed(), err)
		}
	}
}

func TestEd25519KeysThatStandAloneAreJudgedTheSame(t *testing.T) {
	pk := testKey(t, 1).Public().Bytes()[PublicKeySize-32:]
	if err := CheckEd25519(pk); err != nil {
		t.Errorf("CheckEd25519(a key) = %v", err)
	}
	for _, row := range []struct {
		name string
		pk   []byte
		want error
	}{{"nothing", nil, errPoint}, {"31 bytes", pk[1:], errPoint}, {"order 4", make([]byte, 32), errOrder}} {
		if err := CheckEd25519(row.pk); !errors.Is(err, row.want) {
			t.Errorf("CheckEd25519(%s) = %v, want %v", row.name, err, row.want)
		}
	}
}
