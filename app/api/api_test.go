package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// house is a server on a socket, with an account that has nobody to talk to but itself.
type house struct {
	*Client
	server  *Server
	service *app.Service
	socket  string
	stopped chan struct{} // closed when somebody asked to stop
}

// open serves an account in a folder of its own until the test ends.
func open(t *testing.T, unlocked bool) *house {
	t.Helper()
	h := &house{socket: filepath.Join(t.TempDir(), "run", "sock"), stopped: make(chan struct{})}
	h.server = New(Host{Profile: "test", Version: "1.2.3", Stop: func() { close(h.stopped) }})
	l, err := Listen(h.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	h.Client = NewClient(h.socket)
	if unlocked {
		h.service = account(t)
		h.server.Attach(h.service)
		t.Cleanup(h.server.Detach)
	}
	return h
}

// account makes one in a folder of its own.
func account(t *testing.T) *app.Service {
	t.Helper()
	p, err := app.OpenProfile(t.TempDir(), app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Create(t.Context(), app.NewAccount{Name: "Ada", Password: []byte("correct horse"), MinKDF: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// notes is the room that everybody has.
func (h *house) notes(t *testing.T) string {
	t.Helper()
	var f Found
	if err := h.Get(t.Context(), "/v1/rooms/find?room=notes", &f); err != nil {
		t.Fatal(err)
	}
	return "/v1/rooms/" + f.ID
}

// is checks the code of an error.
func is(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want the code %s", what, err, code)
	}
}

func TestTheSocketIsForItsOwnerAlone(t *testing.T) {
	h := open(t, false)
	for name, want := range map[string]os.FileMode{h.socket: os.ModeSocket | 0o600, filepath.Dir(h.socket): os.ModeDir | 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestListenTakesOverWhatACrashLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, "asking a socket that nobody listens on", NewClient(path).Get(t.Context(), "/v1/status", nil), CodeNotRunning)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestBeforeUnlockNothingButHealthAndStopIsAnswered(t *testing.T) {
	h := open(t, false)
	for _, path := range []string{"/v1/status", "/v1/identity", "/v1/contacts", "/v1/rooms", "/v1/events"} {
		is(t, path, h.Get(t.Context(), path, nil), CodeLocked)
	}
	is(t, "show without a window", h.Post(t.Context(), "/v1/show", nil, nil), CodeNoWindow)
	answer, err := h.http.Get("http://cryptexq/v1/health")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("health answered %s, want 503", answer.Status)
	}
}

func TestHealthSaysWhyNotAndThenYes(t *testing.T) {
	h := open(t, true)
	health := func() (status int, o Health) {
		answer, err := h.http.Get("http://cryptexq/v1/health")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&o); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, o
	}
	if status, o := health(); status != http.StatusServiceUnavailable || o.Ready || o.Reason == "" {
		t.Errorf("before the network runs: %d, %+v", status, o)
	}
	h.service.Attach(nil)
	if status, o := health(); status != http.StatusOK || !o.Ready {
		t.Errorf("ready: %d, %+v", status, o)
	}
}

func TestAMessageIsStoredReadAndMarked(t *testing.T) {
	h := open(t, true)
	room := h.notes(t)
	var m Message
	if err := h.Post(t.Context(), room+"/messages", Draft{Text: "hello"}, &m); err != nil {
		t.Fatal(err)
	}
	if m.Text != "hello" || m.Name != "Ada" || m.Kind != "text" || m.State != "delivered" || !m.Signed || m.Sent.IsZero() {
		t.Errorf("sent %+v", m)
	}
	var again Message
	if err := h.Get(t.Context(), room+"/messages/"+m.ID+"?wait=delivered&timeout_s=1", &again); err != nil || again.ID != m.ID {
		t.Errorf("asked for it: %+v, %v", again, err)
	}
	is(t, "waiting for what does not come", h.Get(t.Context(), room+"/messages/"+m.ID+"?wait=read&timeout_s=0.01", nil), CodeTimeout)
	is(t, "a state that is none", h.Get(t.Context(), room+"/messages/"+m.ID+"?wait=seen", nil), CodeUsage)
	is(t, "an ID that is none", h.Get(t.Context(), room+"/messages/1", nil), CodeNotFound)
	is(t, "a room that is none", h.Get(t.Context(), "/v1/rooms/00/messages", nil), CodeNotFound)
	is(t, "an empty one", h.Post(t.Context(), room+"/messages", Draft{Text: " "}, nil), "empty")
	is(t, "one too long", h.Post(t.Context(), room+"/messages", Draft{Text: strings.Repeat("x", app.MaxText+1)}, nil), "too_long")
	is(t, "a field that nobody knows", h.Post(t.Context(), room+"/messages", map[string]string{"txet": "x"}, nil), CodeUsage)
	if err := h.Post(t.Context(), room+"/read", map[string]string{"up_to": m.ID}, nil); err != nil {
		t.Errorf("marking it read: %v", err)
	}
}

func TestLinesKeepTheirOrderAndAreAnsweredWhileMoreCome(t *testing.T) {
	h := open(t, true)
	room := h.notes(t)
	const n = 300
	answered := make(chan string, n)
	i := 0
	next := func() (Draft, error) {
		if i == n {
			return Draft{}, io.EOF
		}
		if i == 1 { // the first must be answered before anything else is sent
			if got := <-answered; got != "line 0" {
				return Draft{}, fmt.Errorf("answered %q first", got)
			}
		}
		i++
		return Draft{Text: fmt.Sprintf("line %d", i-1)}, nil
	}
	var got []string
	err := h.SendLines(t.Context(), room+"/messages", next, func(l Line) error {
		if len(got) == 0 {
			answered <- l.Text
		}
		got = append(got, l.Text)
		return nil
	})
	if err != nil || len(got) != n {
		t.Fatalf("%d of %d answered, %v", len(got), n, err)
	}
	at := 0
	err = h.Lines(t.Context(), room+"/messages?limit=1000", func(l Line) error {
		if want := fmt.Sprintf("line %d", at); l.Text != want || got[at] != want {
			return fmt.Errorf("place %d: stored %q, answered %q", at, l.Text, got[at])
		}
		at++
		return nil
	})
	if err != nil || at != n {
		t.Errorf("read %d of %d: %v", at, n, err)
	}
}

func TestLinesStopAtTheFirstThatIsRefused(t *testing.T) {
	h := open(t, true)
	drafts := []string{"one", "two", strings.Repeat("x", app.MaxText+1), "four"}
	stored := 0
	err := h.SendLines(t.Context(), h.notes(t)+"/messages", func() (Draft, error) {
		if len(drafts) == 0 {
			return Draft{}, io.EOF
		}
		d := Draft{Text: drafts[0]}
		drafts = drafts[1:]
		return d, nil
	}, func(Line) error { stored++; return nil })
	is(t, "a line that is too long", err, "too_long")
	if stored != 2 {
		t.Errorf("%d lines were stored, want the 2 before it", stored)
	}
}

func TestFollowingPrintsWhatComes(t *testing.T) {
	h := open(t, true)
	room := h.notes(t)
	enough := errors.New("enough")
	seen := make(chan string)
	ended := make(chan error, 1)
	go func() {
		n := 0
		ended <- h.Lines(t.Context(), room+"/messages?follow=1", func(l Line) error {
			seen <- l.Text
			if n++; n == 3 {
				return enough
			}
			return nil
		})
	}()
	for _, text := range []string{"one", "two", "three"} {
		if _, err := h.service.Rooms.Send(t.Context(), mustRoom(t, room), app.Draft{Text: text}); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-seen:
			if got != text {
				t.Errorf("printed %q, want %q", got, text)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not printed", text)
		}
	}
	if err := <-ended; !errors.Is(err, enough) {
		t.Errorf("Lines: %v", err)
	}
}

func mustRoom(t *testing.T, path string) app.RoomID {
	t.Helper()
	id, err := parseRoom(strings.TrimPrefix(path, "/v1/rooms/"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEventsNameTheRoomThatChanged(t *testing.T) {
	h := open(t, true)
	room := h.notes(t)
	answer, err := h.http.Get("http://cryptexq/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := h.service.Rooms.Send(t.Context(), mustRoom(t, room), app.Draft{Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(answer.Body); in.Scan(); {
		text, ok := strings.CutPrefix(in.Text(), "data: ")
		if !ok {
			continue
		}
		var e Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind == "room" && "/v1/rooms/"+e.Room == room {
			return
		}
	}
	t.Error("the events ended without naming the room")
}

func TestDetachEndsWhatIsUnderWay(t *testing.T) {
	h := open(t, true)
	room := h.notes(t)
	followed, sent := make(chan error, 1), make(chan error, 1)
	came := make(chan struct{}, 2)
	go func() {
		followed <- h.Lines(t.Context(), room+"/messages?follow=1", func(Line) error {
			came <- struct{}{}
			return nil
		})
	}()
	said := false
	go func() { // one line, and then the sender says nothing more
		sent <- h.SendLines(t.Context(), room+"/messages", func() (Draft, error) {
			if !said {
				said = true
				return Draft{Text: "hello"}, nil
			}
			<-t.Context().Done()
			return Draft{}, io.EOF
		}, func(Line) error {
			came <- struct{}{}
			return nil
		})
	}()
	<-came
	<-came
	h.server.Detach()
	if err := <-followed; err != nil {
		t.Errorf("following ended with %v", err)
	}
	is(t, "lines that were not all sent", <-sent, CodeLost)
	is(t, "after Detach", h.Get(t.Context(), "/v1/status", nil), CodeLocked)
}

func TestStopIsAnsweredAtOnceAndHeldToTheEnd(t *testing.T) {
	h := open(t, true)
	answer, err := h.http.Post("http://cryptexq/v1/stop", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-h.stopped
	h.server.mu.Lock()
	held := h.server.stops
	h.server.mu.Unlock()
	if len(held) != 1 {
		t.Fatalf("%d connections are held, want 1", len(held))
	}
	held[0].Close() // as the end of the process does
	if rest, err := io.ReadAll(answer.Body); string(rest) != "{}\n" {
		t.Errorf("the answer was %q, %v", rest, err)
	}
	answer.Body.Close()
}

func TestWordsAndPasswordWantThePassword(t *testing.T) {
	h := open(t, true)
	is(t, "words with a wrong password", h.Post(t.Context(), "/v1/words", map[string]string{"password": "wrong battery"}, nil), CodePassword)
	var w Words
	if err := h.Post(t.Context(), "/v1/words", map[string]string{"password": "correct horse"}, &w); err != nil || len(strings.Fields(w.Words)) != 24 {
		t.Errorf("%d words, %v", len(strings.Fields(w.Words)), err)
	}
	if err := h.Post(t.Context(), "/v1/words/confirm", nil, nil); err != nil {
		t.Errorf("confirming: %v", err)
	}
	is(t, "words after they were saved", h.Post(t.Context(), "/v1/words", map[string]string{"password": "correct horse"}, nil), "words_erased")
	change := func(old, next string) error {
		return h.Post(t.Context(), "/v1/password", map[string]string{"old": old, "new": next}, nil)
	}
	is(t, "a wrong old password", change("wrong battery", "staple battery"), CodePassword)
	is(t, "a short new password", change("correct horse", "short"), "short_password")
	if err := change("correct horse", "staple battery"); err != nil {
		t.Errorf("changing the password: %v", err)
	}
}

func TestInvitationsSayWhatIsWrongWithThem(t *testing.T) {
	h, other := open(t, true), account(t)
	theirs, _, err := other.People.Invite(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var mine Invite
	if err := h.Post(t.Context(), "/v1/invitations", map[string]float64{"expires_s": 60}, &mine); err != nil {
		t.Fatal(err)
	}
	add := func(link string) error {
		return h.Post(t.Context(), "/v1/contacts", map[string]string{"invitation": link}, nil)
	}
	is(t, "one's own", add(mine.Link), "self")
	is(t, "cut off", add(theirs[:len(theirs)-9]), "cut_off")
	is(t, "not ours", add("https://example.org/"), "foreign")
	is(t, "a life of no length", h.Post(t.Context(), "/v1/invitations", map[string]float64{"expires_s": 0.5}, nil), CodeUsage)
	var a Added
	if err := h.Post(t.Context(), "/v1/contacts", map[string]string{"invitation": theirs, "text": "hello"}, &a); err != nil || a.State != "requested" {
		t.Errorf("a good one: %+v, %v", a, err)
	}
	is(t, "accepting somebody who has not asked", h.Post(t.Context(), "/v1/contacts/"+a.Contact+"/accept", nil, nil), "no_request")
	is(t, "the safety number of somebody never met", h.Get(t.Context(), "/v1/contacts/"+a.Contact+"/safety", nil), CodeNotMet)
	var c Contact
	if err := h.Post(t.Context(), "/v1/contacts/"+a.Contact+"/block", nil, &c); err != nil || c.State != "blocked" {
		t.Errorf("blocking: %+v, %v", c, err)
	}
	is(t, "adding somebody blocked", add(theirs), "blocked")
}

func TestTimesHaveNineDigitsInUTC(t *testing.T) {
	at := Time{time.Date(2026, 3, 1, 12, 30, 0, 5e6, time.FixedZone("", 3600))}
	b, err := json.Marshal(struct {
		At    Time `json:"at"`
		Never Time `json:"never"`
	}{At: at})
	if err != nil || string(b) != `{"at":"2026-03-01T11:30:00.005000000Z","never":null}` {
		t.Errorf("Marshal = %s, %v", b, err)
	}
	var back struct {
		At, Never Time
	}
	if err := json.Unmarshal(b, &back); err != nil || !back.At.Equal(at.Time) || !back.Never.IsZero() {
		t.Errorf("Unmarshal = %+v, %v", back, err)
	}
}
