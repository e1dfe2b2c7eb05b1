package group

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Limits of invitation links.
const (
	tokenBytes  = 16
	maxLinks    = 50              // of one group at once
	maxUses     = 10_000          // of one link
	maxLifetime = 366 * 24 * 3600 // seconds
	lifetime    = 7 * 24 * 3600   // seconds, when nothing else is asked for
)

// stamp is a number of the row of ids as a time.
func stamp(id int64) string { return xmpp.FormatTime(time.UnixMicro(id)) }

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// makeLink plans an invitation link (docs/protocol/groups.md): whoever has it may become a member, until it expires or was used so often. Who may add
// members may make one; its token is told once, and not kept.
func (g *Groups) makeLink(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	expires, err := number(payload.Attr("expires"), lifetime, maxLifetime, "the lifetime in seconds")
	if err != nil {
		return nil, err
	}
	uses, err := number(payload.Attr("uses"), maxUses, maxUses, "the number of uses")
	if err != nil {
		return nil, err
	}
	secret := make([]byte, tokenBytes)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("make token: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(secret)
	by := t.Sender.JID
	until := g.now().Add(time.Duration(expires) * time.Second).UnixMicro()
	id := int64(0)
	c := changing{by: by, done: func(int64) {}}
	c.check = func(ctx context.Context, s state, stands standing) (*xmpp.Element, error) {
		if err := mayGrant(s, stands, false, none, member); err != nil {
			return nil, err
		}
		var n int
		if err := g.db.QueryRow(ctx, "select count(*) from group_link where room = $1 and expires > $2 and uses > 0", r.id, g.now().UnixMicro()).Scan(&n); err != nil {
			return nil, fmt.Errorf("count links: %w", err)
		}
		if n >= maxLinks {
			return nil, xmpp.ResourceConstraint.Because("a group has at most %d links", maxLinks)
		}
		return changed("link-made", by, "uses", itoa(uses), "expires", stamp(until)), nil
	}
	c.write = func(ctx context.Context, entry int64) error {
		id = entry
		if _, err := g.db.Exec(ctx, "delete from group_link where room = $1 and (expires <= $2 or uses <= 0)", r.id, g.now().UnixMicro()); err != nil {
			return fmt.Errorf("forget links: %w", err)
		}
		_, err := g.db.Exec(ctx, "insert into group_link (id, room, hash, author, expires, uses) values ($1, $2, $3, $4, $5, $6)", id, r.id, hashOf(token), by.String(), until, uses)
		return err
	}
	return g.answered(t, g.change(r, c), func() *xmpp.Element {
		return xmpp.NewElement(NS, "link").Set("id", strconv.FormatInt(id, 10)).Set("token", token).Set("uri", "xmpp:"+r.jid.String()+"?join;token="+token).
			Set("uses", itoa(uses)).Set("expires", stamp(until))
	}), nil
}

// number reads a number from 1 on, "" for what it is then.
func number(text string, otherwise, most int, what string) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, xmpp.NotAcceptable.Because("%s is a number from 1 to %d", what, most)
	}
	return n, nil
}

// links lists the links that still let somebody in: all to administrators, to others their own.
func (g *Groups) links(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	stands := r.stands(t.Sender.JID).affiliation
	r.mu.Unlock()
	if stands < member {
		return nil, xmpp.Forbidden
	}
	rows, err := g.db.Query(ctx, "select id, author, expires, uses from group_link where room = $1 and expires > $2 and uses > 0 order by id limit $3", r.id, g.now().UnixMicro(), maxLinks)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	list := xmpp.NewElement(NS, "links")
	for rows.Next() {
		var id, expires int64
		var author string
		var uses int
		if err := rows.Scan(&id, &author, &expires, &uses); err != nil {
			return nil, fmt.Errorf("list links: %w", err)
		}
		if stands >= admin || author == t.Sender.JID.String() {
			list.Add(xmpp.NewElement(NS, "link").Set("id", strconv.FormatInt(id, 10)).Set("by", author).Set("uses", itoa(uses)).Set("expires", stamp(expires)))
		}
	}
	return answer(t, list), nil
}

// revokeLink plans that a link lets nobody in any more.
func (g *Groups) revokeLink(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	id, err := strconv.ParseInt(payload.Attr("id"), 10, 64)
	if err != nil {
		return nil, xmpp.BadRequest
	}
	by := t.Sender.JID
	c := changing{by: by, done: func(int64) {}}
	c.check = func(ctx context.Context, _ state, stands standing) (*xmpp.Element, error) {
		var author string
		err := g.db.QueryRow(ctx, "select author from group_link where id = $1 and room = $2", id, r.id).Scan(&author)
		switch {
		case stands.affiliation < member:
			return nil, xmpp.Forbidden
		case errors.Is(err, store.ErrNoRows):
			return nil, xmpp.ItemNotFound
		case err != nil:
			return nil, fmt.Errorf("read link: %w", err)
		case stands.affiliation < admin && author != by.String():
			return nil, xmpp.Forbidden.Because("that is for administrators")
		}
		return changed("link-revoked", by, "id", strconv.FormatInt(id, 10)), nil
	}
	c.write = func(ctx context.Context, _ int64) error {
		_, err := g.db.Exec(ctx, "delete from group_link where id = $1 and room = $2", id, r.id)
		return err
	}
	return g.answered(t, g.change(r, c), nil), nil
}

// joinBy plans that somebody becomes a member by a link, or where that is the rule waits for an administrator.
func (g *Groups) joinBy(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	user := t.Sender.JID
	if !g.tokens.allow(user.String(), maxTokens, g.now()) {
		return nil, xmpp.ResourceConstraint.Because("at most %d tries in a minute", maxTokens)
	}
	var nick string
	var err error
	if wanted := payload.Attr("nick"); wanted != "" {
		if nick, err = cleanNick(wanted); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	stands := r.stands(user)
	r.mu.Unlock()
	if stands.invited() {
		return g.answered(t, g.accept(r, user, stands.offered, nick), func() *xmpp.Element { return r.toldTo(user) }), nil
	}
	hash := hashOf(payload.Attr("token"))
	r.mu.Lock()
	approve := r.settings.Approve && r.stands(user).affiliation == none
	r.mu.Unlock()
	if approve {
		p := g.request(t, r, nick, "")
		write := p.write
		p.write = func(ctx context.Context) error {
			if err := g.useLink(ctx, r, hash); err != nil {
				return err
			}
			return write(ctx)
		}
		return g.answered(t, p, func() *xmpp.Element { return xmpp.NewElement(NS, "waits") }), nil
	}
	all := &standings{groups: g, room: r, by: user, wishes: []wish{{user: user, as: member, nick: nick}}}
	all.allowed = func(s state, _ standing, _ bool, from, _ affiliation) error {
		switch {
		case from == outcast:
			return xmpp.Forbidden.Because("you were banned from this group")
		case from >= member:
			return xmpp.Conflict.Because("you are a member")
		case s.settings.Approve:
			return xmpp.ResourceConstraint.Because("the group has just been changed; try again")
		}
		return nil
	}
	all.also = func(ctx context.Context) error { return g.useLink(ctx, r, hash) }
	return g.answered(t, all.plan(), func() *xmpp.Element { return r.toldTo(user) }), nil
}

// toldTo is what a group is for somebody who has become a member.
func (r *room) toldTo(user xmpp.JID) *xmpp.Element {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stands(user)
	return xmpp.NewElement(NS, "group").Set("jid", r.jid.String()).Set("name", r.settings.Name).Set("affiliation", s.affiliation.String()).Set("nick", s.nick)
}

// useLink counts that somebody comes by a link, within the transaction of ctx; there is none that has expired, was revoked or is used up.
func (g *Groups) useLink(ctx context.Context, r *room, hash string) error {
	n, err := g.db.Exec(ctx, "update group_link set uses = uses - 1 where room = $1 and hash = $2 and expires > $3 and uses > 0", r.id, hash, g.now().UnixMicro())
	if err != nil {
		return fmt.Errorf("use link: %w", err)
	}
	if n == 0 {
		return xmpp.ItemNotFound.Because("this link lets nobody in any more")
	}
	return nil
}
