// Package simd cleans up after assembly that leaves the upper halves of the AVX registers in use.
//
// circl's AVX2 code never executes VZEROUPPER. On some processors with SHA-NI every later SHA-256 on the same OS thread
// is then 70 to 80 times slower, because each legacy SSE instruction has to merge with a dirty upper half, and nothing
// that Go runs by itself ever clears it. So each exported function that may reach circl defers Clear.
//
// The runtime's own asynchronous preemption executes VZEROUPPER too. A goroutine that yields cooperatively in the midst
// of such a function, and wakes on another thread, leaves the first thread dirty until the next guarded call there.
package simd

// State is what the processor says about the upper halves of its vector registers.
type State uint8

// What Upper can answer.
const (
	Unknown State = iota // this processor or architecture cannot say
	Clean                // the upper halves are in their initial state
	Dirty                // something left them in use
)
