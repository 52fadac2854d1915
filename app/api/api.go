// Package api is the local API: HTTP with JSON over a Unix socket, by which the command line talks to the running program.
//
// The socket's file mode is its lock: 0600 in a folder of mode 0700, so whoever can open it is the person whose account it
// is. Nothing listens on TCP. Every answer is one JSON object, or one object a line where a thread is read, lines are sent
// or changes are told; errors are {"error":{"code","message"}} with a status that fits. Times are RFC 3339 in UTC with
// nanoseconds, IDs are whole, fields are added and never renamed. docs/api.md lists everything, and a test holds it true.
//
// The server may run before the vault is open: it then answers what needs no account, and "locked" to the rest.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

// Host is the program around the server.
type Host struct {
	Profile string // its name, or its path
	Version string
	Stop    func()       // ends the program; returns at once
	Show    func()       // brings the window to the front; nil without a window
	Log     *slog.Logger // nil discards
}

// Server answers the local API for one profile.
type Server struct {
	host Host
	mux  *http.ServeMux

	mu      sync.Mutex
	service *app.Service                         // nil while the vault is locked; guarded by mu
	calls   map[*http.Request]context.CancelFunc // that use service; guarded by mu
	idle    chan struct{}                        // closed when calls is empty after Detach; nil otherwise; guarded by mu
	stops   []net.Conn                           // of those who asked to stop: held open until the process ends; guarded by mu
}

// New makes a server that has no account to answer for yet.
func New(h Host) *Server {
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{host: h, mux: http.NewServeMux(), calls: map[*http.Request]context.CancelFunc{}}
	s.route()
	return s
}

// Attach lets requests reach an unlocked account from now on.
func (s *Server) Attach(service *app.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.service = service
}

// Detach ends what requests do with the account and returns when none of them uses it any more.
func (s *Server) Detach() {
	s.mu.Lock()
	s.service = nil
	for _, cancel := range s.calls {
		cancel()
	}
	if len(s.calls) == 0 {
		s.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	s.idle = idle
	s.mu.Unlock()
	<-idle
}

// borrow lends the account to a request until the returned function is called.
func (s *Server) borrow(r *http.Request) (service *app.Service, ctx context.Context, back func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service == nil {
		return nil, nil, nil, errLocked
	}
	ctx, cancel := context.WithCancel(r.Context())
	s.calls[r] = cancel
	return s.service, ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.calls, r)
		if len(s.calls) == 0 && s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
	}, nil
}

// goodbye is how long a client may take to fetch the end of an answer when the program ends.
const goodbye = 2 * time.Second

// Serve answers on a listener, which it closes, until ctx ends and every request has returned.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &http.Server{
		Handler:           s.mux,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.host.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer stop()
	err := h.Shutdown(last)
	if err != nil {
		err = h.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
