package kit

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/cryptexq/cryptexq/ui/text"
)

// switchTime is how long the knob takes from one side to the other.
const switchTime = 120 * time.Millisecond

// Switch is on or off.
type Switch struct {
	control
	track, ring *canvas.Rectangle
	knob        *canvas.Circle
	name        string
	on          bool
	at          float32 // the knob, from 0 to 1
}

// NewSwitch makes one. The name is said, not drawn: words stand beside it. changed is called when somebody turns it, not by SetOn.
func NewSwitch(name string, on bool, changed func(bool)) *Switch {
	s := &Switch{track: newRect(), ring: newRect(), knob: canvas.NewCircle(color.Transparent), name: name, on: on}
	s.at = choose[float32](on, 1, 0)
	s.push = func() {
		s.SetOn(!s.on)
		if changed != nil {
			changed(s.on)
		}
	}
	s.extend(s, s.track, s.knob, s.ring)
	return s
}

// On reports whether it is.
func (s *Switch) On() bool { return s.on }

// SetOn turns it.
func (s *Switch) SetOn(on bool) {
	if on == s.on {
		return
	}
	s.on = on
	from, to := s.at, choose[float32](on, 1, 0)
	s.skin()
	animate(switchTime, func(p float32) {
		s.at = from + (to-from)*p
		s.arrange(s.Size())
		canvas.Refresh(s)
	})
}

// 36 by 20, with room around it: nothing that can be pressed is lower than 28.
func (s *Switch) least() fyne.Size { return fyne.NewSize(S(44), S(smallestPress)) }

func (s *Switch) arrange(z fyne.Size) {
	w, h := S(36), S(20)
	x, y := whole((z.Width-w)/2), whole((z.Height-h)/2)
	put(s.ring, x-S(4), y-S(4), w+S(8), h+S(8))
	put(s.track, x, y, w, h)
	put(s.knob, x+S(3)+S(16)*s.at, y+S(3), S(14), S(14))
}

func (s *Switch) skin() {
	s.track.CornerRadius, s.ring.CornerRadius = S(10), S(14)
	s.track.FillColor, s.knob.FillColor = C(ColorQuiet), white
	if s.on {
		s.track.FillColor, s.knob.FillColor = C(ColorAccent), C(ColorOn)
	}
	if s.off {
		s.track.FillColor, s.knob.FillColor = C(ColorTint), C(ColorMuted)
	}
	ring(s.ring, s.focused, ColorText)
}

// AccessibilityLabel is the name, and whether it is on.
func (s *Switch) AccessibilityLabel() string {
	return s.spoken(text.Say(choose(s.on, text.SwitchOn, text.SwitchOff), text.Name(s.name)))
}

// animate calls step with 0 to 1 over a time, or with 1 at once where nothing shall move.
func animate(d time.Duration, step func(float32)) {
	if current().look.Still || !fyne.CurrentApp().Settings().ShowAnimations() {
		step(1)
		return
	}
	a := fyne.NewAnimation(d, step)
	a.Curve = fyne.AnimationEaseInOut
	a.Start()
}
