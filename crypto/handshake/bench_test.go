//go:build unix

package handshake

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used of all processors, garbage collection included: on a busy machine the clock says little.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatalf("Getrusage: %v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs f and reports CPU time beside the clock's.
func measure(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	start := cpuTime(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(cpuTime(b)-start)/float64(b.N), "cpu-ns/op")
}

// BenchmarkHandshake is the time of both sides together: with the other's certificate known from before, and for the first time.
func BenchmarkHandshake(b *testing.B) {
	ci, cr := alice().config(bob()), bob().config(alice())
	b.Run("first", func(b *testing.B) { measure(b, func() { run(b, ci, cr) }) })
	ci.Known, cr.Known = knows(bob()), knows(alice())
	b.Run("known", func(b *testing.B) { measure(b, func() { run(b, ci, cr) }) })
}

// BenchmarkResponder is what a stranger can make us compute: the answer to M1.
func BenchmarkResponder(b *testing.B) {
	_, m1 := initiate(b, alice().config(bob()))
	c := bob().config(alice())
	measure(b, func() { next(b, respond(b, c), m1) })
}

// BenchmarkCheckFilter is what everybody can make us compute.
func BenchmarkCheckFilter(b *testing.B) {
	_, m1 := initiate(b, alice().config(bob()))
	c := bob().config(alice())
	measure(b, func() {
		if !CheckFilter(m1, c) {
			b.Fatal("refused")
		}
	})
}
