package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Fyne's own boxes put the padding of the theme between everything, and measure text that wraps before it knows its width. These
// do neither. Lengths are those of the design; they grow with the size in use.

// VStack puts objects under each other, each as high as it wants and as wide as the stack.
func VStack(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(column{gap: gap, grow: -1}, o...)
}

// VFlex is VStack in which the object number grow gets the height that the others leave.
func VFlex(grow int, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(column{grow: grow}, o...)
}

// HStack puts objects beside each other, each as wide as it wants, in the middle of the height.
func HStack(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(row{gap: gap, grow: -1}, o...)
}

// HFlex puts objects beside each other over the whole height; number grow gets the width that the others leave.
func HFlex(grow int, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(row{grow: grow, tall: true}, o...)
}

// Lead puts an object at the left edge and gives the other the rest, both in the middle of the height.
func Lead(gap float32, left, rest fyne.CanvasObject) *fyne.Container {
	return container.New(row{gap: gap, grow: 1}, left, rest)
}

// Ends puts an object at the right edge and gives the other the rest, both in the middle of the height.
func Ends(gap float32, rest, right fyne.CanvasObject) *fyne.Container {
	return container.New(row{gap: gap, grow: 0}, rest, right)
}

// Shares gives each object an equal share of the width and the whole height.
func Shares(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(shares{gap}, o...)
}

// Pad leaves room around an object.
func Pad(top, right, bottom, left float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(inset{top, right, bottom, left}, o)
}

// Fixed gives an object a width, a height or both; 0 leaves it as it is.
func Fixed(w, h float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(fixed{w, h}, o)
}

// Middle puts an object into the middle of its room, and makes it no wider than most.
func Middle(most float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(middle{most}, o)
}

// Centered puts an object into the middle of the width at its own width.
func Centered(o fyne.CanvasObject) *fyne.Container { return container.New(centre{}, o) }

// Top puts an object at the upper edge of its room, at its own height.
func Top(o fyne.CanvasObject) *fyne.Container { return container.New(column{grow: -1}, o) }

// Bottom puts an object at the lower edge of its room, at its own height.
func Bottom(o fyne.CanvasObject) *fyne.Container { return container.New(floor{}, o) }

// Gap is empty room.
func Gap(w, h float32) fyne.CanvasObject { return container.New(space{w, h}) }

// space is Gap.
type space struct{ w, h float32 }

func (p space) MinSize([]fyne.CanvasObject) fyne.Size     { return fyne.NewSize(S(p.w), S(p.h)) }
func (p space) Layout(o []fyne.CanvasObject, s fyne.Size) {}

// fill gives o a size; text that wraps learns its width first and then says how high it is.
func fill(o fyne.CanvasObject, w float32) float32 {
	h := o.MinSize().Height
	if o.Size().Width != w {
		o.Resize(fyne.NewSize(w, h))
		h = o.MinSize().Height
	}
	return h
}

// column is VStack and VFlex.
type column struct {
	gap  float32
	grow int
}

func (c column) MinSize(o []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	n := 0
	for _, x := range o {
		if !x.Visible() {
			continue
		}
		k := x.MinSize()
		m.Height += k.Height
		m.Width = max(m.Width, k.Width)
		n++
	}
	m.Height += S(c.gap) * float32(max(n-1, 0))
	return m
}

func (c column) Layout(o []fyne.CanvasObject, s fyne.Size) {
	heights, rest, gap := make([]float32, len(o)), s.Height, S(c.gap)
	n := 0
	for i, x := range o {
		if !x.Visible() {
			continue
		}
		heights[i] = fill(x, s.Width)
		n++
		if i != c.grow {
			rest -= heights[i]
		}
	}
	rest -= gap * float32(max(n-1, 0))
	y := float32(0)
	for i, x := range o {
		if !x.Visible() {
			continue
		}
		if i == c.grow {
			heights[i] = max(rest, 0)
		}
		put(x, 0, y, s.Width, heights[i])
		y += heights[i] + gap
	}
}

// row is HStack, HFlex, Lead and Ends.
type row struct {
	gap  float32
	grow int
	tall bool
}

func (r row) MinSize(o []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	n := 0
	for _, x := range o {
		if !x.Visible() {
			continue
		}
		k := x.MinSize()
		m.Width += k.Width
		m.Height = max(m.Height, k.Height)
		n++
	}
	m.Width += S(r.gap) * float32(max(n-1, 0))
	return m
}

func (r row) Layout(o []fyne.CanvasObject, s fyne.Size) {
	rest, gap := s.Width, S(r.gap)
	n := 0
	for i, x := range o {
		if !x.Visible() {
			continue
		}
		n++
		if i != r.grow {
			rest -= x.MinSize().Width
		}
	}
	rest -= gap * float32(max(n-1, 0))
	at := float32(0)
	for i, x := range o {
		if !x.Visible() {
			continue
		}
		w := x.MinSize().Width
		if i == r.grow {
			w = max(rest, 0)
		}
		h := s.Height
		if !r.tall {
			h = min(fill(x, w), s.Height)
		}
		put(x, at, (s.Height-h)/2, w, h)
		at += w + gap
	}
}

// shares are columns of one width.
type shares struct{ gap float32 }

func (g shares) MinSize(o []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, x := range o {
		m = m.Max(x.MinSize())
	}
	m.Width = m.Width*float32(len(o)) + S(g.gap)*float32(max(len(o)-1, 0))
	return m
}

func (g shares) Layout(o []fyne.CanvasObject, s fyne.Size) {
	gap := S(g.gap)
	w := (s.Width - gap*float32(max(len(o)-1, 0))) / float32(max(len(o), 1))
	for i, x := range o {
		from, to := whole(float32(i)*(w+gap)), whole(float32(i)*(w+gap)+w)
		put(x, from, 0, to-from, s.Height)
	}
}

// inset is Pad.
type inset struct{ top, right, bottom, left float32 }

func (p inset) MinSize(o []fyne.CanvasObject) fyne.Size {
	return o[0].MinSize().AddWidthHeight(S(p.left)+S(p.right), S(p.top)+S(p.bottom))
}

func (p inset) Layout(o []fyne.CanvasObject, s fyne.Size) {
	put(o[0], S(p.left), S(p.top), max(s.Width-S(p.left)-S(p.right), 0), max(s.Height-S(p.top)-S(p.bottom), 0))
}

// fixed is Fixed.
type fixed struct{ w, h float32 }

func (f fixed) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[0].MinSize()
	if f.w > 0 {
		m.Width = S(f.w)
	}
	if f.h > 0 {
		m.Height = S(f.h)
	}
	return m
}

func (f fixed) Layout(o []fyne.CanvasObject, s fyne.Size) { put(o[0], 0, 0, s.Width, s.Height) }

// middle is Middle.
type middle struct{ most float32 }

func (m middle) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (m middle) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := min(S(m.most), s.Width)
	h := min(fill(o[0], w), s.Height)
	put(o[0], (s.Width-w)/2, (s.Height-h)/2, w, h)
}

// centre is Centered.
type centre struct{}

func (centre) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (centre) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := min(o[0].MinSize().Width, s.Width)
	h := min(fill(o[0], w), s.Height)
	put(o[0], (s.Width-w)/2, (s.Height-h)/2, w, h)
}

// floor is Bottom.
type floor struct{}

func (floor) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (floor) Layout(o []fyne.CanvasObject, s fyne.Size) {
	h := min(fill(o[0], s.Width), s.Height)
	put(o[0], 0, s.Height-h, s.Width, h)
}
