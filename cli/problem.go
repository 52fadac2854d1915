package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

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

// sentences say for each code what happened and what to do. PROFILE stands for the flag that names the profile, when it
// is not the default one.
var sentences = map[string]string{
	api.CodeNotRunning: "Nothing is running for this profile. Start it with: cryptexqPROFILE node",
	api.CodeLost:       "The program that was running for this profile has ended. What it said before holds; the rest was not done.",
	api.CodeLocked:     "The vault is locked. Enter the password in the window first.",
	api.CodeNotFound:   "There is no such person, room or message here. cryptexqPROFILE contacts, rooms and read show what there is.",
	api.CodeTimeout:    "Time ran out. The message stays queued and goes when it can; cryptexqPROFILE doctor says what is in the way.",
	api.CodeNoWindow:   "What runs for this profile is a node without a window, so there is nothing to lock or to show. To end it: cryptexqPROFILE stop",
	api.CodeNotMet:     "You have not met yet. There is a safety number once they have accepted.",
	api.CodeDamaged:    "A file of the vault cannot be used: ",
	"no_password":      "No password: there is no terminal to ask on. Give --password-file FILE, a file that only you can read.",
	"open_password":    "The password file can be read by others. Close it with: chmod 600 FILE. Then change the password, if others use this machine.",
	"no_account":       "There is no account in this profile yet. Make one with: cryptexqPROFILE init --name NAME",
	"exists":           "There is an account in this profile already, and it is never overwritten. Choose another with --profile.",
	"newer_vault":      "This vault was written by a newer version of CryptexQ. Use that one.",
	"newer":            "This was made by a newer version of CryptexQ. Update to use it.",
	"disk_full":        "The disk is full. What was accepted is kept; make room, then try again.",
	"self":             "That is you: this invitation is your own. Give it to somebody else.",
	"known":            "This is a contact of yours already. Write with: cryptexqPROFILE send NAME TEXT",
	"expired":          "This invitation has expired. Ask for a new one.",
	"foreign":          "This is not a CryptexQ invitation. One begins with cryptexq: and comes from: cryptexq invite",
	"cut_off":          "This invitation is cut off: the end of it is missing. Copy all of it.",
	"malformed":        "This invitation is damaged: something in it was changed. Copy it again, or ask for a new one.",
	"too_long":         "This is longer than a message can be, which is 32 KiB. Send it in parts.",
	"empty":            "There is nothing to send.",
	"blocked":          "You have blocked this person. Take them back first: cryptexqPROFILE accept NAME",
	"approval":         "They have a new device that you have not said yes to. Ask them about it, then: cryptexqPROFILE accept NAME",
	"words_erased":     "The 24 words were saved and erased from the vault. Nobody can show them again.",
	"short_password":   "This password is too short: it needs 10 characters or more.",
	"no_request":       "They have not asked you. cryptexqPROFILE requests lists who has.",
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
	e := c.describe(err)
	sentence := c.sentence(e)
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

// describe finds the code of an error, wherever it comes from.
func (c *console) describe(err error) *api.Error {
	var wrong usageError
	if errors.As(err, &wrong) {
		return &api.Error{Code: api.CodeUsage, Message: wrong.Error()}
	}
	e := api.Describe(err)
	if e.Code == api.CodeFailed && errors.Is(err, fs.ErrPermission) {
		return &api.Error{Code: "permission", Message: e.Message}
	}
	return e
}

// sentence says what happened and what to do.
func (c *console) sentence(e *api.Error) string {
	switch e.Code {
	case api.CodePassword:
		return passwordSentence(e)
	case api.CodeAmbiguous:
		return "This could mean several. Say more of the name, or the ID:\n  " + strings.Join(e.Matches, "\n  ")
	case api.CodeInUse:
		return fmt.Sprintf("Process %d has this profile open. End it with: cryptexq%s stop", e.PID, c.profileFlag())
	}
	text, ok := sentences[e.Code]
	switch {
	case !ok:
		return e.Message
	case strings.HasSuffix(text, " "):
		text += e.Message
	}
	return strings.ReplaceAll(text, "PROFILE", c.profileFlag())
}

func passwordSentence(e *api.Error) string {
	switch {
	case e.Wait > 0:
		return fmt.Sprintf("This password does not fit. Wait %d s before the next try.", int(math.Ceil(e.Wait)))
	case e.Left > 0:
		return fmt.Sprintf("This password does not fit. %d tries are left before a pause.", e.Left)
	}
	return "This password does not fit. Nobody can reset it; your 24 words open the vault too."
}

// profileFlag is what a person has to add to a command so that it is about the same profile.
func (c *console) profileFlag() string {
	if c.profile == "default" || c.profile == "" {
		return ""
	}
	return " --profile " + c.profile
}
