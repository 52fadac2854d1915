// Package crashfs is a file system in memory that loses power, runs full and fails to sync, so that tests can see what a
// store still has afterwards.
//
// Only what a completed sync covered is certain. At Crash every write since then is kept, dropped or torn at sectors of
// 512 bytes, in any order; every name that was made, renamed or removed since its folder was synced is as before or as
// after. A sync that fails forgets what was pending, as Linux does: it reads back until the power goes, and no later sync
// brings it to the disk.
//
// FS is both a VFS for github.com/ncruces/go-sqlite3 and the file system of app/store (store.Disk). It keeps nothing on a
// real disk but SQLite's shared index of the log, and that only when more than one connection is wanted.
package crashfs

import (
	"io"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/ncruces/go-sqlite3/vfs"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// FS is one disk. Make it with New; the exported fields are set before use.
type FS struct {
	// Shm is a real folder for SQLite's shared index of the log. Empty means one connection at a time, which then needs
	// locking_mode=EXCLUSIVE.
	Shm string

	mu       sync.Mutex
	rand     *rand.Rand       // guarded by mu, like everything below
	live     map[string]*node // what a program sees
	durable  map[string]*node // which names survive
	locks    map[string]bool
	trace    func(Event)
	dead     bool
	changes  int
	killAt   int
	full     int64
	badSync  float64
	badNames []string
	stats    Stats
}

// Stats counts what happened since New.
type Stats struct {
	Syncs, FailedSyncs int // of files
	Dropped, Torn      int // writes that a crash dropped or tore
}

// Event is one change of the disk, in order; see Trace.
type Event struct {
	Op   Op
	Name string
}

// Op is the kind of an Event.
type Op string

// What happens to a disk. SyncDir makes the names of a folder durable.
const (
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Rename   Op = "rename"
	Remove   Op = "remove"
	SyncDir  Op = "syncdir"
)

// node is the content of a file.
type node struct {
	durable, live []byte
	pending       []change
	shared        int
	reserved      *file
	exclusive     *file
}

type change struct {
	off   int64
	data  []byte
	trunc bool
}

// New is an empty disk. All that is left to chance follows r, which nobody else may use.
func New(r *rand.Rand) *FS {
	return &FS{rand: r, live: map[string]*node{}, durable: map[string]*node{}, locks: map[string]bool{}}
}

// CutPowerAfter makes the power go at the n-th change from now; 0 takes that back. Then everything fails until Crash.
func (f *FS) CutPowerAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.killAt = 0
	if n > 0 {
		f.killAt = f.changes + n
	}
}

// Dead reports whether the power is gone.
func (f *FS) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// SetFull is the number of bytes that fit; 0 means no limit. Files may be larger already.
func (f *FS) SetFull(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = bytes
}

// FailSyncs makes syncs fail with the given probability: those of the files named, or of all.
func (f *FS) FailSyncs(probability float64, names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.badSync, f.badNames = probability, names
}

// Trace calls fn on every change from now on; nil ends it. fn must not call the FS.
func (f *FS) Trace(fn func(Event)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trace = fn
}

// Stats returns the counters.
func (f *FS) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// Unsynced is the number of writes to name that a crash could lose.
func (f *FS) Unsynced(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.live[name]; n != nil {
		return len(n.pending)
	}
	return 0
}

// Bytes is a copy of what name holds, nil when there is no such file.
func (f *FS) Bytes(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.live[name]; n != nil {
		return append([]byte{}, n.live...)
	}
	return nil
}

// Put makes name hold data, durably: what somebody with the disk in hand can do. nil removes the file.
func (f *FS) Put(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.live, name)
	delete(f.durable, name)
	if data != nil {
		n := &node{durable: slices.Clone(data), live: slices.Clone(data)}
		f.live[name], f.durable[name] = n, n
	}
}

// Files returns the names of all files, sorted.
func (f *FS) Files() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.live))
}

// Crash cuts the power, if it is not gone yet, and brings it back: what a program sees is then what survived. Connections
// must have been closed before, locks are gone.
func (f *FS) Crash() {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := map[string]*node{}
	all := maps.Clone(f.durable)
	maps.Copy(all, f.live)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		n := f.durable[name]
		if now := f.live[name]; now != n && f.rand.Intn(2) == 0 {
			n = now
		}
		if n != nil {
			b := f.survive(n)
			names[name] = &node{durable: b, live: slices.Clone(b)}
		}
	}
	f.live, f.durable, f.locks = names, maps.Clone(names), map[string]bool{}
	f.dead, f.killAt, f.full, f.badSync = false, 0, 0, 0
	f.removeShm()
}

func (f *FS) removeShm() {
	if f.Shm == "" {
		return
	}
	left, _ := filepath.Glob(filepath.Join(f.Shm, "*-shm"))
	for _, name := range left {
		os.Remove(name)
	}
}

// survive is what of n the disk holds after a crash.
func (f *FS) survive(n *node) []byte {
	mode := f.rand.Intn(4) // 0: nothing kept, 1: all kept, else at random
	b := slices.Clone(n.durable)
	for _, c := range n.pending {
		switch {
		case mode == 0, mode > 1 && f.rand.Intn(3) == 0:
			f.stats.Dropped++
		case mode == 1, c.trunc, f.rand.Intn(2) == 0:
			b = apply(b, c)
		default:
			b = f.tear(b, c)
		}
	}
	return b
}

// tear grows the file by the whole write; each sector of it lands or stays as it was, zero where the file grew.
func (f *FS) tear(b []byte, c change) []byte {
	f.stats.Torn++
	end := c.off + int64(len(c.data))
	if grow := end - int64(len(b)); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	for at := c.off; at < end; {
		next := min((at/sector+1)*sector, end)
		if f.rand.Intn(2) == 0 {
			copy(b[at:next], c.data[at-c.off:])
		}
		at = next
	}
	return b
}

func apply(b []byte, c change) []byte {
	if c.trunc {
		if int64(len(b)) > c.off {
			return b[:c.off:c.off]
		}
		return append(b, make([]byte, c.off-int64(len(b)))...)
	}
	if grow := c.off + int64(len(c.data)) - int64(len(b)); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	copy(b[c.off:], c.data)
	return b
}

// step counts a change and reports whether the power lasts beyond it. f.mu is held.
func (f *FS) step(op Op, name string) error {
	if f.dead {
		return errDead
	}
	f.changes++
	if f.trace != nil {
		f.trace(Event{op, name})
	}
	if f.killAt > 0 && f.changes >= f.killAt {
		f.dead = true
		return errDead
	}
	return nil
}

var errDead = &fs.PathError{Op: "disk", Path: "crashfs", Err: syscall.EIO}

// write is pwrite. f.mu is held.
func (f *FS) write(n *node, name string, p []byte, off int64) (int, error) {
	if f.dead {
		return 0, errDead
	}
	if grow := off + int64(len(p)) - int64(len(n.live)); grow > 0 && f.full > 0 && f.used()+grow > f.full {
		return 0, &fs.PathError{Op: "write", Path: name, Err: syscall.ENOSPC}
	}
	f.pend(n, change{off: off, data: slices.Clone(p)})
	if err := f.step(Write, name); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *FS) pend(n *node, c change) {
	n.pending = append(n.pending, c)
	n.live = apply(n.live, c)
}

func (f *FS) used() (n int64) {
	for _, x := range f.live {
		n += int64(len(x.live))
	}
	return n
}

// sync is fsync. f.mu is held.
func (f *FS) sync(n *node, name string) error {
	if err := f.step(Sync, name); err != nil {
		return err
	}
	f.stats.Syncs++
	bad := len(f.badNames) == 0 || slices.Contains(f.badNames, name)
	if bad && f.badSync > 0 && f.rand.Float64() < f.badSync {
		f.stats.FailedSyncs++
		n.pending = nil
		return &fs.PathError{Op: "sync", Path: name, Err: syscall.EIO}
	}
	for _, c := range n.pending {
		n.durable = apply(n.durable, c)
	}
	n.pending = nil
	return nil
}

// syncDir makes the names in dir durable. f.mu is held.
func (f *FS) syncDir(dir string) error {
	if err := f.step(SyncDir, dir); err != nil {
		return err
	}
	for name := range f.durable {
		if filepath.Dir(name) == dir && f.live[name] == nil {
			delete(f.durable, name)
		}
	}
	for name, n := range f.live {
		if filepath.Dir(name) == dir {
			f.durable[name] = n
		}
	}
	return nil
}

// read is pread. f.mu is held.
func (f *FS) read(n *node, p []byte, off int64) (int, error) {
	if f.dead {
		return 0, errDead
	}
	if off >= int64(len(n.live)) {
		return 0, io.EOF
	}
	m := copy(p, n.live[off:])
	if m < len(p) {
		return m, io.EOF
	}
	return m, nil
}

var _ vfs.VFS = (*FS)(nil)
