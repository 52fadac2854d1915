package api

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// health says whether the program is ready: 200, or 503 with the reason.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	service, ctx, back, err := s.borrow(r)
	if err != nil {
		answer(w, http.StatusServiceUnavailable, Health{Reason: CodeLocked})
		return
	}
	defer back()
	st, err := service.Owner.Status(ctx)
	switch {
	case err != nil:
		e, _ := describe(err)
		answer(w, http.StatusServiceUnavailable, Health{Reason: e.Code})
	case !st.Ready:
		answer(w, http.StatusServiceUnavailable, Health{Reason: st.Reason})
	default:
		answer(w, http.StatusOK, Health{Ready: true})
	}
}

func (s *Server) status(ctx context.Context, q question) (any, error) {
	st, err := q.Owner.Status(ctx)
	o := Status{
		Profile: s.host.Profile, Version: s.host.Version, Ready: st.Ready, Peers: st.Peers, LAN: st.LAN, Relays: st.Relays,
		Queued: st.Queued, Refused: map[string]uint64{}, Gossip: Gossip{Topics: st.Topics, Accepted: st.Heard},
		UptimeS: st.Uptime.Seconds(), RSS: resident(), Reason: st.Reason, Online: st.Online, PID: os.Getpid(), Notices: []Notice{},
	}
	for cause, n := range st.Refused {
		o.Refused[cause] = n
	}
	for _, n := range st.Notices {
		o.Notices = append(o.Notices, Notice{Code: n.Code, Subject: n.Subject, At: Time{n.At}})
	}
	return o, err
}

// resident is how much memory the program has, in bytes; 0 where the system does not say.
func resident() uint64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, _ := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(text, "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

func identityOf(ctx context.Context, q question) (any, error) {
	id, err := q.Owner.Identity(ctx)
	return IdentityObject(id), err
}

func words(ctx context.Context, q question) (any, error) {
	var in struct {
		Password string `json:"password"`
	}
	if err := q.read(&in); err != nil {
		return nil, err
	}
	text, err := q.Owner.Words(ctx, []byte(in.Password))
	return Words{Words: text}, err
}

func confirmWords(ctx context.Context, q question) (any, error) {
	if err := q.Owner.ConfirmWords(ctx); err != nil {
		return nil, err
	}
	return identityOf(ctx, q)
}

func changePassword(ctx context.Context, q question) (any, error) {
	var in struct {
		Old string `json:"old"`
		New string `json:"new"`
	}
	if err := q.read(&in); err != nil {
		return nil, err
	}
	return struct{}{}, q.Owner.ChangePassword(ctx, []byte(in.Old), []byte(in.New))
}

// show brings the window to the front. It needs no open vault: the password may still be asked for.
func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	if s.host.Show == nil {
		s.fail(w, r, errNoWindow)
		return
	}
	s.host.Show()
	answer(w, http.StatusOK, struct{}{})
}

// lock puts the window behind the password. A program without a window has nothing to put there.
func (s *Server) lock(w http.ResponseWriter, r *http.Request) { s.fail(w, r, errNoWindow) }

// stop ends the program. The answer ends when the process does, however it does: whoever reads it to its end knows that
// the profile is free.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.fail(w, r, fmt.Errorf("stopping: %w", err))
		return
	}
	s.mu.Lock()
	s.stops = append(s.stops, conn)
	s.mu.Unlock()
	_, _ = out.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}\n")
	_ = out.Flush()
	s.host.Stop()
}
