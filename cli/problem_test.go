package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
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
		{"send", "", "text"},
		{"read", " "},
		{"add", ""},
		{"accept", ""},
		{"send", "a", "b", "--timeout", "-5s"},
		{"send", "a", "b", "--timeout", "soon"},
		{"invite", "--expires", "7w"},
		{"node", "--listen", "127.0.0.1:4001"},
		{"init", "--name", " "},
		{"search", "word"},
		{"room", "leave", "x"},
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
		{&app.PauseError{Left: 3}, exitLocked, "Tries left before a pause: 3"},
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
		{app.ErrNoRequest, exitFailed, "nothing to answer"},
		{fmt.Errorf("starting node: %w", os.NewSyscallError("bind", syscall.EADDRINUSE)), exitFailed, "another port with --listen"},
		{fmt.Errorf("asking: %w", &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}), exitFailed, "somebody else started it"},
		{fmt.Errorf("writing the words: %w", &fs.PathError{Op: "open", Path: "/kit", Err: syscall.EACCES}), exitFailed, "writing the words: open /kit"},
		{advise(api.CodeNotFound, "There is no %s.", "spoon"), exitNotFound, "There is no spoon."},
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
	for profile, want := range map[string]string{"work": "cryptexq --profile work node", "at work": "cryptexq --profile 'at work' node"} {
		if _, _, err := talk(t, Program{}, map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}, "--profile", profile, "status"); !strings.Contains(err, want) {
			t.Errorf("status said %q, want %q in it", err, want)
		}
	}
}

func TestACommandToCopyIsAboutTheProgramThatWasCalled(t *testing.T) {
	c := &console{name: "./build/cryptexq-headless", common: common{profile: "default"}}
	if got := c.sentence(&api.Error{Code: "no_account"}); !strings.Contains(got, "with: ./build/cryptexq-headless init") {
		t.Errorf("said %q", got)
	}
}

func TestAProgramInThePathIsCalledByItsName(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "two")
	if err := os.WriteFile(elsewhere, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for arg, want := range map[string]string{filepath.Join(dir, "one"): "one", elsewhere: elsewhere, "./build/three": "./build/three"} {
		if got := calledAs(arg); got != want {
			t.Errorf("calledAs(%s) = %s, want %s", arg, got, want)
		}
	}
}

func TestNamesOfOthersAreHarmlessInACommandToCopy(t *testing.T) {
	for in, want := range map[string]string{
		"Bob": "Bob", "Ada Lovelace": "'Ada Lovelace'", "$(rm -rf ~)": "'$(rm -rf ~)'", "`id`": "'`id`'", "it's": `'it'\''s'`, "": "''", "a;b": "'a;b'",
		`"; id "`: `'"; id "'`, "Zoë": "'Zoë'",
	} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWithoutAProfileNothingRunningNamesInit(t *testing.T) {
	vars := map[string]string{"XDG_RUNTIME_DIR": t.TempDir(), "XDG_DATA_HOME": t.TempDir()}
	if exit, _, err := talk(t, Program{}, vars, "status"); exit != exitNotRunning || !strings.Contains(err, "cryptexq init") {
		t.Errorf("status: exit %d, %q", exit, err)
	}
}

func TestAMistypedProfileLeavesNothingBehind(t *testing.T) {
	data, state := t.TempDir(), t.TempDir()
	exit, _, err := talk(t, Program{}, map[string]string{"XDG_DATA_HOME": data, "XDG_STATE_HOME": state, "XDG_RUNTIME_DIR": t.TempDir()}, "--profile", "tpyo", "node")
	if exit != exitFailed || !strings.Contains(err, "cryptexq --profile tpyo init") {
		t.Errorf("node: exit %d, %q", exit, err)
	}
	for _, dir := range []string{data, state} {
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("%s holds %v, %v", dir, left, err)
		}
	}
}

func TestAFolderThatCannotBeMadeSaysWhatToDo(t *testing.T) {
	in := file(t, "taken", "", 0o600)
	for _, args := range [][]string{{"init", "--name", "Ada"}, {"node"}} {
		exit, _, err := talk(t, Program{}, nil, append(args, "--profile", in)...)
		if exit != exitFailed || !strings.Contains(err, in) || !strings.Contains(err, "another folder with --profile") {
			t.Errorf("%q in place of a folder: exit %d, %q", args, exit, err)
		}
	}
}

func TestWhatIsMeantByASlipOfTheFingerIsSaid(t *testing.T) {
	for line, want := range map[string]string{
		"stauts": `did you mean "status"`, "kit sow": `did you mean "kit show"`, "room shw x": `did you mean "room show"`,
		"zzz": "cryptexq --help", "kit zzz": "cryptexq kit --help", "status --jsno": "cryptexq status --help",
	} {
		if exit, _, err := talk(t, Program{}, nil, strings.Fields(line)...); exit != exitUsage || !strings.Contains(err, want) {
			t.Errorf("%s: exit %d, %q; want %q", line, exit, err, want)
		}
	}
}

func TestCommandsOfLaterVersionsAreCalledThat(t *testing.T) {
	for _, name := range laterCommands {
		exit, _, err := talk(t, Program{}, nil, append(strings.Fields(name), "x")...)
		if exit != exitUsage || !strings.Contains(err, name+" is not in this version yet") {
			t.Errorf("%s: exit %d, %q", name, exit, err)
		}
	}
}

// fullDisk is where answers cannot go.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestAnAnswerThatCannotBePrintedDoesNotSoundLikeAFailedDeed(t *testing.T) {
	var text strings.Builder
	c := &console{out: outlet{fullDisk{}}, err: &text, look: func(string) (string, bool) { return "", false }}
	if exit := c.run(t.Context(), []string{"version"}); exit != exitFailed || !strings.Contains(text.String(), "was done") {
		t.Errorf("version: exit %d, %q", exit, text.String())
	}
}

func TestServicesOfLaterVersionsAreRefusedRatherThanIgnored(t *testing.T) {
	for _, name := range laterServices {
		exit, _, err := talk(t, Program{}, map[string]string{"XDG_DATA_HOME": t.TempDir()}, "node", "--"+name)
		if exit != exitFailed || !strings.Contains(err, "--"+name+" is not in this version yet") {
			t.Errorf("node --%s: exit %d, %q", name, exit, err)
		}
		exit, _, err = talk(t, Program{}, map[string]string{"XDG_DATA_HOME": t.TempDir(), variable(name): "true"}, "node")
		if exit != exitFailed || !strings.Contains(err, "--"+name+" is not in this version yet") {
			t.Errorf("node with %s: exit %d, %q", variable(name), exit, err)
		}
	}
}

func TestABuildWithoutWindowNamesNode(t *testing.T) {
	exit, _, err := talk(t, Program{}, map[string]string{"XDG_DATA_HOME": t.TempDir()})
	if exit != exitFailed || !strings.Contains(err, "no window") || !strings.Contains(err, "cryptexq node") {
		t.Errorf("exit %d, %q", exit, err)
	}
}
