package ratchet

import "math/bits"

// paddedSize is the length to which a body of n bytes is padded, the same as for entries: multiples of 64 up to 1 KiB,
// from there Padmé (Nikitin et al., PETS 2019).
func paddedSize(n int) int {
	step := 64
	if n > 1024 {
		exponent := bits.Len(uint(n)) - 1
		step = 1 << (exponent - bits.Len(uint(exponent)))
	}
	return (n + step - 1) &^ (step - 1)
}
