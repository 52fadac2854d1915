package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
)

func TestWrongUsageIsExit2(t *testing.T) {
	for _, args := range [][]string{
		{"foo"},
		{"token", "list"},
		{"kit"},
		{"kit", "foo"},
		{"room", "new", "x"},
		{"status", "now"},
		{"status", "--nonsense"},
		{"add"},
		{"accept"},
		{"accept", "a", "b"},
		{"send"},
		{"send", "a"},
		{"send", "a", "b", "c"},
		{"send", "--lines", "a", "b"},
		{"send", "a", "b", "--wait", "read"},
		{"read"},
		{"read", "a", "--limit", "0"},
		{"read", "a", "--limit", "x"},
		{"invite", "--expires", "0s"},
		{"init", "--kdf", "none"},
		{"init", "--profile", ".."},
		{"--log-level", "loud", "version"},
		{"sim", "--seeds", "0"},
	} {
		exit, out, err := talk(t, Program{}, map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}, args...)
		if exit != exitUsage || out != "" || !strings.HasPrefix(err, "cryptexq: ") {
			t.Errorf("%q: exit %d, printed %q, %q", args, exit, out, err)
		}
	}
}

func TestErrorsAreObjectsWithJSON(t *testing.T) {
	for _, args := range [][]string{{"--json", "foo"}, {"foo", "--json"}, {"status", "--json"}, {"--json", "status", "--nonsense"}} {
		_, out, text := talk(t, Program{}, map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}, args...)
		var o struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(text), &o); err != nil || o.Error.Code == "" || o.Error.Message == "" || out != "" {
			t.Errorf("%q printed %q, %q: %v", args, out, text, err)
		}
	}
}

func TestNothingRunningIsExit3(t *testing.T) {
	vars := map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}
	for _, args := range [][]string{{"status"}, {"stop"}, {"send", "a", "b"}, {"read", "a"}, {"contacts"}, {"kit", "show"}, {"lock"}} {
		if exit, _, err := talk(t, Program{}, vars, args...); exit != exitNotRunning || !strings.Contains(err, "cryptexq node") {
			t.Errorf("%q: exit %d, %q", args, exit, err)
		}
	}
}

func TestDoctorSaysWhatItCanWhenNothingRuns(t *testing.T) {
	vars := map[string]string{"XDG_RUNTIME_DIR": t.TempDir(), "XDG_DATA_HOME": t.TempDir()}
	exit, out, _ := talk(t, Program{}, vars, "doctor")
	if exit != exitNotRunning || !strings.Contains(out, "Nothing is running") || !strings.Contains(out, "clock") {
		t.Errorf("doctor: exit %d, %q", exit, out)
	}
}

func TestEveryErrorHasItsExitCode(t *testing.T) {
	for _, row := range []struct {
		err  error
		exit int
		says string
	}{
		{app.ErrNotFound, exitNotFound, "no such person"},
		{fmt.Errorf("opening: %w", app.ErrPassword), exitLocked, "does not fit"},
		{&app.PauseError{Wait: 61 * time.Second}, exitLocked, "Wait 61 s"},
		{&app.PauseError{Left: 3}, exitLocked, "3 tries"},
		{&api.Error{Code: api.CodeLocked}, exitLocked, "locked"},
		{&api.Error{Code: api.CodeTimeout}, exitTimeout, "stays queued"},
		{&app.InUseError{PID: 42}, exitFailed, "Process 42"},
		{&app.DamagedError{File: "vault.cqv", Remedy: app.RemedyCopy}, exitFailed, "vault.cqv is damaged: put back a copy"},
		{&app.ForeignError{File: "anchor.cqv", Remedy: app.RemedyMove}, exitFailed, "anchor.cqv"},
		{&app.AmbiguousError{Matches: []string{"Ada cq1a", "Adam cq1b"}}, exitFailed, "Adam cq1b"},
		{app.ErrNone, exitFailed, "init"},
		{app.ErrExists, exitFailed, "never overwritten"},
		{app.ErrNewerVault, exitFailed, "newer version"},
		{app.ErrFull, exitFailed, "disk is full"},
		{app.ErrSelf, exitFailed, "That is you"},
		{app.ErrKnown, exitFailed, "contact of yours already"},
		{app.ErrExpired, exitFailed, "expired"},
		{app.ErrForeign, exitFailed, "not a CryptexQ invitation"},
		{app.ErrCutOff, exitFailed, "cut off"},
		{app.ErrTooLong, exitFailed, "32 KiB"},
		{app.ErrShort, exitFailed, "10 characters"},
		{errors.New("something else"), exitFailed, "something else"},
	} {
		var text strings.Builder
		c := &console{err: &text}
		if exit := c.complain(t.Context(), row.err); exit != row.exit || !strings.Contains(text.String(), row.says) {
			t.Errorf("%v: exit %d, %q; want %d and %q", row.err, exit, text.String(), row.exit, row.says)
		}
	}
}

func TestEveryWordOfTheMessengerHasASentence(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "app", "api", "problem.go"))
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile(`\{[\w.]+, "([a-z_]+)", http\.`).FindAllStringSubmatch(string(source), -1)
	if len(words) < 10 {
		t.Fatalf("found only %d words in the table", len(words))
	}
	for _, m := range words {
		if sentences[m[1]] == "" {
			t.Errorf("nobody says what %s means", m[1])
		}
	}
}

func TestTheProfileIsNamedInWhatToDo(t *testing.T) {
	_, _, err := talk(t, Program{}, map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}, "--profile", "work", "status")
	if !strings.Contains(err, "cryptexq --profile work node") {
		t.Errorf("status said %q", err)
	}
}

func TestServicesOfLaterVersionsAreRefusedRatherThanIgnored(t *testing.T) {
	for _, name := range laterServices {
		exit, _, err := talk(t, Program{}, map[string]string{"XDG_DATA_HOME": t.TempDir()}, "node", "--"+name)
		if exit != exitFailed || !strings.Contains(err, "--"+name+" is not in this version yet") {
			t.Errorf("node --%s: exit %d, %q", name, exit, err)
		}
	}
}

func TestABuildWithoutWindowNamesNode(t *testing.T) {
	exit, _, err := talk(t, Program{}, map[string]string{"XDG_DATA_HOME": t.TempDir()})
	if exit != exitFailed || !strings.Contains(err, "no window") || !strings.Contains(err, "cryptexq node") {
		t.Errorf("exit %d, %q", exit, err)
	}
}
