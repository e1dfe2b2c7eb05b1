package vcard

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"image"
	_ "image/gif"  // sizes of gif
	_ "image/jpeg" // sizes of jpeg
	_ "image/png"  // sizes of png
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// picture is an avatar.
type picture struct {
	id   string // SHA-1 in hex (XEP-0084 §4.1)
	kind string // its media type
	data []byte
}

func newPicture(data []byte) *picture {
	sum := sha1.Sum(data)
	return &picture{id: hex.EncodeToString(sum[:]), kind: http.DetectContentType(data), data: data}
}

// isEmptyPhoto reports whether a PHOTO says that there is none: no bytes and no link.
func isEmptyPhoto(photo *xmpp.Element) bool {
	return photo != nil && strings.TrimSpace(photo.ChildText(NS, "BINVAL")) == "" && photo.Child(NS, "EXTVAL") == nil
}

// readPhoto reads the picture in a PHOTO (XEP-0153 §4.4): nil if there is none of a known kind, not-acceptable if it is too big.
func (f *Feature) readPhoto(photo *xmpp.Element) (*picture, error) {
	text := photo.ChildText(NS, "BINVAL")
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	data, err := decode(text)
	if err != nil { // it stays in the vCard as it is
		return nil, nil
	}
	if len(data) > f.cfg.MaxAvatarBytes {
		return nil, xmpp.NotAcceptable.Because("a photo has at most %d bytes", f.cfg.MaxAvatarBytes)
	}
	if img := newPicture(data); strings.HasPrefix(img.kind, "image/") {
		return img, nil
	}
	return nil, nil
}

// decode reads base64 with white space anywhere (XEP-0153 §4.5).
func decode(text string) ([]byte, error) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	return base64.StdEncoding.DecodeString(text)
}

// checkAvatar refuses data that is no avatar or too big, whoever's app publishes it (XEP-0084 §4.1).
func (f *Feature) checkAvatar(_ context.Context, _ *core.Account, _ string, payload *xmpp.Element) error {
	data, err := decode(payload.Text())
	if !payload.Is(nsData, "data") || err != nil {
		return xmpp.BadRequest.Because("this node holds <data/> in base64")
	}
	if len(data) > f.cfg.MaxAvatarBytes {
		return xmpp.NotAcceptable.Because("an avatar has at most %d bytes", f.cfg.MaxAvatarBytes)
	}
	return nil
}

// avatarID is the id of the account's avatar, "" if it has none that is kept here (XEP-0398 §4.1).
func (f *Feature) avatarID(ctx context.Context, account *core.Account) (string, error) {
	metadata, err := f.items.Item(ctx, account, nsMetadata, "")
	if err != nil {
		return "", err
	}
	for info := range metadata.Children() {
		if info.Is(nsMetadata, "info") && info.Attr("url") == "" {
			return info.Attr("id"), nil
		}
	}
	return "", nil
}

// avatar reads the account's avatar; nil if it has none, or one whose id is not that of its data.
func (f *Feature) avatar(ctx context.Context, account *core.Account) (*picture, error) {
	id, err := f.avatarID(ctx, account)
	if id == "" || err != nil {
		return nil, err
	}
	payload, err := f.items.Item(ctx, account, nsData, id)
	if payload == nil || err != nil {
		return nil, err
	}
	data, err := decode(payload.Text())
	if err != nil {
		return nil, nil
	}
	if img := newPicture(data); img.id == strings.ToLower(id) {
		return img, nil
	}
	return nil, nil
}

// photo is the account's avatar as a PHOTO; nil if it has none.
func (f *Feature) photo(ctx context.Context, account *core.Account) (*xmpp.Element, error) {
	img, err := f.avatar(ctx, account)
	if img == nil || err != nil {
		return nil, err
	}
	return xmpp.NewElement(NS, "PHOTO", xmpp.NewText(NS, "TYPE", img.kind),
		xmpp.NewText(NS, "BINVAL", base64.StdEncoding.EncodeToString(img.data))), nil
}

// publishAvatar makes the photo of a vCard the avatar, or takes the avatar away when there is none (XEP-0398 §4.2).
func (f *Feature) publishAvatar(ctx context.Context, account *core.Account, img *picture) error {
	before, err := f.avatarID(ctx, account)
	if err != nil {
		return err
	}
	switch {
	case img == nil && before == "":
		return nil
	case img == nil:
		return f.writer.Publish(ctx, account, nsMetadata, "", xmpp.NewElement(nsMetadata, "metadata"))
	case img.id == before:
		return nil
	}
	for _, node := range []string{nsData, nsMetadata} {
		if err := f.writer.Ensure(ctx, account, node, f.cfg.Access); err != nil {
			return err
		}
	}
	data := xmpp.NewText(nsData, "data", base64.StdEncoding.EncodeToString(img.data))
	if err := f.writer.Publish(ctx, account, nsData, img.id, data); err != nil {
		return err
	}
	return f.writer.Publish(ctx, account, nsMetadata, img.id, xmpp.NewElement(nsMetadata, "metadata", img.info()))
}

// info describes the picture (XEP-0084 §4.2).
func (p *picture) info() *xmpp.Element {
	info := xmpp.NewElement(nsMetadata, "info").Set("bytes", strconv.Itoa(len(p.data))).Set("id", p.id).Set("type", p.kind)
	if size, _, err := image.DecodeConfig(bytes.NewReader(p.data)); err == nil {
		info.Set("width", strconv.Itoa(size.Width)).Set("height", strconv.Itoa(size.Height))
	}
	return info
}
