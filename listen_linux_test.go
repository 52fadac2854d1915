package main

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/p2p/netlab"
)

// What the kernel's tables of sockets say of one that listens.
const (
	tcpListens  = "0A" // state of a TCP socket that listens; of UDP: 07 stands for a socket that is bound to nobody
	udpUnbound  = "07"
	unixListens = "00010000" // flag __SO_ACCEPTCON
	mdnsPort    = "14E9"     // 5353
)

// TestNothingListensButThePortAndTheSocket looks at every socket there is while two people talk who found each other on the LAN.
func TestNothingListensButThePortAndTheSocket(t *testing.T) {
	if !inLab(t, syscall.CLONE_NEWNET) {
		return
	}
	if err := netlab.SetLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
		t.Fatalf("raising the loopback: %v", err)
	}
	dir := t.TempDir()
	a, b := must(newPerson(dir, "ada"))(t), must(newPerson(dir, "bob"))(t)
	for _, p := range []*person{a, b} {
		t.Cleanup(p.end)
	}
	if err := errors.Join(a.start(), b.start(), meet(a, b)); err != nil {
		t.Fatal(err)
	}
	must(a.do("send", "Bob", "is anybody listening?", "--wait", "delivered"))(t)

	ports := map[string]bool{}
	for _, fields := range sockets(t, "tcp", "tcp6") {
		if fields[3] == tcpListens {
			ports[portOf(fields)] = true
		}
	}
	if len(ports) != 2 {
		t.Errorf("two nodes listen on the TCP ports %v", slices.Collect(maps.Keys(ports)))
	}
	for _, fields := range sockets(t, "udp", "udp6") {
		if port := portOf(fields); fields[3] == udpUnbound && !ports[port] && port != mdnsPort {
			t.Errorf("somebody hears what comes to UDP port %s (hexadecimal)", port)
		}
	}
	var paths []string
	for _, fields := range sockets(t, "unix") {
		if fields[3] == unixListens {
			paths = append(paths, fields[len(fields)-1])
		}
	}
	slices.Sort(paths)
	if want := []string{filepath.Join(a.profile(), "sock"), filepath.Join(b.profile(), "sock")}; !slices.Equal(paths, want) {
		t.Errorf("sockets that listen: %v, want %v", paths, want)
	}
}

// sockets are the rows of the kernel's tables, without their headings.
func sockets(t *testing.T, tables ...string) (rows [][]string) {
	t.Helper()
	for _, table := range tables {
		b := must(os.ReadFile("/proc/self/net/" + table))(t)
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
			rows = append(rows, strings.Fields(line))
		}
	}
	return rows
}

// portOf is the local port of a row about TCP or UDP, in hexadecimal digits.
func portOf(fields []string) string {
	_, port, _ := strings.Cut(fields[1], ":")
	return port
}
