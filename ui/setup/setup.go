// Package setup is what stands in the window before the vault is open: making an account, unlocking one, and what to do about
// a vault that cannot be opened.
//
// The pages check nothing but their own fields and call back; what came of it they are told. Nothing here keeps a password
// longer than its field does.
package setup

import (
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/ui/kit"
	"github.com/cryptexq/cryptexq/ui/text"
)

// brandWidth is the width of what the program says about itself beside the form.
const brandWidth = 500

// longestName is how many characters of a name the messenger keeps.
const longestName = 64

// CreateSpec says what a Create calls back.
type CreateSpec struct {
	Start func(name string, password []byte) // both fit the rules; called once until Wrong
	Say   func(error) string                 // the sentence for an error
	Focus func(fyne.Focusable)
}

// Create is the first page of a new profile: two fields and one button.
type Create struct {
	spec    CreateSpec
	content fyne.CanvasObject
	name    *kit.Field
	word    *kit.Field
	meter   *kit.Meter
	trouble *kit.Prose
	started bool
}

// NewCreate makes the page.
func NewCreate(s CreateSpec) *Create {
	c := &Create{spec: s, meter: kit.NewMeter(), trouble: kit.NewProse("", kit.TypePreview, kit.ColorBad)}
	c.name = kit.NewField(kit.FieldSpec{Label: text.Say(text.CreateName), Placeholder: text.Say(text.CreateNameHint), Limit: longestName})
	c.word = kit.NewField(kit.FieldSpec{
		Label: text.Say(text.CreatePassword), Placeholder: text.Say(text.CreatePasswordHint), Secret: true, Suggest: Suggest,
		Hint: text.Say(text.CreatePasswordWhy), Below: c.meter,
	})
	c.name.OnChanged = func(string) { c.name.SetWrong("") }
	c.name.OnSubmit = func(string) { s.Focus(c.word.Focusable()) }
	c.word.OnChanged = c.weigh
	c.word.OnSubmit = func(string) { c.start() }
	form := kit.VStack(0,
		kit.NewText(text.Say(text.CreateTitle), kit.TypePage, kit.ColorText).Bold(), kit.Gap(0, kit.GapTight),
		kit.NewProse(text.Say(text.CreateSub), kit.TypeBody, kit.ColorMuted), kit.Gap(0, kit.GapLarge),
		c.name, kit.Gap(0, kit.GapSide), c.word, kit.Gap(0, kit.GapLarge),
		kit.NewButton(text.Say(text.CreateStart), kit.IconNone, kit.Primary, c.start), kit.Gap(0, kit.GapMedium), c.trouble)
	c.content = kit.NewGround(kit.ColorThread, kit.Roomy(brandWidth, brand(), column(form)))
	return c
}

// column puts a form into the middle of the room beside the brand; in a low window it scrolls.
func column(form fyne.CanvasObject) fyne.CanvasObject {
	return container.NewVScroll(kit.Middle(kit.FormWidth, kit.Pad(kit.GapLarge, 0, kit.GapLarge, 0, form)))
}

// Content is what is shown.
func (c *Create) Content() fyne.CanvasObject { return c.content }

// First is what gets the keyboard.
func (c *Create) First() fyne.Focusable {
	if c.name.Text() == "" {
		return c.name.Focusable()
	}
	return c.word.Focusable()
}

// SetName writes a name that was entered before.
func (c *Create) SetName(name string) { c.name.SetText(name) }

// Wrong says why no account was made, and lets the person try again.
func (c *Create) Wrong(sentence string) {
	c.started = false
	c.trouble.SetText(sentence)
}

// weigh shows how good the password is that is being typed.
func (c *Create) weigh(password string) {
	c.word.SetWrong("")
	s := Weigh(password)
	c.meter.Set(s.Level(), text.Say(s.word()), s.tone())
}

// start checks both fields and calls back.
func (c *Create) start() {
	if c.started {
		return
	}
	name, password := c.name.Text(), []byte(c.word.Text())
	switch err := app.CheckNew(app.NewAccount{Name: name, Password: password}); {
	case errors.Is(err, app.ErrShort):
		c.word.SetWrong(c.spec.Say(err))
		c.spec.Focus(c.word.Focusable())
	case err != nil:
		c.name.SetWrong(text.Say(text.CreateNameWrong))
		c.spec.Focus(c.name.Focusable())
	default:
		c.started = true
		c.trouble.SetText("")
		c.word.SetText("") // the bytes are the window's, and are cleared when they were used
		c.spec.Start(name, password)
	}
}

// brand is what the program promises, in three sentences.
func brand() fyne.CanvasObject {
	promise := func(i kit.Icon, head, body text.Key) fyne.CanvasObject {
		words := kit.VStack(1, kit.NewText(text.Say(head), kit.TypeSection, kit.ColorText).Bold().Elastic(), kit.NewProse(text.Say(body), kit.TypePreview, kit.ColorMuted))
		return kit.HFlex(1, kit.Pad(0, kit.GapMedium, 0, 0, kit.Top(kit.NewDisc(i, kit.ToneAccent, 42))), words)
	}
	words := kit.VStack(0,
		kit.HStack(kit.GapMedium, kit.NewGlyph(kit.IconShieldCheck, 34, kit.ColorAccent), kit.NewText("CryptexQ", kit.TypeBrand, kit.ColorText).Bold()),
		kit.Gap(0, kit.GapMedium), kit.NewProse(text.Say(text.BrandLine), kit.TypeSection, kit.ColorMuted), kit.Gap(0, kit.GapLarge),
		promise(kit.IconWifi, text.BrandNobody, text.BrandNobodyWhy), kit.Gap(0, kit.GapSide),
		promise(kit.IconClock, text.BrandNothing, text.BrandNothingWhy), kit.Gap(0, kit.GapSide),
		promise(kit.IconShieldCheck, text.BrandKeys, text.BrandKeysWhy))
	return kit.HFlex(0, kit.NewGround(kit.ColorSide, kit.Pad(0, 36, 0, 56, kit.Middle(410, words))), kit.NewRule())
}
