package crashfs

import (
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Open serves vfs.VFS.
func (f *FS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, flags, sqlite3.IOERR
	}
	n := f.live[name]
	if n == nil {
		if flags&vfs.OPEN_CREATE == 0 {
			return nil, flags, sqlite3.CANTOPEN
		}
		n = &node{}
		f.live[name] = n
	}
	// As with SQLite's own: the first sync of a log that may be new also syncs its folder.
	x := &file{f: f, n: n, name: name, dir: flags&vfs.OPEN_CREATE != 0 && flags&vfs.OPEN_WAL != 0}
	if f.Shm != "" {
		x.shm = vfs.NewSharedMemory(filepath.Join(f.Shm, filepath.Base(name)+"-shm"), flags)
	}
	return x, flags, nil
}

// Delete serves vfs.VFS.
func (f *FS) Delete(name string, syncDir bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live[name] == nil && !f.dead {
		return sqlite3.IOERR_DELETE_NOENT
	}
	if err := f.step(Remove, name); err != nil {
		return sqlite3.IOERR_DELETE
	}
	delete(f.live, name)
	if syncDir && f.syncDir(filepath.Dir(name)) != nil {
		return sqlite3.IOERR_DIR_FSYNC
	}
	return nil
}

// Access serves vfs.VFS.
func (f *FS) Access(name string, _ vfs.AccessFlag) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.live[name]
	return n != nil && len(n.live) > 0, nil
}

// FullPathname serves vfs.VFS.
func (f *FS) FullPathname(name string) (string, error) { return name, nil }

// file is an open file.
type file struct {
	f    *FS
	n    *node
	name string
	dir  bool // its name may not be durable
	shm  vfs.SharedMemory
	lock vfs.LockLevel
}

func (x *file) SharedMemory() vfs.SharedMemory { return x.shm }

func (x *file) Close() error {
	x.Unlock(vfs.LOCK_NONE)
	if x.shm != nil {
		return x.shm.Close()
	}
	return nil
}

func (x *file) ReadAt(p []byte, off int64) (int, error) {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	return x.f.read(x.n, p, off)
}

func (x *file) WriteAt(p []byte, off int64) (int, error) {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	return x.f.write(x.n, x.name, p, off)
}

func (x *file) Truncate(size int64) error {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	if x.f.dead {
		return sqlite3.IOERR_TRUNCATE
	}
	x.f.pend(x.n, change{off: size, trunc: true})
	return x.f.step(Truncate, x.name)
}

func (x *file) Sync(vfs.SyncFlag) error {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	if err := x.f.sync(x.n, x.name); err != nil {
		return vfs.SystemError(err, sqlite3.IOERR_FSYNC)
	}
	if x.dir {
		x.dir = false
		if err := x.f.syncDir(filepath.Dir(x.name)); err != nil {
			return vfs.SystemError(err, sqlite3.IOERR_DIR_FSYNC)
		}
	}
	return nil
}

func (x *file) Size() (int64, error) {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	return int64(len(x.n.live)), nil
}

func (x *file) Lock(level vfs.LockLevel) error {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	n := x.n
	if x.lock >= level {
		return nil
	}
	if n.exclusive != nil || level > vfs.LOCK_SHARED && n.reserved != nil && n.reserved != x {
		return sqlite3.BUSY
	}
	switch level {
	case vfs.LOCK_SHARED:
		n.shared++
	case vfs.LOCK_RESERVED:
		n.reserved = x
	case vfs.LOCK_EXCLUSIVE:
		if n.shared > 1 {
			return sqlite3.BUSY
		}
		n.exclusive = x
	}
	x.lock = level
	return nil
}

func (x *file) Unlock(level vfs.LockLevel) error {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	if x.n.reserved == x {
		x.n.reserved = nil
	}
	if x.n.exclusive == x {
		x.n.exclusive = nil
	}
	if level == vfs.LOCK_NONE && x.lock > vfs.LOCK_NONE {
		x.n.shared--
	}
	x.lock = min(x.lock, level)
	return nil
}

func (x *file) CheckReservedLock() (bool, error) {
	x.f.mu.Lock()
	defer x.f.mu.Unlock()
	return x.n.reserved != nil || x.n.exclusive != nil, nil
}

func (x *file) SectorSize() int { return 4096 }

func (x *file) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_POWERSAFE_OVERWRITE | vfs.IOCAP_SUBPAGE_READ
}
