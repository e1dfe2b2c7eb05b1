package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// form decides about what is sent to a group beside what is said: invitations, their refusal (XEP-0045 §7.8.2), requests and what is decided about
// them (XEP-0045 §7.13, §8.6, §9.9).
func (g *Groups) form(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	over := r.destroyed != ""
	err := r.gone()
	r.mu.Unlock()
	if over {
		return nil, err
	}
	x := t.Stanza.Child(nsUser, "x")
	invitation, decline := x.Child(nsUser, "invite"), x.Child(nsUser, "decline")
	data := t.Stanza.Child(xmpp.NSData, "x")
	if invitation == nil && decline == nil && data == nil {
		return nil, xmpp.NotAcceptable.Because("what is said to all has the type groupchat")
	}
	if !g.letters.allow(t.Sender.JID.String(), maxLetters, g.now()) {
		return nil, xmpp.ResourceConstraint.Because("at most %d invitations or requests in a minute", maxLetters)
	}
	switch {
	case invitation != nil:
		return g.invited(ctx, t, r, invitation)
	case decline != nil:
		return g.declined(t, r, decline)
	}
	return g.filled(t, r, data)
}

// invited makes somebody a member whom a member who may has invited, and tells them.
func (g *Groups) invited(ctx context.Context, t *core.Transit, r *room, invitation *xmpp.Element) (*plan, error) {
	to, err := xmpp.ParseJID(invitation.Attr("to"))
	if err != nil || to.Local() == "" {
		return nil, xmpp.JIDMalformed
	}
	reason := invitation.ChildText(nsUser, "reason")
	if len(reason) > maxReason {
		return nil, xmpp.NotAcceptable.Because("a reason has at most %d bytes", maxReason)
	}
	if err := g.known(ctx, to.Bare()); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	by := t.Sender.JID
	switch s := r.stands(to); {
	case r.byUser(by) == nil && !r.isMember(by):
		return nil, xmpp.Forbidden.Because("only who is in a group invites to it")
	case s.affiliation == outcast && r.stands(by).affiliation < admin:
		return nil, xmpp.Forbidden.Because("they were banned from this group")
	case s.affiliation >= member, s.invited(), !r.settings.MembersOnly && s.affiliation == none:
		return &plan{tell: func(ctx context.Context) { g.invite(ctx, r, by, to.Bare(), reason) }}, nil
	}
	return g.setAffiliations(by, r, []wish{{user: to.Bare(), as: member, reason: reason}}), nil
}

// declined tells who has invited that their invitation was declined. Who had become a member by it, and never came, is none any more.
func (g *Groups) declined(t *core.Transit, r *room, decline *xmpp.Element) (*plan, error) {
	to, err := xmpp.ParseJID(decline.Attr("to"))
	if err != nil {
		return nil, xmpp.JIDMalformed
	}
	reason := decline.ChildText(nsUser, "reason")
	if len(reason) > maxReason {
		return nil, xmpp.NotAcceptable.Because("a reason has at most %d bytes", maxReason)
	}
	by := t.Sender.JID
	r.mu.Lock()
	defer r.mu.Unlock()
	if to.Bare().Domain() == r.jid.Domain() && to.Bare() == r.jid { // invited by their address in the room
		if o := r.occupants[likeness(to.Resource())]; o != nil {
			to = o.user
		}
	}
	switch stands := r.stands(by); {
	case stands.affiliation == outcast, r.settings.MembersOnly && stands.affiliation < member && !stands.invited():
		return nil, xmpp.Forbidden.Because("you are not invited")
	case r.byUser(to.Bare()) == nil && !r.isMember(to): // nobody finds out so who is in a group
		return nil, nil
	}
	no := xmpp.NewElement(nsUser, "decline").Set("from", by.String())
	if reason != "" {
		no.Add(xmpp.NewText(nsUser, "reason", reason))
	}
	tell := func(ctx context.Context) {
		g.send(ctx, (&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: to.Bare()}).Add(xmpp.NewElement(nsUser, "x", no)))
	}
	if s := r.stands(by); s.invited() || s.affiliation == member && r.byUser(by) == nil {
		return g.setAffiliations(by, r, []wish{{user: by, as: none}}).then(tell), nil
	}
	return &plan{tell: tell}, nil
}

// invite sends an invitation (XEP-0045 §7.8.2, XEP-0249); it is a message that waits for those who are not there.
func (g *Groups) invite(ctx context.Context, r *room, by, to xmpp.JID, reason string) {
	invitation := xmpp.NewElement(nsUser, "invite").Set("from", by.String())
	direct := xmpp.NewElement("jabber:x:conference", "x").Set("jid", r.jid.String())
	if reason != "" {
		invitation.Add(xmpp.NewText(nsUser, "reason", reason))
		direct.Set("reason", reason)
	}
	x := xmpp.NewElement(nsUser, "x", invitation)
	r.mu.Lock()
	password := r.settings.Password
	asked := r.asks(to)
	r.mu.Unlock()
	if password != "" {
		x.Add(xmpp.NewText(nsUser, "password", password))
		direct.Set("password", password)
	}
	g.send(ctx, (&xmpp.Stanza{Kind: xmpp.Message, From: r.jid, To: to}).Add(x, direct, asked))
}

// send sends what a group itself has to say to somebody.
func (g *Groups) send(ctx context.Context, st *xmpp.Stanza) {
	if err := g.server.Route(ctx, st); err != nil {
		g.log.Debug("a message of a group did not arrive", "to", st.To, "err", err)
	}
}
