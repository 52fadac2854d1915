package segment

import (
	"bytes"
	"errors"
	"testing"
)

func TestALogCertificateBindsDeviceRoomAndKey(t *testing.T) {
	device, log := logKey(t, 2), logKey(t, 1)
	want := LogCertificate{Device: [32]byte{1}, Room: testRoom, PrevLog: ID{2}, PrevK: 3, PrevDigest: [32]byte{4}}
	c, err := SignLogCertificate(device, log, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := VerifyLogCertificate(c.Raw, device.Public())
	if err != nil {
		t.Fatal(err)
	}
	if got.Device != want.Device || got.Room != want.Room || got.PrevLog != want.PrevLog || got.PrevK != 3 || got.PrevDigest != want.PrevDigest {
		t.Errorf("read %+v", got)
	}
	if got.Log() != LogID(testRoom, log.Public()) {
		t.Error("Log differs from LogID")
	}
	if len(c.Raw) != LogCertificateSize {
		t.Errorf("%d bytes, want %d", len(c.Raw), LogCertificateSize)
	}
	if _, err := VerifyLogCertificate(c.Raw, logKey(t, 3).Public()); !errors.Is(err, ErrSignature) {
		t.Errorf("under another device: %v, want ErrSignature", err)
	}
	for i := 0; i < len(c.Raw); i += 3 {
		b := bytes.Clone(c.Raw)
		b[i] ^= 1 << (i % 8)
		if _, err := VerifyLogCertificate(b, device.Public()); err == nil {
			t.Errorf("byte %d flipped and accepted", i)
		}
	}
}

// A device may not claim a log whose key it lacks, nor somebody claim a device for their log.
func TestBothKeysMustSignALogCertificate(t *testing.T) {
	device, log, thief := logKey(t, 2), logKey(t, 1), logKey(t, 3)
	c, err := SignLogCertificate(device, thief, LogCertificate{Room: testRoom})
	if err != nil {
		t.Fatal(err)
	}
	stolen := *c
	stolen.Key = log.Public().Bytes()
	raw := append(stolen.body(), c.Raw[certBody:]...)
	if _, err := VerifyLogCertificate(raw, device.Public()); !errors.Is(err, ErrSignature) {
		t.Errorf("a foreign log: %v, want ErrSignature", err)
	}
}

func TestAnOldLogIsNamedWhollyOrNotAtAll(t *testing.T) {
	device, log := logKey(t, 2), logKey(t, 1)
	for name, c := range map[string]LogCertificate{
		"k alone":      {PrevK: 1},
		"digest alone": {PrevDigest: [32]byte{1}},
		"log alone":    {PrevLog: ID{1}},
		"itself":       {PrevLog: LogID([32]byte{}, log.Public()), PrevDigest: [32]byte{1}},
		"huge k":       {PrevLog: ID{1}, PrevDigest: [32]byte{1}, PrevK: MaxK},
	} {
		if _, err := SignLogCertificate(device, log, c); !errors.Is(err, ErrFormat) {
			t.Errorf("signing with %s: %v, want ErrFormat", name, err)
		}
		c.Key = log.Public().Bytes()
		raw := append(c.body(), make([]byte, LogCertificateSize-certBody)...)
		if _, err := ParseLogCertificate(raw); !errors.Is(err, ErrFormat) {
			t.Errorf("reading %s: %v, want ErrFormat", name, err)
		}
	}
}
