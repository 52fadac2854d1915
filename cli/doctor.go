package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cryptexq/cryptexq/app/api"
)

// finding is one thing that was looked at.
type finding struct {
	Check string `json:"check"` // program, network, words, contact, clock, disk, notice, refused
	OK    bool   `json:"ok"`
	Text  string `json:"text"`
}

// doctor looks for what is in the way.
type doctor struct{ *console }

func (c doctor) doctorCommand() *cobra.Command {
	return plain("doctor", "what works and what does not, in plain words", c.look)
}

// look prints what it finds. It ends with 0 when it could look everywhere, whatever it found; with 3 when nothing runs.
func (c doctor) look(ctx context.Context) error {
	all, err := c.examine(ctx)
	all = append(all, c.clock(), c.disk())
	for _, f := range all {
		printErr := show(c.console, f, func(f finding) error {
			mark := "ok  "
			if !f.OK {
				mark = "look"
			}
			return c.say("%s  %-8s  %s", mark, f.Check, f.Text)
		})
		if printErr != nil {
			return printErr
		}
	}
	return err
}

// examine asks the running program.
func (c doctor) examine(ctx context.Context) (all []finding, err error) {
	var st api.Status
	if err := c.client.Get(ctx, "/v1/status", &st); err != nil {
		e, sentence := c.describe(err)
		code, known := exits[e.Code]
		if !known {
			code = exitFailed
		}
		return []finding{{"program", false, sentence}}, told{code}
	}
	all = append(all, finding{"program", st.Ready, fmt.Sprintf("running as process %d, version %s", st.PID, st.Version)})
	if st.Online {
		all = append(all, finding{"network", true, fmt.Sprintf("there is one; %s connected, %d of them on the LAN", count(st.Peers, "device"), st.LAN)})
	} else {
		all = append(all, finding{"network", false, "this machine has none. Everything but sending works; messages wait here."})
	}
	for _, n := range st.Notices {
		all = append(all, finding{"notice", false, c.notice(n)})
	}
	var refused uint64
	for _, n := range st.Refused {
		refused += n
	}
	if refused > 0 {
		all = append(all, finding{"refused", true, fmt.Sprintf("%d frames and connections of others were turned away so far; status lists the causes", refused)})
	}
	words, err := c.examineWords(ctx)
	if err != nil {
		return all, err
	}
	people, err := c.examinePeople(ctx)
	return append(append(all, words), people...), err
}

// examineWords looks whether anybody could lose the account with the machine.
func (c doctor) examineWords(ctx context.Context) (finding, error) {
	var id api.Identity
	if err := c.client.Get(ctx, "/v1/identity", &id); err != nil {
		return finding{}, err
	}
	if !id.WordsSaved {
		return finding{"words", false, fmt.Sprintf("your 24 words are not saved; without them a lost disk is a lost account: %s kit show", c.command())}, nil
	}
	return finding{"words", true, "your 24 words are saved outside the vault"}, nil
}

func (c doctor) examinePeople(ctx context.Context) (all []finding, err error) {
	var contacts []api.Contact
	if err := c.client.Get(ctx, "/v1/contacts", &contacts); err != nil {
		return nil, err
	}
	if len(contacts) == 0 {
		return []finding{{"contact", true, "nobody yet; make an invitation, or look who is nearby"}}, nil
	}
	for _, o := range contacts {
		all = append(all, finding{"contact", o.State == "blocked" || o.Path != "none" && o.Problem == "" && !o.Approve, c.contactCause(o)})
	}
	return all, nil
}

// contactCause says how somebody is reached, or why not.
func (c doctor) contactCause(o api.Contact) string {
	name := clean(o.Name)
	switch {
	case o.State == "blocked":
		return name + " is blocked by you"
	case o.State == "pending":
		return name + " asks you, and waits for your answer: " + c.command() + " accept " + quote(name)
	case o.Problem != "":
		return name + ": " + reason(o.Problem)
	case o.Approve:
		return name + " has a new device that waits for your yes: " + c.command() + " accept " + quote(name)
	case o.Path == "none" && o.State == "requested":
		return name + " was asked and has not been reached yet" + why(o) + ". It goes on trying."
	case o.Path == "none":
		return name + " is offline, last seen " + since(o.LastSeen) + why(o) + ". Messages go when you are both online."
	case o.State == "requested":
		return name + " was asked and is reached (" + o.Path + "); they have not accepted yet"
	}
	return name + " is reached, " + map[string]string{"relayed": "through a relay", "direct": "directly", "local": "on the LAN"}[o.Path]
}

// causes say in words why the last attempt to reach somebody failed.
var causes = map[string]string{
	"no_address": "no address of theirs is known",
	"offline":    "this machine has no network",
	"timeout":    "no answer comes back: a firewall, or their program or machine is off",
	"closed":     "their machine is there, but nothing listens on it: their program does not run",
	"classical":  "what answers there has no post-quantum key exchange",
	"identity":   "somebody else answers at their address",
	"newer":      "they run a newer version",
	"refused":    "their program turned us away",
	"handshake":  "the connection broke off before it was secured; what answers there may be another program",
}

func why(o api.Contact) string {
	switch text, known := causes[o.Cause]; {
	case o.Cause == "":
		return ""
	case !known:
		return " (" + o.Cause + ")"
	default:
		return ": " + text
	}
}

func (c doctor) clock() finding {
	kept, known := clockKept()
	switch {
	case !known:
		return finding{"clock", true, "whether a time service keeps it, this system does not say"}
	case !kept:
		return finding{"clock", false, "no time service keeps it. Messages arrive, but with wrong times if it is off."}
	}
	return finding{"clock", true, "kept by a time service"}
}

// lowSpace is when a disk counts as nearly full: a day of busy chatting, and what the database wants to tidy up.
const lowSpace = 200 << 20

func (c doctor) disk() finding {
	free, err := freeSpace(c.place.data)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return finding{"disk", true, "how much room is left, this system does not say"}
	case err != nil:
		return finding{"disk", false, "the profile's folder cannot be looked at: " + err.Error()}
	case free < lowSpace:
		return finding{"disk", false, fmt.Sprintf("only %d MB are left: make room", free>>20)}
	}
	return finding{"disk", true, fmt.Sprintf("%.1f GB are left", float64(free)/1e9)}
}
