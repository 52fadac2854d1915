package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Error is how anything that went wrong travels: a word to branch on, and what was being done for whoever reads logs. What
// a person is told is made of the word by whoever shows it.
type Error struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Matches []string `json:"matches,omitempty"` // of ambiguous
	PID     int      `json:"pid,omitempty"`     // of in_use
	Wait    float64  `json:"wait_s,omitempty"`  // of password: before the next try
	Left    int      `json:"left,omitempty"`    // of password: tries before a pause
}

// Error is the sentence.
func (e *Error) Error() string { return e.Message }

// The codes. Those of an account's own doings stand in the table below.
const (
	CodeNotRunning = "not_running" // made by the client: nobody answers
	CodeLost       = "lost"        // made by the client: the program ended in the middle
	CodeLocked     = "locked"
	CodePassword   = "password"
	CodeNotFound   = "not_found"
	CodeAmbiguous  = "ambiguous"
	CodeInUse      = "in_use"
	CodeDamaged    = "damaged"
	CodeTimeout    = "timeout"
	CodeUsage      = "usage"
	CodeNoWindow   = "no_window"
	CodeNotMet     = "not_met" // somebody whose key is not here yet
	CodeFailed     = "failed"
)

// The errors of the server itself.
var (
	errLocked   = &Error{Code: CodeLocked, Message: "the vault is locked"}
	errNoWindow = &Error{Code: CodeNoWindow, Message: "this program has no window"}
	errNotMet   = &Error{Code: CodeNotMet, Message: "their key is not here yet"}
	errTimeout  = &Error{Code: CodeTimeout, Message: "time ran out"}
)

// kinds of errors that a caller branches on: what they are called here, and the status they travel with. The first that
// fits decides.
var kinds = []struct {
	err    error
	code   string
	status int
}{
	{app.ErrPassword, CodePassword, http.StatusForbidden},
	{app.ErrNotFound, CodeNotFound, http.StatusNotFound},
	{app.ErrSelf, "self", http.StatusConflict},
	{app.ErrKnown, "known", http.StatusConflict},
	{app.ErrExpired, "expired", http.StatusGone},
	{app.ErrForeign, "foreign", http.StatusUnprocessableEntity},
	{app.ErrCutOff, "cut_off", http.StatusUnprocessableEntity},
	{app.ErrNewer, "newer", http.StatusUnprocessableEntity},
	{identity.ErrMalformed, "malformed", http.StatusUnprocessableEntity},
	{app.ErrTooLong, "too_long", http.StatusRequestEntityTooLarge},
	{app.ErrEmpty, "empty", http.StatusUnprocessableEntity},
	{app.ErrBlocked, "blocked", http.StatusConflict},
	{app.ErrApproval, "approval", http.StatusConflict},
	{app.ErrWords, "words_erased", http.StatusGone},
	{app.ErrShort, "short_password", http.StatusUnprocessableEntity},
	{app.ErrNoRequest, "no_request", http.StatusConflict},
	{app.ErrClosed, CodeLocked, http.StatusServiceUnavailable},
	{app.ErrNone, "no_account", http.StatusNotFound},
	{app.ErrExists, "exists", http.StatusConflict},
	{app.ErrNewerVault, "newer_vault", http.StatusConflict},
	{app.ErrFull, "disk_full", http.StatusInsufficientStorage},
	{app.ErrClosed, CodeLocked, http.StatusServiceUnavailable},
	{context.Canceled, CodeLocked, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, CodeTimeout, http.StatusGatewayTimeout},
	{errMessageID, CodeNotFound, http.StatusNotFound},
}

// statuses of the codes that the server makes itself.
var statuses = map[string]int{
	CodeLocked: http.StatusServiceUnavailable, CodeTimeout: http.StatusGatewayTimeout, CodeNoWindow: http.StatusConflict, CodeNotMet: http.StatusConflict,
	CodeUsage: http.StatusBadRequest, CodeInUse: http.StatusConflict, CodeDamaged: http.StatusInternalServerError,
}

// Describe finds the word for an error of the messenger or its store. Commands that open a vault by themselves use it too,
// so that an error is called the same on both ways.
func Describe(err error) *Error {
	e, _ := describe(err)
	return e
}

func describe(err error) (*Error, int) {
	var (
		own       *Error
		ambiguous *app.AmbiguousError
		pause     *app.PauseError
		used      *app.InUseError
		damaged   *app.DamagedError
		foreign   *app.ForeignError
	)
	e := &Error{Message: err.Error()}
	switch {
	case errors.As(err, &own):
		status := statuses[own.Code]
		if status == 0 {
			status = http.StatusInternalServerError
		}
		return own, status
	case errors.As(err, &ambiguous):
		e.Code, e.Matches = CodeAmbiguous, ambiguous.Matches
		return e, http.StatusConflict
	case errors.As(err, &pause):
		e.Code, e.Wait, e.Left = CodePassword, pause.Wait.Seconds(), pause.Left
		return e, http.StatusForbidden
	case errors.As(err, &used):
		e.Code, e.PID = CodeInUse, used.PID
		return e, http.StatusConflict
	case errors.As(err, &damaged), errors.As(err, &foreign):
		e.Code = CodeDamaged
		return e, http.StatusInternalServerError
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			e.Code = k.code
			return e, k.status
		}
	}
	e.Code = CodeFailed
	return e, http.StatusInternalServerError
}

// fail answers a request with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, status := describe(err)
	if status == http.StatusInternalServerError {
		s.host.Log.Warn("answering a request", "request", r.Pattern, "err", err)
	}
	answer(w, status, Line{Error: e})
}

// answer writes one object.
func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"failed","message":"the answer cannot be written"}}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // whoever asked has gone: there is nobody to tell
}
