package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// form decides about what is sent to a group beside what is said: invitations, their refusal (XEP-0045 §7.8.2).
func (g *Groups) form(_ context.Context, t *core.Transit, r *room) (*plan, error) {
	x := t.Stanza.Child(nsUser, "x")
	if invitation := x.Child(nsUser, "invite"); invitation != nil {
		return g.invited(t, r, invitation)
	}
	if decline := x.Child(nsUser, "decline"); decline != nil {
		to, err := xmpp.ParseJID(decline.Attr("to"))
		if err != nil {
			return nil, xmpp.JIDMalformed
		}
		return &plan{tell: func(ctx context.Context) {
			no := xmpp.NewElement(nsUser, "decline", decline.Child(nsUser, "reason")).Set("from", t.Sender.JID.String())
			g.send(ctx, (&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: to.Bare()}).Add(xmpp.NewElement(nsUser, "x", no)))
		}}, nil
	}
	return nil, xmpp.NotAcceptable.Because("what is said to all has the type groupchat")
}

// invited makes somebody a member whom a member who may has invited, and tells them.
func (g *Groups) invited(t *core.Transit, r *room, invitation *xmpp.Element) (*plan, error) {
	to, err := xmpp.ParseJID(invitation.Attr("to"))
	if err != nil || to.Local() == "" {
		return nil, xmpp.JIDMalformed
	}
	reason := invitation.ChildText(nsUser, "reason")
	r.mu.Lock()
	defer r.mu.Unlock()
	switch s := r.stands(to); {
	case s.affiliation == outcast:
		return nil, xmpp.Forbidden.Because("they were banned from this group")
	case s.affiliation >= member, !r.settings.MembersOnly:
		if r.attending[t.Via] == nil && !r.isMember(t.Sender.JID) {
			return nil, xmpp.Forbidden
		}
		by := t.Sender.JID
		return &plan{tell: func(ctx context.Context) { g.invite(ctx, r, by, to.Bare(), reason) }}, nil
	}
	return g.setAffiliations(t.Sender.JID, r, []wish{{user: to.Bare(), as: member, reason: reason}}), nil
}

// invite sends an invitation (XEP-0045 §7.8.2, XEP-0249); it is a message that waits for those who are not there.
func (g *Groups) invite(ctx context.Context, r *room, by, to xmpp.JID, reason string) {
	invitation := xmpp.NewElement(nsUser, "invite").Set("from", by.String())
	if reason != "" {
		invitation.Add(xmpp.NewText(nsUser, "reason", reason))
	}
	x := xmpp.NewElement(nsUser, "x", invitation)
	r.mu.Lock()
	if r.settings.Password != "" {
		x.Add(xmpp.NewText(nsUser, "password", r.settings.Password))
	}
	r.mu.Unlock()
	direct := xmpp.NewElement("jabber:x:conference", "x").Set("jid", r.jid.String())
	if reason != "" {
		direct.Set("reason", reason)
	}
	g.send(ctx, (&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: to}).Add(x, direct))
}

// send sends what a group itself has to say to somebody.
func (g *Groups) send(ctx context.Context, st *xmpp.Stanza) {
	if err := g.server.Route(ctx, st); err != nil {
		g.log.Debug("a message of a group did not arrive", "to", st.To, "err", err)
	}
}

// whisper decides about a message to one occupant (XEP-0045 §7.5).
func (g *Groups) whisper(t *core.Transit, r *room) (*plan, error) {
	nick, err := cleanNick(t.Stanza.To.Resource())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	me, o := r.attending[t.Via], r.occupants[likeness(nick)]
	switch {
	case me == nil || me.occupant == nil:
		return nil, xmpp.NotAcceptable.Because("join first")
	case o == nil || o.nick != nick:
		return nil, xmpp.ItemNotFound
	case me.occupant.role < participant:
		return nil, xmpp.Forbidden
	}
	from := r.in(me.occupant.nick)
	return &plan{tell: func(ctx context.Context) {
		st := t.Stanza.Copy()
		st.From = from
		st.Remove(r.forged)
		st.Add(xmpp.NewElement(nsUser, "x"), r.occupantID(t.Sender.JID))
		r.mu.Lock()
		here := slicesOf(o.here)
		r.mu.Unlock()
		for _, session := range here {
			to := st.Copy()
			to.To = session.JID
			g.send(ctx, to)
		}
	}}, nil
}

func slicesOf(here []*attendee) []*core.Session {
	all := make([]*core.Session, len(here))
	for i, a := range here {
		all[i] = a.session
	}
	return all
}
