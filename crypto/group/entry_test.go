package group

import (
	"bytes"
	"errors"
	"testing"
)

var (
	testRoom = [32]byte{1, 2, 3}
	testLog  = [32]byte{4, 5, 6}
)

// sealed returns an entry at index 3 of a fresh chain, with its key.
func sealed(t testing.TB, plaintext []byte) (mk MessageKey, raw []byte, prk [32]byte) {
	t.Helper()
	c, err := NewChain(2)
	if err != nil {
		t.Fatal(err)
	}
	_, _, mk, err = c.To(3)
	if err != nil {
		t.Fatal(err)
	}
	raw, prk, err = Seal(mk, testRoom, testLog, 1, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return mk, raw, prk
}

func parse(t testing.TB, raw []byte) *Entry {
	t.Helper()
	e, err := ParseEntry(raw)
	if err != nil {
		t.Fatalf("ParseEntry: %v", err)
	}
	return e
}

func TestSealedEntriesOpen(t *testing.T) {
	for _, n := range []int{0, 1, 64, 65, 1024, 1025, 5000, MaxPlaintext} {
		plaintext := bytes.Repeat([]byte{0xa5}, n)
		mk, raw, prk := sealed(t, plaintext)
		e := parse(t, raw)
		if e.Kind != 1 || e.Generation != 2 || e.Index != 3 {
			t.Errorf("%d bytes: entry (%d, %d, %d)", n, e.Kind, e.Generation, e.Index)
		}
		got, opening, err := Open(mk, testRoom, testLog, e)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if opening != prk {
			t.Errorf("%d bytes: Open and Seal give different openings", n)
		}
		if !bytes.Equal(got[:n], plaintext) || len(bytes.Trim(got[n:], "\x00")) != 0 {
			t.Errorf("%d bytes: wrong text or padding", n)
		}
		again, err := OpenWith(prk, testRoom, testLog, e)
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%d bytes: OpenWith differs: %v", n, err)
		}
	}
}

func TestSealRefusesTooMuch(t *testing.T) {
	var mk MessageKey
	if _, _, err := Seal(mk, testRoom, testLog, 1, make([]byte, MaxPlaintext+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("a byte too much: %v", err)
	}
	mk.Index = ChainLength
	if _, _, err := Seal(mk, testRoom, testLog, 1, nil); !errors.Is(err, ErrEnd) {
		t.Errorf("a key no chain gives: %v", err)
	}
}

func TestLargestEntryFits(t *testing.T) {
	_, raw, _ := sealed(t, make([]byte, MaxPlaintext))
	if len(raw) > MaxEntry || headerSize+paddedSize(MaxPlaintext+1)+tagSize+commitSize <= MaxEntry {
		t.Errorf("the largest entry has %d of %d bytes", len(raw), MaxEntry)
	}
}

func TestEveryFlippedByteRefuses(t *testing.T) {
	c, _ := NewChain(2)
	next, mk, _ := c.Step()
	before := c
	raw, prk, _ := Seal(mk, testRoom, testLog, 1, []byte("hello"))
	if _, _, err := Open(mk, testRoom, testLog, parse(t, raw)); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, bit := range []byte{1, 0x80} {
			changed := bytes.Clone(raw)
			changed[i] ^= bit
			e, err := ParseEntry(changed)
			if err != nil {
				continue
			}
			if _, _, err := Open(mk, testRoom, testLog, e); !errors.Is(err, ErrAuth) {
				t.Errorf("byte %d flipped by %#x opens by its key: %v", i, bit, err)
			}
			if _, err := OpenWith(prk, testRoom, testLog, e); !errors.Is(err, ErrAuth) {
				t.Errorf("byte %d flipped by %#x opens by its prk: %v", i, bit, err)
			}
		}
	}
	if again, _, _ := c.Step(); c != before || again != next {
		t.Error("a refused entry changed the chain")
	}
}

func TestEntryOpensInItsPlaceOnly(t *testing.T) {
	mk, raw, prk := sealed(t, []byte("hello"))
	e := parse(t, raw)
	other := [32]byte{9}
	otherKey, otherIndex, otherGeneration := mk, mk, mk
	otherKey.Key[31] ^= 1
	otherIndex.Index++
	otherGeneration.Generation++
	for _, row := range []struct {
		name      string
		mk        MessageKey
		room, log [32]byte
	}{
		{"another room", mk, other, testLog},
		{"another log", mk, testRoom, other},
		{"room and log exchanged", mk, testLog, testRoom},
		{"another key", otherKey, testRoom, testLog},
		{"the key of another index", otherIndex, testRoom, testLog},
		{"the key of another generation", otherGeneration, testRoom, testLog},
	} {
		if text, opening, err := Open(row.mk, row.room, row.log, e); !errors.Is(err, ErrAuth) || text != nil || opening != [32]byte{} {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if _, err := OpenWith(prk, other, testLog, e); !errors.Is(err, ErrAuth) {
		t.Errorf("prk in another room: %v", err)
	}
	if _, err := OpenWith(prk, testRoom, other, e); !errors.Is(err, ErrAuth) {
		t.Errorf("prk in another log: %v", err)
	}
	prk[0] ^= 1
	if _, err := OpenWith(prk, testRoom, testLog, e); !errors.Is(err, ErrAuth) {
		t.Errorf("wrong prk: %v", err)
	}
}

func TestRewrittenHeaderRefuses(t *testing.T) {
	mk, raw, _ := sealed(t, []byte("hello"))
	for name, change := range map[string]func(*Entry){
		"kind":       func(e *Entry) { e.Kind++ },
		"generation": func(e *Entry) { e.Generation++ },
		"index":      func(e *Entry) { e.Index++ },
		"nonce":      func(e *Entry) { e.Nonce[0]++ },
	} {
		e := parse(t, raw)
		change(e)
		forged := append(e.appendHeader(nil, len(e.Ciphertext)), raw[headerSize:]...)
		forgedKey := MessageKey{Generation: e.Generation, Index: e.Index, Key: mk.Key}
		if _, _, err := Open(forgedKey, testRoom, testLog, parse(t, forged)); !errors.Is(err, ErrAuth) {
			t.Errorf("another %s under the same key: %v", name, err)
		}
	}
}

// Whoever knows the prk can make a ciphertext that passes GCM; the commitment is what ties it to one text, so a correct
// tag under a wrong commitment must fail, and a correct commitment over a wrong tag too.
func TestCommitAndTagAreBothChecked(t *testing.T) {
	_, raw, prk := sealed(t, []byte("hello"))
	k, err := deriveKeys(prk, testRoom, testLog, raw[:headerSize])
	if err != nil {
		t.Fatal(err)
	}
	body := len(raw) - commitSize
	noCommit := append(bytes.Clone(raw[:body]), make([]byte, commitSize)...)
	if _, err := OpenWith(prk, testRoom, testLog, parse(t, noCommit)); !errors.Is(err, ErrAuth) {
		t.Errorf("a good tag without commitment: %v", err)
	}
	badTag := bytes.Clone(raw[:body])
	badTag[body-1] ^= 1
	commit := mac(k.commit, badTag)
	if _, err := OpenWith(prk, testRoom, testLog, parse(t, append(badTag, commit[:]...))); !errors.Is(err, ErrAuth) {
		t.Errorf("a commitment over a bad tag: %v", err)
	}
}

func TestNonceDependsOnTextKeyAndRandomness(t *testing.T) {
	mk, mk2 := MessageKey{Key: [32]byte{1}}, MessageKey{Key: [32]byte{2}}
	random := [16]byte{7}
	nonces := map[[16]byte]string{}
	for name, in := range map[string]struct {
		mk     MessageKey
		text   string
		random [16]byte
	}{
		"as it is":           {mk, "hello", random},
		"another text":       {mk, "hallo", random},
		"another key":        {mk2, "hello", random},
		"another randomness": {mk, "hello", [16]byte{8}},
	} {
		raw, _, err := seal(in.mk, testRoom, testLog, 1, []byte(in.text), in.random)
		if err != nil {
			t.Fatal(err)
		}
		nonce := parse(t, raw).Nonce
		if other, ok := nonces[nonce]; ok {
			t.Errorf("%s and %s share a nonce", name, other)
		}
		nonces[nonce] = name
	}
	_, first, _ := sealed(t, nil)
	_, second, _ := sealed(t, nil)
	if parse(t, first).Nonce == parse(t, second).Nonce {
		t.Error("two entries share a nonce")
	}
}

func TestParseEntryRefusesWhatSealDoesNotMake(t *testing.T) {
	_, raw, _ := sealed(t, []byte("hello"))
	withLength := func(n int) []byte {
		e := Entry{Kind: 1}
		return append(e.appendHeader(nil, n), make([]byte, n+commitSize)...)
	}
	for name, b := range map[string][]byte{
		"empty":                nil,
		"cut off":              raw[:len(raw)-1],
		"header only":          raw[:headerSize],
		"a byte behind":        append(bytes.Clone(raw), 0),
		"index 256":            append([]byte{1, 0, 0, 0, 0, 0, 0, 1, 0}, raw[9:]...),
		"no text":              withLength(tagSize),
		"no tag":               withLength(tagSize - 1),
		"unpadded":             withLength(tagSize + 65),
		"not by Padmé":         withLength(tagSize + 2048 + 64),
		"too long":             withLength(tagSize + 36<<10),
		"length beyond memory": append(append(bytes.Clone(raw[:headerSize-4]), 0xff, 0xff, 0xff, 0xff), raw[headerSize:]...),
	} {
		if _, err := ParseEntry(b); err == nil {
			t.Errorf("%s parses", name)
		}
	}
}

func TestPaddingHidesLengths(t *testing.T) {
	for _, row := range [][2]int{
		{0, 64},
		{1, 64},
		{64, 64},
		{65, 128},
		{1000, 1024},
		{1024, 1024},
		{1025, 1088},
		{2047, 2048},
		{2048, 2048},
		{2049, 2176},
		{9000, 9216},
		{32768, 32768},
		{32769, 34816},
	} {
		if got := paddedSize(row[0]); got != row[1] {
			t.Errorf("paddedSize(%d) = %d, want %d", row[0], got, row[1])
		}
	}
	for n := range MaxPlaintext {
		p := paddedSize(n)
		if p < n || paddedSize(p) != p || (n > 1024 && (p-n)*100 > 12*n) {
			t.Fatalf("paddedSize(%d) = %d", n, p)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	mk := MessageKey{Generation: 2, Index: 3, Key: [32]byte{1}} // fixed: fuzzing runs in processes of its own
	add := func(text []byte) []byte {
		raw, _, err := seal(mk, testRoom, testLog, 1, text, [16]byte{2})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		return raw
	}
	raw := add([]byte("hello"))
	f.Add(raw[:headerSize])
	long := add(make([]byte, 3000))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEntry(b)
		if err != nil {
			return
		}
		made := append(e.appendHeader(nil, len(e.Ciphertext)), e.Ciphertext...)
		if made = append(made, e.Commit[:]...); !bytes.Equal(made, b) || !bytes.Equal(e.Raw, b) {
			t.Fatal("the parsed entry has other bytes")
		}
		if _, _, err := Open(mk, testRoom, testLog, e); err == nil && !bytes.Equal(b, raw) && !bytes.Equal(b, long) {
			t.Fatal("a forged entry opens")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	mk, _, _ := sealed(b, nil)
	text := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Seal(mk, testRoom, testLog, 1, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	mk, raw, _ := sealed(b, make([]byte, 200))
	b.ReportAllocs()
	for b.Loop() {
		e, err := ParseEntry(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := Open(mk, testRoom, testLog, e); err != nil {
			b.Fatal(err)
		}
	}
}
