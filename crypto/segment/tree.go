package segment

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/mod/sumdb/tlog"
)

// BlockSize is how many headers lie under one stored subtree: a proof reads such blocks and at most 512 headers.
const BlockSize = 256

const blockLevel = 8 // 2^8 = BlockSize

// LeafHash is the RFC 6962 leaf: SHA-256(0x00 || raw), of an entry, a header or an item of deps.
func LeafHash(raw []byte) [32]byte { return tlog.RecordHash(raw) }

func nodeHash(left, right [32]byte) [32]byte { return tlog.NodeHash(left, right) }

// EntriesRoot is the RFC 6962 root over raw entries, zeros over none.
func EntriesRoot(raws [][]byte) [32]byte {
	leaves := make([][32]byte, len(raws))
	for i, r := range raws {
		leaves[i] = LeafHash(r)
	}
	return RootOfLeaves(leaves)
}

// RootOfLeaves is the RFC 6962 root over leaf hashes; zeros over none, where the RFC has the hash of nothing.
func RootOfLeaves(leaves [][32]byte) [32]byte {
	t := new(Tree)
	for _, l := range leaves {
		t.push(l)
	}
	return t.Root()
}

// Tree is the right edge of an RFC 6962 tree over headers: enough to append and to tell the root, at most 39 hashes. A nil
// or zero Tree is empty. Append returns a new one, so that a step that is not committed changes nothing.
type Tree struct {
	size uint64
	edge [][32]byte // roots of the perfect subtrees of size's binary form, the largest first
}

// Size is the number of headers in the tree.
func (t *Tree) Size() uint64 {
	if t == nil {
		return 0
	}
	return t.size
}

// Root is the past root of the header that comes next: zeros when the tree is empty.
func (t *Tree) Root() [32]byte {
	if t.Size() == 0 {
		return [32]byte{}
	}
	root := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		root = nodeHash(t.edge[i], root)
	}
	return root
}

// Append returns the tree with one more raw header. The receiver stays as it was.
func (t *Tree) Append(header []byte) *Tree { return t.AppendLeaf(LeafHash(header)) }

// AppendLeaf is Append for who has the leaf hash already.
func (t *Tree) AppendLeaf(leaf [32]byte) *Tree {
	next := &Tree{size: t.Size()}
	if t != nil {
		next.edge = append(make([][32]byte, 0, len(t.edge)+1), t.edge...)
	}
	next.push(leaf)
	return next
}

// push merges equal subtrees from the right, as carries run in size+1.
func (t *Tree) push(leaf [32]byte) {
	for range bits.TrailingZeros64(t.size + 1) {
		last := len(t.edge) - 1
		leaf = nodeHash(t.edge[last], leaf)
		t.edge = t.edge[:last]
	}
	t.edge = append(t.edge, leaf)
	t.size++
}

// Block tells the root of the block of 256 headers that this header completes when appended: what a store keeps for proofs.
// ok is false when it completes none.
func (t *Tree) Block(header []byte) (n uint64, root [32]byte, ok bool) {
	size := t.Size()
	if (size+1)%BlockSize != 0 {
		return 0, root, false
	}
	root = LeafHash(header)
	for i := range blockLevel {
		root = nodeHash(t.edge[len(t.edge)-1-i], root)
	}
	return size / BlockSize, root, true
}

// node looks a perfect subtree up in the edge: leaves n<<level up to (n+1)<<level.
func (t *Tree) node(level int, n uint64) ([32]byte, bool) {
	if level >= bits.Len64(t.Size()) || t.size>>level&1 == 0 || n != t.size>>level-1 {
		return [32]byte{}, false
	}
	return t.edge[len(t.edge)-1-bits.OnesCount64(t.size&(1<<level-1))], true
}

// Marshal returns size 8 | edge hashes, one for each bit set in size.
func (t *Tree) Marshal() []byte {
	b := binary.BigEndian.AppendUint64(nil, t.Size())
	if t == nil {
		return b
	}
	for _, h := range t.edge {
		b = append(b, h[:]...)
	}
	return b
}

// ParseTree reads what Marshal makes. Nothing can be checked of the hashes but by comparing Root with a signed past root.
func ParseTree(b []byte) (*Tree, error) {
	t := new(Tree)
	r := cryptobyte.String(b)
	if !r.ReadUint64(&t.size) || t.size > MaxK || len(r) != 32*bits.OnesCount64(t.size) {
		return nil, fmt.Errorf("reading a tree's edge: %w", ErrFormat)
	}
	for !r.Empty() {
		var h [32]byte
		r.CopyBytes(h[:])
		t.edge = append(t.edge, h)
	}
	return t, nil
}
