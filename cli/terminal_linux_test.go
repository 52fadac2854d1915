package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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
		password, err := c.password("Password: ")
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
		_, err := c.newPassword("New: ")
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
