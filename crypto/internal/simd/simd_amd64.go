package simd

// avx says whether the processor and the operating system support AVX: without it VZEROUPPER is an invalid instruction.
var avx = hasAVX()

// xinuse says whether XGETBV with ECX = 1 exists: CPUID(0DH, 1).EAX[2].
var xinuse = avx && hasXINUSE()

// Clear puts the upper halves of the vector registers back into their initial state (VZEROUPPER).
func Clear() {
	if avx {
		vzeroupper()
	}
}

// Upper reads bit 2 of XINUSE: whether this OS thread's upper halves are in use. It is meant for tests, which must lock
// their goroutine to its thread.
func Upper() State {
	if !xinuse {
		return Unknown
	}
	if xgetbv1()&(1<<2) != 0 {
		return Dirty
	}
	return Clean
}

func hasAVX() bool {
	const osxsave, avxBit = 1 << 27, 1 << 28
	maxLeaf, _, _, _ := cpuid(0, 0)
	if maxLeaf < 1 {
		return false
	}
	_, _, c, _ := cpuid(1, 0)
	if c&osxsave == 0 || c&avxBit == 0 {
		return false
	}
	return xgetbv0()&6 == 6 // the system saves XMM and YMM
}

func hasXINUSE() bool {
	maxLeaf, _, _, _ := cpuid(0, 0)
	if maxLeaf < 0x0d {
		return false
	}
	a, _, _, _ := cpuid(0x0d, 1)
	return a&(1<<2) != 0
}

//go:noescape
func vzeroupper()

//go:noescape
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

//go:noescape
func xgetbv0() uint32

//go:noescape
func xgetbv1() uint32

// dirty puts a one into the upper half of Y0. Only the package's own test calls it.
//
//go:noescape
func dirty()
