package main

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/p2p/netlab"
)

// TestTwoWhoNeverMetFindEachOtherOnTheLAN is first contact without an invitation and without an internet.
func TestTwoWhoNeverMetFindEachOtherOnTheLAN(t *testing.T) {
	if !inLab(t, syscall.CLONE_NEWNET) {
		return
	}
	if err := netlab.SetLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
		t.Fatalf("raising the loopback: %v", err)
	}
	dir := t.TempDir()
	a, b, hidden := must(newPerson(dir, "ada"))(t), must(newPerson(dir, "bob"))(t), must(newPerson(dir, "eve"))(t)
	for _, p := range []*person{a, b, hidden} {
		t.Cleanup(p.end)
	}
	if err := errors.Join(a.start("--nearby"), hidden.start(), b.start("--nearby")); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := a.until(`"name":"Bob"`, "nearby", "--json"); err != nil {
		t.Fatal(err)
	}
	t.Logf("found within %v of being ready", time.Since(start).Round(time.Millisecond))
	if out := must(a.do("nearby", "--json"))(t); strings.Contains(out, "Eve") {
		t.Errorf("somebody who shows no name is nearby: %s", out)
	}
	if _, err := a.do("add", "Bob", "--text", "hello from next door"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.until("hello from next door", "requests"); err != nil {
		t.Fatal(err)
	}
	if out := must(b.do("requests", "--json"))(t); !strings.Contains(out, `"token":false`) {
		t.Errorf("nobody was invited, and yet: %s", out)
	}
	if _, err := b.do("accept", "Ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.until(`"state":"accepted"`, "contacts", "--json"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.do("send", "Bob", "over the LAN", "--wait", "delivered"); err != nil {
		t.Fatal(err)
	}
	if err := b.crash(); err != nil {
		t.Fatal(err)
	}
	if err := b.start("--nearby"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.do("send", "Ada", "back again", "--wait", "delivered"); err != nil {
		t.Error(err)
	}
}
