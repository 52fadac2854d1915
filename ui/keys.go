package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// binding is a key with a modifier, and what it does while an account is open.
type binding struct {
	name fyne.KeyName
	with fyne.KeyModifier
	do   func(*shell)
}

// bindings are the keys of the window.
func (w *window) bindings() []binding {
	control, alt := fyne.KeyModifierControl, fyne.KeyModifierAlt
	return []binding{
		{fyne.KeyK, control, func(s *shell) { s.turn(chats); s.chat.Search() }},
		{fyne.KeyN, control, func(s *shell) { s.goTo(contacts) }},
		{fyne.Key1, control, func(s *shell) { s.goTo(chats) }},
		{fyne.Key2, control, func(s *shell) { s.goTo(contacts) }},
		{fyne.KeyUp, alt, func(s *shell) { s.turn(chats); s.chat.Step(-1) }},
		{fyne.KeyDown, alt, func(s *shell) { s.turn(chats); s.chat.Step(1) }},
		{fyne.KeyI, control, func(s *shell) { s.turn(chats); s.chat.TogglePanel() }},
		{fyne.KeyPlus, control, func(*shell) { w.scale.zoom(zoomStep) }},
		{fyne.KeyEqual, control, func(*shell) { w.scale.zoom(zoomStep) }}, // plus without Shift on many keyboards
		{fyne.KeyMinus, control, func(*shell) { w.scale.zoom(-zoomStep) }},
		{fyne.Key0, control, func(*shell) { w.scale.zoom(100 - w.scale.percent()) }},
	}
}

// addKeys binds them. Widgets of the kit hand on what they do not know.
func (w *window) addKeys() {
	for _, b := range w.bindings() {
		w.stage.AddShortcut(w.win.Canvas(), &desktop.CustomShortcut{KeyName: b.name, Modifier: b.with}, func() { w.strike(b) })
	}
	w.win.Canvas().SetOnTypedKey(w.typed)
}

// strike does what a key is bound to. Before an account is open, and under a dialog, all of them rest.
func (w *window) strike(b binding) {
	if w.shell != nil && w.win.Canvas().Overlays().Top() == nil {
		b.do(w.shell)
	}
}

// typed takes the keys that nothing else wanted.
func (w *window) typed(k *fyne.KeyEvent) {
	if w.shell == nil || k.Name != fyne.KeyEscape {
		return
	}
	if w.shell.at != chats {
		w.shell.goTo(chats)
		return
	}
	w.shell.chat.Escape()
}
