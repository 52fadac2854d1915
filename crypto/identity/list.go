package identity

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/composite"
)

const (
	listMagic = "CQL1"
	listHead  = 4 + 2 + 32 + 8 + 2 // magic, suite, account, counter, count
	listItem  = 4 + 32 + 1 + 8

	// MaxListItems bounds a list: each restoring from the words adds one device, and a list of this length, 15 KB, still
	// fits a SELF frame and, twice, a piece of evidence.
	MaxListItems = 256
)

// States of a device on a list.
const (
	StateValid   uint8 = 1
	StateRevoked uint8 = 2
)

// List says which devices of an account count:
//
//	"CQL1" | suite 2 | AccountID 32 | counter 8 | count 2 | items { index 4 | DeviceID 32 | state 1 | since 8 }
//	| account signature 3373, "CQ1 list"
//
// Items are sorted by index, each index and each device once. A device that is not on the newest list is revoked.
type List struct {
	Account AccountID
	Counter uint64 // max(unix ms, last + 1); never 0; no reader's clock judges it
	Items   []ListItem
	Raw     []byte // all of it, as signed; not to be changed
}

// ListItem is the state of one device.
type ListItem struct {
	Index  uint32 // of its certificate
	Device DeviceID
	State  uint8  // StateValid or StateRevoked
	Since  uint64 // unix ms
}

// ListHead names a list: what a peer pins, and what the handshake carries. The digest is the SHA-256 of what the account
// signed, without the signature: signing the same list again gives other bytes but says nothing new.
type ListHead struct {
	Counter uint64
	Digest  [32]byte
}

// SignList makes a list from items in any order. It refuses counter 0, more than MaxListItems, an index or a device that
// comes twice, and an unknown state.
func SignList(account *composite.PrivateKey, counter uint64, items []ListItem) (*List, error) {
	l := &List{Account: AccountOf(account.Public()), Counter: counter, Items: slices.Clone(items)}
	slices.SortFunc(l.Items, func(a, b ListItem) int { return cmp.Compare(a.Index, b.Index) })
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("signing device list: %w", err)
	}
	raw := l.body()
	sig, err := account.Sign(raw, ctxList)
	if err != nil {
		return nil, fmt.Errorf("signing device list: %w", err)
	}
	l.Raw = append(raw, sig...)
	return l, nil
}

// ParseList reads a list's structure and checks no signature: ErrSuite, ErrMalformed.
func ParseList(raw []byte) (*List, error) {
	s := cryptobyte.String(raw)
	l, err := readList(&s)
	if err == nil && !s.Empty() {
		err = ErrMalformed
	}
	if err != nil {
		return nil, fmt.Errorf("reading device list: %w", err)
	}
	return l, nil
}

// VerifyList reads a list and checks that account signed it: ErrAccount, ErrSignature, and what ParseList returns. Whether
// it is newer than the one pinned is for the caller to compare.
func VerifyList(raw []byte, account *composite.PublicKey) (*List, error) {
	l, err := ParseList(raw)
	if err != nil {
		return nil, err
	}
	if err := l.verify(account); err != nil {
		return nil, fmt.Errorf("verifying device list: %w", err)
	}
	return l, nil
}

// Head names the list.
func (l *List) Head() ListHead {
	return ListHead{Counter: l.Counter, Digest: sha256.Sum256(l.signed())}
}

// Valid says whether d is on the list and not revoked.
func (l *List) Valid(d DeviceID) bool {
	return slices.ContainsFunc(l.Items, func(i ListItem) bool { return i.Device == d && i.State == StateValid })
}

func (l *List) signed() []byte { return l.Raw[:len(l.Raw)-composite.SignatureSize] }

func (l *List) verify(account *composite.PublicKey) error {
	if l.Account != AccountOf(account) {
		return ErrAccount
	}
	if !account.Verify(l.signed(), ctxList, l.Raw[len(l.signed()):]) {
		return ErrSignature
	}
	return nil
}

func (l *List) body() []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, listHead+listItem*len(l.Items)+composite.SignatureSize))
	b.AddBytes([]byte(listMagic))
	b.AddUint16(Suite)
	b.AddBytes(l.Account[:])
	b.AddUint64(l.Counter)
	b.AddUint16(uint16(len(l.Items)))
	for _, i := range l.Items {
		b.AddUint32(i.Index)
		b.AddBytes(i.Device[:])
		b.AddUint8(i.State)
		b.AddUint64(i.Since)
	}
	return b.BytesOrPanic()
}

// check judges what the types allow and the format does not. Items are taken as they are, so that it demands the order.
func (l *List) check() error {
	if l.Counter == 0 {
		return errors.New("counter 0")
	}
	if len(l.Items) > MaxListItems {
		return fmt.Errorf("%d devices, at most %d", len(l.Items), MaxListItems)
	}
	seen := make(map[DeviceID]bool, len(l.Items))
	for n, i := range l.Items {
		if n > 0 && i.Index <= l.Items[n-1].Index {
			return errors.New("an index is there twice or out of order")
		}
		if seen[i.Device] {
			return errors.New("a device is there twice")
		}
		if i.State != StateValid && i.State != StateRevoked {
			return fmt.Errorf("unknown state %d", i.State)
		}
		seen[i.Device] = true
	}
	return nil
}

// readList reads one list from the front of s; its end follows from the count.
func readList(s *cryptobyte.String) (*List, error) {
	whole := []byte(*s)
	if err := readHead(s, listMagic); err != nil {
		return nil, err
	}
	l := new(List)
	var count uint16
	if !s.CopyBytes(l.Account[:]) || !s.ReadUint64(&l.Counter) || !s.ReadUint16(&count) || count > MaxListItems {
		return nil, ErrMalformed
	}
	for range count {
		var i ListItem
		if !s.ReadUint32(&i.Index) || !s.CopyBytes(i.Device[:]) || !s.ReadUint8(&i.State) || !s.ReadUint64(&i.Since) {
			return nil, ErrMalformed
		}
		l.Items = append(l.Items, i)
	}
	if !s.Skip(composite.SignatureSize) {
		return nil, ErrMalformed
	}
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	l.Raw = bytes.Clone(whole[:len(whole)-len(*s)])
	return l, nil
}
