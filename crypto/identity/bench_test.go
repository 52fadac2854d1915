package identity

import "testing"

func BenchmarkParseCertificate(b *testing.B) {
	raw := newPerson(b, 1).device.Certificate.Raw
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCertificate(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyCertificate(b *testing.B) {
	p := newPerson(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := VerifyCertificate(p.device.Certificate.Raw, p.account.Public()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssueCertificate(b *testing.B) {
	p := newPerson(b, 1)
	for b.Loop() {
		if _, err := IssueCertificate(p.account, p.device.Key, p.host, CertificateTemplate{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyList(b *testing.B) {
	p := newPerson(b, 1)
	raw := p.list(b, 1, items(3)...).Raw
	for b.Loop() {
		if _, err := VerifyList(raw, p.account.Public()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseInvitation(b *testing.B) {
	link := fullInvitation().Link()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseInvitation(link); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSafetyHalf(b *testing.B) {
	pk := newPerson(b, 1).account.Public()
	for b.Loop() {
		SafetyHalf(pk)
	}
}
