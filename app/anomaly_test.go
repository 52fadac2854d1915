package app

import (
	"slices"
	"testing"
)

func TestAMessageToSomebodyWhoIsOffWaitsAndSaysWhy(t *testing.T) {
	w, a, b := friends(t)
	b.off()
	a.say(b, "are you there")
	w.run()
	a.state(b, "are you there", Queued, ReasonOffline)
	b.start()
	w.link(a, b)
	w.run()
	a.state(b, "are you there", Delivered, ReasonNone)
	b.wants(a, "hello bob", "are you there")
}

func TestAPowerCutKeepsWhatWasSaidAndWhatWasDelivered(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "before the cut")
	w.run()
	w.cut(a, b)
	a.say(b, "with nobody there")
	a.crash()
	b.crash()
	a.start()
	b.start()
	if codes := append(a.notices(), b.notices()...); len(codes) > 0 {
		t.Errorf("after a power cut somebody is warned of %q", codes)
	}
	b.wants(a, "hello bob", "before the cut")
	w.link(a, b)
	w.run()
	a.wants(b, "hello bob", "before the cut", "with nobody there")
	b.wants(a, "hello bob", "before the cut", "with nobody there")
}

// A whole older disk, anchor and all, cannot be told from the newest by itself: the first peer that is asked tells.
func TestAnOldCopyOfAProfileIsNoticedByWhatAPeerHolds(t *testing.T) {
	w, a, b := friends(t)
	a.off()
	old := a.files()
	a.start()
	w.link(a, b)
	a.say(b, "said after the copy was made")
	w.run()
	a.off()
	a.putBack(old)
	a.start()
	w.link(a, b)
	w.run()
	if !a.noticed("copied") {
		t.Fatalf("ann is warned of %q, want copied", a.notices())
	}
	if a.refused("copied") == 0 {
		t.Error("status does not count it")
	}
	a.say(b, "said by the copy")
	w.run()
	if got := b.thread(a); !slices.Contains(got, "said after the copy was made") || !slices.Contains(got, "said by the copy") {
		t.Errorf("bob sees %q: both copies' words must be there", got)
	}
	a.state(b, "said by the copy", Delivered, ReasonNone)
	if w.who("ann") != a {
		t.Error("ann is somebody else")
	}
}
