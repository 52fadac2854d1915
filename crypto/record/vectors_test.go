package record

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors anew")

// vector is the beginning of a stream.
type vector struct {
	About   string
	Key     string // key 32 | iv 12
	Records []struct {
		Type         uint8
		Data, Record string // Record with its length
	}
}

func makeVector(t testing.TB) vector {
	t.Helper()
	v := vector{About: "one direction of a stream, hexadecimal; made by TestVectors -update", Key: hex.EncodeToString(testKey())}
	s, _ := pair(t)
	for n, data := range [][]byte{[]byte("a"), []byte("CryptexQ"), bytes.Repeat([]byte{0xff}, 300), nil} {
		typ := Data
		if n == 3 {
			typ = FIN
		}
		v.Records = append(v.Records, struct {
			Type         uint8
			Data, Record string
		}{typ, hex.EncodeToString(data), hex.EncodeToString(seal(t, s, typ, data))})
	}
	return v
}

func TestVectors(t *testing.T) {
	got, err := json.MarshalIndent(makeVector(t), "", "\t")
	if err != nil {
		t.Fatalf("writing vectors: %v", err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", "record.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatalf("writing vectors: %v", err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("reading vectors: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("records differ from the frozen ones")
	}
}

func FuzzSplit(f *testing.F) {
	s, _ := pair(f)
	rec := seal(f, s, Data, []byte("hello"))
	f.Add(rec)
	f.Add(append(bytes.Clone(rec), 1, 2, 3))
	f.Add([]byte{0, 16})
	f.Fuzz(func(t *testing.T, b []byte) {
		ciphertext, rest, err := Split(b)
		if err != nil {
			return
		}
		n := len(ciphertext)
		again := append([]byte{byte(n >> 8), byte(n)}, ciphertext...)
		if !bytes.Equal(append(again, rest...), b) {
			t.Errorf("Split loses bytes")
		}
		if n < minCiphertext || n+lengthSize > MaxRecord {
			t.Errorf("Split takes a record of %d bytes", n)
		}
	})
}

// FuzzReader gives a reader any bytes: nothing but what was sealed comes out.
func FuzzReader(f *testing.F) {
	wire := sealed(f, true, []byte("first"), []byte("second"))
	f.Add(wire)
	f.Add(wire[:30])
	f.Add([]byte{0x40, 0x00, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader(t, bytes.NewReader(b))
		var got []byte
		part := make([]byte, 7)
		for {
			n, err := r.Read(part)
			got = append(got, part[:n]...)
			if err != nil {
				break
			}
		}
		if !bytes.HasPrefix([]byte("firstsecond"), got) {
			t.Errorf("read %q", got)
		}
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	for _, row := range []struct {
		name string
		size int
	}{{"64", 64}, {"1K", 1 << 10}, {"4K", 4 << 10}, {"16K", MaxData}} {
		b.Run(row.name, func(b *testing.B) {
			s, o := pair(b)
			data, buf := make([]byte, row.size), make([]byte, 0, MaxRecord)
			b.SetBytes(int64(row.size))
			b.ReportAllocs()
			for b.Loop() {
				rec, err := s.Seal(buf, Data, data)
				if err != nil {
					b.Fatal(err)
				}
				c := rec[lengthSize:]
				if _, _, err := o.Open(c[:0], c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
