package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cryptexq/cryptexq/app/api"
)

// credential is the name under which systemd hands the password on.
const credential = "cryptexq-password"

// maxPassword bounds what is read of a password file, in bytes.
const maxPassword = 4096

var errNoPassword = &api.Error{Code: "no_password", Message: "no password was given, and there is no terminal to ask on"}

// password is the one that opens the vault: from --password-file or its variable, from a credential of systemd, or asked
// for on the terminal.
func (c *console) password(prompt string) ([]byte, error) {
	if given, found, err := c.passwordGiven(); found || err != nil {
		return given, err
	}
	return c.ask(prompt)
}

// newPassword is one that is still to be set: asked for twice, so that a slip of the finger locks nobody out.
func (c *console) newPassword(prompt string) ([]byte, error) {
	if given, found, err := c.passwordGiven(); found || err != nil {
		return given, err
	}
	return c.askTwice(prompt)
}

func (c *console) askTwice(prompt string) ([]byte, error) {
	first, err := c.ask(prompt)
	if err != nil {
		return nil, err
	}
	second, err := c.ask("The same again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, errors.New("the two are not the same; nothing was changed")
	}
	return first, nil
}

// passwordGiven looks everywhere but on the terminal.
func (c *console) passwordGiven() (password []byte, found bool, err error) {
	if c.passwordFile != "" {
		password, err = readPassword(c.passwordFile, 0o077)
		return password, true, err
	}
	dir, _ := c.look("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return nil, false, nil
	}
	// systemd lets the service's user in by an access list, which shows as a bit for the group; nobody else can enter the folder.
	password, err = readPassword(filepath.Join(dir, credential), 0o007)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return password, true, err
}

// readPassword returns the first line of a file, unless one of the forbidden mode bits is set.
func readPassword(name string, forbidden fs.FileMode) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the password: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the password: %w", err)
	}
	if checksModes && info.Mode().Perm()&forbidden != 0 {
		return nil, &api.Error{Code: "open_password", Message: fmt.Sprintf("others can read %s (mode %04o)", name, info.Mode().Perm())}
	}
	line, err := bufio.NewReader(io.LimitReader(f, maxPassword)).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading the password: %w", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// ask prints a prompt to standard error and reads a line from the terminal without showing it.
func (c *console) ask(prompt string) ([]byte, error) {
	shown, err := hideInput(c.in)
	if err != nil {
		return nil, errNoPassword
	}
	defer shown()
	fmt.Fprint(c.err, prompt)
	defer fmt.Fprintln(c.err)
	return readLine(c.in)
}

// askOpenly does so and shows what is typed.
func (c *console) askOpenly(prompt string) (string, error) {
	fmt.Fprint(c.err, prompt)
	line, err := readLine(c.in)
	return string(line), err
}

// readLine reads byte by byte: what follows is for whoever reads next.
func readLine(r io.Reader) (line []byte, err error) {
	var one [1]byte
	for len(line) < maxPassword {
		n, err := r.Read(one[:])
		if n == 1 {
			if one[0] == '\n' {
				return bytes.TrimSuffix(line, []byte("\r")), nil
			}
			line = append(line, one[0])
			continue
		}
		if err == io.EOF && len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading from the terminal: %w", err)
		}
	}
	return nil, errors.New("this line is too long")
}
