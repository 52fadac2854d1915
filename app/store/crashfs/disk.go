package crashfs

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ncruces/go-sqlite3/vfs"
)

// VFS returns the disk as SQLite sees it.
func (f *FS) VFS() vfs.VFS { return f }

// MakeDir does nothing: folders are parts of names.
func (f *FS) MakeDir(string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errDead
	}
	return nil
}

// List returns the names of the files in dir, sorted.
func (f *FS) List(dir string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, errDead
	}
	var names []string
	for name := range f.live {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// Read opens name for reading and returns its size.
func (f *FS) Read(name string) (io.ReaderAt, int64, func() error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, 0, nil, errDead
	}
	n := f.live[name]
	if n == nil {
		return nil, 0, nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{f: f, n: n, name: name}, int64(len(n.live)), func() error { return nil }, nil
}

// Replace makes name hold data: a new file, synced, renamed, its folder synced.
func (f *FS) Replace(name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, temporary := &node{}, name+".new"
	f.live[temporary] = n
	err := f.writeSynced(n, temporary, 0, data)
	if f.dead {
		return err
	}
	delete(f.live, temporary)
	if err != nil {
		return err
	}
	if err := f.step(Rename, name); err != nil {
		if f.rand.Intn(2) == 0 {
			f.live[name] = n
		}
		return err
	}
	f.live[name] = n
	return f.syncDir(filepath.Dir(name))
}

// Patch writes data at off into the existing file name, and syncs it.
func (f *FS) Patch(name string, off int64, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.live[name]
	if n == nil {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.writeSynced(n, name, off, data)
}

func (f *FS) writeSynced(n *node, name string, off int64, data []byte) error {
	if _, err := f.write(n, name, data, off); err != nil {
		return err
	}
	return f.sync(n, name)
}

// Remove removes name; that it is gone is certain after the next sync of its folder.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live[name] == nil && !f.dead {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if err := f.step(Remove, name); err != nil {
		return err
	}
	delete(f.live, name)
	return nil
}

// Lock takes the lock file name until release is called. When somebody has it, release is nil and holder is the process.
func (f *FS) Lock(name string) (release func() error, holder int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, 0, errDead
	}
	if f.locks[name] {
		return nil, os.Getpid(), nil
	}
	f.locks[name] = true
	return func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.locks, name)
		return nil
	}, 0, nil
}
