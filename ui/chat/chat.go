// Package chat is the screen of conversations: the list with who is nearby, and the thread with its composer.
//
// A Screen asks the messenger away from Fyne's goroutine, in Load, and applies what it found on it; what a person does goes
// through Host.Act. Each load carries a generation, so that an answer that comes after another chat was opened is dropped.
package chat

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
)

// Host is the window around the screen. All of it is called on Fyne's goroutine.
type Host struct {
	Act   func(work func(context.Context) error, done func(error)) // work runs elsewhere, in order; done on Fyne's goroutine
	Again func()                                                   // everything is to be loaded again
	After func(d time.Duration, f func())                          // calls f on Fyne's goroutine after d
	Focus func(fyne.Focusable)
	Say   func(error) string // the sentence for an error
	Now   func() time.Time

	Add      func()                                  // the page for making contacts is wanted
	Invite   func()                                  // the same, to make an invitation
	Requests func()                                  // the same, for who asks
	Contact  func(c app.Contact, because WhyContact) // what is known of somebody is wanted
	Closed   func()                                  // the panel is closed
	Toast    func(kit.Notice)
}

// WhyContact says what the contact's panel was opened for.
type WhyContact uint8

// The reasons.
const (
	WhyLook    WhyContact = iota // to look
	WhyCompare                   // to compare the number
	WhyApprove                   // to say yes to a new device
)

// Screen is the list of conversations and the open one.
type Screen struct {
	host    Host
	service *app.Service // nil until Attach
	side    *side
	pane    *pane
	panel   *kit.Box
	body    *fyne.Container // pane and panel
	content fyne.CanvasObject
	asked   asked
	active  bool // the window is in the foreground
	shown   bool // the screen is the page that is shown; both together: what is in view counts as read
}

// New makes the screen. It shows nobody until Attach and the first load.
func New(h Host) *Screen {
	s := &Screen{host: h, active: true}
	s.side = newSide(s)
	s.pane = newPane(s)
	s.panel = kit.NewGround(kit.ColorSide, kit.Gap(0, 0))
	s.panel.Hide()
	s.body = kit.Over(s.pane.content, s.panel)
	s.content = kit.HFlex(2, s.side.content, kit.NewRule(), s.body)
	return s
}

// Content is what is shown.
func (s *Screen) Content() fyne.CanvasObject { return s.content }

// Attach gives the screen an open account. It must come before the first load.
func (s *Screen) Attach(service *app.Service) { s.service = service }

// Open shows a conversation and gives its composer the keyboard.
func (s *Screen) Open(room app.RoomID) {
	s.HidePanel()
	s.asked.open(room)
	s.side.choose(room)
	s.host.Again()
}

// Step opens the conversation so many rows further down in the list.
func (s *Screen) Step(n int) {
	if room, ok := s.side.beside(n); ok {
		s.Open(room)
	}
}

// Search gives the search field the keyboard.
func (s *Screen) Search() { s.host.Focus(s.side.search.Focusable()) }

// First is what gets the keyboard when the screen is shown.
func (s *Screen) First() fyne.Focusable { return s.pane.first() }

// Escape goes one step back: out of the search, the panel, a greeting; then to the composer.
func (s *Screen) Escape() {
	switch {
	case s.side.unsearch():
	case s.panel.Visible():
		s.HidePanel()
	case s.pane.greeting != nil:
		s.pane.ungreet()
	}
	s.host.Focus(s.First())
}

// ShowPanel opens the pane at the right edge.
func (s *Screen) ShowPanel(o fyne.CanvasObject) {
	s.panel.SetContent(o)
	s.panel.Show()
	kit.Relay(s.body)
}

// HidePanel closes it.
func (s *Screen) HidePanel() {
	if s.panel.Visible() {
		s.panel.Hide()
		s.panel.SetContent(kit.Gap(0, 0))
		kit.Relay(s.body)
		s.host.Closed()
	}
}

// TogglePanel shows what is known of the person of the open chat, or closes the panel.
func (s *Screen) TogglePanel() {
	if s.panel.Visible() {
		s.HidePanel()
		s.host.Focus(s.First())
		return
	}
	s.pane.details()
}

// SetActive says whether somebody can see the window. What was in view meanwhile counts as read from then on.
func (s *Screen) SetActive(on bool) {
	s.active = on
	s.pane.read()
}

// SetShown says whether the screen is the page that is shown.
func (s *Screen) SetShown(on bool) {
	s.shown = on
	s.pane.read()
}

// Flush returns the draft that is not stored yet, nil when there is none: for the end of the program.
func (s *Screen) Flush() func(context.Context) error { return s.pane.draft.flush() }
