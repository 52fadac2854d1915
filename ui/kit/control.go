package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/cryptexq/cryptexq/ui/text"
)

// control is a widget that can be pressed: by click, by space or return when it has the keyboard.
type control struct {
	base
	hovered, focused, off bool
	push                  func()
}

// Tapped presses it.
func (c *control) Tapped(*fyne.PointEvent) {
	if !c.off && c.push != nil {
		c.push()
	}
}

// MouseIn lights it up.
func (c *control) MouseIn(*desktop.MouseEvent) { c.hovered = true; c.Refresh() }

// MouseMoved is for Fyne.
func (c *control) MouseMoved(*desktop.MouseEvent) {}

// MouseOut ends that.
func (c *control) MouseOut() { c.hovered = false; c.Refresh() }

// Cursor is a hand, where there is something to press.
func (c *control) Cursor() desktop.Cursor {
	return choose[desktop.Cursor](c.off, desktop.DefaultCursor, desktop.PointerCursor)
}

// FocusGained draws the ring.
func (c *control) FocusGained() { c.focused = true; c.Refresh() }

// FocusLost takes it away.
func (c *control) FocusLost() { c.focused = false; c.Refresh() }

// TypedRune is for Fyne: what presses comes as a key.
func (c *control) TypedRune(rune) {}

// TypedKey presses it, or hands the key on.
func (c *control) TypedKey(k *fyne.KeyEvent) {
	if pushes(k) {
		c.Tapped(nil)
		return
	}
	forwardKey(c.self, k)
}

// Enable makes it pressable again.
func (c *control) Enable() {
	if c.off {
		c.off = false
		c.Refresh()
	}
}

// Disable makes it grey; it cannot be pressed and the keyboard passes over it.
func (c *control) Disable() {
	if !c.off {
		c.off = true
		c.Refresh()
	}
}

// Disabled reports whether it is.
func (c *control) Disabled() bool { return c.off }

// AccessibilityRole is button.
func (c *control) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// spoken is the name of the control, and that it is off.
func (c *control) spoken(name string) string {
	if c.off {
		return text.Say(text.ControlOff, text.Name(name))
	}
	return name
}
