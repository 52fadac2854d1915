package ui

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

func TestShortcutsLeadThroughTheWindow(t *testing.T) {
	u, tove := starts(t, kit.Look{})
	meet(t, u, tove)
	control, alt := fyne.KeyModifierControl, fyne.KeyModifierAlt
	for _, row := range []struct {
		name  string
		press func()
		want  string // has the keyboard then
	}{
		{"Ctrl+K searches", func() { u.shortcut(fyne.KeyK, control) }, "Search people"},
		{"Escape goes back to the composer", func() { u.key(fyne.KeyEscape) }, "Write to Tove"},
		{"Ctrl+N adds", func() { u.shortcut(fyne.KeyN, control) }, "Invitation"},
		{"Escape goes back to the chats", func() { u.key(fyne.KeyEscape) }, "Write to Tove"},
		{"Ctrl+2 is People", func() { u.shortcut(fyne.Key2, control) }, "Invitation"},
		{"Ctrl+1 is Chats", func() { u.shortcut(fyne.Key1, control) }, "Write to Tove"},
		{"Alt+Down is the next chat", func() { u.shortcut(fyne.KeyDown, alt) }, "Write a note"},
		{"Alt+Up is the one before", func() { u.shortcut(fyne.KeyUp, alt) }, "Write to Tove"},
		{"Up in an empty composer leads into the messages", func() { u.key(fyne.KeyUp) }, "Messages: You: Hello there. " + recently + ". Delivered."},
		{"Escape leads out of them", func() { u.key(fyne.KeyEscape) }, "Write to Tove"},
	} {
		row.press()
		u.until(row.name, func() bool { return slices.Contains(u.timed(row.want), u.focused()) })
	}
}

func TestTabStopsAreTheRailTheListTheThreadAndTheComposer(t *testing.T) {
	u, tove := starts(t, kit.Look{})
	meet(t, u, tove)
	u.win.Canvas().Unfocus()
	var stops []string
	for range 10 {
		u.key(fyne.KeyTab)
		stops = append(stops, fmt.Sprintf("%T", u.win.Canvas().Focused()))
	}
	want := []string{
		"*kit.RailButton", "*kit.RailButton", "*kit.IconButton", "*kit.input", "*kit.List", "*kit.IconButton", "*kit.Thread", "*kit.input", "*kit.IconButton", "*kit.RailButton",
	}
	if fmt.Sprint(stops) != fmt.Sprint(want) {
		t.Errorf("Tab stops at\n%v, want\n%v", stops, want)
	}
}

func TestTheSizeIsKeptInTheVault(t *testing.T) {
	dir := withAccount(t, "Ada")
	m := newMesh(t)
	u := sitDown(t, dir, m.join, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	u.shortcut(fyne.KeyPlus, fyne.KeyModifierControl)
	u.shortcut(fyne.KeyEqual, fyne.KeyModifierControl)
	for range 9 {
		u.shortcut(fyne.KeyMinus, fyne.KeyModifierControl)
	}
	if u.scale.percent() != kit.SmallestPercent {
		t.Errorf("%d %%, want the smallest", u.scale.percent())
	}
	u.shortcut(fyne.Key0, fyne.KeyModifierControl)
	u.shortcut(fyne.KeyPlus, fyne.KeyModifierControl)
	u.quit()
	u.end()
	u = sitDown(t, dir, m.join, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.until("the size of last time", func() bool { return u.scale.percent() == 110 })
}

func TestEveryPageFitsTheSmallestWindow(t *testing.T) {
	u, tove := starts(t, kit.Look{Variant: kit.Light})
	meet(t, u, tove)
	smallest := fyne.NewSize(kit.WindowWidth, kit.WindowHeight)
	u.win.Resize(smallest)
	fits := func(page string) {
		t.Helper()
		u.loop.turn()
		if m := u.win.Content().MinSize(); m.Width > smallest.Width || m.Height > smallest.Height {
			t.Errorf("%s wants %v", page, m)
		}
		u.shoot("small-" + page)
	}
	fits("chats")
	u.shortcut(fyne.KeyI, fyne.KeyModifierControl)
	u.sees("They match")
	fits("panel")
	u.shortcut(fyne.KeyN, fyne.KeyModifierControl)
	u.press("Make a code")
	u.sees("Copy link")
	fits("people")
	v := sitDown(t, t.TempDir(), func(context.Context, *app.Service) error { return nil }, kit.Look{})
	if m := v.win.Content().MinSize(); m.Width > smallest.Width || m.Height > smallest.Height {
		t.Errorf("the first page wants %v", m)
	}
	v.win.Resize(smallest)
	v.shoot("small-create")
}
