package api

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

func TestWrongPasswordsOverTheSocketAreCountedTogetherAndSlowDown(t *testing.T) {
	var ahead atomic.Int64
	p, err := app.OpenProfile(t.TempDir(), app.Config{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Create(t.Context(), app.NewAccount{Name: "Ada", Password: []byte("correct horse"), MinKDF: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := open(t, false)
	h.server.Attach(s)
	defer h.server.Detach()
	words := func(password string) *Error {
		var e *Error
		errors.As(h.Post(t.Context(), "/v1/words", map[string]string{"password": password}, nil), &e)
		return e
	}
	change := func(old string) *Error {
		var e *Error
		errors.As(h.Post(t.Context(), "/v1/password", map[string]string{"old": old, "new": "staple battery"}, nil), &e)
		return e
	}
	for i, try := range []func(string) *Error{words, change, words, change} {
		if e := try("wrong battery"); e == nil || e.Code != CodePassword || e.Wait != 0 || e.Left != 4-i {
			t.Errorf("try %d: %+v, want %d left", i, e, 4-i)
		}
	}
	if e := words("wrong battery"); e == nil || e.Wait != 60 || !strings.Contains(e.Message, "wait 60 s") {
		t.Errorf("the fifth: %+v, want a pause of a minute", e)
	}
	for name, e := range map[string]*Error{"words": words("correct horse"), "passwd": change("correct horse")} {
		if e == nil || e.Code != CodePassword || e.Wait < 50 || !strings.Contains(e.Message, "wait ") {
			t.Errorf("%s during the pause: %+v", name, e)
		}
	}
	ahead.Store(int64(61 * time.Second))
	if e := change("wrong battery"); e == nil || e.Wait != 120 {
		t.Errorf("the sixth: %+v, want a pause of two minutes", e)
	}
	ahead.Store(int64(3*time.Minute + 2*time.Second))
	if e := words("correct horse"); e != nil {
		t.Errorf("the right one after the pause: %v", e)
	}
	if e := change("wrong battery"); e == nil || e.Left != 4 {
		t.Errorf("a wrong one after a right one: %+v, want 4 left", e)
	}
}
