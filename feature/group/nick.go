package group

import (
	"context"
	"strings"
	"unicode"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// maxNick is how many characters a nick may have.
const maxNick = 100

// cleanNick is a nick as it is kept: no control characters, no spaces at its ends (RFC 8266).
func cleanNick(nick string) (string, error) {
	clean, err := precis.Nickname.String(nick)
	if err != nil || len([]rune(clean)) > maxNick {
		return "", xmpp.JIDMalformed.Because("a nick has 1 to %d characters", maxNick)
	}
	for _, c := range clean {
		if unicode.Is(unicode.Cf, c) || unicode.IsControl(c) {
			return "", xmpp.JIDMalformed.Because("a nick has no invisible characters")
		}
	}
	return clean, nil
}

// likeness is what a nick looks like: two nicks with the same likeness could be taken for each other. Case, accents, width, spaces and letters of
// other scripts that look Latin make no difference (after UTS 39 §4, for the scripts that are mixed up most).
func likeness(nick string) string {
	var b strings.Builder
	for _, c := range norm.NFKD.String(strings.ToLower(nick)) {
		if unicode.Is(unicode.Mn, c) || unicode.IsSpace(c) || unicode.IsPunct(c) && c != '@' || c == blank {
			continue
		}
		if like, ok := looksLike[c]; ok {
			c = like
		}
		b.WriteRune(c)
	}
	if b.Len() == 0 {
		return strings.ToLower(nick)
	}
	return b.String()
}

// blank is a letter of Braille without dots.
const blank = '\u2800'

var looksLike = map[rune]rune{
	'а': 'a', 'в': 'b', 'е': 'e', 'ё': 'e', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c', 'т': 't', 'у': 'y', 'х': 'x', 'і': 'i', 'ї': 'i', 'ј': 'j', 'ѕ': 's', 'ԁ': 'd', 'һ': 'h', 'ѵ': 'v', 'ԝ': 'w',
	'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'γ': 'y', 'ω': 'w',
	'ӏ': 'l', 'ԛ': 'q', 'օ': 'o', 'ս': 'u', 'հ': 'h', 'ո': 'n', 'ց': 'g', 'ɑ': 'a', 'ɡ': 'g', 'ɩ': 'l', 'ƅ': 'b', 'ƽ': 's', 'ʋ': 'v', 'ѡ': 'w', 'ѳ': 'o', 'ɵ': 'o',
	'0': 'o', '1': 'l', 'i': 'l', '|': 'l', 'ı': 'l', '5': 's', '$': 's', 'ß': 's', 'ł': 'l', 'ø': 'o', 'đ': 'd',
}

// mayBeCalled refuses a nick that looks like that of somebody else, who is here or a member; r.mu is held.
func (r *room) mayBeCalled(user xmpp.JID, nick string) error {
	like := likeness(nick)
	if o := r.occupants[like]; o != nil && o.user != user {
		return xmpp.Conflict.Because("somebody here is called so, or nearly so")
	}
	for jid, s := range r.members {
		if s.like == like && jid != user {
			return xmpp.Conflict.Because("a member is called so, or nearly so")
		}
	}
	return nil
}

// naming is that a member is called otherwise from now on, whether or not they are there.
func (g *Groups) naming(r *room, user xmpp.JID, nick string) changing {
	var stands standing
	c := changing{by: user}
	c.check = func(ctx context.Context, _ state, by standing) (*xmpp.Element, error) {
		if by.affiliation < member || by.nick == nick {
			return nil, nil
		}
		stands = by
		stands.nick, stands.like = nick, likeness(nick)
		return changed("nick", user, "nick", nick, "was", by.nick).Add(whoStands(user, by, stands)), g.nickFree(ctx, r, user, nick)
	}
	c.write = func(ctx context.Context, _ int64) error { return g.writeStanding(ctx, r, user, stands) }
	c.done = func(int64) {
		r.members[user] = stands
		if o := r.byUser(user); o != nil {
			g.callAnew(r, o, nick)
		}
	}
	return c
}

// nickFree refuses a nick that another member has, within the transaction of ctx.
func (g *Groups) nickFree(ctx context.Context, r *room, user xmpp.JID, nick string) error {
	var n int
	err := g.db.QueryRow(ctx, "select count(*) from group_member where room = $1 and likeness = $2 and jid <> $3", r.id, likeness(nick), user.String()).Scan(&n)
	if err != nil {
		return err
	}
	if n > 0 {
		return xmpp.Conflict.Because("a member is called so, or nearly so")
	}
	return nil
}

// rename plans another nick for somebody who is here (XEP-0045 §7.6); r.mu is held.
func (g *Groups) rename(t *core.Transit, r *room, nick string) *plan {
	user := t.Sender.JID
	if r.stands(user).affiliation >= member {
		return g.change(r, g.naming(r, user, nick))
	}
	return r.inTurn(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		a := r.attending[t.Via]
		if a == nil || a.occupant == nil {
			return
		}
		if err := r.mayBeCalled(user, nick); err != nil {
			g.refuse(t, err)
			return
		}
		a.presence = r.presenceFrom(t.Stanza, a.occupant)
		g.callAnew(r, a.occupant, nick)
	})
}

// freeNick is what somebody is called at first: the local part of their address, with a number if somebody is called so.
func (g *Groups) freeNick(ctx context.Context, r *room, user xmpp.JID) (string, error) {
	rows, err := g.db.Query(ctx, "select likeness from group_member where room = $1 and likeness is not null", r.id)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for rows.Next() {
		var like string
		if err := rows.Scan(&like); err != nil {
			return "", err
		}
		taken[like] = true
	}
	base, err := cleanNick(user.Local())
	if err != nil {
		base = "member"
	}
	for n, nick := 2, base; ; n, nick = n+1, base+" "+itoa(n+1) {
		if !taken[likeness(nick)] {
			return nick, nil
		}
	}
}
