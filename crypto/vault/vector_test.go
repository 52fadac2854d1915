package vault

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorFile = "testdata/vault.json"

// vectors are what a vault that was made once must always open as.
type vectors struct {
	DataKey  string            `json:"data_key"`
	Password string            `json:"password"`
	Words    string            `json:"words_key"`
	Header   string            `json:"header"`
	Subkeys  map[string]string `json:"subkeys"`
}

func TestFrozenVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	b, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	raw := unhex(t, v.Header)
	key := [KeySize]byte(unhex(t, v.DataKey))
	h, err := ParseHeader(raw)
	if err != nil || !Verify(raw, Subkey(key, "header")) {
		t.Fatalf("ParseHeader = %v", err)
	}
	for kind, secret := range map[uint8][]byte{KindPassword: Normalize([]byte(v.Password)), KindWords: unhex(t, v.Words)} {
		if got, err := h.Open(kind, secret, enough); err != nil || got != key {
			t.Errorf("kind %d: Open = %x, %v", kind, got, err)
		}
	}
	if again, err := h.Marshal(Subkey(key, "header")); err != nil || !bytes.Equal(again, raw) {
		t.Errorf("marshalled again: %x, %v", again, err)
	}
	for purpose, want := range v.Subkeys {
		if got := Subkey(key, purpose); hex.EncodeToString(got[:]) != want {
			t.Errorf("Subkey(%q) = %x, want %s", purpose, got, want)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeVectors(t *testing.T) {
	key := NewKey()
	v := vectors{
		DataKey: hex.EncodeToString(key[:]), Password: "u\u0308ber den Wolken \ufb01x", Words: hex.EncodeToString(keyBytes),
		Subkeys: map[string]string{},
	}
	h := header()
	for _, s := range []struct {
		kind   uint8
		secret []byte
		p      Params
	}{{KindPassword, Normalize([]byte(v.Password)), Min}, {KindWords, keyBytes, Params{}}} {
		slot, err := SealSlot(s.kind, s.secret, s.p, key, h.Vault[:])
		if err != nil {
			t.Fatal(err)
		}
		h.Slots = append(h.Slots, slot)
	}
	raw, err := h.Marshal(Subkey(key, "header"))
	if err != nil {
		t.Fatal(err)
	}
	v.Header = hex.EncodeToString(raw)
	for _, purpose := range []string{"page", "audit", "header", "anchor", "map", "blob names"} {
		k := Subkey(key, purpose)
		v.Subkeys[purpose] = hex.EncodeToString(k[:])
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = os.WriteFile(vectorFile, append(b, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func FuzzParseHeader(f *testing.F) {
	b, err := os.ReadFile(vectorFile)
	if err != nil {
		f.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		f.Fatal(err)
	}
	raw, _ := hex.DecodeString(v.Header)
	f.Add(raw)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := ParseHeader(raw)
		if err != nil {
			return
		}
		again, err := h.Marshal(dataKey) // another key: all but the MAC is the same
		if err != nil || !bytes.Equal(again[:len(again)-digestSize], raw[:len(raw)-digestSize]) {
			t.Errorf("marshalled again: %x, %v, want %x", again, err, raw)
		}
	})
}

// The digest keeps the fuzzer out; this one gets past it.
func FuzzParseBody(f *testing.F) {
	h := header()
	slot, err := SealSlot(KindWords, keyBytes, Params{}, dataKey, aad)
	if err != nil {
		f.Fatal(err)
	}
	h.Slots = [][]byte{slot, slot}
	raw, err := h.Marshal(dataKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[:len(raw)-2*digestSize])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < len(magic) {
			return
		}
		copy(body, magic)
		h, ok := parseBody(body)
		if !ok || h.check() != nil {
			return
		}
		raw, err := h.Marshal(dataKey)
		if err != nil || !bytes.Equal(raw[:len(raw)-2*digestSize], body) {
			t.Errorf("marshalled again: %x, %v, want %x", raw, err, body)
		}
	})
}

func FuzzParseSlot(f *testing.F) {
	slot, err := SealSlot(KindWords, keyBytes, Params{}, dataKey, aad)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(slot)
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind, p, err := ParseSlot(raw)
		if err == nil && (len(raw) != SlotSize || kind != raw[0] || kind == KindPassword && p.check() != nil) {
			t.Errorf("ParseSlot(%x) = %d, %+v", raw, kind, p)
		}
	})
}
