// Package people is about those one talks to: finding and inviting them, who asks and who was asked, and the panel that says who
// somebody is.
//
// A Screen asks the messenger in Load, away from Fyne's goroutine, and applies what it found on it; what a person does goes through
// Host.Act. What did not change is not built anew: whoever walks through it by keyboard keeps their place.
package people

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// Host is the window around the screen. All of it is called on Fyne's goroutine.
type Host struct {
	Act     func(work func(context.Context) error, done func(error)) // work runs elsewhere, in order; done on Fyne's goroutine
	Again   func()                                                   // everything is to be loaded again
	Focus   func(fyne.Focusable)
	Say     func(error) string // the sentence for an error
	SayLink func(error) string // the same, of an invitation
	Now     func() time.Time
	Toast   func(kit.Notice)
	Copy    func(string) // onto the clipboard
	Paste   func() string
	Confirm func(kit.DialogSpec, func()) // asks, and calls back for a yes
	Visible func(bool)                   // whether others on the network are to see our name

	Greet     func(app.Nearby) // the composer for a first message is wanted
	GreetLink func(link, account string, until time.Time)
	Open      func(app.RoomID)
	Close     func() // the panel is to go
	Back      func() // the keyboard is to go back to the conversation
	Standing  func(c app.Contact, all []app.Contact) kit.Standing
	Reach     func(c app.Contact, now time.Time) string
}

// Screen is the page for making contacts, and the panel of a contact while it is open.
type Screen struct {
	host    Host
	service *app.Service // nil until Attach
	page    *page
	panel   *panel // nil while it is closed
	asked   asked
}

// New makes the screen.
func New(h Host) *Screen {
	s := &Screen{host: h}
	s.page = newPage(s)
	return s
}

// Content is the page for making contacts.
func (s *Screen) Content() fyne.CanvasObject { return s.page.content }

// Attach gives the screen an open account. It must come before the first load.
func (s *Screen) Attach(service *app.Service) { s.service = service }

// First is what gets the keyboard when the page is shown: the field for an invitation.
func (s *Screen) First() fyne.Focusable { return s.page.have.Focusable() }

// Invite shows where an invitation is made.
func (s *Screen) Invite() fyne.Focusable { return s.page.make }

// crowd is everybody, as one load found them.
type crowd struct {
	contacts []app.Contact
	requests []app.Request
	nearby   []app.Nearby
	name     string // what others see of us
	visible  bool   // others on the network see it
	network  bool   // an invitation has an address to lead to
	known    known  // of the panel
}

// Load asks the messenger for what changed (everything when nothing is named), away from Fyne's goroutine, and returns what is to
// be done on it; nil for nothing.
func (s *Screen) Load(ctx context.Context, changed []app.Change) (apply func(), err error) {
	if len(changed) > 0 && !slices.ContainsFunc(changed, func(c app.Change) bool { return c.Kind != app.ChangedRoom }) {
		return nil, nil
	}
	c := &crowd{}
	if c.contacts, err = s.service.People.Contacts(ctx); err != nil {
		return nil, err
	}
	if c.requests, err = s.service.People.Requests(ctx); err != nil {
		return nil, err
	}
	if c.nearby, err = s.service.People.Nearby(ctx); err != nil {
		return nil, err
	}
	me, err := s.service.Owner.Identity(ctx)
	if err != nil {
		return nil, err
	}
	nearby, err := s.service.Owner.Setting(ctx, "nearby", "no")
	if err != nil {
		return nil, err
	}
	c.name, c.network, c.visible = me.Name, len(me.Addresses) > 0, nearby == "yes"
	if c.known, err = s.look(ctx, c.contacts); err != nil {
		return nil, err
	}
	return func() { s.apply(c) }, nil
}

// apply shows what a load found.
func (s *Screen) apply(c *crowd) {
	s.page.show(c)
	if s.panel != nil && c.known.found && c.known.gen == s.asked.now() {
		s.panel.show(c.known)
	}
}
