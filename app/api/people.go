package api

import (
	"context"
	"errors"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// account is whom the path names.
func (q question) account() (identity.AccountID, error) {
	id, err := identity.ParseAccountID(q.r.PathValue("account"))
	if err != nil {
		return id, app.ErrNotFound
	}
	return id, nil
}

// defaultExpiry is how long an invitation is good when nobody says.
const defaultExpiry = 24 * time.Hour

func invite(ctx context.Context, q question) (any, error) {
	var in struct {
		Expires float64 `json:"expires_s"`
	}
	if err := q.read(&in); err != nil {
		return nil, err
	}
	life := time.Duration(in.Expires * float64(time.Second))
	if life == 0 {
		life = defaultExpiry
	}
	if life < time.Second || life > 366*24*time.Hour {
		return nil, &Error{Code: CodeUsage, Message: "an invitation lives for a second at least and a year at most"}
	}
	link, expires, err := q.People.Invite(ctx, life)
	return Invite{Link: link, Expires: Time{expires.Truncate(time.Second)}}, err
}

func nearby(ctx context.Context, q question) (any, error) {
	all, err := q.People.Nearby(ctx)
	out := []Nearby{}
	for _, n := range all {
		out = append(out, Nearby{Account: n.Account.String(), Name: n.Name, Known: string(n.Known)})
	}
	return out, err
}

func requests(ctx context.Context, q question) (any, error) {
	all, err := q.People.Requests(ctx)
	out := []Request{}
	for _, r := range all {
		out = append(out, Request{Account: r.Account.String(), Name: r.Name, Token: r.Token, Text: r.Text, At: Time{r.At}})
	}
	return out, err
}

func contacts(ctx context.Context, q question) (any, error) {
	all, err := q.People.Contacts(ctx)
	out := []Contact{}
	for _, c := range all {
		out = append(out, contactObject(c))
	}
	return out, err
}

func findContact(ctx context.Context, q question) (any, error) {
	id, err := q.People.Find(ctx, q.r.URL.Query().Get("who"))
	return Found{ID: id.String()}, err
}

func add(ctx context.Context, q question) (any, error) {
	var in struct {
		Invitation string `json:"invitation"`
		Nearby     string `json:"nearby"`
		Text       string `json:"text"`
	}
	if err := q.read(&in); err != nil {
		return nil, err
	}
	if in.Nearby == "" {
		c, err := q.People.Add(ctx, in.Invitation, in.Text)
		return addedObject(c), err
	}
	id, err := identity.ParseAccountID(in.Nearby)
	if err != nil {
		return nil, app.ErrNotFound
	}
	c, err := q.People.AddNearby(ctx, id, in.Text)
	return addedObject(c), err
}

// accept says yes to whatever of somebody waits for it: their request, a new device of theirs, or, when we blocked them,
// that they are taken back.
func accept(ctx context.Context, q question) (any, error) {
	id, err := q.account()
	if err != nil {
		return nil, err
	}
	c, err := q.People.Contact(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case c.State == app.Blocked:
		err = q.People.Unblock(ctx, id)
	case c.State == app.Accepted && c.Approve:
		err = q.People.Approve(ctx, id)
	default:
		c, err = q.People.Accept(ctx, id)
		return addedObject(c), err
	}
	if err != nil {
		return nil, err
	}
	c, err = q.People.Contact(ctx, id)
	return addedObject(c), err
}

func decline(ctx context.Context, q question) (any, error) {
	id, err := q.account()
	if err != nil {
		return nil, err
	}
	return Found{ID: id.String()}, q.People.Decline(ctx, id)
}

func block(ctx context.Context, q question) (any, error) {
	id, err := q.account()
	if err != nil {
		return nil, err
	}
	if err := q.People.Block(ctx, id); err != nil {
		return nil, err
	}
	c, err := q.People.Contact(ctx, id)
	return contactObject(c), err
}

func safety(ctx context.Context, q question) (any, error) {
	id, err := q.account()
	if err != nil {
		return nil, err
	}
	return safetyOf(ctx, q, id)
}

func compared(ctx context.Context, q question) (any, error) {
	id, err := q.account()
	if err != nil {
		return nil, err
	}
	if err := q.People.Compared(ctx, id); err != nil {
		return nil, err
	}
	return safetyOf(ctx, q, id)
}

func safetyOf(ctx context.Context, q question, id identity.AccountID) (any, error) {
	c, err := q.People.Contact(ctx, id)
	if err != nil {
		return nil, err
	}
	number, err := q.People.SafetyNumber(ctx, id)
	if errors.Is(err, app.ErrNotFound) {
		return nil, errNotMet
	}
	return Safety{Account: c.Account.String(), Name: c.Name, SafetyNumber: number, Verified: c.Verified}, err
}
