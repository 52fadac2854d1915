package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// maxDepSize is an item with a certificate: log id 32 | k 8 | digest 32 | has 1 | certificate digest 32.
const maxDepSize = 105

// Dep is the head of another log whose whole past from the base the author held when signing. Who lists a head must serve it.
type Dep struct {
	Log         ID
	K           uint64
	Digest      [32]byte  // of header K
	Certificate *[32]byte // digest of a certificate that was known then: the lower end of a time bracket; nil without
}

func (d *Dep) appendTo(b []byte) []byte {
	b = append(b, d.Log[:]...)
	b = binary.BigEndian.AppendUint64(b, d.K)
	b = append(b, d.Digest[:]...)
	if d.Certificate == nil {
		return append(b, 0)
	}
	return append(append(b, 1), d.Certificate[:]...)
}

// MarshalDeps returns count 1 | items. It refuses more than 64, and items that are not strictly ascending by log id: each
// log stands there once.
func MarshalDeps(deps []Dep) ([]byte, error) {
	if len(deps) > MaxDeps {
		return nil, fmt.Errorf("writing %d deps: %w", len(deps), ErrFormat)
	}
	b := append(make([]byte, 0, 1+len(deps)*maxDepSize), uint8(len(deps)))
	for i := range deps {
		if deps[i].K >= MaxK || i > 0 && bytes.Compare(deps[i-1].Log[:], deps[i].Log[:]) >= 0 {
			return nil, fmt.Errorf("writing dep %d: %w", i, ErrFormat)
		}
		b = deps[i].appendTo(b)
	}
	return b, nil
}

// ParseDeps reads what MarshalDeps makes and nothing else.
func ParseDeps(b []byte) ([]Dep, error) {
	r := cryptobyte.String(b)
	deps, err := readDeps(&r)
	if err != nil {
		return nil, err
	}
	if !r.Empty() {
		return nil, fmt.Errorf("reading deps: %w", ErrFormat)
	}
	return deps, nil
}

func readDeps(r *cryptobyte.String) ([]Dep, error) {
	var count uint8
	if !r.ReadUint8(&count) || count > MaxDeps {
		return nil, fmt.Errorf("reading deps: %w", ErrFormat)
	}
	if count == 0 {
		return nil, nil
	}
	deps := make([]Dep, count)
	for i := range deps {
		if !deps[i].read(r) || i > 0 && bytes.Compare(deps[i-1].Log[:], deps[i].Log[:]) >= 0 {
			return nil, fmt.Errorf("reading dep %d: %w", i, ErrFormat)
		}
	}
	return deps, nil
}

func (d *Dep) read(r *cryptobyte.String) bool {
	var has uint8
	if !r.CopyBytes(d.Log[:]) || !r.ReadUint64(&d.K) || !r.CopyBytes(d.Digest[:]) || !r.ReadUint8(&has) {
		return false
	}
	if has > 1 || d.K >= MaxK {
		return false
	}
	if has == 0 {
		return true
	}
	d.Certificate = new([32]byte)
	return r.CopyBytes(d.Certificate[:])
}

// DepsRoot is the RFC 6962 root over the items of a marshalled list, zeros if there are none.
func DepsRoot(raw []byte) ([32]byte, error) {
	deps, err := ParseDeps(raw)
	if err != nil {
		return [32]byte{}, err
	}
	leaves := make([][32]byte, len(deps))
	for i := range deps {
		leaves[i] = LeafHash(deps[i].appendTo(make([]byte, 0, maxDepSize)))
	}
	return RootOfLeaves(leaves), nil
}
