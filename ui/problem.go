package ui

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/text"
)

// This file is the only place where errors become sentences for a person: what is wrong, and what to do about it.

// sentences of the errors that a caller branches on. The first that fits decides.
var sentences = []struct {
	err error
	key text.Key
}{
	{app.ErrPassword, text.ProblemPassword},
	{app.ErrShort, text.ProblemShort},
	{app.ErrNotFound, text.ProblemNotFound},
	{app.ErrSelf, text.ProblemSelf},
	{app.ErrKnown, text.ProblemKnown},
	{app.ErrExpired, text.ProblemExpired},
	{app.ErrForeign, text.ProblemForeign},
	{app.ErrCutOff, text.ProblemCutOff},
	{app.ErrNewer, text.ProblemNewer},
	{app.ErrTooLong, text.ProblemTooLong},
	{app.ErrEmpty, text.ProblemEmpty},
	{app.ErrBlocked, text.ProblemBlocked},
	{app.ErrApproval, text.ProblemApproval},
	{app.ErrNoRequest, text.ProblemNoRequest},
	{app.ErrClosed, text.ProblemClosed},
	{app.ErrFull, text.ProblemFull},
	{app.ErrExists, text.ProblemExists},
	{app.ErrNone, text.ProblemNone},
	{app.ErrNewerVault, text.ProblemNewerVault},
	{context.DeadlineExceeded, text.ProblemTime},
}

// say is the sentence for an error.
func say(err error) string {
	if head, body, ok := vaultProblem(err); ok {
		return head + " " + body
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			return text.Say(s.key)
		}
	}
	return text.Say(text.ProblemOther, text.With("cause", err.Error()))
}

// sayLink is the sentence for what is wrong with an invitation. What has no sentence of its own is a link that was changed on its way.
func sayLink(err error) string {
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			return text.Say(s.key)
		}
	}
	return text.Say(text.ProblemLink)
}

// vaultProblem says which file of a vault cannot be used, and what to do.
func vaultProblem(err error) (head, body string, ok bool) {
	var damaged *app.DamagedError
	var foreign *app.ForeignError
	var used *app.InUseError
	switch {
	case errors.As(err, &damaged):
		return text.Say(text.VaultDamaged, text.With("file", damaged.File)), remedy(damaged.Remedy), true
	case errors.As(err, &foreign):
		return text.Say(text.VaultForeign, text.With("file", foreign.File)), remedy(foreign.Remedy), true
	case errors.As(err, &used):
		return text.Say(text.VaultUsed), text.Say(text.VaultUsedBody, text.N(used.PID)), true
	case errors.Is(err, app.ErrNewerVault):
		return text.Say(text.VaultNewer), text.Say(text.ProblemNewerVault), true
	}
	return "", "", false
}

// remedy is what a person can do about a file.
func remedy(r app.Remedy) string {
	switch r {
	case app.RemedyCopy:
		return text.Say(text.RemedyCopy)
	case app.RemedyRestore:
		return text.Say(text.RemedyRestore)
	case app.RemedyMove:
		return text.Say(text.RemedyMove)
	case app.RemedyUpdate:
		return text.Say(text.RemedyUpdate)
	}
	return text.Say(text.RemedyNone)
}

// vaultTrouble says whether an error of opening means that no password will do, and gives it a heading and a body.
func vaultTrouble(err error) (head, body string, ok bool) {
	if head, body, ok = vaultProblem(err); ok {
		return head, body, true
	}
	if errors.Is(err, app.ErrPassword) {
		return "", "", false
	}
	return text.Say(text.VaultOther), say(err), true
}
