package composite

import "testing"

func BenchmarkSign(b *testing.B) {
	k, message := testKey(b, 1), make([]byte, 216)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Sign(message, "CQ1 segment"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	k, message := testKey(b, 1), make([]byte, 216)
	sig := mustSign(b, k, string(message), "CQ1 segment")
	b.ReportAllocs()
	for b.Loop() {
		if !k.Public().Verify(message, "CQ1 segment", sig) {
			b.Fatal("a good signature does not verify")
		}
	}
}

func BenchmarkParsePublicKey(b *testing.B) {
	raw := testKey(b, 1).Public().Bytes()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePublicKey(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckPoint(b *testing.B) {
	point := testKey(b, 1).Public().Bytes()[PublicKeySize-32:]
	for b.Loop() {
		if err := checkPoint(point); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewPrivateKey(b *testing.B) {
	seed := testKey(b, 1).Seed()
	for b.Loop() {
		if _, err := NewPrivateKey(seed); err != nil {
			b.Fatal(err)
		}
	}
}
