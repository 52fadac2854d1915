package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// childDir in the environment makes this program a child that works on the store there until it is killed.
const childDir = "CRYPTEXQ_TEST_CHILD"

// child runs the named test of this program again, as a child on dir.
func child(t *testing.T, test, dir string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	c.Env = append(os.Environ(), childDir+"="+dir)
	c.Stderr = os.Stderr
	return c
}

// TestKillChild is the child of TestKillsLoseNothing: four write, one of them its own segments, two read.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		return
	}
	s, err := OpenKey(context.Background(), Config{Dir: dir}, wordsKey)
	if err != nil {
		fmt.Println("ERR", err)
		os.Exit(1)
	}
	var next int64
	rows, err := readRows(s)
	for id := range rows {
		next = max(next, id)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	fail := func(err error) {
		fmt.Println("ERR", err)
		os.Exit(1)
	}
	for w := range 4 {
		r := rand.New(rand.NewSource(rand.Int63()))
		all.Go(func() {
			for err == nil {
				mu.Lock()
				next++
				id := next
				mu.Unlock()
				body := make([]byte, r.Intn(600))
				if r.Intn(30) == 0 {
					body = make([]byte, 20_000)
				}
				r.Read(body)
				update := s.Update
				if w == 0 {
					update = s.UpdateOwn
				}
				if err := update(context.Background(), func(tx *Tx) error { return insertRow(tx, id, body) }); err != nil {
					fail(err)
				}
				os.Stdout.WriteString("ACK " + strconv.FormatInt(id, 10) + "\n")
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for {
				err := s.View(context.Background(), func(r *Reader) error {
					return r.each("SELECT body FROM test_rows ORDER BY id DESC LIMIT 50", func(Row) error { return nil })
				})
				if err != nil {
					fail(err)
				}
			}
		})
	}
	all.Wait()
}

func TestKillsLoseNothing(t *testing.T) {
	dir := t.TempDir()
	s := mustCreate(t, Config{Dir: dir})
	err := s.Update(context.Background(), func(tx *Tx) error {
		if err := tx.exec("CREATE TABLE test_rows(id INTEGER PRIMARY KEY, body BLOB, sum BLOB) STRICT"); err != nil {
			return err
		}
		return tx.exec("INSERT INTO meta(k, v) VALUES('test_rows', 0)")
	})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
	r := rand.New(rand.NewSource(seed()))
	acked := map[int64]bool{}
	for k := range rounds(10) {
		work(t, dir, 20+r.Intn(600), acked)
		s := mustOpen(t, Config{Dir: dir})
		rows, err := readRows(s)
		if err != nil {
			t.Fatalf("round %d: %v", k, err)
		}
		for id := range acked {
			if !rows[id] {
				t.Fatalf("round %d: row %d was acknowledged and is gone", k, id)
			}
		}
		if s.Rolled() {
			t.Fatalf("round %d: a false alarm", k)
		}
		if err := checkAll(s); err != nil {
			t.Fatalf("round %d: %v", k, err)
		}
		mustClose(t, s)
	}
	t.Logf("%d acknowledged", len(acked))
}

// work has a child work until it acknowledged n rows, and kills it.
func work(t *testing.T, dir string, n int, acked map[int64]bool) {
	t.Helper()
	c := child(t, "TestKillChild", dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "ACK":
			id, err := strconv.ParseInt(rest, 10, 64)
			if err != nil {
				continue // the last line may be half there
			}
			acked[id] = true
			if n--; n == 0 {
				c.Process.Kill()
			}
		case "ERR":
			t.Errorf("child: %s", rest)
		}
	}
	io.Copy(io.Discard, out)
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child was not killed: %v", err)
	}
}
