package composite

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

var (
	errPoint     = errors.New("the Ed25519 key is no point of the curve")
	errCanonical = errors.New("the Ed25519 key is not in canonical form")
	errOrder     = errors.New("the Ed25519 key has a small order")
)

// field is what checkPoint computes with: p = 2^255 - 19 and the curve's d.
type field struct{ p, d *big.Int }

// newField makes the constants of edwards25519, RFC 8032 section 5.1.
func newField() field {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	p.Sub(p, big.NewInt(19))
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665))
	return field{p: p, d: d.Mod(d, p)}
}

// CheckEd25519 says whether pk, 32 bytes, may be the Ed25519 half of a composite key: the canonical form of a curve point
// that is not of small order. It is for Ed25519 keys that stand alone, such as a host's: crypto/ed25519 takes keys of small
// order, under which anybody makes signatures of anything.
func CheckEd25519(pk []byte) error {
	if err := checkPoint(pk); err != nil {
		return fmt.Errorf("composite: %w", err)
	}
	return nil
}

// checkPoint judges the 32 bytes of an Ed25519 public key as RFC 8032 section 5.1.3 does, which crypto/ed25519 does not
// do in full: it takes y >= p, and points of small order. Nothing here is secret, so variable time is no harm.
func checkPoint(b []byte) error {
	if len(b) != ed25519.PublicKeySize {
		return errPoint
	}
	f := newField()
	le := slices.Clone(b)
	slices.Reverse(le)
	le[0] &= 0x7f // the sign of x
	y := new(big.Int).SetBytes(le)
	if y.Cmp(f.p) >= 0 {
		return errCanonical
	}
	return f.check(y)
}

// check judges the point with coordinate y: x^2 = (y^2 - 1) / (d y^2 + 1) must have a root, and 8 P must not be zero.
func (f field) check(y *big.Int) error {
	one := big.NewInt(1)
	yy := f.mul(y, y)
	u := new(big.Int).Sub(yy, one)
	v := f.mul(f.d, yy)
	v.Add(v, one)
	if big.Jacobi(f.mul(u, v), f.p) < 0 { // u / v and u v are squares together; v is never zero
		return errPoint
	}
	if f.smallOrder(yy, u, v) {
		return errOrder
	}
	return nil
}

// smallOrder says whether the order divides 8. Order 1 and 2: x = 0; order 4: y = 0; order 8: doubling gives y = 0,
// and there y' = (y^2 + x^2) / (1 - d x^2 y^2), so x^2 = -y^2, that is u = -y^2 v.
func (f field) smallOrder(yy, u, v *big.Int) bool {
	sum := f.mul(yy, v)
	sum.Add(sum, u)
	return new(big.Int).Mod(u, f.p).Sign() == 0 || yy.Sign() == 0 || sum.Mod(sum, f.p).Sign() == 0
}

func (f field) mul(a, b *big.Int) *big.Int {
	r := new(big.Int).Mul(a, b)
	return r.Mod(r, f.p)
}
