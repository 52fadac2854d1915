package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

func TestFirstRunToFirstTickByKeyboardAlone(t *testing.T) {
	m := newMesh(t)
	tove := newFriend(t, m, "Tove")
	u := sitDown(t, t.TempDir(), m.join, kit.Look{Variant: kit.Light})
	u.shoot("create")
	u.createsAccount("Ada")
	u.shoot("first-minute")

	u.shortcut(fyne.KeyN, fyne.KeyModifierControl)
	u.types(tove.invite())
	u.key(fyne.KeyReturn)
	u.sees("Nothing has been sent yet")
	u.shoot("hello")
	u.types("Hi Tove, it is Ada")
	u.key(fyne.KeyReturn)
	u.sees("Hi Tove, it is Ada")

	q := tove.asks()
	if q.Name != "Ada" || q.Text != "Hi Tove, it is Ada" || !q.Token {
		t.Fatalf("Tove is asked by %q with %q, token %v", q.Name, q.Text, q.Token)
	}
	if _, err := tove.People.Accept(t.Context(), q.Account); err != nil {
		t.Fatal(err)
	}
	u.sees("Hi Tove, it is Ada. " + u.clock() + ". Delivered")
	u.shoot("first-tick")

	u.types("And another one")
	u.key(fyne.KeyReturn)
	u.sees("And another one. " + u.clock() + ". Delivered")
	if got, want := tove.texts(q.Room), []string{"Hi Tove, it is Ada", "And another one"}; !slices.Equal(got, want) {
		t.Errorf("Tove has %q, want %q", got, want)
	}
	if _, err := tove.Rooms.Send(t.Context(), q.Room, app.Draft{Text: "Hello Ada!"}); err != nil {
		t.Fatal(err)
	}
	u.sees("Tove: Hello Ada!")
	u.until("the read mark", func() bool { return !u.says("unread") })
	u.shoot("conversation")
}
