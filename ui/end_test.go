package ui

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// journal notes what happened in which order.
type journal struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (j *journal) note(s string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, s)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// reopens unlocks a folder without a window and returns what its notes say, and the draft in them.
func reopens(t *testing.T, dir string) (texts []string, draft string) {
	t.Helper()
	p, err := app.OpenProfile(dir, app.Config{})
	if err != nil {
		t.Fatalf("the folder was not let go of: %v", err)
	}
	s, err := p.Unlock(t.Context(), []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rooms, err := s.Rooms.Rooms(t.Context())
	if err != nil || len(rooms) != 1 {
		t.Fatal(rooms, err)
	}
	all, err := s.Rooms.Messages(t.Context(), rooms[0].ID, app.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		texts = append(texts, m.Text)
	}
	return texts, rooms[0].Draft
}

func TestWhatWasWrittenBeforeTheWindowWasClosedIsKept(t *testing.T) {
	dir := withAccount(t, "Ada")
	u := sitDown(t, dir, newMesh(t).join, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	u.shortcut(fyne.KeyDown, fyne.KeyModifierAlt)
	u.until("the composer", func() bool { return u.focused() == "Write a note" })
	u.types("first")
	u.key(fyne.KeyReturn)
	u.types("second")
	u.key(fyne.KeyReturn)
	u.types("half a sen")
	u.quit()
	u.end()
	texts, draft := reopens(t, dir)
	if !slices.Equal(texts, []string{"first", "second"}) || draft != "half a sen" {
		t.Errorf("the notes hold %q and the draft %q", texts, draft)
	}
}

func TestTheEndGoesFromTheTopDown(t *testing.T) {
	m, j := newMesh(t), &journal{}
	u := sitDown(t, withAccount(t, "Ada"), func(ctx context.Context, s *app.Service) error {
		defer context.AfterFunc(ctx, func() { j.note("network told to end") })()
		err := m.join(ctx, s)
		if _, open := s.Owner.Setting(context.Background(), "x", ""); open == nil {
			j.note("vault still open")
		}
		j.note("network ended")
		return err
	}, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	s := u.opened()
	u.shell.hands.act(func(context.Context) error {
		j.note("what was asked for is done")
		return nil
	}, func(error) {})
	u.quit()
	u.end()
	if _, err := s.service.Owner.Setting(t.Context(), "x", ""); err == nil {
		t.Error("the vault is open after the end")
	}
	got := j.all()
	if i := slices.Index(got, "network told to end"); i >= 0 { // it is told by a goroutine of its own
		got = slices.Delete(got, i, i+1)
	}
	if want := []string{"what was asked for is done", "vault still open", "network ended"}; !slices.Equal(got, want) {
		t.Errorf("ended in the order %q, want %q", got, want)
	}
}

func TestAStuckEndIsCutOff(t *testing.T) {
	stuck := make(chan struct{})
	u := sitDown(t, withAccount(t, "Ada"), func(context.Context, *app.Service) error {
		<-stuck
		return nil
	}, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	u.core, u.watchdog = time.Millisecond, time.Millisecond
	u.quit()
	select {
	case code := <-u.exited: // the toolkit of the tests does not end either
		if code != 0 {
			t.Errorf("the watchdog ended the process with %d", code)
		}
	case <-time.After(patience):
		t.Error("nothing ended the process")
	}
	close(stuck)
	u.opened().far.Wait()
	u.opened().service.Close()
}

func TestAWishToEndFromOutsideClosesTheWindow(t *testing.T) {
	leave := make(chan struct{})
	m := newMesh(t)
	u := sitDown(t, withAccount(t, "Ada"), func(ctx context.Context, s *app.Service) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() { <-leave; cancel() }()
		return m.join(ctx, s)
	}, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	close(leave)
	u.until("the end", func() bool { return u.ending })
}

func TestAWindowThatIsBehindIsNotGivenMore(t *testing.T) {
	const changes = 400
	u := sitDown(t, withAccount(t, "Ada"), newMesh(t).join, kit.Look{})
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Notes")
	rooms, err := u.shell.service.Rooms.Rooms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for i := range changes {
		senders.Go(func() {
			if _, err := u.shell.service.Rooms.Send(t.Context(), rooms[0].ID, app.Draft{Text: noteText(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	u.loop.mu.Lock()
	waiting := len(u.loop.queue)
	u.loop.mu.Unlock()
	if waiting > 3 {
		t.Errorf("%d calls wait for a window that did nothing during %d changes", waiting, changes)
	}
	u.until("the last message", func() bool { return u.says("note ") })
}

func noteText(i int) string { return "note " + string(rune('a'+i%26)) }
