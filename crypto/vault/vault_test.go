package vault

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

var (
	dataKey  = [KeySize]byte{1, 2, 3}
	aad      = []byte("a vault")
	keyBytes = bytes.Repeat([]byte{5}, KeySize)
)

const enough = 1 << 30 // of memory

func mustSeal(t *testing.T, kind uint8, secret []byte, p Params) []byte {
	t.Helper()
	slot, err := SealSlot(kind, secret, p, dataKey, aad)
	if err != nil {
		t.Fatal(err)
	}
	if len(slot) != SlotSize {
		t.Fatalf("a slot of %d bytes, want %d", len(slot), SlotSize)
	}
	return slot
}

func TestASlotOpensWithItsSecretOnly(t *testing.T) {
	for _, row := range []struct {
		name          string
		kind          uint8
		secret, other []byte
		p             Params
	}{
		{"password", KindPassword, []byte("correct horse"), []byte("correct horse "), Min},
		{"words", KindWords, keyBytes, make([]byte, KeySize), Params{}},
		{"keyring", KindKeyring, keyBytes, keyBytes[1:], Params{}},
	} {
		slot := mustSeal(t, row.kind, row.secret, row.p)
		if got, err := OpenSlot(slot, row.secret, aad, enough); err != nil || got != dataKey {
			t.Errorf("%s: OpenSlot = %x, %v", row.name, got, err)
		}
		if _, err := OpenSlot(slot, row.other, aad, enough); err != ErrPassword {
			t.Errorf("%s, another secret: OpenSlot = %v, want %v", row.name, err, ErrPassword)
		}
		if _, err := OpenSlot(slot, row.secret, []byte("another vault"), enough); err != ErrDamaged {
			t.Errorf("%s, another vault: OpenSlot = %v, want %v", row.name, err, ErrDamaged)
		}
	}
}

func TestNoBitOfASlotCanBeChanged(t *testing.T) {
	slot := mustSeal(t, KindWords, keyBytes, Params{})
	for bit := range len(slot) * 8 {
		b := bytes.Clone(slot)
		b[bit/8] ^= 1 << (bit % 8)
		_, err := OpenSlot(b, keyBytes, aad, enough)
		want := ErrPassword
		if bit/8 >= nonceAt {
			want = ErrDamaged
		}
		switch { // another kind, and parameters that a key has not
		case bit/8 < comAt-saltSize:
			if err == nil {
				t.Errorf("bit %d: it opens", bit)
			}
		case err != want:
			t.Errorf("bit %d: %v, want %v", bit, err, want)
		}
	}
}

func TestSlotsNeverRepeat(t *testing.T) {
	if bytes.Equal(mustSeal(t, KindWords, keyBytes, Params{}), mustSeal(t, KindWords, keyBytes, Params{})) {
		t.Error("the same secret makes the same slot")
	}
}

func TestParametersOutOfRangeAreRefusedBeforeTheyAreTried(t *testing.T) {
	good := mustSeal(t, KindPassword, []byte("x"), Min)
	for _, row := range []struct {
		name string
		p    Params
		ok   bool
	}{
		{"least", Min, true},
		{"most", Params{1 << 22, 16, 8}, true},
		{"little memory", Params{64<<10 - 1, 3, 4}, false},
		{"few passes", Params{64 << 10, 2, 4}, false},
		{"many passes", Params{64 << 10, 17, 4}, false},
		{"no lane", Params{64 << 10, 3, 0}, false},
		{"many lanes", Params{64 << 10, 3, 9}, false},
	} {
		raw := bytes.Clone(good)
		raw[1], raw[2], raw[3], raw[4] = byte(row.p.Memory>>24), byte(row.p.Memory>>16), byte(row.p.Memory>>8), byte(row.p.Memory)
		raw[5], raw[6] = row.p.Time, row.p.Lanes
		if _, p, err := ParseSlot(raw); (err == nil) != row.ok || row.ok && p != row.p || !row.ok && err != ErrParams {
			t.Errorf("%s: ParseSlot = %v, %v", row.name, p, err)
		}
		if row.ok {
			continue
		}
		if _, err := OpenSlot(raw, []byte("x"), aad, 1<<62); err != ErrParams {
			t.Errorf("%s: OpenSlot = %v, want %v", row.name, err, ErrParams)
		}
		if _, err := SealSlot(KindPassword, []byte("x"), row.p, dataKey, aad); err != ErrParams {
			t.Errorf("%s: SealSlot = %v, want %v", row.name, err, ErrParams)
		}
	}
}

func TestMoreMemoryThanAllowedIsSaidNotTried(t *testing.T) {
	slot := mustSeal(t, KindPassword, []byte("x"), Min)
	_, err := OpenSlot(slot, []byte("x"), aad, 64<<20-1)
	var e *MemoryError
	if !errors.As(err, &e) || e.Need != 64<<20 || e.Limit != 64<<20-1 || !errors.Is(err, ErrParams) {
		t.Errorf("OpenSlot = %v", err)
	}
}

func TestAKeySlotTakesAKeyAndNothingElse(t *testing.T) {
	for name, seal := range map[string]func() ([]byte, error){
		"short key":  func() ([]byte, error) { return SealSlot(KindWords, keyBytes[1:], Params{}, dataKey, aad) },
		"parameters": func() ([]byte, error) { return SealSlot(KindKeyring, keyBytes, Min, dataKey, aad) },
		"no kind":    func() ([]byte, error) { return SealSlot(4, keyBytes, Params{}, dataKey, aad) },
	} {
		if _, err := seal(); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
}

func TestOnePasswordInTwoSpellingsIsOne(t *testing.T) {
	for _, spelled := range []string{"u\u0308ber \ufb01x", "\u00fcber fix"} { // ü composed or not, a ligature or not
		if got := string(Normalize([]byte(spelled))); got != "\u00fcber fix" {
			t.Errorf("Normalize(%q) = %q", spelled, got)
		}
	}
}

func TestSubkeysAreApart(t *testing.T) {
	seen := map[[KeySize]byte]string{dataKey: "the data key"}
	for _, purpose := range []string{"page", "audit", "header", "anchor", "map", "blob names", ""} {
		k := Subkey(dataKey, purpose)
		if other, ok := seen[k]; ok {
			t.Errorf("%q has the key of %q", purpose, other)
		}
		seen[k] = purpose
	}
	a, b := NewKey(), NewKey()
	if a == b {
		t.Error("two data keys are the same")
	}
}

func TestCalibrationStaysWithinBudgetAndBounds(t *testing.T) {
	for _, row := range []struct {
		name   string
		perMiB float64 // seconds
		budget float64
		want   uint32 // MiB
	}{
		{"fast", 0.001, 1, 256},
		{"exactly", 1.0 / 256, 1, 256},
		{"half", 1.0 / 128, 1, 128},
		{"a little more than 96", 1.0 / 100, 1, 96},
		{"slow", 0.1, 1, 64},
	} {
		calls := 0
		p := Calibrate(func(p Params) float64 {
			calls++
			return row.perMiB * float64(p.Memory) / 1024
		}, row.budget)
		if p != (Params{row.want << 10, 3, 4}) || calls > 2 {
			t.Errorf("%s: %+v after %d measurements, want %d MiB after 2", row.name, p, calls, row.want)
		}
	}
	worse := Calibrate(func(p Params) float64 { // not linear: each candidate is measured
		if p == Min {
			return 0.1
		}
		return 2 - float64(Max.Memory-p.Memory)/float64(Max.Memory)*2
	}, 1)
	if worse.Memory != 128<<10 {
		t.Errorf("candidates too slow: %+v", worse)
	}
}

func header() *Header {
	return &Header{Generation: 7, Vault: [16]byte{1}, File: [16]byte{2}, Epoch: 3, Live: "data-0a1b2c3d.db"}
}

func TestAHeaderOfAllSlotsStaysUnderFourKilobytes(t *testing.T) {
	h := header()
	h.Live = strings.Repeat("a", maxLive)
	for range MaxSlots {
		h.Slots = append(h.Slots, mustSeal(t, KindWords, keyBytes, Params{}))
	}
	raw, err := h.Marshal(dataKey)
	if err != nil || len(raw) > MaxHeader {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	if h.Slots = append(h.Slots, h.Slots[0]); true {
		if _, err := h.Marshal(dataKey); err == nil {
			t.Error("too many slots are marshalled")
		}
	}
}

func TestAHeaderIsItsOwnOrRefused(t *testing.T) {
	h := header()
	h.Slots = [][]byte{mustSeal(t, KindWords, keyBytes, Params{}), mustSeal(t, KindKeyring, keyBytes, Params{})}
	raw, err := h.Marshal(dataKey)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseHeader(raw)
	if err != nil || !Verify(raw, dataKey) {
		t.Fatalf("ParseHeader = %v, verified %v", err, Verify(raw, dataKey))
	}
	if again, err := p.Marshal(dataKey); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("marshalled again: %v", err)
	}
	if Verify(raw, [KeySize]byte{9}) {
		t.Error("verified under another key")
	}
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 1
		if _, err := ParseHeader(b); err == nil && Verify(b, dataKey) {
			t.Errorf("byte %d changed: accepted", i)
		}
	}
}

func TestWhatIsWrongWithAHeaderIsTold(t *testing.T) {
	h := header()
	h.Slots = [][]byte{mustSeal(t, KindWords, keyBytes, Params{})}
	raw, err := h.Marshal(dataKey)
	if err != nil {
		t.Fatal(err)
	}
	newer := bytes.Clone(raw)
	newer[3] = '2'
	for name, row := range map[string]struct {
		raw  []byte
		want error
	}{
		"empty":             {nil, ErrForeign},
		"something else":    {[]byte("SQLite format 3\x00 and so on"), ErrForeign},
		"a later format":    {newer, ErrNewer},
		"cut off":           {raw[:len(raw)-1], ErrDamaged},
		"only the magic":    {raw[:4], ErrDamaged},
		"longer":            {append(bytes.Clone(raw), 0), ErrDamaged},
		"much longer":       {append(bytes.Clone(raw), make([]byte, 5000)...), ErrDamaged},
		"zeros":             {append([]byte(magic), make([]byte, 300)...), ErrDamaged},
		"a byte is changed": {append(append(bytes.Clone(raw[:40]), raw[40]^1), raw[41:]...), ErrDamaged},
	} {
		if _, err := ParseHeader(row.raw); err != row.want {
			t.Errorf("%s: ParseHeader = %v, want %v", name, err, row.want)
		}
	}
}

func TestALiveFileCannotLeaveItsFolder(t *testing.T) {
	for _, live := range []string{"", "../data.db", "a/b", ".db", "A.db", "a\x00b", strings.Repeat("a", maxLive+1), `a\b`} {
		h := header()
		h.Live, h.Slots = live, [][]byte{mustSeal(t, KindWords, keyBytes, Params{})}
		if _, err := h.Marshal(dataKey); err == nil {
			t.Errorf("%q is accepted", live)
		}
	}
}

func TestTheSlotThatFitsOpensTheHeader(t *testing.T) {
	h := header()
	other := bytes.Repeat([]byte{6}, KeySize)
	for _, key := range [][]byte{other, keyBytes} {
		slot, err := SealSlot(KindWords, key, Params{}, dataKey, h.Vault[:])
		if err != nil {
			t.Fatal(err)
		}
		h.Slots = append(h.Slots, slot)
	}
	for _, key := range [][]byte{other, keyBytes} {
		if got, err := h.Open(KindWords, key, enough); err != nil || got != dataKey {
			t.Errorf("Open = %x, %v", got, err)
		}
	}
	dear := mustSeal(t, KindPassword, []byte("x"), Min)
	dear[1] = 0xff // memory that no machine has
	broken := mustSeal(t, KindPassword, other, Min)
	broken[len(broken)-1] ^= 1
	for _, slots := range [][][]byte{{dear, broken}, {broken, dear}} {
		if _, err := (&Header{Slots: slots}).Open(KindPassword, other, enough); err != ErrDamaged {
			t.Errorf("a slot that asks for too much, and a damaged one: Open = %v, want %v", err, ErrDamaged)
		}
	}
	if _, err := h.Open(KindWords, make([]byte, KeySize), enough); err != ErrPassword {
		t.Errorf("another key: Open = %v", err)
	}
	if _, err := h.Open(KindPassword, []byte("x"), enough); err != ErrPassword {
		t.Errorf("a kind that is not there: Open = %v", err)
	}
}
