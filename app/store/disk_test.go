package store

import (
	"errors"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

// TestDisks is what every Disk does.
func TestDisks(t *testing.T) {
	for name, disk := range map[string]Disk{"os": OS{}, "crashfs": crashfs.New(rand.New(rand.NewSource(1)))} {
		t.Run(name, func(t *testing.T) { testDisk(t, disk, filepath.Join(t.TempDir(), "a", "b")) })
	}
}

func testDisk(t *testing.T, d Disk, dir string) {
	file := filepath.Join(dir, "file")
	if err := d.MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.MakeDir(dir); err != nil {
		t.Errorf("MakeDir again: %v", err)
	}
	if _, _, _, err := d.Read(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read = %v", err)
	}
	if err := d.Patch(file, 0, []byte("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Patch = %v", err)
	}
	if err := d.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Remove = %v", err)
	}
	for _, text := range []string{"a longer first text", "second"} {
		if err := d.Replace(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := readWhole(d, file); err != nil || string(got) != text {
			t.Errorf("it holds %q, %v, want %q", got, err, text)
		}
	}
	if err := d.Patch(file, 3, []byte("ONDARY")); err != nil {
		t.Error(err)
	}
	r, size, closed, err := d.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 20)
	if n, err := r.ReadAt(b, 0); size != 9 || n != 9 || err != io.EOF || string(b[:n]) != "secONDARY" {
		t.Errorf("size %d, ReadAt = %d, %v: %q", size, n, err, b[:n])
	}
	if err := closed(); err != nil {
		t.Error(err)
	}
	if err := d.Replace(filepath.Join(dir, "another"), nil); err != nil {
		t.Error(err)
	}
	if names, err := d.List(dir); err != nil || !slices.Equal(names, []string{"another", "file"}) {
		t.Errorf("List = %v, %v", names, err)
	}
	if err := d.Remove(file); err != nil {
		t.Error(err)
	}
	if names, _ := d.List(dir); !slices.Equal(names, []string{"another"}) {
		t.Errorf("after Remove: %v", names)
	}
	testLock(t, d, filepath.Join(dir, "lock"))
}

func TestEveryNewFolderOfAPathIsSynced(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b", "c")
	if got, want := namedIn(dir), []string{filepath.Join(root, "a", "b"), filepath.Join(root, "a"), root}; !slices.Equal(got, want) {
		t.Errorf("to be synced: %v, want %v", got, want)
	}
	if err := (OS{}).MakeDir(dir); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{dir, filepath.Dir(dir), filepath.Join(root, "a")} {
		if st, err := os.Stat(made); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", made, st.Mode(), err)
		}
	}
	if got := namedIn(dir); !slices.Equal(got, []string{filepath.Dir(dir)}) {
		t.Errorf("once they are there: %v", got)
	}
	if got := namedIn(string(filepath.Separator)); got != nil {
		t.Errorf("of the root: %v", got)
	}
}

func testLock(t *testing.T, d Disk, name string) {
	release, _, err := d.Lock(name)
	if err != nil || release == nil {
		t.Fatalf("Lock = %v", err)
	}
	again, holder, err := d.Lock(name)
	if again != nil || err != nil || holder != os.Getpid() {
		t.Errorf("a second Lock: taken %v, by %d, %v", again == nil, holder, err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	release, _, err = d.Lock(name)
	if err != nil || release == nil {
		t.Fatalf("Lock after release = %v", err)
	}
	release()
}
