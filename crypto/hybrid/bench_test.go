package hybrid

import "testing"

func BenchmarkNewPrivateKey(b *testing.B) {
	seed := testKey(b, 1).Seed()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewPrivateKey(seed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncapsulate(b *testing.B) {
	pk := testKey(b, 1).PublicKey()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Encapsulate(pk); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecapsulate(b *testing.B) {
	k := testKey(b, 1)
	_, ct, err := Encapsulate(k.PublicKey())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Decapsulate(ct); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckPublicKey(b *testing.B) {
	pk := testKey(b, 1).PublicKey()
	for b.Loop() {
		if err := CheckPublicKey(pk); err != nil {
			b.Fatal(err)
		}
	}
}
