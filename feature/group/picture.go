package group

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	nsCard    = "vcard-temp"          // XEP-0054
	nsHasCard = "vcard-temp:x:update" // XEP-0153
)

// Limits of pictures of groups: in bytes, and of the name of their type.
const (
	maxPicture     = 128 << 10
	maxPictureType = 50
)

// picture is what a group is shown by.
type picture struct {
	kind, text, hash string // media type; base64; SHA-1 of what it encodes, hexadecimal
}

// readPicture reads the first photo of a vCard; the zero picture if there is none.
func readPicture(card *xmpp.Element) (p picture, err error) {
	photo := card.Child(nsCard, "PHOTO")
	text := strings.Join(strings.Fields(photo.ChildText(nsCard, "BINVAL")), "")
	if text == "" {
		return picture{}, nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return p, xmpp.BadRequest.Because("the photo is not base64")
	}
	if len(data) > maxPicture {
		return p, xmpp.NotAcceptable.Because("a picture has at most %d bytes", maxPicture)
	}
	p = picture{kind: strings.TrimSpace(photo.ChildText(nsCard, "TYPE")), text: text}
	if !strings.HasPrefix(p.kind, "image/") || len(p.kind) > maxPictureType {
		return p, xmpp.NotAcceptable.Because("a picture has a type that begins with image/")
	}
	sum := sha1.Sum(data)
	p.hash = hex.EncodeToString(sum[:])
	return p, nil
}

// setPicture decides about a new picture, or none (XEP-0486 §4.1): that is for who may change what a group is called.
func (g *Groups) setPicture(t *core.Transit, r *room, card *xmpp.Element) (*plan, error) {
	next, err := readPicture(card)
	if err != nil {
		return nil, err
	}
	by := t.Sender.JID
	c := changing{by: by}
	c.check = func(ctx context.Context, s state, stands standing) (*xmpp.Element, error) {
		if stands.affiliation < admin && (stands.affiliation < member || !s.settings.MembersEditInfo) {
			return nil, xmpp.Forbidden.Because("that is for administrators")
		}
		var has string
		if err := g.db.QueryRow(ctx, "select coalesce(max(hash), '') from group_picture where room = $1", r.id).Scan(&has); err != nil {
			return nil, fmt.Errorf("read picture: %w", err)
		}
		if has == next.hash {
			return nil, nil
		}
		return changed("picture", by, "hash", next.hash, "type", next.kind), nil
	}
	c.write = func(ctx context.Context, _ int64) error { return g.writePicture(ctx, r, next) }
	c.done = func(int64) {
		r.picture = next.hash
		r.tellCodes("104")
		for _, a := range r.attending {
			if a.occupant != nil {
				a.session.Send(r.pictured(a.session.JID))
			}
		}
	}
	return g.answered(t, g.change(r, c), nil), nil
}

// writePicture keeps what a group is shown by; ctx carries a transaction.
func (g *Groups) writePicture(ctx context.Context, r *room, p picture) error {
	if _, err := g.db.Exec(ctx, "delete from group_picture where room = $1", r.id); err != nil {
		return fmt.Errorf("forget picture: %w", err)
	}
	if p.hash == "" {
		return nil
	}
	_, err := g.db.Exec(ctx, "insert into group_picture (room, hash, type, data) values ($1, $2, $3, $4)", r.id, p.hash, p.kind, p.text)
	return err
}

// card answers who asks for the vCard of a group, which is its name and its picture (XEP-0486 §4.3).
func (g *Groups) card(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	over, banned, name := r.destroyed != "", r.stands(t.Sender.JID).affiliation == outcast, r.settings.Name
	gone := r.gone()
	r.mu.Unlock()
	switch {
	case over:
		return nil, gone
	case banned:
		return nil, xmpp.Forbidden
	}
	rows, err := g.db.Query(ctx, "select type, data from group_picture where room = $1", r.id)
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	card := xmpp.NewElement(nsCard, "vCard")
	if name != "" {
		card.Add(xmpp.NewText(nsCard, "FN", name))
	}
	if rows.Next() {
		var kind, data string
		if err := rows.Scan(&kind, &data); err != nil {
			return nil, fmt.Errorf("read picture: %w", err)
		}
		card.Add(xmpp.NewElement(nsCard, "PHOTO", xmpp.NewText(nsCard, "TYPE", kind), xmpp.NewText(nsCard, "BINVAL", data)))
	}
	return answer(t, card), nil
}

// pictured tells which picture the group has, in the form of XEP-0153 that older apps know; r.mu is held.
func (r *room) pictured(to xmpp.JID) *xmpp.Stanza {
	photo := xmpp.NewText(nsHasCard, "photo", r.picture)
	return (&xmpp.Stanza{Kind: xmpp.Presence, From: r.jid, To: to}).Add(xmpp.NewElement(nsHasCard, "x", photo))
}
