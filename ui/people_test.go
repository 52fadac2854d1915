package ui

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/p2p/peer"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// starts opens a window with an account, and another with nobody at it.
func starts(t *testing.T, look kit.Look) (*user, *friend) {
	t.Helper()
	m := newMesh(t)
	tove := newFriend(t, m, "Tove")
	u := sitDown(t, withAccount(t, "Ada"), m.join, look)
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Only for you, on this computer")
	u.mesh = m
	return u, tove
}

// meet makes two people contacts, with one message from the window to the friend.
func meet(t *testing.T, u *user, f *friend) app.RoomID {
	t.Helper()
	u.shortcut(fyne.KeyN, fyne.KeyModifierControl)
	u.types(f.invite())
	u.key(fyne.KeyReturn)
	u.sees("Nothing has been sent yet")
	u.types("Hello there")
	u.key(fyne.KeyReturn)
	q := f.asks()
	if _, err := f.People.Accept(t.Context(), q.Account); err != nil {
		t.Fatal(err)
	}
	u.sees("Hello there. " + recently + ". Delivered")
	return q.Room
}

func TestAnInvitationThatCannotBeUsedSaysWhatIsWrong(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Light})
	good, ours := tove.invite(), ""
	u.until("an invitation of our own", func() bool {
		link, _, err := u.shell.service.People.Invite(t.Context(), inviteLife)
		ours = link
		return err == nil
	})
	expired, _, err := tove.People.Invite(t.Context(), -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(good)
	changed[len(changed)-30] = '*'
	u.shortcut(fyne.KeyN, fyne.KeyModifierControl)
	for _, row := range []struct{ name, link, want string }{
		{"something else", "https://example.org/", "This is no CryptexQ invitation"},
		{"a cut end", good[:len(good)-12], "The end of this invitation is missing"},
		{"our own", ours, "This is an invitation of your own"},
		{"too late", expired, "This invitation has expired"},
		{"changed", string(changed), "This invitation was changed on its way"},
	} {
		u.paste(row.link)
		u.key(fyne.KeyReturn)
		u.sees(row.want)
		u.shoot("link-wrong")
	}
	u.paste("")
	meet(t, u, tove)
	u.shortcut(fyne.KeyN, fyne.KeyModifierControl)
	u.paste(tove.invite())
	u.key(fyne.KeyReturn)
	u.sees("You know each other already")
}

// paste replaces what stands in the field for invitations.
func (u *user) paste(link string) {
	u.t.Helper()
	f, ok := u.win.Canvas().Focused().(interface{ SetText(string) })
	if !ok {
		u.t.Fatalf("%q has the keyboard, which takes no text", u.focused())
	}
	f.SetText(link)
}

func TestAnInvitationOfOursIsShownAndCopied(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Dark})
	u.press("Invite somebody")
	u.key(fyne.KeyReturn) // Make a code has the keyboard
	u.sees("For one person, until")
	u.sees("QR code")
	u.shoot("people-code")
	u.press("Copy link")
	u.sees("Copied.")
	link := u.app.Clipboard().Content()
	if !strings.HasPrefix(link, "cryptexq:") {
		t.Fatalf("the clipboard holds %q", link)
	}
	if _, err := tove.People.Add(t.Context(), link, "I have your code"); err != nil {
		t.Fatal(err)
	}
	u.sees("They came with a code of yours")
	u.sees("“I have your code”")
	u.shoot("people-request")
}

func TestARequestIsAcceptedByKeyboard(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Light})
	u.isAskedBy(tove, "Hi Ada, it is Tove")
	u.sees("Tove wants to talk")
	u.shoot("list-request")
	u.press("Conversations") // the first row is that of the requests
	u.sees("Accept")
	u.press("Accept")
	u.sees("Tove: Hi Ada, it is Tove")
	u.until("the composer", func() bool { return u.focused() == "Write to Tove" })
	u.types("Welcome")
	u.key(fyne.KeyReturn)
	u.sees("Welcome. " + recently + ". Delivered")
}

// isAskedBy has a friend ask with an invitation of the window's account.
func (u *user) isAskedBy(f *friend, words string) {
	u.t.Helper()
	var link string
	u.until("an address", func() bool {
		id, err := u.shell.service.Owner.Identity(u.ctx)
		return err == nil && len(id.Addresses) > 0
	})
	link, _, err := u.shell.service.People.Invite(u.ctx, inviteLife)
	if err != nil {
		u.t.Fatal(err)
	}
	if _, err := f.People.Add(u.ctx, link, words); err != nil {
		u.t.Fatal(err)
	}
}

func TestARequestIsDeletedOrBlocked(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Dark})
	jonas := newFriend(t, u.mesh, "Jonas")
	u.isAskedBy(tove, "Hi")
	u.sees("Tove wants to talk")
	u.press("Conversations")
	u.press("Delete")
	u.sees("Nobody asks, and nobody was asked.")
	u.isAskedBy(jonas, "Buy this")
	u.sees("“Buy this”")
	u.press("Block")
	u.sees("Block Jonas?")
	u.shoot("dialog-block")
	u.key(fyne.KeyEscape)
	if !u.says("“Buy this”") {
		t.Error("the request went though the dialog was left by Escape")
	}
	u.press("Block")
	u.sees("Block Jonas?")
	u.press("Block") // in the dialog, which stands on top
	u.sees("Nobody asks, and nobody was asked.")
	all, err := u.shell.service.People.Contacts(t.Context())
	if err != nil || len(all) != 1 || all[0].State != app.Blocked {
		t.Errorf("%v, %v: Jonas is not blocked, or Tove not gone", all, err)
	}
}

func TestNumbersAreComparedInThePanel(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Light})
	meet(t, u, tove)
	u.sees("Not compared yet")
	u.shortcut(fyne.KeyI, fyne.KeyModifierControl)
	u.sees("Is it really Tove?")
	u.sees("They match")
	id, err := u.shell.service.Owner.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	number, err := tove.People.SafetyNumber(t.Context(), id.Account)
	if err != nil {
		t.Fatal(err)
	}
	groups := strings.Fields(number)
	u.sees(strings.Join(groups[:4], "  "))
	u.sees(strings.Join(groups[8:], "  "))
	u.shoot("panel-compare")
	u.press("They match")
	u.sees("You compared this number, and it was the same.")
	u.sees("Compared by you")
	u.shoot("panel-compared")
	if u.says("Not compared yet") {
		t.Error("the header still says that they were not compared")
	}
	u.key(fyne.KeyEscape)
	if u.says("Is it really Tove?") {
		t.Error("Escape did not close the panel")
	}
}

func TestBlockingEndsTheConversationAndIsTakenBack(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Dark})
	meet(t, u, tove)
	u.shortcut(fyne.KeyI, fyne.KeyModifierControl)
	u.sees("They differ")
	u.press("They differ")
	u.sees("This is not Tove")
	u.press("Block")
	u.sees("You blocked Tove. Nothing comes and nothing goes.")
	u.shoot("blocked")
	u.shortcut(fyne.KeyI, fyne.KeyModifierControl) // closes the panel
	u.press("Unblock")
	u.sees("Write to Tove")
}

func TestWhoIsNearbyIsGreeted(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Light})
	self := tove.Self()
	cert := self.Device.Certificate
	u.shell.service.HandleFact(peer.Found{Peer: cert.Peer, Account: cert.Account, Name: "Tove", Addresses: []string{"/ip4/10.0.0.2/tcp/4001"}})
	u.sees("Nearby on this network")
	u.sees("On this network: Tove.")
	u.shoot("nearby")
	u.press("Say hello")
	u.sees("Say hello to Tove")
	u.shoot("nearby-hello")
	u.key(fyne.KeyEscape)
	u.sees("Say hello to somebody nearby")
	u.press("Say hello")
	u.types("Hello neighbour")
	u.key(fyne.KeyReturn)
	if q := tove.asks(); q.Text != "Hello neighbour" || q.Token {
		t.Errorf("Tove is asked with %q, token %v", q.Text, q.Token)
	}
	u.sees("Sent just now, not answered. Whether it was read cannot be known.")
	u.shoot("asked")
	u.until("Tove to leave the list of strangers", func() bool { return !u.says("Nearby on this network") })
}

func TestTheNameOnTheNetworkIsSwitchedWhileItRuns(t *testing.T) {
	m := newMesh(t)
	var joined atomic.Int32
	u := sitDown(t, t.TempDir(), func(ctx context.Context, s *app.Service) error {
		joined.Add(1)
		return m.join(ctx, s)
	}, kit.Look{})
	u.createsAccount("Ada")
	u.shortcut(fyne.Key2, fyne.KeyModifierControl)
	told := func(want string) {
		t.Helper()
		if got := <-m.names; got != want {
			t.Errorf("others nearby are told %q, want %q", got, want)
		}
	}
	u.sees("They see you as Ada")
	told("Ada")
	u.press("Show my name to others on this network, on")
	u.sees("Nobody sees you here")
	told("")
	u.press("Show my name to others on this network, off")
	u.sees("They see you as Ada")
	told("Ada")
	if n := joined.Load(); n != 1 {
		t.Errorf("the network was joined %d times: all links went with it", n)
	}
}

func TestANetworkThatDoesNotStartIsSaidAndTriedAgain(t *testing.T) {
	m := newMesh(t)
	fail := make(chan struct{})
	u := sitDown(t, withAccount(t, "Ada"), func(ctx context.Context, s *app.Service) error {
		select {
		case <-fail:
			return m.join(ctx, s)
		default:
			return errors.New("the port is taken")
		}
	}, kit.Look{Variant: kit.Dark})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("The network part did not start. That did not work: the port is taken")
	u.sees("Not connected")
	u.shoot("network-failed")
	close(fail)
	u.press("Try again")
	u.sees("Nobody you know is reachable now")
	if u.says("The network part did not start") {
		t.Error("the banner stays though the network runs")
	}
}
