package vault

// Params is the cost of stretching a password with Argon2id.
type Params struct {
	Memory uint32 // KiB
	Time   uint8  // passes
	Lanes  uint8
}

// Min is the least that is ever written or accepted: 64 MiB, 3 passes, 4 lanes.
var Min = Params{Memory: 64 << 10, Time: 3, Lanes: 4}

// Max is what calibration starts from: 256 MiB, 3 passes, 4 lanes.
var Max = Params{Memory: 256 << 10, Time: 3, Lanes: 4}

// Bounds of what is accepted from a header. They keep a forged header from making this machine work for hours; memory is
// bounded by OpenSlot's caller, who knows how much there is.
const (
	maxTime  = 16
	maxLanes = 8
)

// check returns ErrParams when p is out of bounds.
func (p Params) check() error {
	if p.Memory < Min.Memory || p.Time < Min.Time || p.Time > maxTime || p.Lanes < 1 || p.Lanes > maxLanes {
		return ErrParams
	}
	return nil
}

// AtLeast is p, with each figure of q that is higher.
func (p Params) AtLeast(q Params) Params {
	return Params{Memory: max(p.Memory, q.Memory), Time: max(p.Time, q.Time), Lanes: max(p.Lanes, q.Lanes)}
}

// step is by how much calibration lowers memory: 32 MiB.
const step = 32 << 10

// Calibrate returns the costliest parameters between Min and Max that stretch within budget seconds. measure says how
// long p takes on this machine. It is called for Min, whose time tells where to begin, since time grows with memory, and
// then for each candidate; Min is the answer on a machine on which even that is too slow.
func Calibrate(measure func(p Params) (seconds float64), budget float64) Params {
	least := measure(Min)
	p := Max
	for p.Memory > Min.Memory && least*float64(p.Memory)/float64(Min.Memory) > budget {
		p.Memory -= step
	}
	for p.Memory > Min.Memory && measure(p) > budget {
		p.Memory -= step
	}
	return p
}
