package group

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	nsRegister   = "jabber:iq:register"
	registerForm = nsMUC + "#register"
	voiceForm    = nsMUC + "#request"
)

// maxRequests is how many may wait for an administrator of one group.
const maxRequests = 200

// request plans that somebody waits for an administrator who lets them in (docs/protocol/groups.md). Whom administrators have let in, or banned, waits
// no longer.
func (g *Groups) request(t *core.Transit, r *room, nick, reason string) *plan {
	user := t.Sender.JID
	var waits int
	return (&plan{room: r, write: func(ctx context.Context) error {
		var n int
		if err := g.db.QueryRow(ctx, "select count(*) from group_request where room = $1 and jid = $2", r.id, user.String()).Scan(&waits); err != nil {
			return fmt.Errorf("look for a request: %w", err)
		}
		if err := g.db.QueryRow(ctx, "select count(*) from group_request where room = $1 and jid <> $2", r.id, user.String()).Scan(&n); err != nil {
			return fmt.Errorf("count requests: %w", err)
		}
		if n >= maxRequests {
			return xmpp.ResourceConstraint.Because("too many wait to be let in")
		}
		s, err := g.readState(ctx, r)
		if err != nil {
			return err
		}
		stands, err := g.readStanding(ctx, r, user)
		switch {
		case err != nil:
			return err
		case s.destroyed:
			return xmpp.Gone
		case stands.affiliation == outcast:
			return xmpp.Forbidden.Because("you were banned from this group")
		case stands.affiliation >= member:
			return xmpp.Conflict.Because("you are a member")
		}
		_, err = g.db.Exec(ctx, `insert into group_request (room, jid, nick, reason, asked) values ($1, $2, $3, $4, $5)
			on conflict (room, jid) do update set nick = excluded.nick, reason = excluded.reason`, r.id, user.String(), nick, reason, g.db.Next())
		return err
	}}).then(func(ctx context.Context) {
		if waits == 0 { // who asks again is known to wait
			g.tellRequest(ctx, r, user, nick, reason)
		}
	})
}

// tellRequest asks the administrators whether somebody is let in (XEP-0045 §9.9).
func (g *Groups) tellRequest(ctx context.Context, r *room, user xmpp.JID, nick, reason string) {
	form := xmpp.NewForm("form", registerForm)
	form.Title = "Somebody wants to become a member"
	form.Add("muc#register_jid", "jid-single", "Address", user.String()).Add("muc#register_roomnick", "text-single", "Nick", nick).
		Add(NS+"#reason", "text-single", "What they say", reason).Add("muc#register_allow", "boolean", "Let them in?", "0")
	r.mu.Lock()
	var to []xmpp.JID
	for jid, s := range r.members {
		if s.affiliation >= admin {
			to = append(to, jid)
		}
	}
	r.mu.Unlock()
	for _, jid := range to {
		g.send(ctx, (&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: jid}).Add(form.Element()))
	}
}

// filled decides about a form that was sent to a group: a request for a voice, or what was decided about a request.
func (g *Groups) filled(t *core.Transit, r *room, x *xmpp.Element) (*plan, error) {
	form, err := xmpp.ParseForm(x)
	if err != nil || form.Type != "submit" {
		return nil, xmpp.BadRequest.Because("not an answer to a form")
	}
	allow, decided := xmpp.Bool(form.Get("muc#request_allow"))
	switch {
	case form.FormType() == registerForm:
		user, err := xmpp.ParseJID(form.Get("muc#register_jid"))
		let, ok := xmpp.Bool(form.Get("muc#register_allow"))
		if err != nil || !ok {
			return nil, xmpp.BadRequest
		}
		return g.decideRequest(t.Sender.JID, r, user.Bare(), let), nil
	case form.FormType() == voiceForm && decided:
		return g.giveVoice(t, r, form, allow)
	case form.FormType() == voiceForm && form.Get("muc#role") == "participant":
		return g.wantVoice(t, r)
	}
	return nil, xmpp.BadRequest.Because("what is said to all has the type groupchat")
}

// decideRequest plans that somebody who waits is let in, or refused, which they are told.
func (g *Groups) decideRequest(by xmpp.JID, r *room, user xmpp.JID, let bool) *plan {
	var nick string
	waits := func(ctx context.Context) error {
		rows, err := g.db.Query(ctx, "select nick from group_request where room = $1 and jid = $2", r.id, user.String())
		if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if !rows.Next() {
			return xmpp.ItemNotFound.Because("they do not wait")
		}
		return rows.Scan(&nick)
	}
	if !let {
		return (&plan{room: r, write: func(ctx context.Context) error {
			s, err := g.readStanding(ctx, r, by)
			if err != nil {
				return err
			}
			if s.affiliation < admin {
				return xmpp.Forbidden.Because("that is for administrators")
			}
			if err := waits(ctx); err != nil {
				return err
			}
			_, err = g.db.Exec(ctx, "delete from group_request where room = $1 and jid = $2", r.id, user.String())
			return err
		}}).then(func(ctx context.Context) {
			g.send(ctx, (&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: user}).Add(xmpp.NewElement(NS, "refused")))
		})
	}
	one := []wish{{user: user, as: member}}
	all := &standings{groups: g, room: r, by: by, wishes: one}
	all.allowed = func(_ state, by standing, _ bool, from, _ affiliation) error {
		if by.affiliation < admin || from != none {
			return xmpp.Forbidden.Because("that is for administrators")
		}
		return nil
	}
	p := all.plan()
	write := p.write
	p.write = func(ctx context.Context) error {
		if err := waits(ctx); err != nil {
			return err
		}
		one[0].nick = nick
		if nick != "" && g.nickFree(ctx, r, user, nick) != nil { // somebody else has taken it meanwhile
			one[0].nick = ""
		}
		return write(ctx)
	}
	return p
}

// requests lists who waits, for administrators (docs/protocol/groups.md).
func (g *Groups) requests(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	may := r.stands(t.Sender.JID).affiliation >= admin
	r.mu.Unlock()
	if !may {
		return nil, xmpp.Forbidden
	}
	rows, err := g.db.Query(ctx, "select jid, nick, reason, asked from group_request where room = $1 order by asked limit $2", r.id, maxRequests)
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	list := xmpp.NewElement(NS, "requests")
	for rows.Next() {
		var jid, nick, reason string
		var asked int64
		if err := rows.Scan(&jid, &nick, &reason, &asked); err != nil {
			return nil, fmt.Errorf("list requests: %w", err)
		}
		list.Add(xmpp.NewElement(NS, "request").Set("jid", jid).Set("nick", nick).Set("stamp", stamp(asked)).AddText(reason))
	}
	return answer(t, list), nil
}
