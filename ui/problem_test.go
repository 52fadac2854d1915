package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app"
)

func TestEveryErrorThatACallerBranchesOnHasASentence(t *testing.T) {
	seen := map[string]error{}
	for _, err := range []error{
		app.ErrPassword, app.ErrShort, app.ErrNotFound, app.ErrSelf, app.ErrKnown, app.ErrExpired, app.ErrForeign, app.ErrCutOff, app.ErrNewer,
		app.ErrTooLong, app.ErrEmpty, app.ErrBlocked, app.ErrApproval, app.ErrNoRequest, app.ErrClosed, app.ErrFull, app.ErrExists, app.ErrNone,
		context.DeadlineExceeded, &app.DamagedError{File: "data-1.db", Remedy: app.RemedyRestore}, &app.ForeignError{File: "vault.cqv", Remedy: app.RemedyMove},
		&app.InUseError{PID: 42}, app.ErrNewerVault,
	} {
		s := say(fmt.Errorf("doing this: %w", err))
		if strings.Contains(s, "That did not work") || strings.Contains(s, "{") {
			t.Errorf("%v is said as %q", err, s)
		}
		if other := seen[s]; other != nil {
			t.Errorf("%v and %v are said alike: %q", err, other, s)
		}
		seen[s] = err
	}
	if got := say(errors.New("the moon is full")); got != "That did not work: the moon is full" {
		t.Errorf("an unknown error is said as %q", got)
	}
	if got := say(&app.DamagedError{File: "data-1.db", Remedy: app.RemedyRestore}); got != "data-1.db is damaged. Keep it as it is, and restore a backup into a new profile." {
		t.Errorf("a damaged file is said as %q", got)
	}
}

func TestNoticesAreSaidAndNeverDroppedSilently(t *testing.T) {
	mira := app.Contact{Name: "Mira", State: app.Accepted, Approve: true}
	for _, row := range []struct {
		code, want string
	}{
		{"copied", "This profile runs in two places"},
		{"peer_copied", "Tove's profile seems to run in two places"},
		{"rolled_back", "The files of this profile are older"},
		{"disk_full", "The disk is full."},
		{"forked", "Tove's device signed two different stories. Don't rely on either before you have talked."},
		{"two_lists", "The account of Tove gave out two different lists"},
		{"damaged", "The file Tove of this profile is damaged."},
		{"something new", "The messenger reports: something new Tove"},
	} {
		all := bannersOf([]app.Notice{{Code: row.code, Subject: "Tove"}}, nil)
		if len(all) != 1 || !strings.HasPrefix(all[0].words, row.want) || all[0].code != row.code {
			t.Errorf("%s: %+v, want %q", row.code, all, row.want)
		}
	}
	all := bannersOf([]app.Notice{{Code: "device", Subject: "Mira"}}, []app.Contact{{Name: "Tove"}, mira})
	if len(all) != 1 || all[0].words != "Mira has a device that is not on the last list. Sending waits for your yes." || all[0].whom != 2 {
		t.Errorf("a new device: %+v", all)
	}
	var many []app.Notice
	for i := range 20 {
		many = append(many, app.Notice{Code: "forked", Subject: fmt.Sprint(i)})
	}
	if n := len(bannersOf(many, nil)); n != mostBanners {
		t.Errorf("%d banners for 20 notices", n)
	}
}

func TestTheStatusBarSaysWhetherMessagesCanArrive(t *testing.T) {
	for _, row := range []struct {
		give app.Status
		want string
	}{
		{app.Status{}, "Starting "},
		{app.Status{Ready: true}, "Offline This computer has no network. Messages wait here."},
		{app.Status{Ready: true, Online: true}, "Online Nobody you know is reachable now"},
		{app.Status{Ready: true, Peers: 1}, "Online 1 person reachable"},
		{app.Status{Ready: true, Online: true, Peers: 7, LAN: 2, Relays: 1}, "Online 7 people reachable, 2 on this network, 1 through a relay"},
	} {
		_, word, rest := state(row.give)
		if got := word + " " + rest; got != row.want {
			t.Errorf("%+v: %q, want %q", row.give, got, row.want)
		}
	}
}
