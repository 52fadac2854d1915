package segment

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxProof is the longest inclusion proof (39 hashes below MaxK) and consistency proof (40).
const MaxProof = 40

// ErrProof says that a proof does not show what it should.
var ErrProof = errors.New("invalid Merkle proof")

// ErrBelowBase says that a proof would need headers from before the base, which whoever joined later does not hold.
var ErrBelowBase = errors.New("headers before the base are not held")

// Source gives the hashes of one log's tree of headers to the functions that prove.
type Source struct {
	// Leaf returns LeafHash of header i.
	Leaf func(i uint64) ([32]byte, error)
	// Block returns the root over headers 256n to 256n+255 as Tree.Block told it, or false: then the leaves are read. May be nil.
	Block func(n uint64) ([32]byte, bool)
	// Base is the edge at the place where the holder came in; leaves before it are not asked for. May be nil.
	Base *Tree
}

// node is the root of the perfect subtree of leaves n<<level to (n+1)<<level.
func (s *Source) node(level int, n uint64) ([32]byte, error) {
	if n<<level < s.Base.Size() {
		if h, ok := s.Base.node(level, n); ok {
			return h, nil
		}
		if (n+1)<<level <= s.Base.Size() {
			return [32]byte{}, ErrBelowBase
		}
	} else if level == 0 {
		return s.Leaf(n)
	}
	if level == blockLevel && s.Block != nil {
		if h, ok := s.Block(n); ok {
			return h, nil
		}
	}
	left, err := s.node(level-1, 2*n)
	if err != nil {
		return [32]byte{}, err
	}
	right, err := s.node(level-1, 2*n+1)
	if err != nil {
		return [32]byte{}, err
	}
	return nodeHash(left, right), nil
}

// ReadHashes makes Source a tlog.HashReader.
func (s *Source) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		h, err := s.node(level, uint64(n))
		if err != nil {
			return nil, fmt.Errorf("reading node %d of level %d: %w", n, level, err)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// Root is the root over the first size headers, zeros at 0.
func (s *Source) Root(size uint64) ([32]byte, error) {
	if size == 0 {
		return [32]byte{}, nil
	}
	if size > MaxK {
		return [32]byte{}, ErrProof
	}
	h, err := tlog.TreeHash(int64(size), s)
	return h, err
}

// ProveInclusion proves that header k stands under the root over the first size headers: at most 39 hashes.
func ProveInclusion(size, k uint64, s Source) ([][32]byte, error) {
	if k >= size || size > MaxK {
		return nil, fmt.Errorf("proving header %d of %d: %w", k, size, ErrProof)
	}
	p, err := tlog.ProveRecord(int64(size), int64(k), &s)
	return hashes(p), err
}

// CheckInclusion says whether proof shows leaf at index k under root over size headers. Nothing stands in an empty tree.
func CheckInclusion(proof [][32]byte, size uint64, root [32]byte, k uint64, leaf [32]byte) error {
	if k >= size || size > MaxK || len(proof) > MaxProof {
		return ErrProof
	}
	if tlog.CheckRecord(tlogHashes(proof), int64(size), root, int64(k), leaf) != nil {
		return ErrProof
	}
	return nil
}

// ProveConsistency proves that the first old headers under the root over size are all that the root over old has: at most 40
// hashes, none when old is 0 or size.
func ProveConsistency(size, old uint64, s Source) ([][32]byte, error) {
	if old > size || size > MaxK {
		return nil, fmt.Errorf("proving that %d headers begin with %d: %w", size, old, ErrProof)
	}
	if old == 0 {
		return nil, nil // tlog refuses the empty tree
	}
	p, err := tlog.ProveTree(int64(size), int64(old), &s)
	return hashes(p), err
}

// CheckConsistency says whether proof shows that root over size headers continues oldRoot over old headers. An empty tree has
// the root zeros and is continued by every tree, without proof.
func CheckConsistency(proof [][32]byte, size uint64, root [32]byte, old uint64, oldRoot [32]byte) error {
	if old > size || size > MaxK || len(proof) > MaxProof {
		return ErrProof
	}
	if old == 0 {
		if len(proof) != 0 || oldRoot != [32]byte{} || size == 0 && root != [32]byte{} {
			return ErrProof
		}
		return nil
	}
	if tlog.CheckTree(tlogHashes(proof), int64(size), root, int64(old), oldRoot) != nil {
		return ErrProof
	}
	return nil
}

func hashes[P ~[]tlog.Hash](p P) [][32]byte {
	out := make([][32]byte, len(p))
	for i, h := range p {
		out[i] = h
	}
	return out
}

func tlogHashes(p [][32]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(p))
	for i, h := range p {
		out[i] = h
	}
	return out
}
