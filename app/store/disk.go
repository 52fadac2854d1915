package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Disk is the file system that a store lies on: that of the operating system, or one that loses power (crashfs). Names
// are full paths. A method that returns nil has made what it did durable, unless it says otherwise.
type Disk interface {
	// VFS is where SQLite's files go, below their sealing.
	VFS() vfs.VFS
	// MakeDir makes a folder that only this user can enter, and those above it.
	MakeDir(dir string) error
	// List returns the names of the files in dir, sorted.
	List(dir string) ([]string, error)
	// Read opens a file for reading and returns its size; the error for one that is not there is fs.ErrNotExist.
	Read(name string) (r io.ReaderAt, size int64, closed func() error, err error)
	// Replace makes the file name hold data and nothing else, or leaves what was there: a new file, sync, rename, sync of
	// the folder.
	Replace(name string, data []byte) error
	// Patch writes data at off into an existing file. A crash leaves each sector of it as before or as after.
	Patch(name string, off int64, data []byte) error
	// Remove removes a file, not yet durably.
	Remove(name string) error
	// Lock takes the lock file name for this process. When another has it, release is nil and holder is that process, 0
	// when it is not known. A lock goes with its process.
	Lock(name string) (release func() error, holder int, err error)
}

// OS is the operating system's file system.
type OS struct{}

var _ Disk = OS{}

// VFS serves Disk.
func (OS) VFS() vfs.VFS { return private{vfs.Find("")} }

// private is the driver's VFS, but for the permissions of the files it makes, which are whatever the umask leaves.
type private struct{ vfs.VFS }

// OpenFilename serves vfs.VFSFilename.
func (p private) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&vfs.OPEN_CREATE != 0 {
		touch(name.String())
	}
	if flags&vfs.OPEN_MAIN_DB != 0 {
		touch(name.String() + "-shm")
	}
	return vfsutil.WrapOpenFilename(p.VFS, name, flags)
}

// touch makes an empty file when there is none. Whether it could, the driver will find out.
func touch(name string) {
	if f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
		f.Close()
	}
}

// MakeDir serves Disk. A folder that is there already loses the permissions of others.
func (OS) MakeDir(dir string) error {
	parents := namedIn(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncDir(parent); err != nil {
			return err
		}
	}
	return nil
}

// namedIn returns the folders that hold a name which MakeDir(dir) makes, or may have made before: the parent of dir, and those
// above it up to the first that is there. A name is durable once its folder is synced.
func namedIn(dir string) (parents []string) {
	for {
		parent := filepath.Dir(dir)
		if parent == dir {
			return parents
		}
		parents = append(parents, parent)
		if _, err := os.Stat(parent); err == nil {
			return parents
		}
		dir = parent
	}
}

// List serves Disk.
func (OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Read serves Disk.
func (OS) Read(name string) (io.ReaderAt, int64, func() error, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	return f, st.Size(), f.Close, nil
}

// Replace serves Disk.
func (OS) Replace(name string, data []byte) error {
	temporary := name + ".new"
	err := writeNew(temporary, data)
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		os.Remove(temporary)
		return err
	}
	return syncDir(filepath.Dir(name))
}

func writeNew(name string, data []byte) (err error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Patch serves Disk.
func (OS) Patch(name string, off int64, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, off)
	if err == nil {
		err = syncData(f)
	}
	return errors.Join(err, f.Close())
}

// Remove serves Disk.
func (OS) Remove(name string) error { return os.Remove(name) }

// syncDir makes the names in dir durable. Windows has no such call and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
