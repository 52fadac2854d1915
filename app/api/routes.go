package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/cryptexq/cryptexq/app"
)

// maxBody bounds the body of a request, and a line of one that goes on: the longest message, escaped in JSON.
const maxBody = 256 << 10

// question is a request with the account that it is about.
type question struct {
	*app.Service
	r *http.Request
}

// read parses the body into v. Fields that are not known are an error: a caller means something by them.
func (q question) read(v any) error {
	d := json.NewDecoder(io.LimitReader(q.r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return &Error{Code: CodeUsage, Message: fmt.Sprintf("reading the request: %v", err)}
	}
	return nil
}

// route says who answers what. What is plain is asked and answered as one object each; the rest streams.
func (s *Server) route() {
	s.mux.HandleFunc("GET /v1/health", s.health)
	s.mux.HandleFunc("POST /v1/show", s.show)
	s.mux.HandleFunc("POST /v1/lock", s.lock)
	s.mux.HandleFunc("POST /v1/stop", s.stop)
	s.plain("GET /v1/status", s.status)
	s.plain("GET /v1/identity", identityOf)
	s.plain("POST /v1/words", words)
	s.plain("POST /v1/words/confirm", confirmWords)
	s.plain("POST /v1/password", changePassword)
	s.plain("POST /v1/invitations", invite)
	s.plain("GET /v1/nearby", nearby)
	s.plain("GET /v1/requests", requests)
	s.plain("GET /v1/contacts", contacts)
	s.plain("GET /v1/contacts/find", findContact)
	s.plain("POST /v1/contacts", add)
	s.plain("POST /v1/contacts/{account}/accept", accept)
	s.plain("POST /v1/contacts/{account}/decline", decline)
	s.plain("POST /v1/contacts/{account}/block", block)
	s.plain("GET /v1/contacts/{account}/safety", safety)
	s.plain("POST /v1/contacts/{account}/verify", compared)
	s.plain("GET /v1/rooms", rooms)
	s.plain("GET /v1/rooms/find", findRoom)
	s.plain("GET /v1/rooms/{room}", room)
	s.plain("POST /v1/rooms/{room}/read", markRead)
	s.plain("GET /v1/rooms/{room}/messages/{message}", message)
	s.lent("GET /v1/rooms/{room}/messages", s.thread)
	s.lent("POST /v1/rooms/{room}/messages", s.send)
	s.lent("GET /v1/events", s.events)
}

// plain registers what is answered with one object.
func (s *Server) plain(pattern string, f func(ctx context.Context, q question) (any, error)) {
	s.lent(pattern, func(ctx context.Context, q question, w http.ResponseWriter) error {
		v, err := f(ctx, q)
		if err != nil {
			return err
		}
		answer(w, http.StatusOK, v)
		return nil
	})
}

// lent registers what needs an account, which it has until it returns. An error may be returned only before the answer
// has begun.
func (s *Server) lent(pattern string, f func(ctx context.Context, q question, w http.ResponseWriter) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		service, ctx, back, err := s.borrow(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		defer back()
		if err := f(ctx, question{service, r}, w); err != nil {
			s.fail(w, r, err)
		}
	})
}
