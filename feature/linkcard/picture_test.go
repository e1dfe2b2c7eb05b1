package linkcard

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

// drawn is a PNG, green at the left and red at the right.
func drawn(t testing.TB, width, height int) []byte {
	t.Helper()
	picture := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			copy(picture.Pix[picture.PixOffset(x, y):], []uint8{uint8(255 * x / width), uint8(255 - 255*x/width), 0, 255})
		}
	}
	return encoded(t, picture)
}

func encoded(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPicturesAreMadeSmall(t *testing.T) {
	for _, c := range []struct{ width, height, wantWidth, wantHeight int }{
		{1200, 630, 320, 168}, {630, 1200, 168, 320}, {320, 320, 320, 320}, {40, 50, 40, 50}, {1500, 1500, 320, 320}, {321, 32, 320, 31}, {3000, 33, 320, 3},
	} {
		small, err := shrink(drawn(t, c.width, c.height))
		if err != nil {
			t.Errorf("%d × %d: %v", c.width, c.height, err)
			continue
		}
		got, err := jpeg.Decode(bytes.NewReader(small))
		if err != nil || got.Bounds().Dx() != c.wantWidth || got.Bounds().Dy() != c.wantHeight || len(small) > maxPicture {
			t.Errorf("%d × %d became %v of %d bytes, %v", c.width, c.height, got.Bounds(), len(small), err)
		}
		left, _, _, _ := got.At(1, 0).RGBA()
		right, _, _, _ := got.At(c.wantWidth-2, 0).RGBA()
		if left > 0x4000 || right < 0xb000 {
			t.Errorf("%d × %d: red is %x at the left and %x at the right", c.width, c.height, left, right)
		}
	}
}

// TestNoise is the worst that there is to compress.
func TestNoise(t *testing.T) {
	picture := image.NewNRGBA(image.Rect(0, 0, 700, 700))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(random.Uint32())
	}
	if small, err := shrink(encoded(t, picture)); err != nil || len(small) > maxPicture {
		t.Error(len(small), err)
	}
}

func TestTransparencyIsWhite(t *testing.T) {
	small, err := shrink(encoded(t, image.NewNRGBA(image.Rect(0, 0, 64, 64))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpeg.Decode(bytes.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := got.At(10, 10).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
		t.Errorf("%x %x %x", r, g, b)
	}
}

func TestOtherFormats(t *testing.T) {
	picture := image.NewPaletted(image.Rect(0, 0, 100, 100), []color.Color{color.Black, color.White})
	var asGIF, asJPEG bytes.Buffer
	if err := gif.Encode(&asGIF, picture, nil); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, picture, nil); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"gif": asGIF.Bytes(), "jpeg": asJPEG.Bytes()} {
		if _, err := shrink(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPicturesThatAreNotDecoded(t *testing.T) {
	large := drawn(t, 64, 64)
	binary.BigEndian.PutUint32(large[16:], 100_000) // the width in the header says 100,000, and so does the height
	binary.BigEndian.PutUint32(large[20:], 100_000)
	binary.BigEndian.PutUint32(large[29:], crc32.ChecksumIEEE(large[12:29]))
	for name, file := range map[string][]byte{"nothing": nil, "text": []byte("<svg/>"), "a bomb": large, "one pixel": drawn(t, 1, 1), "a line": drawn(t, 300, 5), "too many pixels": drawn(t, 2001, 2000)} {
		if _, err := shrink(file); err == nil {
			t.Errorf("%s was made smaller", name)
		}
	}
}

// FuzzPicture decodes anything.
func FuzzPicture(f *testing.F) {
	f.Add(drawn(f, 40, 40))
	f.Add([]byte("GIF89a\x28\x00\x28\x00\x80\x00\x00"))
	f.Add([]byte("\xff\xd8\xff\xe0"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > maxImage {
			return
		}
		if small, err := shrink(file); err == nil && len(small) > maxPicture {
			t.Errorf("%d bytes", len(small))
		}
	})
}
