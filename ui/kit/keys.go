package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// Fyne gives a key to what has the keyboard and to nothing else: a focused button would swallow Escape, a focused entry every
// shortcut of the window. Widgets of the kit hand on what they do not know: keys to the dialog on top or to the window's
// OnTypedKey, shortcuts to the window's own.

// keyTaker is what stands on top of a window and wants the keys that nobody below knew: a dialog.
type keyTaker interface{ typedKey(*fyne.KeyEvent) }

// forwardKey hands a key on that the widget o did not know.
func forwardKey(o fyne.CanvasObject, k *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	if t, ok := c.Overlays().Top().(keyTaker); ok {
		t.typedKey(k)
		return
	}
	if f := c.OnTypedKey(); f != nil {
		f(k)
	}
}

// forwardShortcut hands a shortcut on that the widget o did not know. Under a dialog the window's shortcuts rest.
func forwardShortcut(o fyne.CanvasObject, s fyne.Shortcut) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil || c.Overlays().Top() != nil {
		return
	}
	if t, ok := c.Content().(*Stage); ok {
		t.shortcuts.TypedShortcut(s)
		return
	}
	if t, ok := c.(fyne.Shortcutable); ok {
		t.TypedShortcut(s)
	}
}

// focus gives o the keyboard, if it is in a window.
func focus(o fyne.Focusable) {
	obj, ok := o.(fyne.CanvasObject)
	if !ok {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(obj); c != nil {
		c.Focus(o)
	}
}

// shiftHeld reports whether Shift is down, where the driver knows.
func shiftHeld() bool {
	d, ok := fyne.CurrentApp().Driver().(desktop.Driver)
	return ok && d.CurrentKeyModifiers()&fyne.KeyModifierShift != 0
}

// isShift reports whether k is one of the Shift keys.
func isShift(k *fyne.KeyEvent) bool {
	return k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight
}

// pushes reports whether k presses a button.
func pushes(k *fyne.KeyEvent) bool {
	return k.Name == fyne.KeySpace || k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter
}
