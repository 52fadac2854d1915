package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// logSize is how long a log file grows before it becomes the old one; there is one old one.
const logSize = 10 << 20

// logName is the file's name in the folder for logs.
const logName = "cryptexq.log"

// logFile is a file that starts anew when it is full. It may be written to from several goroutines.
type logFile struct {
	name  string
	limit int64

	mu   sync.Mutex
	file *os.File // guarded by mu
	size int64    // guarded by mu
}

// openLogFile opens the log of a profile, and makes the folder, which nobody else can enter.
func openLogFile(dir string, limit int64) (*logFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	l := &logFile{name: filepath.Join(dir, logName), limit: limit}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	return l, nil
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends one line. A full file is renamed first; where that fails it grows on, for a line must not get lost.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return 0, fs.ErrClosed
	}
	if l.size > 0 && l.size+int64(len(line)) > l.limit {
		l.turn()
	}
	n, err := l.file.Write(line)
	l.size += int64(n)
	return n, err
}

func (l *logFile) turn() {
	full := l.file
	if os.Rename(l.name, l.name+".old") != nil || l.open() != nil {
		return
	}
	_ = full.Close() // what it could not write is lost either way
}

// Close ends the log.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.file.Close()
	l.file = nil
	return err
}

// both writes each line to the file and to standard error; a closed standard error does not keep it from the file.
type both struct{ file, screen io.Writer }

func (b both) Write(line []byte) (int, error) {
	n, err := b.file.Write(line)
	_, _ = b.screen.Write(line)
	return n, err
}

// logger makes the log of a program that runs: a file, and standard error. The returned function ends it.
func (c *console) logger() (*slog.Logger, *slog.LevelVar, func() error, error) {
	file, err := openLogFile(c.place.logs, logSize)
	if err != nil {
		return nil, nil, nil, unwritable(err)
	}
	level := new(slog.LevelVar)
	chosen, err := parseLevel(c.logLevel)
	if err != nil {
		return nil, nil, nil, err
	}
	level.Set(chosen)
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(both{file, c.err}, options)
	if c.logFormat == "json" {
		h = slog.NewJSONHandler(both{file, c.err}, options)
	}
	if c.program.Logs != nil {
		h = c.program.Logs(h)
	}
	return slog.New(h), level, file.Close, nil
}
