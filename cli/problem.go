package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"strings"
	"syscall"

	"github.com/cryptexq/cryptexq/app/api"
)

// The exit codes of the process.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3
	exitLocked     = 4
	exitNotFound   = 5
	exitTimeout    = 6
)

// exits of the codes that have one of their own; every other one is exitFailed.
var exits = map[string]int{
	api.CodeUsage: exitUsage, api.CodeNotRunning: exitNotRunning, api.CodeLost: exitNotRunning, api.CodeLocked: exitLocked,
	api.CodePassword: exitLocked, "no_password": exitLocked, "open_password": exitLocked, api.CodeNotFound: exitNotFound,
	api.CodeTimeout: exitTimeout,
}

// sentences say for each code what happened and what to do. CRYPTEXQ stands for the program as it was called, with the flag
// that names the profile when it is not the default one.
var sentences = map[string]string{
	api.CodeNotRunning: "Nothing is running for this profile. Start it with: CRYPTEXQ node",
	api.CodeLost:       "The program that was running for this profile has ended. What it said before holds; the rest was not done.",
	api.CodeLocked:     "The vault is locked. Enter the password in the window first.",
	api.CodeNotFound:   "There is no such person, room or message here. CRYPTEXQ contacts, rooms and read show what there is.",
	api.CodeTimeout:    "Time ran out. The message stays queued and goes when it can; CRYPTEXQ doctor says what is in the way.",
	api.CodeNoWindow:   "What runs for this profile is a node without a window, so there is nothing to lock or to show. To end it: CRYPTEXQ stop",
	api.CodeNotMet:     "You have not met yet. There is a safety number once they have accepted.",
	api.CodeDamaged:    "A file of the vault cannot be used: ",
	"no_password":      "No password: there is no terminal to ask on. Give --password-file FILE, a file that only you can read.",
	"open_password":    "The password file can be read by others. Close it with: chmod 600 FILE. If others use this machine, change the password too, with: CRYPTEXQ passwd",
	"no_account":       "There is no account in this profile yet. Make one with: CRYPTEXQ init --name NAME",
	"exists":           "There is an account in this profile already, and it is never overwritten. Choose another with --profile.",
	"newer_vault":      "This vault was written by a newer version of CryptexQ. Use that one.",
	"newer":            "This was made by a newer version of CryptexQ. Update to use it.",
	"disk_full":        "The disk is full. What was accepted is kept; make room, then try again.",
	"self":             "That is you: this invitation is your own. Give it to somebody else.",
	"known":            "This is a contact of yours already. Write with: CRYPTEXQ send NAME TEXT",
	"expired":          "This invitation has expired. Ask for a new one.",
	"foreign":          "This is not a CryptexQ invitation. One begins with cryptexq: and comes from: CRYPTEXQ invite",
	"cut_off":          "This invitation is cut off: the end of it is missing. Copy all of it.",
	"malformed":        "This invitation is damaged: something in it was changed. Copy it again, or ask for a new one.",
	"too_long":         "This is longer than a message can be, which is 32 KiB. Send it in parts.",
	"empty":            "There is nothing to send: the text is empty.",
	"blocked":          "You have blocked this person. Take them back first: CRYPTEXQ accept NAME",
	"approval":         "They have a new device that you have not said yes to. Ask them about it, then: CRYPTEXQ accept NAME",
	"words_erased":     "The 24 words were saved and erased from the vault. Nobody can show them again.",
	"short_password":   "This password is too short: it needs 10 characters or more.",
	"no_request":       "They have not asked you, so there is nothing to answer. CRYPTEXQ requests lists who asks.",
}

// foreignSocket is said where the socket is there and lets us not in.
const foreignSocket = "You may not talk to what runs for this profile: somebody else started it. Do it as the one who did."

// advice is an error that has a sentence of its own.
type advice struct{ code, text string }

// Error is the sentence.
func (a advice) Error() string { return a.text }

func advise(code, format string, args ...any) error {
	return advice{code, fmt.Sprintf(format, args...)}
}

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// told is an error whose sentence was printed already, or needs none.
type told struct{ exit int }

func (t told) Error() string { return fmt.Sprintf("exit %d", t.exit) }

// complain tells the person, or the script, what went wrong and returns the exit code.
func (c *console) complain(ctx context.Context, err error) int {
	var silent told
	if errors.As(err, &silent) {
		return silent.exit
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitFailed // interrupted: the person knows
	}
	e, sentence := c.describe(err)
	if c.json {
		b, jsonErr := json.Marshal(map[string]any{"error": map[string]any{"code": e.Code, "message": sentence}})
		if jsonErr == nil {
			fmt.Fprintln(c.err, string(b))
		}
	} else {
		fmt.Fprintln(c.err, "cryptexq: "+sentence)
	}
	if code, ok := exits[e.Code]; ok {
		return code
	}
	return exitFailed
}

// describe finds the code of an error, wherever it comes from, and the sentence that says what happened and what to do.
func (c *console) describe(err error) (*api.Error, string) {
	var (
		wrong  usageError
		own    advice
		output *outputError
		call   *net.OpError
	)
	switch {
	case errors.As(err, &wrong):
		return &api.Error{Code: api.CodeUsage}, wrong.Error()
	case errors.As(err, &own):
		return &api.Error{Code: own.code}, own.text
	case errors.As(err, &output):
		return &api.Error{Code: "output"}, fmt.Sprintf("What was asked for was done, but the answer could not be printed: %v", output.error)
	case errors.Is(err, syscall.EADDRINUSE):
		return &api.Error{Code: "address_in_use"}, fmt.Sprintf("Something else on this machine listens there already; choose another port with --listen. (%v)", err)
	}
	e := api.Describe(err)
	switch {
	case e.Code != api.CodeFailed || !errors.Is(err, fs.ErrPermission):
		return e, c.sentence(e)
	case errors.As(err, &call):
		return &api.Error{Code: "permission"}, foreignSocket
	}
	return &api.Error{Code: "permission"}, e.Message
}

// sentence makes one of a code.
func (c *console) sentence(e *api.Error) string {
	switch e.Code {
	case api.CodePassword:
		return passwordSentence(e)
	case api.CodeAmbiguous:
		return "This could mean several. Say more of the name, or the ID:\n  " + strings.Join(e.Matches, "\n  ")
	case api.CodeInUse:
		return fmt.Sprintf("Process %d has this profile open. End it with: %s stop. If that finds nothing running: kill %d", e.PID, c.command(), e.PID)
	case api.CodeNotRunning:
		if !c.place.exists() {
			return c.addressed("Nothing is running for this profile, and there is no account in it yet. " +
				"Make one with: CRYPTEXQ init --name NAME. Then start it with: CRYPTEXQ node")
		}
	}
	text, ok := sentences[e.Code]
	if !ok {
		return e.Message
	}
	text = c.addressed(text)
	if strings.HasSuffix(text, " ") {
		text += e.Message
	}
	return text
}

// addressed puts into a sentence how this program is called here.
func (c *console) addressed(text string) string {
	return strings.ReplaceAll(text, "CRYPTEXQ", c.command())
}

func passwordSentence(e *api.Error) string {
	switch {
	case e.Wait > 0:
		return fmt.Sprintf("This password does not fit. Wait %d s before the next try.", int(math.Ceil(e.Wait)))
	case e.Left > 0:
		return fmt.Sprintf("This password does not fit. Tries left before a pause: %d.", e.Left)
	}
	return "This password does not fit. Nobody can reset it; your 24 words open the vault in its place."
}

// command is what a person has to type so that a command is run by this program and is about the same profile.
func (c *console) command() string {
	name := c.name
	if name == "" {
		name = "cryptexq"
	}
	if c.profile == "default" || c.profile == "" {
		return quote(name)
	}
	return quote(name) + " --profile " + quote(c.profile)
}

// quote makes one word of text for a shell: names are chosen by others, who may have thought of what a shell makes of them.
func quote(text string) string {
	plain := strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+=,-") == ""
	if plain && text != "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
