package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// withAccount makes a folder with an account that the password of the tests opens.
func withAccount(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	p, err := app.OpenProfile(dir, app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Create(t.Context(), app.NewAccount{Name: name, Password: []byte(password), MinKDF: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUnlockLeadsToTheChats(t *testing.T) {
	u := sitDown(t, withAccount(t, "Ada"), newMesh(t).join, kit.Look{Variant: kit.Dark})
	u.shoot("unlock")
	u.types(password)
	u.key(fyne.KeyReturn)
	u.sees("Opening the vault")
	u.sees("Only for you, on this computer")
	u.sees("Nobody you know is reachable now")
}

func TestAWrongPasswordIsSaidAndSlowsDown(t *testing.T) {
	u := sitDown(t, withAccount(t, "Ada"), newMesh(t).join, kit.Look{})
	for _, want := range []string{
		"This password does not fit.", "This password does not fit.", "2 more tries before a pause", "1 more try before a pause", "Wait 60 s.",
	} {
		u.types("not this one")
		u.key(fyne.KeyReturn)
		u.sees(want)
		u.shoot("unlock-wrong")
	}
	u.shoot("unlock-pause")
	u.sees("Wait 59 s.")
	u.seesOff("Unlock, not available")
}

// seesOff expects a button that is there and cannot be pressed.
func (u *user) seesOff(label string) {
	u.t.Helper()
	if !u.says(label) {
		u.t.Errorf("%q is not there, or can be pressed", label)
	}
}

func TestCapsLockIsNoticed(t *testing.T) {
	u := sitDown(t, withAccount(t, "Ada"), newMesh(t).join, kit.Look{})
	u.types("cORRECT")
	u.sees("Caps Lock is on.")
	u.types(" horse")
	if u.says("Caps Lock is on.") {
		t.Error("small letters, and Caps Lock is still said to be on")
	}
	u.types(" BATTERY")
	u.key(fyne.KeyReturn)
	u.sees("This password does not fit. Caps Lock is on.")
}

func TestAVaultThatCannotBeOpenedSaysWhichFileAndWhatToDo(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(b []byte) []byte
		head   string
		body   string
	}{
		{"a flipped bit", func(b []byte) []byte { b[len(b)-40] ^= 1; return b }, "vault.cqv is damaged.", "Put back a copy of it, or restore a backup."},
		{"cut off", func(b []byte) []byte { return b[:len(b)/2] }, "vault.cqv is damaged.", "Put back a copy of it, or restore a backup."},
		{"another file", func(b []byte) []byte { return bytes.Repeat([]byte("holiday pictures "), 60) }, "vault.cqv does not belong to this vault.", "Move it away, or use another folder."},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := withAccount(t, "Ada")
			file := filepath.Join(dir, "vault.cqv")
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{file, file + ".bak"} {
				if _, err := os.Stat(name); err == nil {
					if err := os.WriteFile(name, row.change(bytes.Clone(good)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			u := sitDown(t, dir, newMesh(t).join, kit.Look{Variant: kit.Light})
			u.types(password)
			u.key(fyne.KeyReturn)
			u.sees(row.head)
			u.sees(row.body)
			u.shoot("unlock-trouble")
			u.key(fyne.KeyReturn) // try again
			u.sees("Unlock CryptexQ")
		})
	}
}
