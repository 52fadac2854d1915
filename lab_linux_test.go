package main

import (
	"os/exec"
	"testing"

	"github.com/cryptexq/cryptexq/p2p/netlab"
)

// inLab is netlab.Alone with the program that these tests are about.
func inLab(t *testing.T, flags uintptr) bool {
	t.Helper()
	return netlab.Alone(t, flags, "TEST_BINARY="+must(exec.LookPath("cryptexq"))(t))
}
