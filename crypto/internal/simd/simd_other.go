//go:build !amd64

package simd

// Clear does nothing: only amd64 has the trap.
func Clear() {}

// Upper is Unknown: only amd64 has the trap.
func Upper() State { return Unknown }
