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
	u.sees("Hi Tove, it is Ada. " + recently + ". Delivered")
	u.shoot("first-tick")

	u.types("And another one")
	u.key(fyne.KeyReturn)
	u.sees("And another one. " + recently + ". Delivered")
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

func TestAMessageSaysWhyItWaitsAndGoesWhenBothAreThere(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Dark})
	room := meet(t, u, tove)
	u.mesh.setCut(true)
	u.types("Can you hear me?")
	u.key(fyne.KeyReturn)
	u.sees("Tove is offline. It waits here and goes when you are both online.")
	u.sees("Can you hear me?. " + recently + ". Queued on this computer")
	u.sees("1 message waiting")
	u.types("Hello?")
	u.key(fyne.KeyReturn)
	u.sees("Tove is offline. 2 messages wait here and go when you are both online.")
	u.shoot("waiting")
	u.mesh.setCut(false)
	u.sees("Hello?. " + recently + ". Delivered")
	u.until("the line to go", func() bool { return !u.says("Tove is offline") })
	u.sees("Nothing waiting")
	if got, want := tove.texts(room), []string{"Hello there", "Can you hear me?", "Hello?"}; !slices.Equal(got, want) {
		t.Errorf("Tove has %q, want %q", got, want)
	}
}

func TestReadIsSaidOnlyByWhoChoseTo(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Light})
	if err := u.shell.service.Owner.SetReadReceipts(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := tove.Owner.SetReadReceipts(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	room := meet(t, u, tove)
	all, err := tove.Rooms.Messages(t.Context(), room, app.Page{})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if u.says(recently + ". Read") {
		t.Fatal("a message is shown as read before anybody said so")
	}
	if err := tove.Rooms.MarkRead(t.Context(), room, all[0].Key); err != nil {
		t.Fatal(err)
	}
	u.sees("Hello there. " + recently + ". Read")
}

func TestADraftAndTheHistoryAreThereTheNextTime(t *testing.T) {
	m := newMesh(t)
	tove := newFriend(t, m, "Tove")
	dir := withAccount(t, "Ada")
	u := sitDown(t, dir, m.join, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	meet(t, u, tove)
	u.types("unfinish")
	u.quit()
	u.end()
	u = sitDown(t, dir, m.join, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Draft: unfinish")
	u.shortcut(fyne.KeyDown, fyne.KeyModifierAlt)
	u.sees("Hello there. ")
	u.types("ed")
	u.key(fyne.KeyReturn)
	u.sees("unfinished. " + recently + ". Delivered")
}
