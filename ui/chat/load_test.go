package chat

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cryptexq/cryptexq/app"
)

// notesWith makes an account whose notes hold n messages.
func notesWith(t *testing.T, n int) (*app.Service, app.RoomID) {
	t.Helper()
	p, err := app.OpenProfile(t.TempDir(), app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := p.CreateUnderWords(t.Context(), "Ada")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	rooms, err := s.Rooms.Rooms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for from := range 64 { // many at once share a segment
		senders.Go(func() {
			for i := from; i < n; i += 64 {
				if _, err := s.Rooms.Send(t.Context(), rooms[0].ID, app.Draft{Text: fmt.Sprint("note ", i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	return s, rooms[0].ID
}

// load reads the window of messages as the pump does, and settles it.
func load(t *testing.T, s *Screen) *talk {
	t.Helper()
	q := s.asked.get()
	k, err := s.loadTalk(t.Context(), q, &crowd{})
	if err != nil || k == nil {
		t.Fatal(k, err)
	}
	if !s.asked.settled(k.query) {
		t.Fatal("nobody asked for another load, and yet it is dropped")
	}
	return k
}

func TestALongThreadIsReadInAWindowThatMovesBothWays(t *testing.T) {
	const n = 2*most + 100
	service, room := notesWith(t, n)
	all, err := service.Rooms.Messages(t.Context(), room, app.Page{Limit: n + 1})
	if err != nil || len(all) != n {
		t.Fatalf("%d notes, %v", len(all), err)
	}
	keys := make([]string, n)
	for i, m := range all {
		keys[i] = keyOf(m)
	}
	s := &Screen{service: service}
	s.asked.open(room)
	k := load(t, s)
	first := n - step
	check := func(what string) {
		t.Helper()
		last := first + len(k.messages)
		got := make([]string, 0, len(k.messages))
		for _, m := range k.messages {
			got = append(got, keyOf(m))
		}
		if !slices.Equal(got, keys[first:last]) {
			t.Fatalf("%s: the window is not messages %d to %d", what, first, last)
		}
		if k.older != (first > 0) || k.newer != (last < n) {
			t.Errorf("%s: messages %d to %d of %d, older %v, newer %v", what, first, last, n, k.older, k.newer)
		}
		if len(k.messages) > most {
			t.Errorf("%s: %d messages, at most %d", what, len(k.messages), most)
		}
	}
	check("opened")
	for first > 0 {
		s.asked.older(k.messages[0].Key)
		k = load(t, s)
		first = max(first-step, 0)
		check("older")
	}
	for k.newer {
		s.asked.newer(k.messages[step].Key)
		k = load(t, s)
		first += step + 1 // the window begins behind the message that was named
		check("newer")
	}
	s.asked.newest()
	k, first = load(t, s), n-step
	check("newest")
}

func TestAnAnswerToAnOldQuestionIsDropped(t *testing.T) {
	service, room := notesWith(t, 3)
	s := &Screen{service: service}
	s.asked.open(room)
	k, err := s.loadTalk(t.Context(), s.asked.get(), &crowd{})
	if err != nil {
		t.Fatal(err)
	}
	s.asked.open(room) // opened again while the answer was on its way
	if s.asked.settled(k.query) {
		t.Error("the answer to the first question was taken for that to the second")
	}
}

func TestOnlyWhatAChangeConcernsIsLoaded(t *testing.T) {
	room := app.RoomID{1}
	q := query{open: true, room: room}
	for _, row := range []struct {
		name         string
		changed      []app.Change
		list, thread bool
	}{
		{"everything", nil, true, true},
		{"the open room", []app.Change{{Kind: app.ChangedRoom, Room: room}}, true, true},
		{"another room", []app.Change{{Kind: app.ChangedRoom, Room: app.RoomID{2}}}, true, false},
		{"nearby", []app.Change{{Kind: app.ChangedNearby}}, true, false},
		{"people", []app.Change{{Kind: app.ChangedPeople}}, true, true},
		{"lock", []app.Change{{Kind: app.ChangedLock}}, false, false},
	} {
		if list, thread := wanted(row.changed, q); list != row.list || thread != row.thread {
			t.Errorf("%s: list %v, thread %v", row.name, list, thread)
		}
	}
}

func TestWhatWasNotReadIsInTheFirstWindow(t *testing.T) {
	for unread, want := range map[int]int{0: step, 3: step, step / 2: step, step: step + step/2, 1000: 1000 + step/2, 5000: most} {
		if got := firstWindow(unread); got != want {
			t.Errorf("a chat with %d unread messages opens with %d, want %d", unread, got, want)
		}
	}
}
