package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/app"
)

// openTerminal makes a pseudo-terminal: what is written to the keyboard is typed, what is read from it stands on the screen.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// prompts passes on what is printed.
type prompts chan string

func (p prompts) Write(b []byte) (int, error) {
	p <- string(b)
	return len(b), nil
}

func TestAPasswordIsNotShownWhileItIsTyped(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	asked := make(prompts, 4)
	c := &console{in: terminal, err: asked, look: func(string) (string, bool) { return "", false }}
	got := make(chan string, 1)
	go func() {
		password, err := c.password(t.Context(), "Password: ")
		got <- fmt.Sprint(string(password), err)
	}()
	if prompt := <-asked; prompt != "Password: " {
		t.Errorf("asked %q", prompt)
	}
	if _, err := keyboard.WriteString("correct horse\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case p := <-got:
		if p != "correct horse<nil>" {
			t.Errorf("password = %q", p)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the password was not read")
	}
	if _, err := terminal.WriteString("end"); err != nil { // afterwards the screen shows what is typed again, and this
		t.Fatal(err)
	}
	screen := make([]byte, 100)
	n, err := keyboard.Read(screen)
	if err != nil || strings.Contains(string(screen[:n]), "horse") || !strings.Contains(string(screen[:n]), "end") {
		t.Errorf("the screen shows %q, %v", screen[:n], err)
	}
	if !isTerminal(terminal) {
		t.Error("a terminal is not taken for one")
	}
}

func TestTwoDifferentNewPasswordsAreRefused(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	asked := make(prompts, 8)
	c := &console{in: terminal, err: asked, look: func(string) (string, bool) { return "", false }}
	failed := make(chan error, 1)
	go func() {
		_, err := c.newPassword(t.Context(), "New: ")
		failed <- err
	}()
	for _, line := range []string{"correct horse\n", "correct house\n"} {
		for prompt := range asked {
			if strings.HasSuffix(prompt, ": ") {
				break
			}
		}
		if _, err := keyboard.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "not the same") {
		t.Errorf("newPassword: %v", err)
	}
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func TestAnInterruptEndsAPrompt(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, c *console) error{
		"password": func(ctx context.Context, c *console) error { _, err := c.password(ctx, "?"); return err },
		"name":     func(ctx context.Context, c *console) error { _, err := c.nameOrAsk(ctx, ""); return err },
	} {
		_, terminal := openTerminal(t)
		asked := make(prompts, 4)
		c := &console{in: terminal, err: asked, look: func(string) (string, bool) { return "", false }}
		ctx, interrupt := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ask(ctx, c) }()
		<-asked
		interrupt()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: nobody hears the interrupt", name)
		}
		if !echoes(t, terminal) {
			t.Errorf("%s: the terminal no longer shows what is typed", name)
		}
	}
}

func TestAShortNewPasswordIsNotAskedForTwice(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	asked := make(prompts, 8)
	c := &console{in: terminal, err: asked, look: func(string) (string, bool) { return "", false }}
	if _, err := keyboard.WriteString("short\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.newPassword(t.Context(), "New: "); !errors.Is(err, app.ErrShort) {
		t.Errorf("newPassword: %v", err)
	}
}

// TestAWrongPasswordIsAskedForAgain has somebody type a wrong one, then the 24 words: the vault opens in one run, and how many
// tries are left is true.
func TestAWrongPasswordIsAskedForAgain(t *testing.T) {
	dir := t.TempDir()
	kit, profile := filepath.Join(dir, "kit"), filepath.Join(dir, "ada")
	exit, _, said := talk(t, Program{}, nil, "init", "--profile", profile, "--name", "Ada", "--kdf", "min", "--kit", kit, "--password-file", file(t, "pw", "correct horse", 0o600))
	if exit != exitDone {
		t.Fatal(said)
	}
	words, err := os.ReadFile(kit)
	if err != nil {
		t.Fatal(err)
	}
	keyboard, terminal := openTerminal(t)
	asked := make(prompts, 100)
	c := &console{in: terminal, err: asked, look: func(string) (string, bool) { return "", false }}
	p, err := app.OpenProfile(profile, app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := keyboard.WriteString("wrong horse\nwrong house\n" + string(words)); err != nil {
		t.Fatal(err)
	}
	s, err := c.unlock(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	close(asked)
	var screen strings.Builder
	for text := range asked {
		screen.WriteString(text)
	}
	if got := screen.String(); strings.Count(got, "Password: ") != 3 || !strings.Contains(got, "a pause: 4.") || !strings.Contains(got, "a pause: 3.") {
		t.Errorf("the screen shows %q", got)
	}
}

func TestAWrongPasswordFileDoesNotCountTries(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "ada")
	if exit, _, err := talk(t, Program{}, nil, "init", "--profile", profile, "--name", "Ada", "--kdf", "min", "--password-file", file(t, "pw", "correct horse", 0o600)); exit != exitDone {
		t.Fatal(err)
	}
	exit, _, err := talk(t, Program{}, nil, "node", "--profile", profile, "--password-file", file(t, "pw", "wrong horse", 0o600))
	if exit != exitLocked || !strings.Contains(err, "does not fit") || strings.Contains(err, "ries left") {
		t.Errorf("node: exit %d, %q", exit, err)
	}
}
