package sealvfs

import (
	"encoding/binary"
	"slices"
	"sync"
)

// Fresh knows the newest version of every page, so that an older page that is put back is refused when it is read. It
// takes 8 bytes a page: half a megabyte for a database of 250 MB.
//
// A version is epoch << 32 | counter. The epoch grows with every opening of the database and must be on disk before the
// first write, so versions never repeat. Bytes belongs beside the database at a clean close; after a crash what was
// saved at the last clean close is still a lower bound, so there is no false alarm. A nil Fresh accepts every version.
//
// What is read is learned too, so that a page cannot go back to what it was before a crash once it was read after it.
type Fresh struct {
	mu    sync.Mutex
	last  uint64   // guarded by mu
	pages []uint64 // guarded by mu
	ahead bool     // guarded by mu
}

// NewFresh is a map for the epoch that begins now, with the lower bounds that were known before: nil for a new file.
func NewFresh(epoch uint32, known []uint64) *Fresh {
	return &Fresh{last: uint64(epoch) << 32, pages: slices.Clone(known)}
}

// Pages returns a copy of the map: the version of page n+1 of SQLite at index n, 0 for one that was never written.
func (f *Fresh) Pages() []uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.pages)
}

// Ahead reports whether a page was refused whose version was not yet made: who gave NewFresh its epoch has gone back in time.
func (f *Fresh) Ahead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ahead
}

// accepts reports whether version can be that of page n, not older than what is known of it and not of a time to come, and
// then knows it.
func (f *Fresh) accepts(n int64, version uint64) bool {
	if f == nil {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if version > f.last {
		f.ahead = true
		return false
	}
	if n < int64(len(f.pages)) && version < f.pages[n] {
		return false
	}
	f.know(n, version)
	return true
}

// know keeps the version of page n. f.mu is held.
func (f *Fresh) know(n int64, version uint64) {
	for int64(len(f.pages)) <= n {
		f.pages = append(f.pages, 0)
	}
	f.pages[n] = version
}

// next makes a version. It is not ok after 2^32 pages of one epoch, which are 16 TiB.
func (f *Fresh) next() (version uint64, ok bool) {
	if f == nil {
		return 0, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if uint32(f.last) == 1<<32-1 {
		return 0, false
	}
	f.last++
	return f.last, true
}

func (f *Fresh) set(n int64, version uint64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.know(n, version)
}

// MarshalVersions is the saved form of a map: 8 bytes a page, big-endian.
func MarshalVersions(pages []uint64) []byte {
	b := make([]byte, 0, 8*len(pages))
	for _, v := range pages {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// ParseVersions reads what MarshalVersions made; ok is false when the length is not a multiple of 8.
func ParseVersions(b []byte) (pages []uint64, ok bool) {
	if len(b)%8 != 0 {
		return nil, false
	}
	for ; len(b) > 0; b = b[8:] {
		pages = append(pages, binary.BigEndian.Uint64(b))
	}
	return pages, true
}

// Older reports whether found, the versions that a file holds, is a whole older state of the file of which known is the
// newest map. In such a file every page is as it was at one moment: a page that differs from the map is one that was
// written again after that moment. One old page in a newer file is not an older file, but damage.
func Older(known, found []uint64) bool {
	var moment uint64
	for _, v := range found {
		moment = max(moment, v)
	}
	for n, v := range known {
		if v <= moment && (n >= len(found) || found[n] != v) {
			return false
		}
	}
	return true
}
