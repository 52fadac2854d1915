package simd

import (
	"runtime"
	"testing"
)

// dirtied says whether f leaves the upper halves in use. An asynchronous preemption in between clears them, so it tries
// more than once.
func dirtied(f func()) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 100 {
		f()
		if Upper() == Dirty {
			return true
		}
	}
	return false
}

func TestClearEmptiesTheUpperHalves(t *testing.T) {
	if Upper() == Unknown {
		t.Skip("CPUID(0DH, 1).EAX[2] is missing: this processor does not tell")
	}
	if !dirtied(dirty) {
		t.Fatal("Upper() never saw what dirty left: the test would not find a missing Clear")
	}
	if dirtied(func() { dirty(); Clear() }) {
		t.Error("Upper() = Dirty after Clear")
	}
}

func TestCPUIDKnowsItsLeaves(t *testing.T) {
	if most, _, _, _ := cpuid(0, 0); most == 0 {
		t.Error("cpuid(0) has no leaves")
	}
	if xinuse && !avx {
		t.Error("XINUSE is read without AVX")
	}
}

func BenchmarkClear(b *testing.B) {
	for b.Loop() {
		Clear()
	}
}
