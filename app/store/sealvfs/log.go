package sealvfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Sizes of the log, as SQLite sees it and as it lies on disk.
const (
	logHeader   = 32
	frameHeader = 24
	frameSize   = frameHeader + PageSize
	syncedSize  = 8

	diskLogHeader   = logHeader + overhead
	diskFrameHeader = frameHeader + syncedSize + overhead
	diskFrame       = diskFrameHeader + PageSize + overhead

	// logBuffer is how much of new frames waits to be written in one call: SQLite writes header and page of each by
	// themselves, and the 38 calls of a received message took a third of its time.
	logBuffer = 64 << 10
)

// logFile is the write-ahead log.
//
// SQLite ends a log at the first frame that does not verify, so one wrong byte would silently cut off every commit after
// it. That a later frame opens does not prove damage either: a transaction that was being written when the power went is
// torn in any order. So every frame header says how many frames had been synced when it was written, counted at commits,
// because the frames of a transaction that was rolled back are overwritten. A frame that does not open although a later
// one says that it was synced is damage; any other is the end of the log.
type logFile struct {
	file
	salt   [8]byte
	known  bool // salt is set
	synced int64
	commit int64 // end of the last commit that was written
	lo, hi int64 // frames written through this handle in the latest run
	first  bool  // the frame header written last was that of page 1
	ends   bool  // it was that of a commit
	buf    [PageSize + overhead]byte

	out   []byte // new units of frames that are not written yet, in order
	outAt int64  // where they belong
	outN  int64  // the first of those frames
}

// unit is a part of the log that is sealed by itself.
type unit struct {
	disk    int64 // where it lies
	start   int64 // where SQLite sees it
	size    int   // as SQLite sees it
	sealed  int   // size of what is sealed
	kind    byte
	n       int64 // frame
	hasSalt bool
}

// unitAt is the unit that holds SQLite's offset off.
func unitAt(off int64) unit {
	if off < logHeader {
		return unit{size: logHeader, sealed: logHeader, kind: 'H'}
	}
	n, within := (off-logHeader)/frameSize, (off-logHeader)%frameSize
	disk, start := diskLogHeader+n*diskFrame, logHeader+n*frameSize
	if within < frameHeader {
		return unit{disk, start, frameHeader, frameHeader + syncedSize, 'F', n, true}
	}
	return unit{disk + diskFrameHeader, start + frameHeader, PageSize, PageSize, 'P', n, true}
}

// errUnopened stays inside: a unit that is there and does not open.
var errUnopened = errors.New("does not open")

// open reads and decrypts u under the salt that is known.
func (f *logFile) open(u unit) ([]byte, error) {
	b := f.buf[:u.sealed+overhead]
	if n, err := f.File.ReadAt(b, u.disk); n != len(b) {
		if err == nil {
			err = io.EOF
		}
		return nil, err
	}
	if u.kind == 'H' && zero(b) && f.empty() {
		return make([]byte, logHeader), nil // grown, not yet written: the power went before its first sync
	}
	plain, err := f.v.aead.Open(b[nonceSize:nonceSize], b[:nonceSize], b[nonceSize:], f.unitData(u))
	if err != nil {
		return nil, errUnopened
	}
	if u.kind == 'H' {
		f.setSalt(plain[16:24])
	}
	return plain, nil
}

func (f *logFile) unitData(u unit) []byte {
	if !u.hasSalt {
		return f.data(u.kind, u.n, nil)
	}
	return f.data(u.kind, u.n, f.salt[:])
}

func zero(b []byte) bool { return bytes.Count(b, []byte{0}) == len(b) }

// empty reports whether no frame was ever written.
func (f *logFile) empty() bool {
	var b [diskFrameHeader]byte
	n, err := f.File.ReadAt(b[:], diskLogHeader)
	return (err == nil || err == io.EOF) && zero(b[:n])
}

func (f *logFile) setSalt(salt []byte) {
	if !f.known || !bytes.Equal(f.salt[:], salt) {
		f.synced, f.commit, f.lo, f.hi = 0, 0, 0, 0
	}
	copy(f.salt[:], salt)
	f.known = true
}

// readUnit opens u; another connection may have restarted the log, whose salt is then in its header.
func (f *logFile) readUnit(u unit) ([]byte, error) {
	header := unitAt(0)
	if u.kind != 'H' && !f.known {
		if _, err := f.open(header); err != nil {
			return nil, err
		}
	}
	plain, err := f.open(u)
	if err == errUnopened && u.kind != 'H' {
		old := f.salt
		if _, e := f.open(header); e == nil && f.salt != old {
			plain, err = f.open(u)
		}
	}
	if err != nil {
		return nil, err
	}
	return plain[:u.size], nil
}

// ReadAt serves vfs.File.
func (f *logFile) ReadAt(p []byte, off int64) (n int, err error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	for n < len(p) {
		u := unitAt(off + int64(n))
		plain, err := f.readUnit(u)
		if err == errUnopened {
			// SQLite reads whole frames only in recovery, and to redo the checksums of frames that it has just
			// written; there zeros would destroy data.
			frame := (off - logHeader) / frameSize
			just := f.lo <= frame && frame < f.hi
			if len(p) == frameSize && !just && !f.wasSynced(frame) {
				clear(p)
				return len(p), nil // the end of the log
			}
			return n, f.v.damaged()
		}
		if err != nil {
			return n, err
		}
		n += copy(p[n:], plain[off+int64(n)-u.start:])
	}
	return n, nil
}

// wasSynced looks for a later frame that says that frame n had been synced.
func (f *logFile) wasSynced(n int64) bool {
	for k := n + 1; ; k++ {
		plain, err := f.open(unitAt(logHeader + k*frameSize))
		if err == nil && int64(binary.BigEndian.Uint64(plain[frameHeader:])) > n {
			return true
		}
		if err != nil && err != errUnopened {
			return false
		}
	}
}

// WriteAt serves vfs.File. SQLite writes whole units.
func (f *logFile) WriteAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		u := unitAt(off + int64(n))
		if u.start != off+int64(n) || len(p)-n < u.size {
			return n, sqlite3.IOERR_WRITE // would need read-modify-write: does not happen with power-safe overwrite
		}
		if err := f.seal(u, p[n:n+u.size]); err != nil {
			return n, err
		}
		n += u.size
	}
	return n, nil
}

func (f *logFile) seal(u unit, src []byte) error {
	plain := append(f.buf[:0], src...)
	waits := false
	switch u.kind {
	case 'H':
		f.setSalt(src[16:24])
	case 'F':
		waits = u.n >= f.hi // new, so its page follows
		f.note(u.n, src)
		plain = binary.BigEndian.AppendUint64(plain, uint64(f.synced))
	case 'P':
		if f.first && f.hi == u.n+1 && !isVault(src) {
			return sqlite3.IOERR_WRITE
		}
		f.overwrite(u.n)
		waits = len(f.out) > 0 && !f.ends // so does its header
	}
	if err := f.put(u, plain); err != nil {
		return err
	}
	if waits && len(f.out) < logBuffer {
		return nil
	}
	return f.flush()
}

// put seals a unit behind those that wait, if that is its place.
func (f *logFile) put(u unit, plain []byte) error {
	if len(f.out) > 0 && u.disk != f.outAt+int64(len(f.out)) {
		if err := f.flush(); err != nil {
			return err
		}
	}
	if f.out == nil {
		f.out = make([]byte, 0, logBuffer+PageSize+overhead)
	}
	if len(f.out) == 0 {
		f.outAt, f.outN = u.disk, u.n
	}
	nonce := f.out[len(f.out) : len(f.out)+nonceSize]
	data := f.unitData(u)
	f.makeNonce(nonce, plain, data)
	f.out = f.v.aead.Seal(f.out[:len(f.out)+nonceSize], nonce, plain, data)
	return nil
}

// flush writes what waits: at the latest with the last page of a commit, before anybody else looks.
func (f *logFile) flush() error {
	if len(f.out) == 0 {
		return nil
	}
	err := f.write(f.out, f.outAt)
	f.out = f.out[:0]
	if err != nil {
		f.commit, f.hi = f.synced, max(f.lo, min(f.hi, f.outN))
	}
	return err
}

// note keeps the books when header h of frame n is written; frames of a transaction may be rewritten before its commit.
func (f *logFile) note(n int64, h []byte) {
	// The salt is the one of this frame, not one remembered: another connection may have restarted the log. But zeros
	// stand in a frame that follows a rewritten one of its own transaction; SQLite fills it in at the commit.
	salt := h[8:16]
	if (!zero(salt) || f.v.mutant == zeroSalt) && (!f.known || f.v.mutant != rememberedSalt) {
		f.setSalt(salt)
	}
	f.first, f.ends = binary.BigEndian.Uint32(h) == 1, binary.BigEndian.Uint32(h[4:]) != 0
	f.overwrite(n)
	switch {
	case f.v.mutant == countFrames:
		f.commit = max(f.commit, n+1)
	case f.ends:
		f.commit = n + 1
	default:
		f.commit = min(f.commit, n)
	}
	if n < f.lo || n > f.hi {
		f.lo, f.hi = n, n
	}
	f.hi = max(f.hi, n+1)
}

// overwrite says that frame n is no longer what was synced.
func (f *logFile) overwrite(n int64) {
	if f.v.mutant != countFrames {
		f.synced = min(f.synced, n)
	}
}

// Sync serves vfs.File.
func (f *logFile) Sync(flags vfs.SyncFlag) error {
	err := f.flush()
	if err == nil {
		err = f.File.Sync(flags)
	}
	if err != nil {
		f.commit = f.synced
		return err
	}
	f.synced = f.commit
	return nil
}

// Size serves vfs.File. A frame that is not whole does not count: the file grew, and then the power went.
func (f *logFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	size, err := f.File.Size()
	if err != nil || size < diskLogHeader {
		return 0, err
	}
	return logHeader + (size-diskLogHeader)/diskFrame*frameSize, nil
}

// Truncate serves vfs.File.
func (f *logFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	if size == 0 {
		return f.File.Truncate(0)
	}
	frames := max(0, size-logHeader+frameSize-1) / frameSize
	return f.File.Truncate(diskLogHeader + frames*diskFrame)
}
