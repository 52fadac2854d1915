package p2p

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	corepeer "github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestLogsShowNoAddressAndNoWholeID(t *testing.T) {
	const id = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
	whole, err := corepeer.Decode(id)
	if err != nil {
		t.Fatal(err)
	}
	addr := ma.StringCast("/ip4/203.0.113.9/tcp/4001/p2p/" + id)
	secrets := []string{id, "203.0.113.9", "2001:db8::5", "4001", "example.org", strings.Repeat("ab", 32), "192.0.2.7"}
	var out bytes.Buffer
	log := slog.New(LogHandler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log = log.With("peer", whole, "remote_multiaddr", addr, "local_endpoint", "192.0.2.7:1")
	log.Info("dialled "+id+" at "+addr.String(), "err", fmt.Errorf("dial tcp 203.0.113.9:4001: %w", errors.New("[2001:db8::5]:4001 refused")))
	log.WithGroup("g").Warn("x", "to", []ma.Multiaddr{addr, ma.StringCast("/dns4/example.org/udp/4001/quic-v1")},
		slog.Group("h", "id", whole, "device", strings.Repeat("ab", 32), "v6", "2001:db8::5"))
	log.Debug("at 12:34:56 took 3 of 4", "n", 7, "ok", true)
	for _, s := range secrets {
		if strings.Contains(out.String(), s) {
			t.Errorf("%q is in the log:\n%s", s, out.String())
		}
	}
	for _, s := range []string{"weQAJU5SA"[1:], "refused", "at 12:34:56 took 3 of 4", "n=7", "ok=true"} {
		if !strings.Contains(out.String(), s) {
			t.Errorf("%q is missing in the log:\n%s", s, out.String())
		}
	}
}

// TestNodeLogsNoAddress runs two nodes at debug level, through links, failures and refusals.
func TestNodeLogsNoAddress(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(lockedWriter{&mu, &out}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	people := make([]*person, 0, 2)
	for range 2 {
		p := idle(t, newSelf(t), peer.Services{Listen: loopback})
		n, err := Open(Config{Self: p.self, Services: peer.Services{Listen: loopback}, Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		p.node = n
		p.run(t)
		people = append(people, p)
	}
	a, b := people[0], people[1]
	befriend(t, a, b)
	talk(t, a, b)
	b.frame = func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error) {
		return nil, fmt.Errorf("disk full at 127.0.0.1 for %s", a.id())
	}
	_, _ = a.node.Call(t.Context(), b.device(), peer.Fetch, nil)
	gone := b.row(t, peer.Contact)
	b.stop()
	a.node.SetPeers([]peer.Known{gone})
	a.tried(t, b.id(), peer.CauseClosed)
	mu.Lock()
	defer mu.Unlock()
	for _, secret := range []string{"127.0.0.1", a.id().String(), b.id().String(), b.device().String(), b.account().String()} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), b.id().Short()) {
		t.Errorf("nothing about b is in the log:\n%s", out.String())
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (w lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

func TestLogHandlerAsksTheHandlerBelow(t *testing.T) {
	h := LogHandler(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelError}))
	if h.Enabled(context.Background(), slog.LevelInfo) || !h.Enabled(context.Background(), slog.LevelError) {
		t.Error("another level than that of the handler below")
	}
}

func TestOfTheLibraryOnlyErrorsAreLoggedUnlessEverythingIs(t *testing.T) {
	for _, row := range []struct {
		level slog.Level
		want  string
	}{
		{slog.LevelDebug, "debug info warn error "},
		{slog.LevelInfo, "error "},
		{slog.LevelWarn, "error "},
		{slog.LevelError + 1, ""},
	} {
		var out bytes.Buffer
		log := slog.New(LibraryHandler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: row.level}))).With("a", 1).WithGroup("g")
		log.Debug("debug")
		log.Info("info")
		log.Warn("warn")
		log.Error("error")
		got := ""
		for _, word := range []string{"debug", "info", "warn", "error"} {
			if strings.Contains(out.String(), "msg="+word) {
				got += word + " "
			}
		}
		if got != row.want {
			t.Errorf("at level %v what is logged is %q, want %q", row.level, got, row.want)
		}
	}
}
