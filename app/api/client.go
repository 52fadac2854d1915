package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Client asks the running program of a profile.
type Client struct{ http *http.Client }

// NewClient makes a client for the socket at path. It connects when first asked.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: 5 * time.Second}
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}}}
}

// Get asks for an object.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	return c.one(ctx, http.MethodGet, path, nil, out)
}

// Post sends an object, {} when in is nil, and reads one.
func (c *Client) Post(ctx context.Context, path string, in, out any) error {
	if in == nil {
		in = struct{}{}
	}
	return c.one(ctx, http.MethodPost, path, in, out)
}

func (c *Client) one(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("asking the running program: %w", err)
		}
		body = bytes.NewReader(b)
	}
	answer, err := c.do(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	} else {
		err = json.NewDecoder(answer.Body).Decode(out)
	}
	return lost(ctx, err)
}

// do returns an answer whose status is 200; every other one is an *Error.
func (c *Client) do(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://cryptexq"+path, body)
	if err != nil {
		return nil, fmt.Errorf("asking the running program: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	var line Line
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxBody)).Decode(&line); err != nil || line.Error == nil {
		return nil, &Error{Code: CodeFailed, Message: "the running program answered " + answer.Status}
	}
	return nil, line.Error
}

// unreachable says why there was no answer.
func unreachable(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &op) && op.Op == "dial":
		if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
			return fmt.Errorf("asking the running program: %w", err)
		}
		return &Error{Code: CodeNotRunning, Message: err.Error()}
	}
	return lost(ctx, err)
}

// lost says that the program ended while it answered.
func lost(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &Error{Code: CodeLost, Message: fmt.Sprintf("the program ended in the middle: %v", err)}
}

// Stop ends the running program and returns when its process is gone.
func (c *Client) Stop(ctx context.Context) error {
	answer, err := c.do(ctx, http.MethodPost, "/v1/stop", "application/json", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return lost(ctx, err)
	}
	return nil
}

// Lines reads an answer of one object a line and hands each on until the answer ends, f refuses, or ctx ends.
func (c *Client) Lines(ctx context.Context, path string, f func(Line) error) error {
	answer, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return eachLine(ctx, answer.Body, f)
}

// SendLines sends one object for each draft that next returns, until io.EOF, and hands on the answers as they come. After
// any other error of next, which it returns, everything before is sent and answered.
func (c *Client) SendLines(ctx context.Context, path string, next func() (Draft, error), f func(Line) error) error {
	read, write := io.Pipe()
	fed := make(chan error, 1)
	go func() { // ends with the pipe, or when next returns: a terminal cannot be hurried
		fed <- feed(write, next)
		write.Close()
	}()
	answer, err := c.do(ctx, http.MethodPost, path, "application/x-ndjson", read)
	if err != nil {
		read.CloseWithError(err)
		return err
	}
	defer answer.Body.Close()
	err = eachLine(ctx, answer.Body, f)
	read.CloseWithError(io.ErrClosedPipe)
	select {
	case failed := <-fed:
		return errors.Join(failed, err)
	default: // the answer ended before the drafts did
		if err == nil {
			err = lost(ctx, io.ErrUnexpectedEOF)
		}
		return err
	}
}

func feed(w io.Writer, next func() (Draft, error)) error {
	lines := json.NewEncoder(w)
	for {
		d, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := lines.Encode(d); err != nil {
			return nil // the answer says why
		}
	}
}

func eachLine(ctx context.Context, r io.Reader, f func(Line) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 2*maxBody)
	for in.Scan() {
		var line Line
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			return lost(ctx, err)
		}
		if line.Error != nil {
			return line.Error
		}
		if err := f(line); err != nil {
			return err
		}
	}
	return lost(ctx, in.Err())
}
