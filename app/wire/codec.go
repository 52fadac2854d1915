package wire

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// writer appends fields. Its only failure is a length that does not fit, a broken invariant of ours: done panics.
type writer struct{ cryptobyte.Builder }

func (w *writer) done() []byte { return w.BytesOrPanic() }

func (w *writer) count(n int) {
	if n > 0xffff {
		w.SetError(fmt.Errorf("wire: a list of %d", n))
		return
	}
	w.AddUint16(uint16(n))
}

func (w *writer) flag(on bool) {
	if on {
		w.AddUint8(1)
	} else {
		w.AddUint8(0)
	}
}

func (w *writer) bytes(b []byte) {
	w.AddUint16LengthPrefixed(func(c *cryptobyte.Builder) { c.AddBytes(b) })
}

func (w *writer) text(s string) { w.bytes([]byte(strings.ToValidUTF8(s, "\uFFFD"))) }

// hashes writes a list in its order.
func (w *writer) hashes(list [][32]byte) {
	w.count(len(list))
	for i := range list {
		w.AddBytes(list[i][:])
	}
}

// set writes a list as a set: ascending, each once.
func (w *writer) set(list [][32]byte) {
	list = slices.Clone(list)
	slices.SortFunc(list, compare32)
	w.hashes(slices.Compact(list))
}

func compare32(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }

// reader takes fields; the first that is wrong makes all that follow zero, and end says so.
type reader struct {
	s   cryptobyte.String
	bad bool
}

func read(b []byte) *reader { return &reader{s: b} }

// end closes the reading of what: nothing may have failed and nothing may be left.
func (r *reader) end(what string) error {
	if r.bad || !r.s.Empty() {
		return fmt.Errorf("reading %s: %w", what, ErrFormat)
	}
	return nil
}

func (r *reader) need(ok bool) bool {
	if !ok {
		r.bad, r.s = true, nil
	}
	return ok
}

func (r *reader) u8() (v uint8) {
	r.need(r.s.ReadUint8(&v))
	return v
}

func (r *reader) u16() (v uint16) {
	r.need(r.s.ReadUint16(&v))
	return v
}

func (r *reader) u32() (v uint32) {
	r.need(r.s.ReadUint32(&v))
	return v
}

func (r *reader) u64() (v uint64) {
	r.need(r.s.ReadUint64(&v))
	return v
}

func (r *reader) flag() bool {
	v := r.u8()
	r.need(v <= 1)
	return v == 1
}

// into fills a fixed field.
func (r *reader) into(b []byte) { r.need(r.s.CopyBytes(b)) }

func (r *reader) hash() (h [32]byte) {
	r.into(h[:])
	return h
}

// fixed refers to n bytes.
func (r *reader) fixed(n int) (b []byte) {
	r.need(r.s.ReadBytes(&b, n))
	return b
}

// bytes refers to a byte string of at most limit bytes; nil when it is empty.
func (r *reader) bytes(limit int) []byte {
	var b cryptobyte.String
	if !r.need(r.s.ReadUint16LengthPrefixed(&b) && len(b) <= limit) || len(b) == 0 {
		return nil
	}
	return b
}

func (r *reader) text(limit int) string {
	b := r.bytes(limit)
	r.need(utf8.Valid(b))
	return string(b)
}

// count reads the length of a list of at most limit items of at least size bytes each: no more is made than was sent.
func (r *reader) count(limit, size int) int {
	n := int(r.u16())
	if !r.need(n <= limit && n*size <= len(r.s)) {
		return 0
	}
	return n
}

func (r *reader) hashes(limit int) [][32]byte {
	n := r.count(limit, 32)
	if n == 0 {
		return nil
	}
	list := make([][32]byte, n)
	for i := range list {
		list[i] = r.hash()
	}
	return list
}

func (r *reader) set(limit int) [][32]byte {
	list := r.hashes(limit)
	r.need(ascending(list, compare32))
	return list
}

// ascending says whether every item is above the one before it.
func ascending[T any](list []T, compare func(a, b T) int) bool {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}

func (r *reader) peer() (p identity.PeerID) {
	r.into(p[:])
	if !r.bad {
		_, err := p.Key()
		r.need(err == nil)
	}
	return p
}

// k reads the number of a segment.
func (r *reader) k() uint64 {
	v := r.u64()
	r.need(v < segment.MaxK)
	return v
}

// index reads the absolute index of an entry, or of the one after the last.
func (r *reader) index() uint64 {
	v := r.u64()
	r.need(v <= MaxIndex)
	return v
}

// hide is what every value that holds a key prints, so that none reaches a log.
func hide(f fmt.State) { _, _ = io.WriteString(f, "[secret]") }
