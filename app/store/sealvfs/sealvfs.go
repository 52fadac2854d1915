// Package sealvfs keeps a SQLite database in a file of which every byte is encrypted and authenticated. It stands
// between SQLite and another VFS of github.com/ncruces/go-sqlite3 and serves databases in WAL mode only.
//
// The main file is made of pages of 4096 bytes. SQLite leaves the last 48 bytes of each to us:
//
//	XChaCha20-Poly1305( 4048 bytes of SQLite | version 8 ) 4056 | tag 16 | nonce 24
//
// The log is made of units, each behind its own nonce: nonce 24 | ciphertext | tag 16.
//
//	header 32 | for each frame: frame header 24 + synced 8, page 4096
//
// Nonces come from randomness and from what is sealed; see hedge. What is authenticated besides: kind ('D', 'H', 'F' or 'P') | file id 16 | number of page or frame 8 | salt of the log 8.
// So a page opens only in its own place of its own file, and a frame only in its own turn of the log.
//
// Physical writes are always whole units, never read-modify-write, so readers and a checkpoint need no lock of ours. The
// fault model is that of a disk whose sectors of 512 bytes are written whole or not at all, in any order, until a sync.
//
// What does not open is refused with ErrDamaged and never served, with one exception: the end of the log, where a power
// cut leaves torn frames of a transaction that nobody was told about. See logFile for how the two are told apart.
package sealvfs

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
	"golang.org/x/crypto/chacha20poly1305"
)

// Sizes in bytes.
const (
	PageSize = 4096 // of the main file; SQLite's own default, which a connection never changes
	Reserve  = 48   // of each page, ours
	KeySize  = chacha20poly1305.KeySize

	usable    = PageSize - Reserve
	nonceSize = chacha20poly1305.NonceSizeX
	tagSize   = chacha20poly1305.Overhead
	overhead  = nonceSize + tagSize
)

// ErrDamaged is what errors.Is finds in an error of SQLite when a unit does not open, is not whole or is older than it
// was. It is a result code: a Go error of our own would be overwritten by SQLite's next call into the VFS.
const ErrDamaged = sqlite3.IOERR_DATA

// VFS is one sealed database: key, file id and page versions. Register it under a name of its own with vfs.Register and
// open connections with that name; the key never stands in SQL or in a URI.
type VFS struct {
	base  vfs.VFS
	aead  cipher.AEAD
	hedge hedge
	id    [16]byte
	build bool   // a new file in one go, its rollback journal in memory
	fresh *Fresh // nil: versions are written, and not compared
	owed  owed

	broken atomic.Int64
	stale  atomic.Int64

	mutant mutant // tests only
}

// mutant is a mistake that the tests must find, or they are worth nothing.
type mutant uint8

const (
	sound          mutant = iota
	rememberedSalt        // seals frames under the salt that the handle knows, not under the frame's own
	zeroSalt              // takes the zeros of a rewritten frame for a salt
	countFrames           // calls every frame that was written before a sync synced, rolled back or not
	forgetful             // takes a sync for done after an earlier one failed
)

// New seals the database that lies in base under key. id is random for each file, so that pages of a snapshot or of
// another file of the same vault do not open here. fresh may be nil.
func New(base vfs.VFS, key [KeySize]byte, id [16]byte, fresh *Fresh) *VFS {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err) // the length is right
	}
	return &VFS{base: base, aead: aead, hedge: newHedge(key), id: id, fresh: fresh, owed: owed{pages: map[int64]bool{}}}
}

// NewBuild is New for writing a new file in one go, with VACUUM INTO or the backup API, which want a rollback journal: it
// has one, in memory. A crash leaves rubbish, so build under a temporary name, check, sync, rename. Never open the live
// file through it.
func NewBuild(base vfs.VFS, key [KeySize]byte, id [16]byte, fresh *Fresh) *VFS {
	v := New(base, key, id, fresh)
	v.build = true
	return v
}

// Refused is how many units were refused so far: broken ones, and pages that opened but were older than they had been.
// The torn end of a log is neither.
func (v *VFS) Refused() (broken, stale int64) { return v.broken.Load(), v.stale.Load() }

func (v *VFS) damaged() error {
	v.broken.Add(1)
	return ErrDamaged
}

// Open serves vfs.VFS. It is for files without a name, of which a vault has none.
func (v *VFS) Open(_ string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN
}

// OpenFilename serves vfs.VFSFilename: main file and log, and nothing else, because a journal or a temporary file would
// hold plain text.
func (v *VFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	switch {
	case v.build && flags&vfs.OPEN_MAIN_JOURNAL != 0:
		return &vfsutil.SliceFile{}, flags, nil
	case flags&(vfs.OPEN_MAIN_DB|vfs.OPEN_WAL) == 0:
		return nil, flags, sqlite3.CANTOPEN
	}
	f, out, err := vfsutil.WrapOpenFilename(v.base, name, flags)
	if err != nil {
		return nil, out, err
	}
	if flags&vfs.OPEN_MAIN_DB != 0 {
		return &pageFile{file: file{File: f, v: v}}, out, nil
	}
	return &logFile{file: file{File: f, v: v}}, out, nil
}

// Delete serves vfs.VFS.
func (v *VFS) Delete(name string, syncDir bool) error {
	if isJournal(name) {
		return nil // it was never on disk
	}
	return v.base.Delete(name, syncDir)
}

// Access serves vfs.VFS. A journal never exists: one that somebody put there would make SQLite try to roll it back.
func (v *VFS) Access(name string, flags vfs.AccessFlag) (bool, error) {
	if isJournal(name) {
		return false, nil
	}
	return v.base.Access(name, flags)
}

// FullPathname serves vfs.VFS.
func (v *VFS) FullPathname(name string) (string, error) { return v.base.FullPathname(name) }

func isJournal(name string) bool { return strings.HasSuffix(name, "-journal") }

// file is what pages and log share. Not forwarded on purpose: SizeHint, which would grow the file by zero pages, memory
// mapping, and batch-atomic writes.
type file struct {
	vfs.File
	v     *VFS
	ad    [adSize]byte                       // scratch
	hash  [32 + nonceSize + 16 + adSize]byte // scratch of makeNonce
	zeros [12]byte                           // its constant; here, or it would be allocated anew for every unit
}

const adSize = 1 + 16 + 8 + 8

func (f *file) Unwrap() vfs.File               { return f.File }
func (f *file) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *file) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *file) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f *file) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *file) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }
func (f *file) CheckpointStart()               { vfsutil.WrapCheckpointStart(f.File) }
func (f *file) CheckpointDone()                { vfsutil.WrapCheckpointDone(f.File) }
func (f *file) BusyHandler(h func() bool)      { vfsutil.WrapBusyHandler(f.File, h) }

// DeviceCharacteristics claims power-safe overwrite, since units never share a sector with bytes that stay: without it
// SQLite pads the log to sectors.
func (f *file) DeviceCharacteristics() vfs.DeviceCharacteristic {
	const never = vfs.IOCAP_SUBPAGE_READ | vfs.IOCAP_BATCH_ATOMIC
	return f.File.DeviceCharacteristics()&^never | vfs.IOCAP_POWERSAFE_OVERWRITE
}

// data is the additional data of unit n of a kind; salt is nil for the main file and the log's header.
func (f *file) data(kind byte, n int64, salt []byte) []byte {
	d := append(append(f.ad[:0], kind), f.v.id[:]...)
	return append(binary.BigEndian.AppendUint64(d, uint64(n)), salt...)
}

// write gives a full disk the code that SQLite has for it.
func (f *file) write(p []byte, off int64) error {
	n, err := f.File.WriteAt(p, off)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// isVault reports whether page 1 has the page size and the reserved bytes of a vault.
func isVault(page1 []byte) bool {
	return page1[16] == PageSize>>8 && page1[17] == 0 && page1[20] == Reserve
}
