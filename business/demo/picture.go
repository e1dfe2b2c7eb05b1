package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
)

const portraitSize = 96

// draw makes a PNG of a function from a place (0–1 from left to right and from top to bottom) to a colour.
func draw(width, height int, paint func(x, y float64) color.NRGBA) []byte {
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for py := range height {
		for px := range width {
			picture.SetNRGBA(px, py, paint((float64(px)+.5)/float64(width), (float64(py)+.5)/float64(height)))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil // a buffer takes everything
	}
	return out.Bytes()
}

// mix is a colour between two.
func mix(a, b color.NRGBA, part float64) color.NRGBA {
	part = min(max(part, 0), 1)
	one := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*part) }
	return color.NRGBA{one(a.R, b.R), one(a.G, b.G), one(a.B, b.B), 255}
}

var white = color.NRGBA{255, 255, 255, 255}

// inside is 1 within an ellipse and 0 outside, soft at the edge.
func inside(x, y, cx, cy, rx, ry float64) float64 {
	d := math.Hypot((x-cx)/rx, (y-cy)/ry)
	return min(max((1-d)*12, 0), 1)
}

// fish is 1 within a fish that looks to the left.
func fish(x, y, cx, cy, size float64) float64 {
	body := inside(x, y, cx, cy, size, size*.45)
	dx := (x - cx - size*.8) / (size * .6)
	tail := 0.0
	if dx > 0 && dx < 1 && math.Abs(y-cy) < dx*size*.45 {
		tail = 1
	}
	eye := inside(x, y, cx-size*.55, cy-size*.08, size*.09, size*.09)
	return max(body, tail) * (1 - eye)
}

// portrait is the picture of somebody: a sign on their colour.
func portrait(p Person) []byte {
	ground := color.NRGBA{p.Colour[0], p.Colour[1], p.Colour[2], 255}
	return draw(portraitSize, portraitSize, func(x, y float64) color.NRGBA {
		back := mix(ground, white, .25*(1-y))
		return mix(back, white, .92*sign(p.Sign, x, y))
	})
}

// sign is 1 where a sign is.
func sign(which byte, x, y float64) float64 {
	box := func(l, t, r, b float64) float64 {
		if x > l && x < r && y > t && y < b {
			return 1
		}
		return 0
	}
	switch which {
	case 'f':
		return fish(x, y, .44, .5, .3)
	case 'h', 'b': // a roof on columns
		roof := 0.0
		if y > .24 && y < .42 && math.Abs(x-.5) < (y-.24)*1.8 {
			roof = 1
		}
		columns := max(box(.24, .45, .33, .68), box(.455, .45, .545, .68), box(.67, .45, .76, .68))
		return max(roof, columns, box(.18, .71, .82, .77))
	}
	head, shoulders := inside(x, y, .5, .38, .17, .19), inside(x, y, .5, .98, .34, .38)
	if which == 'n' { // long hair
		return max(head, shoulders, inside(x, y, .5, .46, .22, .26)*.7)
	}
	return max(head, shoulders)
}

// catch is a photo of the fishmonger's counter: fish on ice.
func catch() []byte {
	return draw(480, 320, func(x, y float64) color.NRGBA {
		ice := mix(color.NRGBA{214, 232, 240, 255}, white, .5+.5*math.Sin(x*41)*math.Sin(y*37+x*9))
		for i := range 6 {
			cx, cy := .22+.28*float64(i%3)+.05*float64(i/3), .33+.36*float64(i/3)
			if f := fish(x, y, cx, cy, .12); f > 0 {
				scales := mix(color.NRGBA{70, 104, 132, 255}, color.NRGBA{206, 218, 224, 255}, (y-cy)*6+.5+.12*math.Sin(x*160)*math.Sin(y*160))
				ice = mix(ice, scales, f)
			}
		}
		return ice
	})
}

// harbour is a photo of the sea in the evening.
func harbour() []byte {
	return draw(480, 320, func(x, y float64) color.NRGBA {
		if y < .55 {
			sky := mix(color.NRGBA{38, 62, 110, 255}, color.NRGBA{245, 168, 96, 255}, y*1.8)
			return mix(sky, color.NRGBA{255, 226, 150, 255}, inside(x, y, .62, .5, .07, .1))
		}
		wave := .5 + .5*math.Sin(y*130+math.Sin(x*22)*2)
		sea := mix(color.NRGBA{30, 58, 92, 255}, color.NRGBA{224, 150, 104, 255}, .35*wave*(1.2-y)+.5*inside(x, y, .62, .78, .1, .3)*wave)
		hull := inside(x, y, .28, .6, .1, .045)
		if y < .6 {
			hull = 0
		}
		sail := 0.0
		if y > .34 && y < .6 && x > .28 && x-.28 < (y-.34)*.4 {
			sail = 1
		}
		return mix(mix(sea, white, sail*.9), color.NRGBA{60, 30, 26, 255}, hull)
	})
}
