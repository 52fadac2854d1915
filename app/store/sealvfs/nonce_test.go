package sealvfs

import (
	"bytes"
	"math/rand"
	"testing"
	"testing/cryptotest"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
)

// A virtual machine that is copied, or set back, draws the same randomness twice.
func TestRepeatedRandomnessRepeatsNoNonce(t *testing.T) {
	disk := crashfs.New(rand.New(rand.NewSource(1)))
	v := New(disk, testKey, idOne, nil)
	base, _, err := disk.Open("/d/a", vfs.OPEN_READWRITE|vfs.OPEN_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	text := func(b byte) []byte { return bytes.Repeat([]byte{b}, PageSize) }
	page := func(n int64, unit []byte) string {
		f := &pageFile{file: file{File: base, v: v}}
		if _, err := f.WriteAt(unit, n*PageSize); err != nil {
			t.Fatal(err)
		}
		return string(disk.Bytes("/d/a")[(n+1)*PageSize-nonceSize:][:nonceSize])
	}
	frame := func(n int64, unit []byte) string {
		f := &logFile{file: file{File: base, v: v}}
		u := unitAt(logHeader + n*frameSize + frameHeader)
		if err := f.seal(u, unit); err != nil {
			t.Fatal(err)
		}
		return string(disk.Bytes("/d/a")[u.disk:][:nonceSize])
	}
	for name, seal := range map[string]func(n int64, unit []byte) string{"page": page, "frame": frame} {
		nonce := func(n int64, unit []byte) string {
			cryptotest.SetGlobalRandom(t, 7)
			return seal(n, unit)
		}
		first := nonce(5, text('a'))
		if nonce(5, text('a')) != first {
			t.Fatalf("%s: the randomness does not repeat, so this test shows nothing", name)
		}
		last := text('a')
		last[usable-1]++
		if nonce(5, text('b')) == first || nonce(5, last) == first {
			t.Errorf("%s: one nonce for two texts", name)
		}
		if nonce(6, text('a')) == first {
			t.Errorf("%s: one nonce in two places", name)
		}
		if seal(5, text('a')) == first {
			t.Errorf("%s: no randomness in the nonce", name)
		}
	}
}
