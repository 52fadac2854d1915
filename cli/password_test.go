package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cryptexq/cryptexq/app/api"
)

// file makes one with a mode and returns its name.
func file(t *testing.T, name, content string, mode os.FileMode) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestThePasswordIsTheFirstLineOfItsFile(t *testing.T) {
	for content, want := range map[string]string{
		"correct horse\n": "correct horse", "correct horse": "correct horse", "correct horse\r\nmore\n": "correct horse", " a b \n": " a b ",
	} {
		c := &console{common: common{passwordFile: file(t, "pw", content, 0o600)}}
		if got, err := c.password(t.Context(), ""); err != nil || string(got) != want {
			t.Errorf("a file with %q gave %q, %v", content, got, err)
		}
	}
}

func TestAPasswordFileThatOthersCanReadIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644, 0o666} {
		c := &console{common: common{passwordFile: file(t, "pw", "correct horse", mode)}}
		_, err := c.password(t.Context(), "")
		if e := (*api.Error)(nil); !errors.As(err, &e) || e.Code != "open_password" {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestAPasswordFileThatHoldsNoneSaysWhy(t *testing.T) {
	secret := t.TempDir()
	for name, row := range map[string]struct {
		exit int
		says string
	}{
		filepath.Join(secret, "nosuch"):           {exitNotFound, "There is no password file"},
		secret:                                    {exitFailed, "is a folder"},
		file(t, "empty", "", 0o600):               {exitFailed, "is empty"},
		file(t, "second", "\nsecond line", 0o600): {exitFailed, "is empty"},
		file(t, "long", strings.Repeat("x", maxPassword+1)+"\n", 0o600): {exitFailed, "more than 4096 bytes"},
		file(t, "endless", strings.Repeat("x", 100*maxPassword), 0o600): {exitFailed, "more than 4096 bytes"},
	} {
		exit, _, err := talk(t, Program{}, nil, "init", "--profile", filepath.Join(t.TempDir(), "ada"), "--name", "Ada", "--password-file", name)
		if exit != row.exit || !strings.Contains(err, row.says) {
			t.Errorf("%s: exit %d, %q; want %d, %q", filepath.Base(name), exit, err, row.exit, row.says)
		}
	}
}

func TestALongPasswordIsReadWhole(t *testing.T) {
	want := strings.Repeat("x", maxPassword)
	c := &console{common: common{passwordFile: file(t, "pw", want+"\n", 0o600)}}
	if got, err := c.password(t.Context(), ""); err != nil || string(got) != want {
		t.Errorf("%d bytes became %d, %v", len(want), len(got), err)
	}
}

func TestACredentialOfSystemdIsThePassword(t *testing.T) {
	name := file(t, credential, "correct horse\n", 0o440) // an access list for the service's user shows as a bit for the group
	c := &console{look: func(v string) (string, bool) {
		return map[string]string{"CREDENTIALS_DIRECTORY": filepath.Dir(name)}[v], true
	}}
	if got, err := c.password(t.Context(), ""); err != nil || string(got) != "correct horse" {
		t.Errorf("password = %q, %v", got, err)
	}
	c.passwordFile = file(t, "pw", "another one", 0o600)
	if got, err := c.password(t.Context(), ""); err != nil || string(got) != "another one" {
		t.Errorf("beside --password-file: %q, %v", got, err)
	}
}

func TestWithoutATerminalThereIsNothingToAsk(t *testing.T) {
	exit, _, err := talk(t, Program{}, map[string]string{"XDG_DATA_HOME": t.TempDir(), "XDG_RUNTIME_DIR": t.TempDir()}, "init", "--name", "Ada")
	if exit != exitLocked || !bytes.Contains([]byte(err), []byte("--password-file")) {
		t.Errorf("init: exit %d, %q", exit, err)
	}
}

func TestReadLineLeavesTheNextLine(t *testing.T) {
	r := bytes.NewBufferString("one\r\ntwo\nthree")
	for _, want := range []string{"one", "two", "three"} {
		if got, err := readLine(r); err != nil || string(got) != want {
			t.Errorf("readLine = %q, %v, want %q", got, err, want)
		}
	}
	if _, err := readLine(r); err == nil {
		t.Error("readLine found a line after the last")
	}
	if _, err := readLine(bytes.NewReader(make([]byte, 2*maxPassword))); err == nil {
		t.Error("readLine read a line without end")
	}
}
