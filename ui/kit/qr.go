package kit

import (
	"errors"
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"github.com/boombuler/barcode/qr"

	"github.com/cryptexq/cryptexq/ui/text"
)

// MaxQR is the longest text of a QR code, in bytes: denser ones are not read by a phone held in front of a screen.
const MaxQR = 300

// quiet is the white margin that the standard asks for, in modules.
const quiet = 4

// ErrQR says that a text is empty or longer than MaxQR.
var ErrQR = errors.New("a QR code holds 1 to 300 bytes")

// QR is a code for a camera: black on white in both palettes, each module a whole number of pixels.
type QR struct {
	base
	side    float32
	modules [][]bool
	back    *canvas.Rectangle
	code    *canvas.Raster
}

// NewQR makes a code in a square of at least the given side. It fails on a text that is too long.
func NewQR(payload string, side float32) (*QR, error) {
	modules, err := encodeQR(payload)
	if err != nil {
		return nil, err
	}
	q := &QR{side: side, modules: modules, back: newRect()}
	q.code = canvas.NewRaster(q.draw)
	q.code.ScaleMode = canvas.ImageScalePixels
	q.extend(q, q.back, q.code)
	return q, nil
}

// encodeQR is the code without margin, row by row.
func encodeQR(payload string) ([][]bool, error) {
	if payload == "" || len(payload) > MaxQR {
		return nil, ErrQR
	}
	code, err := qr.Encode(payload, qr.M, qr.Auto)
	if err != nil {
		return nil, err
	}
	n := code.Bounds().Dx()
	rows := make([][]bool, n)
	for y := range rows {
		rows[y] = make([]bool, n)
		for x := range rows[y] {
			r, _, _, _ := code.At(x, y).RGBA()
			rows[y][x] = r == 0
		}
	}
	return rows, nil
}

// draw paints the code with its margin into w by h pixels.
func (q *QR) draw(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	n := len(q.modules)
	m := min(w, h) / (n + 2*quiet)
	left, top := (w-m*n)/2, (h-m*n)/2
	for y, row := range q.modules {
		for x, black := range row {
			if black {
				square(img, left+x*m, top+y*m, m)
			}
		}
	}
	return img
}

// square blackens m by m pixels.
func square(img *image.NRGBA, x, y, m int) {
	for j := y; j < y+m; j++ {
		for i := x; i < x+m; i++ {
			img.SetNRGBA(i, j, color.NRGBA{A: 0xFF})
		}
	}
}

func (q *QR) least() fyne.Size {
	n := float32(len(q.modules) + 2*quiet)
	return fyne.NewSquareSize(max(S(q.side), n))
}

func (q *QR) arrange(s fyne.Size) {
	d := whole(min(s.Width, s.Height))
	x, y := whole((s.Width-d)/2), whole((s.Height-d)/2)
	put(q.back, x, y, d, d)
	r := S(GapTight) // the round corners are not cut into the code
	put(q.code, x+r, y+r, d-2*r, d-2*r)
}

func (q *QR) skin() { q.back.FillColor, q.back.CornerRadius = white, S(12) }

// AccessibilityLabel says what it is: what is in it can be copied elsewhere.
func (q *QR) AccessibilityLabel() string { return text.Say(text.QRCode) }

// AccessibilityRole is text.
func (q *QR) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }
