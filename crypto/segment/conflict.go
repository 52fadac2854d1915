package segment

import "github.com/cryptexq/cryptexq/crypto/composite"

// Branch is a signed header and the tree of headers that its author claims by it.
type Branch struct {
	Header    []byte // raw
	Signature []byte
	Source    Source // over headers 0 to K-1 of this branch
}

// Conflict looks for the lowest index at which two signed headers of one log contradict each other and proves it. It returns
// ErrNoConflict if one continues the other, or they are the same. Both sources must be those of the headers.
func Conflict(room [32]byte, key *composite.PublicKey, a, b Branch) (*Fork, error) {
	ha, err := ParseHeader(a.Header)
	if err != nil {
		return nil, err
	}
	hb, err := ParseHeader(b.Header)
	if err != nil {
		return nil, err
	}
	a.Source, b.Source = withSelf(a, ha.K), withSelf(b, hb.K)
	index, differ, err := diverge(min(ha.K, hb.K)+1, &a.Source, &b.Source)
	if err != nil {
		return nil, err
	}
	if !differ {
		return nil, ErrNoConflict
	}
	sa, err := openSide(a, ha.K, index)
	if err != nil {
		return nil, err
	}
	sb, err := openSide(b, hb.K, index)
	if err != nil {
		return nil, err
	}
	return NewFork(room, key, index, sa, sb)
}

// withSelf lets a source answer for the branch's own header too, which stands at the end of its tree.
func withSelf(b Branch, k uint64) Source {
	leaf, block := b.Source.Leaf, b.Source.Block
	s := Source{Base: b.Source.Base, Leaf: func(i uint64) ([32]byte, error) {
		if i == k {
			return LeafHash(b.Header), nil
		}
		return leaf(i)
	}}
	if block != nil {
		s.Block = func(n uint64) ([32]byte, bool) {
			if n >= k/BlockSize { // the block that holds k may be told by a longer branch
				return [32]byte{}, false
			}
			return block(n)
		}
	}
	return s
}

func openSide(b Branch, k, index uint64) (Side, error) {
	s := Side{Header: b.Header, Signature: b.Signature}
	var err error
	if s.Leaf, err = b.Source.Leaf(index); err != nil || index == k {
		return s, err
	}
	s.Path, err = ProveInclusion(k, index, b.Source)
	return s, err
}

// diverge finds the lowest leaf at which two trees differ within the first size, by descending perfect subtrees.
func diverge(size uint64, a, b *Source) (index uint64, differ bool, err error) {
	for at := uint64(0); at < size; {
		level := largest(at, size)
		found, differ, err := descend(level, at>>level, a, b)
		if err != nil || differ {
			return found, differ, err
		}
		at += 1 << level
	}
	return 0, false, nil
}

// largest is the level of the largest perfect subtree that begins at at and ends within size.
func largest(at, size uint64) int {
	level := 0
	for at&(1<<(level+1)-1) == 0 && at+1<<(level+1) <= size {
		level++
	}
	return level
}

func descend(level int, n uint64, a, b *Source) (index uint64, differ bool, err error) {
	ha, err := a.node(level, n)
	if err != nil {
		return 0, false, err
	}
	hb, err := b.node(level, n)
	if err != nil || ha == hb {
		return 0, false, err
	}
	if level == 0 {
		return n, true, nil
	}
	if index, differ, err = descend(level-1, 2*n, a, b); err != nil || differ {
		return index, differ, err
	}
	return descend(level-1, 2*n+1, a, b)
}
