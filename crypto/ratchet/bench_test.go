package ratchet

import "testing"

func BenchmarkInitiate(b *testing.B) {
	d := devices()
	c := d[0].initConfig(d[1], make([]byte, 1000))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Initiate(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	d := devices()
	_, init, err := Initiate(d[0].initConfig(d[1], make([]byte, 1000)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Accept(d[1].acceptConfig(), init); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSeal seals with a new key announced, as in a conversation.
func BenchmarkSeal(b *testing.B) {
	i, _ := begin(b)
	records := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := i.Seal(records); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	i, r := begin(b)
	msg := seal(b, &i, string(make([]byte, 200)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Open(msg, devices()[1].seedOf); err != nil {
			b.Fatal(err)
		}
	}
}
