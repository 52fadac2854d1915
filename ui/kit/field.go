package kit

import (
	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/ui/text"
)

// FieldSpec says what a Field is for. The zero value of each part leaves it out.
type FieldSpec struct {
	Label       string            // drawn above it, and said
	Silent      bool              // said only: a search field has no room for it
	Hint        string            // a sentence below it
	Placeholder string            // what could stand in it
	Icon        Icon              // before the text
	Secret      bool              // an eye hides and shows what is written
	Hidden      bool              // a secret that is hidden at first: one that is known already; a new one is seen while it is typed
	Suggest     func() string     // a button that fills in what this returns
	Trail       fyne.CanvasObject // stands behind the text
	Below       fyne.CanvasObject // stands between the box and the hint: a meter
	Limit       int               // characters; more are not taken
}

// Field is one line to be filled in: a label above, and below it a hint, or what is wrong.
type Field struct {
	silent
	OnChanged func(string)
	OnSubmit  func(string) // Return

	spec  FieldSpec
	in    *input
	box   *inputBox
	named bool // the label is drawn
	label *Text
	hint  *Prose
	eye   *IconButton
	wrong string
	ready bool
}

// NewField makes an empty one.
func NewField(s FieldSpec) *Field {
	f := &Field{spec: s, in: newInput(s.Label), label: NewText(s.Label, TypePreview, ColorText).Bold(), hint: NewProse(s.Hint, TypeSecond, ColorMuted)}
	f.in.PlaceHolder = s.Placeholder
	f.in.OnChanged = f.changed
	f.in.OnSubmitted = func(v string) {
		if f.OnSubmit != nil {
			f.OnSubmit(v)
		}
	}
	f.in.ActionItem = nothing() // or Fyne adds an eye of its own
	f.in.Password = s.Secret && s.Hidden
	f.box = newInputBox(f.in, s.Icon, nil, f.trail()...)
	o := []fyne.CanvasObject{f.box, f.hint}
	if f.named = s.Label != "" && !s.Silent; f.named {
		o = append(o, f.label)
	}
	if s.Below != nil {
		o = append(o, s.Below)
	}
	f.extend(f, o...)
	f.ready = true
	return f
}

// trail makes what stands behind the text.
func (f *Field) trail() []fyne.CanvasObject {
	var o []fyne.CanvasObject
	if f.spec.Trail != nil {
		o = append(o, f.spec.Trail)
	}
	if f.spec.Suggest != nil {
		o = append(o, NewButton(text.Say(text.FieldSuggest), IconNone, Link, f.suggest).Small())
	}
	if f.spec.Secret {
		f.eye = NewIconButton(IconEye, "", func() { f.conceal(!f.in.Password) }).Small()
		f.nameEye()
		o = append(o, f.eye)
	}
	return o
}

// suggest fills the field, and shows it: somebody will have to read and remember it.
func (f *Field) suggest() {
	f.conceal(false)
	f.in.SetText(f.spec.Suggest())
	focus(f.in)
}

// conceal hides or shows a secret.
func (f *Field) conceal(on bool) {
	if !f.spec.Secret || f.in.Password == on {
		return
	}
	f.in.Password = on
	f.in.Refresh()
	f.nameEye()
}

func (f *Field) nameEye() {
	if f.in.Password {
		f.eye.Set(IconEyeOff, text.Say(text.FieldShow))
	} else {
		f.eye.Set(IconEye, text.Say(text.FieldHide))
	}
}

// changed keeps the limit and calls back.
func (f *Field) changed(v string) {
	if r := []rune(v); f.spec.Limit > 0 && len(r) > f.spec.Limit {
		f.in.SetText(string(r[:f.spec.Limit])) // calls changed again
		return
	}
	if f.ready && f.OnChanged != nil {
		f.OnChanged(v)
	}
}

// Text is what is written in it.
func (f *Field) Text() string { return f.in.Text }

// SetText writes something else into it.
func (f *Field) SetText(s string) { f.in.SetText(s) }

// SetWrong says what is wrong with what is written, instead of the hint; empty takes it back.
func (f *Field) SetWrong(sentence string) {
	f.wrong, f.box.bad = sentence, sentence != ""
	f.hint.token = choose(f.box.bad, ColorBad, ColorMuted)
	f.hint.text = CleanText(choose(f.box.bad, sentence, f.spec.Hint))
	f.in.label = f.spec.Label
	if f.box.bad {
		f.in.label = text.Say(text.FieldWrong, text.Name(f.spec.Label), text.With("wrong", sentence))
	}
	f.box.Refresh()
	f.hint.Refresh()
	f.Refresh()
}

// CapsLock reports whether Caps Lock seems to be on, from the last letter that was typed.
func (f *Field) CapsLock() bool { return f.in.caps }

// Focus gives it the keyboard.
func (f *Field) Focus() { focus(f.in) }

// Focusable is what takes the keyboard, for a window or dialog that gives it when it opens.
func (f *Field) Focusable() fyne.Focusable { return f.in }

// Disable greys it out.
func (f *Field) Disable() { f.in.Disable() }

// Enable takes that back.
func (f *Field) Enable() { f.in.Enable() }

func (f *Field) least() fyne.Size {
	m := f.box.MinSize()
	if f.named {
		m.Height += f.label.MinSize().Height + S(6)
	}
	if f.spec.Below != nil {
		m.Height += f.spec.Below.MinSize().Height + S(6)
	}
	if f.hint.text != "" {
		m.Height += f.hint.MinSize().Height + S(6)
	}
	return m
}

func (f *Field) arrange(s fyne.Size) {
	y := float32(0)
	if f.named {
		h := f.label.MinSize().Height
		put(f.label, 0, 0, s.Width, h)
		y = h + S(6)
	}
	h := f.box.MinSize().Height
	put(f.box, 0, y, s.Width, h)
	y += h + S(6)
	if f.spec.Below != nil {
		h := f.spec.Below.MinSize().Height
		put(f.spec.Below, 0, y, s.Width, h)
		y += h + S(6)
	}
	put(f.hint, 0, y, s.Width, fill(f.hint, s.Width))
}

func (f *Field) skin() {}

// nothing is an object that takes no room.
func nothing() fyne.CanvasObject { return Gap(0, 0) }
