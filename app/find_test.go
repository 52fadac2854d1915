package app

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestARoomIsFoundByItsNameItsContactAndItsOwnID(t *testing.T) {
	w := newTown(t, "ann", "bob", "bobby", "cleo")
	a, b, bobby, c := w.all[0], w.all[1], w.all[2], w.all[3]
	w.befriend(a, b)
	w.befriend(a, bobby)
	a.ask(c, "hello, whoever you are") // her name is not known yet
	room := a.room(b)
	for _, which := range []string{"bob", " BOB ", b.id.String(), b.id.String()[:12], hex.EncodeToString(room[:]), hex.EncodeToString(room[:4])} {
		if got, err := a.svc.Rooms.Find(t.Context(), which); err != nil || got != room {
			t.Errorf("Find(%q) = %x, %v; want bob's room", which, got, err)
		}
	}
	if got, err := a.svc.Rooms.Find(t.Context(), c.id.String()[:10]); err != nil || got != a.room(c) {
		t.Errorf("Find(the beginning of who has no name yet) = %x, %v", got, err)
	}
	var several *AmbiguousError
	if _, err := a.svc.Rooms.Find(t.Context(), "bo"); !errors.As(err, &several) || len(several.Matches) != 2 {
		t.Fatalf("Find(bo) = %v", err)
	}
	for i, p := range []*citizen{b, bobby} { // what is listed can be said instead
		if all := strings.Join(several.Matches, "\n"); !strings.Contains(all, p.id.String()) {
			t.Errorf("%d: %q does not name %s", i, all, p.id)
		}
	}
	if _, err := a.svc.Rooms.Find(t.Context(), "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Find(nobody) = %v", err)
	}
}
