package linkcard

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif" // pages show these three
	"image/jpeg"
	_ "image/png"
)

const (
	maxSide    = 320      // of a card's picture, in pixels
	maxPicture = 24 << 10 // its bytes
	minSide    = 32       // smaller ones are signs and counters, and no pictures

	// maxPixels is the most that is decoded: about 20 bytes each are needed for the worst of them.
	maxPixels = 4_000_000
)

// shrink makes a JPEG of at most maxSide and maxPicture of a JPEG, PNG or GIF (of that, the first picture). How large it is, is looked at before it is
// decoded. What else stood in the file, such as where it was taken, is gone.
func shrink(file []byte) ([]byte, error) {
	header, _, err := image.DecodeConfig(bytes.NewReader(file))
	switch {
	case err != nil:
		return nil, fmt.Errorf("look at a picture: %w", err)
	case header.Width < minSide || header.Height < minSide:
		return nil, errors.New("too small")
	case header.Width > maxPixels/header.Height:
		return nil, errTooLong
	}
	decoded, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("decode a picture: %w", err)
	}
	whole := onWhite(decoded)
	for _, side := range []int{maxSide, maxSide / 2} {
		small := scale(whole, side)
		for _, quality := range []int{80, 65, 50, 35} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: quality}); err != nil {
				return nil, fmt.Errorf("encode a picture: %w", err)
			}
			if out.Len() <= maxPicture {
				return out.Bytes(), nil
			}
		}
	}
	return nil, errTooLong
}

// onWhite is a picture without transparency, beginning at 0, 0.
func onWhite(picture image.Image) *image.RGBA {
	bounds := picture.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), picture, bounds.Min, draw.Over)
	return out
}

// scale makes a picture fit into a square, each pixel the mean of those that it stands for. Small ones stay as they are.
func scale(picture *image.RGBA, side int) *image.RGBA {
	width, height := picture.Rect.Dx(), picture.Rect.Dy()
	if width <= side && height <= side {
		return picture
	}
	w, h := side, max(1, height*side/width)
	if height > width {
		w, h = max(1, width*side/height), side
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			from := image.Rect(x*width/w, y*height/h, (x+1)*width/w, (y+1)*height/h)
			out.SetRGBA(x, y, mean(picture, from))
		}
	}
	return out
}

// mean is the colour of a part of a picture that is not empty.
func mean(picture *image.RGBA, part image.Rectangle) color.RGBA {
	var red, green, blue int
	for y := part.Min.Y; y < part.Max.Y; y++ {
		row := picture.Pix[picture.PixOffset(part.Min.X, y):picture.PixOffset(part.Max.X, y)]
		for i := 0; i < len(row); i += 4 {
			red, green, blue = red+int(row[i]), green+int(row[i+1]), blue+int(row[i+2])
		}
	}
	n := part.Dx() * part.Dy()
	return color.RGBA{R: uint8(red / n), G: uint8(green / n), B: uint8(blue / n), A: 255}
}
