package app

import (
	"slices"
	"testing"
)

// lamp is a network that can show a name nearby.
type lamp struct {
	*wireless
	names []string
}

func (l *lamp) SetNearby(name string) error {
	l.names = append(l.names, name)
	return nil
}

func TestOurNameIsShownAndHiddenWhileTheNetworkRuns(t *testing.T) {
	w := newTown(t, "ann")
	a := w.all[0]
	setting := func() string {
		word, err := a.svc.Owner.Setting(t.Context(), nearbySetting, "unset")
		w.must(err)
		return word
	}
	n := &lamp{wireless: &wireless{a}}
	a.svc.Attach(n)
	w.run()
	if len(n.names) != 0 || setting() != "unset" {
		t.Errorf("nobody said anything, and the network was told %q, the setting is %q", n.names, setting())
	}
	w.must(a.svc.Owner.SetNearby(t.Context(), true))
	w.run()
	if !slices.Equal(n.names, []string{"ann"}) || setting() != "yes" {
		t.Errorf("switched on: the network was told %q, the setting is %q", n.names, setting())
	}
	w.must(a.svc.Owner.SetNearby(t.Context(), false))
	w.run()
	if !slices.Equal(n.names, []string{"ann", ""}) || setting() != "no" {
		t.Errorf("switched off: the network was told %q, the setting is %q", n.names, setting())
	}
	again := &lamp{wireless: &wireless{a}} // which began with the setting of before
	a.svc.detach()
	w.must(a.svc.Owner.SetNearby(t.Context(), true))
	a.svc.Attach(again)
	w.run()
	if !slices.Equal(again.names, []string{"ann"}) {
		t.Errorf("the next network was told %q", again.names)
	}
}
