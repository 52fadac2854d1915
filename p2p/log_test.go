package p2p

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

func TestLogsShowNoAddressAndNoWholeID(t *testing.T) {
	const id = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
	whole, err := peer.Decode(id)
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

func TestLogHandlerAsksTheHandlerBelow(t *testing.T) {
	h := LogHandler(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelError}))
	if h.Enabled(context.Background(), slog.LevelInfo) || !h.Enabled(context.Background(), slog.LevelError) {
		t.Error("another level than that of the handler below")
	}
}
