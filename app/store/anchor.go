package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Sizes and times of the anchor.
const (
	anchorName  = "anchor.cqv"
	anchorSlot  = 512 // a sector: written whole or not at all
	anchorMagic = "CQA1"
	macSize     = sha256.Size

	// anchorDelay is how far the anchor may be behind commits of others' segments. Those of ours it follows at once.
	anchorDelay = 10 * time.Second
)

// head is the end of the audit log: its length, and the MAC of its last row.
type head struct {
	n   uint64
	mac [macSize]byte
}

// anchor is what is known outside the database about how far it had come. It is written after the database and never leads
// it, so that a crash raises no alarm; a database that is behind it has gone back in time.
//
//	"CQA1" | vault 16 | file 16 | epoch 4 | turn 8 | commits 8 | audit n 8 | audit MAC 32 | map 32 | flags 1 | MAC 32 | zeros
type anchor struct {
	vault, file [16]byte
	epoch       uint32   // of this opening: part of every page version
	turn        uint64   // plus one each time it is written
	commits     uint64   // meta.commits
	audit       head     // of the audit log
	pages       [32]byte // SHA-256 of the saved map of page versions; zeros: none
	clean       bool     // flag 1: the store was closed
	alarm       bool     // flag 2: it went back in time, and that was not acknowledged
}

func (a *anchor) marshal(key [32]byte) []byte {
	var b cryptobyte.Builder
	b.AddBytes([]byte(anchorMagic))
	b.AddBytes(a.vault[:])
	b.AddBytes(a.file[:])
	b.AddUint32(a.epoch)
	b.AddUint64(a.turn)
	b.AddUint64(a.commits)
	b.AddUint64(a.audit.n)
	b.AddBytes(a.audit.mac[:])
	b.AddBytes(a.pages[:])
	var flags uint8
	if a.clean {
		flags |= 1
	}
	if a.alarm {
		flags |= 2
	}
	b.AddUint8(flags)
	raw := b.BytesOrPanic()
	m := hmac.New(sha256.New, key[:])
	m.Write(raw)
	return append(m.Sum(raw), make([]byte, anchorSlot-len(raw)-macSize)...)
}

// parseAnchor reads one slot; ok is false when it was not written under key.
func parseAnchor(raw []byte, key [32]byte) (a anchor, ok bool) {
	s := cryptobyte.String(raw)
	var magic []byte
	var flags uint8
	ok = s.ReadBytes(&magic, len(anchorMagic)) && s.CopyBytes(a.vault[:]) && s.CopyBytes(a.file[:]) &&
		s.ReadUint32(&a.epoch) && s.ReadUint64(&a.turn) && s.ReadUint64(&a.commits) && s.ReadUint64(&a.audit.n) &&
		s.CopyBytes(a.audit.mac[:]) && s.CopyBytes(a.pages[:]) && s.ReadUint8(&flags)
	if !ok || string(magic) != anchorMagic || len(s) < macSize || flags > 3 || bytes.Count(s[macSize:], []byte{0}) != len(s)-macSize {
		return a, false
	}
	a.clean, a.alarm = flags&1 != 0, flags&2 != 0
	m := hmac.New(sha256.New, key[:])
	m.Write(raw[:len(raw)-len(s)])
	return a, subtle.ConstantTimeCompare(m.Sum(nil), s[:macSize]) == 1
}

// anchorFile is anchor.cqv: two slots, written in turn, so that one of them is whole whenever the power goes.
type anchorFile struct {
	disk Disk
	path string
	key  [32]byte

	mu    sync.Mutex
	now   anchor    // guarded by mu: what is to be written
	dirty bool      // guarded by mu: now is not on disk
	last  time.Time // guarded by mu: when it was written
	owed  bool      // guarded by mu: a commit that must not leave this machine before the anchor is durable, and the anchor is not
}

// read returns the newest slot of this vault and file; found is false when there is none.
func (f *anchorFile) read(vault, file [16]byte) (a anchor, found bool, err error) {
	r, size, closed, err := f.disk.Read(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	defer closed()
	raw := make([]byte, 2*anchorSlot)
	if n, err := r.ReadAt(raw[:min(size, int64(len(raw)))], 0); err != nil && err != io.EOF {
		return a, false, err
	} else if n < len(raw) {
		return a, false, nil
	}
	for _, slot := range [][]byte{raw[:anchorSlot], raw[anchorSlot:]} {
		b, ok := parseAnchor(slot, f.key)
		if ok && b.vault == vault && b.file == file && (!found || b.turn > a.turn) {
			a, found = b, true
		}
	}
	return a, found, nil
}

// set makes a the anchor, to be written next.
func (f *anchorFile) set(a anchor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.dirty = a, true
}

// get returns the anchor as it is to be written.
func (f *anchorFile) get() anchor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// wipe overwrites the key. Nothing is written any more.
func (f *anchorFile) wipe() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.key[:])
}

func (f *anchorFile) head() head { return f.get().audit }

// advance follows a commit.
func (f *anchorFile) advance(commits uint64, audit head) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now.commits, f.now.audit, f.dirty = commits, audit, true
}

func (f *anchorFile) acknowledge() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now.alarm, f.dirty = false, true
}

// owe notes that the anchor could not be written after a commit which it must follow.
func (f *anchorFile) owe() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed = true
}

func (f *anchorFile) settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.owed
}

// due reports whether commits have waited for anchorDelay.
func (f *anchorFile) due(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dirty && now.Sub(f.last) >= anchorDelay
}

// soon reports whether commits wait for the anchor, half of the time that is allowed.
func (f *anchorFile) soon(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dirty && now.Sub(f.last) >= anchorDelay/2
}

// write writes the anchor, durably. After an error the next write takes the same slot, the one that is not known whole.
func (f *anchorFile) write(now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.now
	a.turn++
	raw := a.marshal(f.key)
	err := f.disk.Patch(f.path, int64(a.turn%2)*anchorSlot, raw)
	if errors.Is(err, fs.ErrNotExist) { // new, or somebody removed it
		both := make([]byte, 2*anchorSlot)
		copy(both[a.turn%2*anchorSlot:], raw)
		err = f.disk.Replace(f.path, both)
	}
	if err != nil {
		return err
	}
	f.now, f.dirty, f.last, f.owed = a, false, now, false
	return nil
}
