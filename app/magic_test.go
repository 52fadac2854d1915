package app

import (
	"testing"

	"github.com/cryptexq/cryptexq/app/store"
)

// What is signed by somebody's keys must not be readable as something else that they sign.
func TestEverythingThatIsSignedBeginsInAWayOfItsOwn(t *testing.T) {
	_, a, b := friends(t)
	own := a.logsOf(b, true)[0]
	seen := map[string]string{}
	begins := func(what string, raw []byte) {
		t.Helper()
		if len(raw) < 4 {
			t.Fatalf("%s: %d bytes", what, len(raw))
		}
		if other, twice := seen[string(raw[:4])]; twice {
			t.Errorf("%s begins with %q, as %s does", what, raw[:4], other)
		}
		seen[string(raw[:4])] = what
	}
	self := a.svc.me.self()
	begins("a device list", self.List)
	begins("a device certificate", self.Certificate)
	begins("a prekey bundle", self.Bundle)
	begins("an INIT", a.initTo(b, nil))
	a.view(func(r *store.Reader) error {
		cert, err := r.LogCertificate(own.Row)
		if err != nil {
			return err
		}
		begins("a log certificate", cert)
		s, _, err := r.Segment(own.Row, own.HeadK)
		begins("a segment's header", s.Header)
		return err
	})
}
