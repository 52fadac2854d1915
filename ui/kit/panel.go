package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/cryptexq/cryptexq/ui/text"
)

// Panel is a pane at the right edge of the window: a title, a way to close it, a body that scrolls, and a foot that stays.
type Panel struct {
	silent
	ground *Box
	edge   *Rule
	title  *Text
	close  *IconButton
	body   *container.Scroll
	rule   *Rule
	foot   fyne.CanvasObject
}

// NewPanel makes one; the foot may be nil.
func NewPanel(title string, onClose func(), body, foot fyne.CanvasObject) *Panel {
	p := &Panel{
		ground: NewGround(ColorSide, Gap(0, 0)), edge: NewRule(), title: NewText(title, TypeSection, ColorText).Bold().Elastic(),
		close: NewIconButton(IconClose, text.Say(text.PanelClose), onClose), rule: NewRule(), foot: foot,
	}
	p.body = container.NewVScroll(Pad(0, GapSide, GapWide, GapSide, body))
	p.extend(p, p.ground, p.edge, p.title, p.close, p.body)
	if foot != nil {
		p.objs = append(p.objs, p.rule, p.foot)
	}
	return p
}

func (p *Panel) least() fyne.Size { return fyne.NewSize(S(PanelWidth), S(200)) }

func (p *Panel) arrange(s fyne.Size) {
	put(p.ground, 0, 0, s.Width, s.Height)
	put(p.edge, 0, 0, 1, s.Height)
	head, side, b := S(HeaderHeight), S(GapSide), S(buttonHeight)
	h := p.title.MinSize().Height
	put(p.title, side, (head-h)/2, s.Width-2*side-b, h)
	put(p.close, s.Width-b-S(10), (head-b)/2, b, b)
	low := s.Height
	if p.foot != nil {
		w := s.Width - 2*side
		fh := fill(p.foot, w)
		put(p.foot, side, s.Height-fh-S(GapMedium), w, fh)
		low = s.Height - fh - 2*S(GapMedium)
		put(p.rule, 1, low, s.Width-1, 1)
	}
	put(p.body, 1, head, s.Width-1, low-head)
}

func (p *Panel) skin() {}
