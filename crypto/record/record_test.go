package record

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

// testKey is the key material 0, 1, 2, ... 43.
func testKey() []byte {
	k := make([]byte, KeySize)
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

func pair(t testing.TB) (*Sealer, *Opener) {
	t.Helper()
	s, err := NewSealer(testKey())
	if err != nil {
		t.Fatalf("NewSealer: %v", err)
	}
	o, err := NewOpener(testKey())
	if err != nil {
		t.Fatalf("NewOpener: %v", err)
	}
	return s, o
}

func seal(t testing.TB, s *Sealer, typ uint8, data []byte) []byte {
	t.Helper()
	rec, err := s.Seal(nil, typ, data)
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	return rec
}

// raw seals any plaintext as the n'th record: what a dishonest owner of the key can make.
func raw(t testing.TB, n byte, plain []byte) []byte {
	t.Helper()
	k := testKey()
	block, err := aes.NewCipher(k[:32])
	if err != nil {
		t.Fatalf("AES: %v", err)
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatalf("GCM: %v", err)
	}
	nonce := k[32:]
	nonce[11] ^= n
	return g.Seal(nil, nonce, plain, nil)
}

func TestOpenGivesBackWhatWasSealed(t *testing.T) {
	s, o := pair(t)
	for n, data := range [][]byte{{0}, []byte("hello"), make([]byte, 1000), bytes.Repeat([]byte{7}, MaxData)} {
		prefix := []byte("before")
		rec, err := s.Seal(bytes.Clone(prefix), Data, data)
		if err != nil {
			t.Fatalf("Seal: %v", err)
		}
		if !bytes.HasPrefix(rec, prefix) || len(rec) != len(prefix)+len(data)+Overhead {
			t.Errorf("record %d has %d bytes for %d of data", n, len(rec)-len(prefix), len(data))
		}
		ciphertext, rest, err := Split(append(rec[len(prefix):], "rest"...))
		if err != nil || string(rest) != "rest" {
			t.Fatalf("Split = rest %q, %v", rest, err)
		}
		dst := []byte("kept")
		typ, got, err := o.Open(dst, ciphertext)
		if err != nil || typ != Data || !bytes.Equal(got, data) || string(dst) != "kept" {
			t.Errorf("Open of record %d = type %d, %d bytes, %v", n, typ, len(got), err)
		}
	}
	ciphertext, _, err := Split(seal(t, s, FIN, nil))
	if err != nil {
		t.Fatalf("Split: %v", err)
	}
	if typ, got, err := o.Open(nil, ciphertext); err != nil || typ != FIN || len(got) != 0 {
		t.Errorf("Open of FIN = type %d, %d bytes, %v", typ, len(got), err)
	}
}

func TestTheLargestRecordFillsItsSizeExactly(t *testing.T) {
	s, _ := pair(t)
	if rec := seal(t, s, Data, make([]byte, MaxData)); len(rec) != MaxRecord || MaxRecord != 16384 {
		t.Errorf("the largest record has %d bytes, want %d", len(rec), MaxRecord)
	}
}

func TestRecordsAreThoseOfTheProtocol(t *testing.T) {
	s, _ := pair(t)
	for n, data := range []string{"a", "bc", "def"} {
		want := raw(t, byte(n), append([]byte{Data}, data...))
		got := seal(t, s, Data, []byte(data))
		if !bytes.Equal(got[2:], want) || int(got[0])<<8|int(got[1]) != len(want) {
			t.Errorf("record %d = %x, want %x behind its length", n, got, want)
		}
	}
}

func TestTheCounterIsXoredAsSixtyFourBits(t *testing.T) {
	_, o := pair(t)
	o.next = 0x01020304
	nonce, err := o.step()
	want := []byte{32, 33, 34, 35, 36, 37, 38, 39, 40 ^ 1, 41 ^ 2, 42 ^ 3, 43 ^ 4}
	if err != nil || !bytes.Equal(nonce, want) {
		t.Errorf("nonce = %v, %v, want %v", nonce, err, want)
	}
}

func TestSealRefusesWhatHasNoMeaning(t *testing.T) {
	s, o := pair(t)
	for _, row := range []struct {
		name string
		typ  uint8
		n    int
	}{{"empty data", Data, 0}, {"too much data", Data, MaxData + 1}, {"FIN with data", FIN, 1}, {"an unknown type", 2, 1}} {
		if out, err := s.Seal(nil, row.typ, make([]byte, row.n)); err == nil || out != nil {
			t.Errorf("Seal(%s) = %d bytes, %v", row.name, len(out), err)
		}
	}
	if _, _, err := o.Open(nil, seal(t, s, Data, []byte{1})[2:]); err != nil {
		t.Errorf("after refused calls the next record does not open: %v", err)
	}
}

func TestOpenRefusesWhatHasNoMeaning(t *testing.T) {
	for name, plain := range map[string][]byte{
		"empty data": {Data}, "FIN with data": {FIN, 0}, "an unknown type": {2, 0}, "nothing": {},
	} {
		_, o := pair(t)
		if _, data, err := o.Open(nil, raw(t, 0, plain)); !errors.Is(err, ErrAuth) || data != nil {
			t.Errorf("Open(%s) = %v, want %v", name, err, ErrAuth)
		}
	}
}

func TestEveryChangedByteIsRefusedForGood(t *testing.T) {
	s, _ := pair(t)
	first, second := seal(t, s, Data, []byte("the first")), seal(t, s, Data, []byte("the second"))
	for at := lengthSize; at < len(first); at++ {
		_, o := pair(t)
		bad := bytes.Clone(first)
		bad[at] ^= 1
		if _, data, err := o.Open(nil, bad[lengthSize:]); !errors.Is(err, ErrAuth) || data != nil {
			t.Errorf("Open with byte %d changed = %v", at, err)
		}
		for _, later := range [][]byte{first, second} {
			if _, data, err := o.Open(nil, later[lengthSize:]); !errors.Is(err, ErrAuth) || data != nil {
				t.Errorf("Open after a forgery = %v", err)
			}
		}
	}
}

func TestOtherOrdersAreRefused(t *testing.T) {
	s, _ := pair(t)
	recs := [][]byte{seal(t, s, Data, []byte("0")), seal(t, s, Data, []byte("1")), seal(t, s, Data, []byte("2"))}
	for name, order := range map[string][]int{"dropped": {1}, "repeated": {0, 0}, "swapped": {0, 2}} {
		_, o := pair(t)
		for i, n := range order {
			_, _, err := o.Open(nil, recs[n][lengthSize:])
			if last := i == len(order)-1; last != errors.Is(err, ErrAuth) {
				t.Errorf("%s: record %d at place %d = %v", name, n, i, err)
			}
		}
	}
}

func TestRecordsOfOtherKeysAreRefused(t *testing.T) {
	s, _ := pair(t)
	rec := seal(t, s, Data, []byte("x"))
	for at := range KeySize {
		k := testKey()
		k[at] ^= 1
		o, err := NewOpener(k)
		if err != nil {
			t.Fatalf("NewOpener: %v", err)
		}
		if _, _, err := o.Open(nil, rec[lengthSize:]); !errors.Is(err, ErrAuth) {
			t.Errorf("Open with byte %d of the key changed = %v", at, err)
		}
	}
}

func TestNothingFollowsFIN(t *testing.T) {
	s, o := pair(t)
	fin := seal(t, s, FIN, nil)
	for _, typ := range []uint8{Data, FIN} {
		if out, err := s.Seal(nil, typ, make([]byte, 1-typ)); !errors.Is(err, ErrClosed) || out != nil {
			t.Errorf("Seal of type %d after FIN = %v", typ, err)
		}
	}
	if _, _, err := o.Open(nil, fin[lengthSize:]); err != nil {
		t.Fatalf("Open: %v", err)
	}
	if _, _, err := o.Open(nil, raw(t, 1, []byte{Data, 1})); !errors.Is(err, ErrClosed) {
		t.Errorf("Open after FIN = %v", err)
	}
}

func TestAKeyEndsAfterFourBillionRecords(t *testing.T) {
	s, o := pair(t)
	s.next, o.next = MaxRecords-1, MaxRecords-1
	last := seal(t, s, Data, []byte("last"))
	if _, data, err := o.Open(nil, last[lengthSize:]); err != nil || string(data) != "last" {
		t.Errorf("Open of the last record = %q, %v", data, err)
	}
	for range 2 {
		if out, err := s.Seal(nil, Data, []byte("more")); !errors.Is(err, ErrExhausted) || out != nil {
			t.Errorf("Seal of one more = %v, want %v", err, ErrExhausted)
		}
		if _, _, err := o.Open(nil, last[lengthSize:]); !errors.Is(err, ErrExhausted) {
			t.Errorf("Open of one more = %v, want %v", err, ErrExhausted)
		}
	}
}

func TestOtherKeyLengthsAreRefused(t *testing.T) {
	for _, n := range []int{0, 32, 43, 45} {
		if s, err := NewSealer(make([]byte, n)); err == nil || s != nil {
			t.Errorf("NewSealer takes %d bytes", n)
		}
		if o, err := NewOpener(make([]byte, n)); err == nil || o != nil {
			t.Errorf("NewOpener takes %d bytes", n)
		}
	}
}

func TestSecretsPrintAsSecret(t *testing.T) {
	s, o := pair(t)
	for _, v := range []any{s, o, *s, *o, NewWriter(nil, s), NewReader(nil, o)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			if got := fmt.Sprintf(verb, v); got != "[secret]" {
				t.Errorf("Sprintf(%s, %T) = %q", verb, v, got)
			}
		}
		if got, err := json.Marshal(v); err != nil || string(got) != `"[secret]"` {
			t.Errorf("json of %T = %s, %v", v, got, err)
		}
	}
}

func TestSealingAndOpeningAllocateNothing(t *testing.T) {
	s, o := pair(t)
	data, buf := make([]byte, 4000), make([]byte, 0, MaxRecord)
	n := testing.AllocsPerRun(100, func() {
		rec, err := s.Seal(buf, Data, data)
		if err != nil {
			t.Fatalf("Seal: %v", err)
		}
		c := rec[lengthSize:]
		if _, _, err := o.Open(c[:0], c); err != nil {
			t.Fatalf("Open: %v", err)
		}
	})
	if n != 0 {
		t.Errorf("a record allocates %v times", n)
	}
}
