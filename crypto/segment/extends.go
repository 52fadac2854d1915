package segment

import "fmt"

// Extension proves that a header continues an earlier one: at most 79 hashes. Empty between a header and itself.
type Extension struct {
	Inclusion   [][32]byte // of the earlier header under the later one's past root
	Consistency [][32]byte // of the earlier past root with the later one; empty when the earlier header is the first
}

// ProveExtension proves that header n of the source's log continues header h, by their numbers.
func ProveExtension(h, n uint64, s Source) (Extension, error) {
	if h == n {
		return Extension{}, nil
	}
	inclusion, err := ProveInclusion(n, h, s)
	if err != nil {
		return Extension{}, err
	}
	consistency, err := ProveConsistency(n, h, s)
	if err != nil {
		return Extension{}, err
	}
	return Extension{inclusion, consistency}, nil
}

// Extends says whether raw header n continues raw header h, by its past root: n is h; or n's number is higher, h stands at its
// place under n's past root, and n's past begins with all of h's past. Signatures are the caller's. That it does not hold is no
// proof of forking: see Fork.
func Extends(h, n []byte, p Extension) error {
	earlier, err := ParseHeader(h)
	if err != nil {
		return err
	}
	later, err := ParseHeader(n)
	if err != nil {
		return err
	}
	if earlier.Log != later.Log {
		return fmt.Errorf("headers of two logs: %w", ErrProof)
	}
	if string(h) == string(n) && len(p.Inclusion) == 0 && len(p.Consistency) == 0 {
		return nil
	}
	if earlier.K >= later.K {
		return fmt.Errorf("header %d does not come after %d: %w", later.K, earlier.K, ErrProof)
	}
	if err := CheckInclusion(p.Inclusion, later.K, later.PastRoot, earlier.K, LeafHash(h)); err != nil {
		return fmt.Errorf("header %d under %d: %w", earlier.K, later.K, err)
	}
	if err := CheckConsistency(p.Consistency, later.K, later.PastRoot, earlier.K, earlier.PastRoot); err != nil {
		return fmt.Errorf("past of header %d under %d: %w", earlier.K, later.K, err)
	}
	return nil
}
