package sealvfs

import (
	"encoding/binary"
	"io"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// pageFile is the main file.
type pageFile struct {
	file
	buf [PageSize]byte
}

// peek answers SQLite's look at the first 100 bytes, which comes before it holds a lock or knows of a log: page 1 on disk
// may then be torn or absent. The constant fixes page size, reserved bytes and incremental vacuum on every connection; without
// the reserve each page would silently lose its last 48 bytes. Page 1 itself is read and verified later.
func peek() (h [100]byte) {
	copy(h[:], "SQLite format 3\x00")
	h[16] = PageSize >> 8
	h[18], h[19] = 1, 1 // file format
	h[20] = Reserve
	h[21], h[22], h[23] = 64, 32, 32 // fixed by SQLite
	h[52+3], h[64+3] = 1, 1          // auto_vacuum=INCREMENTAL, which cannot be set once the page size is fixed
	return h
}

// ReadAt serves vfs.File.
func (f *pageFile) ReadAt(p []byte, off int64) (n int, err error) {
	if h := peek(); off == 0 && len(p) == len(h) {
		return copy(p, h[:]), nil
	}
	for n < len(p) {
		at := off + int64(n)
		start := at &^ (PageSize - 1)
		plain, err := f.open(start)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], plain[at-start:])
	}
	return n, nil
}

// open reads the page at start. Part of a page is damage: SQLite would take the rest for zeros.
func (f *pageFile) open(start int64) ([]byte, error) {
	m, err := f.File.ReadAt(f.buf[:], start)
	if m != PageSize {
		switch {
		case err != nil && err != io.EOF:
			return nil, err
		case m == 0:
			return nil, io.EOF
		}
		return nil, f.v.damaged()
	}
	n := start / PageSize
	version, err := f.v.openPage(f.buf[:], f.data('D', n, nil))
	if err != nil {
		return nil, f.v.damaged()
	}
	if !f.v.fresh.accepts(n, version) {
		f.v.stale.Add(1)
		return nil, ErrDamaged
	}
	return f.buf[:], nil
}

// openPage decrypts a page in place, clears its reserved bytes and returns its version.
func (v *VFS) openPage(page, data []byte) (version uint64, err error) {
	nonce := page[PageSize-nonceSize:]
	plain, err := v.aead.Open(page[:0], nonce, page[:PageSize-nonceSize], data)
	if err != nil {
		return 0, err
	}
	version = binary.BigEndian.Uint64(plain[usable:])
	clear(page[usable:])
	return version, nil
}

// WriteAt serves vfs.File. SQLite writes whole pages only.
func (f *pageFile) WriteAt(p []byte, off int64) (n int, err error) {
	if off%PageSize != 0 || len(p)%PageSize != 0 || off == 0 && !isVault(p) {
		return 0, sqlite3.IOERR_WRITE
	}
	for ; n < len(p); n += PageSize {
		if err := f.seal(p[n:n+PageSize], off/PageSize+int64(n/PageSize)); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *pageFile) seal(page []byte, n int64) error {
	version, ok := f.v.fresh.next()
	if !ok {
		return sqlite3.IOERR_WRITE
	}
	copy(f.buf[:], page[:usable])
	binary.BigEndian.PutUint64(f.buf[usable:], version)
	nonce := f.buf[PageSize-nonceSize:]
	data := f.data('D', n, nil)
	f.makeNonce(nonce, f.buf[:usable+8], data)
	f.v.aead.Seal(f.buf[:0], nonce, f.buf[:usable+8], data)
	if err := f.write(f.buf[:], n*PageSize); err != nil {
		return err
	}
	f.v.fresh.set(n, version)
	f.v.owed.add(n)
	return nil
}

// owed knows which pages were written since the last sync of the main file that succeeded. After one that failed Linux
// takes them for clean: no later sync writes them. And SQLite does not write them again either, when the checkpoint that
// wrote them was held up by a reader and so had no sync of its own. Without this, commits are lost that were acknowledged.
type owed struct {
	mu     sync.Mutex
	pages  map[int64]bool // guarded by mu
	failed bool           // guarded by mu
}

func (o *owed) add(n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages[n] = true
}

// Sync serves vfs.File.
func (f *pageFile) Sync(flags vfs.SyncFlag) error {
	o := &f.v.owed
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed && f.v.mutant != forgetful {
		for n := range o.pages {
			if err := f.again(n); err != nil {
				return sqlite3.IOERR_FSYNC // the log is kept until it succeeds
			}
		}
	}
	if err := f.File.Sync(flags); err != nil {
		o.failed = true
		return err
	}
	o.failed = false
	clear(o.pages)
	return nil
}

// again writes page n as it reads, if that is the newest: a system that threw it away reads an older one from the disk.
func (f *pageFile) again(n int64) error {
	var raw [PageSize]byte
	switch m, err := f.File.ReadAt(raw[:], n*PageSize); {
	case m == 0 && err == io.EOF:
		return nil // cut off since
	case m != PageSize:
		return ErrDamaged
	}
	f.buf = raw
	version, err := f.v.openPage(f.buf[:], f.data('D', n, nil))
	if err != nil || !f.v.fresh.accepts(n, version) {
		return ErrDamaged
	}
	return f.write(raw[:], n*PageSize)
}

// Versions reads a whole main file of size bytes and returns the version of each of its pages, with zero for one that
// does not open: in a file that was in use when the power went pages may be torn that the log holds whole. It is for
// files that nobody has open.
func (v *VFS) Versions(r io.ReaderAt, size int64) ([]uint64, error) {
	f := &pageFile{file: file{v: v}}
	versions := make([]uint64, size/PageSize)
	for n := range versions {
		if m, err := r.ReadAt(f.buf[:], int64(n)*PageSize); m != PageSize {
			return nil, err
		}
		if version, err := v.openPage(f.buf[:], f.data('D', int64(n), nil)); err == nil {
			versions[n] = version
		}
	}
	return versions, nil
}
