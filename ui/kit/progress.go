package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// progressTime is how long the runner takes from one end to the other.
const progressTime = 1200 * time.Millisecond

// progressShare is the share of the track that the runner covers.
const progressShare = 0.3

// Progress says that something is under way whose length nobody knows: a runner on a track, 4 high. Idle, it takes its room and
// draws nothing. Where nothing shall move, the whole track is lit instead.
type Progress struct {
	base
	track, runner *canvas.Rectangle
	label         string
	motion        *fyne.Animation
	on            bool
	at            float32 // the runner, from 0 to 1
}

// NewProgress makes an idle one. The label is said while it runs, not drawn.
func NewProgress(label string) *Progress {
	p := &Progress{track: newRect(), runner: newRect(), label: label}
	p.extend(p)
	return p
}

// Run starts or stops it.
func (p *Progress) Run(on bool) {
	if on == p.on {
		return
	}
	p.on, p.objs = on, nil
	if p.motion != nil {
		p.motion.Stop()
		p.motion = nil
	}
	if on {
		p.objs = []fyne.CanvasObject{p.track, p.runner}
		p.move()
	}
	p.Refresh()
}

// move lets the runner go.
func (p *Progress) move() {
	if current().look.Still || !fyne.CurrentApp().Settings().ShowAnimations() {
		return
	}
	p.motion = fyne.NewAnimation(progressTime, func(at float32) {
		p.at = at
		p.arrange(p.Size())
		canvas.Refresh(p.runner)
	})
	p.motion.RepeatCount, p.motion.AutoReverse, p.motion.Curve = fyne.AnimationRepeatForever, true, fyne.AnimationEaseInOut
	p.motion.Start()
}

func (p *Progress) least() fyne.Size { return fyne.NewSize(S(80), S(GapTight)) }

func (p *Progress) arrange(s fyne.Size) {
	put(p.track, 0, 0, s.Width, s.Height)
	if p.motion == nil {
		put(p.runner, 0, 0, s.Width, s.Height)
		return
	}
	w := whole(s.Width * progressShare)
	put(p.runner, (s.Width-w)*p.at, 0, w, s.Height)
}

func (p *Progress) skin() {
	p.track.CornerRadius, p.runner.CornerRadius = S(2), S(2)
	p.track.FillColor, p.runner.FillColor = C(ColorTint), C(ColorAccent)
}

// AccessibilityLabel is the label while it runs.
func (p *Progress) AccessibilityLabel() string { return choose(p.on, p.label, "") }

// AccessibilityRole is text.
func (p *Progress) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
