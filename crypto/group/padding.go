package group

import "math/bits"

// paddedSize is the length to which n bytes of records are padded: multiples of 64 up to 1 KiB, from there Padmé
// (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019), which
// keeps a length's leading bits and so costs at most 12 %. No bytes at all take one bucket.
func paddedSize(n int) int {
	if n <= 64 {
		return 64
	}
	step := 64
	if n > 1024 {
		exponent := bits.Len(uint(n)) - 1
		kept := bits.Len(uint(exponent))
		step = 1 << (exponent - kept)
	}
	return (n + step - 1) &^ (step - 1)
}
