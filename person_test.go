package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	password = "correct horse battery"

	// patience is how long a condition may take to come true: a hundred times what it takes on a machine that has
	// something else to do.
	patience = 60 * time.Second

	// step is how often a condition is looked at.
	step = 50 * time.Millisecond
)

// quietly are flags of node by which processes on one machine meet by invitation and in no other way. Port 0 stands for the
// person's own, the same at each start, as a port is that was chosen at first run: who was told it finds them again.
var quietly = []string{"--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"}

// person is somebody with a profile of their own and the process that runs it, if one does.
type person struct {
	name  string // also of the folder
	dir   string // where the folder lies; logs of the process lie beside it
	env   []string
	log   string // --log-level
	port  int    // on the loopback, the same at each start
	cmd   *exec.Cmd
	ended chan error // gets what the process ended with
}

// newPerson makes a profile, whose processes have these variables beside those of the test.
func newPerson(dir, name string, variables ...string) (*person, error) {
	p := &person{name: name, dir: dir, env: append(os.Environ(), variables...), log: "debug"}
	var err error
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.secret(), []byte(password+"\n"), 0o600); err != nil {
		return nil, err
	}
	_, err = p.do("init", "--name", strings.ToUpper(name[:1])+name[1:], "--kdf", "min", "--password-file", p.secret())
	return p, err
}

// freePort finds a port that nobody listens on, below those that systems give to outgoing connections: it must still be free
// after each restart.
func freePort() (int, error) {
	for range 100 {
		port := 15_000 + rand.IntN(15_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err = errors.Join(err, l.Close()); err == nil {
			return port, u.Close()
		}
	}
	return 0, errors.New("no free port")
}

func (p *person) profile() string { return filepath.Join(p.dir, p.name) }

func (p *person) secret() string { return filepath.Join(p.dir, p.name+".password") }

// client is a command of the command line about this profile.
func (p *person) client(args ...string) *exec.Cmd {
	cmd := exec.Command("cryptexq", append([]string{"--profile", p.profile()}, args...)...)
	cmd.Env, cmd.Dir = p.env, p.dir
	return cmd
}

// do runs one and returns what it printed; its complaint is in the error.
func (p *person) do(args ...string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := p.client(args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: cryptexq %s: %w: %s", p.name, strings.Join(args, " "), err, complaint.String())
	}
	return out.String(), nil
}

// start runs a node and returns when it says that it is ready.
func (p *person) start(flags ...string) error {
	args := []string{"node", "--json", "--log-level", p.log, "--password-file", p.secret()}
	own := strings.NewReplacer("tcp/0", fmt.Sprintf("tcp/%d", p.port), "udp/0", fmt.Sprintf("udp/%d", p.port))
	for _, f := range flags {
		args = append(args, own.Replace(f))
	}
	cmd := p.client(args...)
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".err"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.ended = cmd, make(chan error, 1)
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		said <- line
		p.ended <- cmd.Wait()
	}()
	select {
	case line := <-said:
		var o struct{ Ready bool }
		if err := json.Unmarshal([]byte(line), &o); err == nil && o.Ready {
			return nil
		}
		return fmt.Errorf("%s: the node did not start: %q, %w: %s", p.name, line, p.wait(), p.lastWords())
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s: the node is not ready: %s", p.name, p.lastWords()), p.crash())
	}
}

// lastWords are the last lines of what the process wrote on standard error.
func (p *person) lastWords() string {
	b, err := os.ReadFile(filepath.Join(p.dir, p.name+".err"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return "\n" + strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// crash kills the process as a power cut would, as far as a process can tell.
func (p *person) crash() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.wait() // killed: that is what was wanted
	return nil
}

// stop ends the process in good order.
func (p *person) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.wait()
}

func (p *person) wait() error {
	cmd := p.cmd
	p.cmd = nil
	select {
	case err := <-p.ended:
		return err
	case <-time.After(patience):
		return errors.Join(errors.New("it does not end"), cmd.Process.Kill())
	}
}

// end is for the end of a test: whatever still runs is killed.
func (p *person) end() {
	if p.cmd != nil {
		_ = p.crash()
	}
}

// until repeats a command until what it prints, or what it complains of, matches.
func (p *person) until(pattern string, args ...string) (string, error) {
	want, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return "", err
	}
	var out string
	if !await(func() bool {
		out, err = p.do(args...)
		return want.MatchString(out) || err != nil && want.MatchString(err.Error())
	}) {
		return out, fmt.Errorf("%s: cryptexq %s never printed %q; last: %q, %w", p.name, strings.Join(args, " "), pattern, out, err)
	}
	return out, nil
}

// await asks again and again whether something is so; false: it was not in time.
func await(so func() bool) bool {
	late := time.After(patience)
	tick := time.NewTicker(step)
	defer tick.Stop()
	for !so() {
		select {
		case <-late:
			return false
		case <-tick.C:
		}
	}
	return true
}

// meet makes two people contacts by an invitation of the second.
func meet(a, b *person) error {
	link, err := b.do("invite")
	if err != nil {
		return err
	}
	if _, err := a.do("add", strings.TrimSpace(link), "--text", "hello"); err != nil {
		return err
	}
	aName, bName := a.shown(), b.shown()
	if _, err := b.until(aName, "requests"); err != nil {
		return err
	}
	if _, err := b.do("accept", aName); err != nil {
		return err
	}
	_, err = a.until(`"name":"`+bName+`","state":"accepted"`, "contacts", "--json")
	return err
}

// shown is the name that others see.
func (p *person) shown() string { return strings.ToUpper(p.name[:1]) + p.name[1:] }

// must is for tests in Go.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// two people who are contacts, both running, until the test ends.
func two(t *testing.T, dir string) (a, b *person) {
	t.Helper()
	a, b = must(newPerson(dir, "ada"))(t), must(newPerson(dir, "bob"))(t)
	for _, p := range []*person{a, b} {
		p.log = "info"
		t.Cleanup(p.end)
		if err := p.start(quietly...); err != nil {
			t.Fatal(err)
		}
	}
	if err := meet(a, b); err != nil {
		t.Fatal(err)
	}
	return a, b
}
