package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// register decides about who becomes a member by themselves, is called otherwise, or leaves (XEP-0045 §7.10).
func (g *Groups) register(ctx context.Context, t *core.Transit, r *room, payload *xmpp.Element, set bool) (*plan, error) {
	user := t.Sender.JID
	r.mu.Lock()
	s, settings := r.stands(user), r.settings
	over := r.destroyed != ""
	gone := r.gone()
	r.mu.Unlock()
	open, err := g.opens(ctx, r, user)
	if err != nil {
		return nil, err
	}
	switch {
	case over:
		return nil, gone
	case s.affiliation == outcast:
		return nil, xmpp.Forbidden.Because("you were banned from this group")
	case payload.Child(nsRegister, "remove") != nil && set:
		return g.answered(t, g.setAffiliations(user, r, []wish{{user: user, as: none}}), nil), nil
	case s.affiliation < member && settings.MembersOnly && !settings.Approve && !open && !s.invited(), settings.Locked && s.affiliation < owner:
		return nil, xmpp.NotAllowed.Because("only who is invited becomes a member")
	case !set && s.affiliation >= member:
		return answer(t, xmpp.NewElement(nsRegister, "query", xmpp.NewElement(nsRegister, "registered"), xmpp.NewText(nsRegister, "username", s.nick))), nil
	case !set:
		form := xmpp.NewForm("form", registerForm)
		form.Title = "Become a member"
		form.Add("muc#register_roomnick", "text-single", "Nick").Add(NS+"#reason", "text-single", "What the administrators should know")
		form.Fields[1].Required = true
		return answer(t, xmpp.NewElement(nsRegister, "query", form.Element())), nil
	}
	form, err := xmpp.ParseForm(payload.Child(xmpp.NSData, "x"))
	if err != nil || form.Type != "submit" || form.FormType() != registerForm {
		return nil, xmpp.BadRequest
	}
	nick, err := cleanNick(form.Get("muc#register_roomnick"))
	if err != nil {
		return nil, err
	}
	reason := form.Get(NS + "#reason")
	if len(reason) > maxReason {
		return nil, xmpp.NotAcceptable.Because("a reason has at most %d bytes", maxReason)
	}
	return g.registered(t, r, s, settings, open, nick, reason)
}

func (g *Groups) registered(t *core.Transit, r *room, s standing, settings Settings, open bool, nick, reason string) (*plan, error) {
	user := t.Sender.JID
	if !g.letters.allow(user.String(), maxLetters, g.now()) {
		return nil, xmpp.ResourceConstraint.Because("at most %d requests in a minute", maxLetters)
	}
	r.mu.Lock()
	err := r.mayBeCalled(user, nick)
	r.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case s.affiliation >= member:
		return g.answered(t, g.change(r, g.naming(r, user, nick)), nil), nil
	case s.invited():
		return g.answered(t, g.accept(r, user, s.offered, nick), nil), nil
	case settings.Approve && !open:
		return g.answered(t, g.request(t, r, nick, reason), nil), nil
	}
	all := &standings{groups: g, room: r, by: user, wishes: []wish{{user: user, as: member, nick: nick}}}
	if open {
		all.also = func(ctx context.Context) error { return g.stillOpens(ctx, r, user) }
	}
	all.allowed = func(s state, _ standing, _ bool, from, _ affiliation) error {
		if from != none || (s.settings.MembersOnly || s.settings.Approve) && !open {
			return xmpp.NotAllowed.Because("the group has just been changed")
		}
		return nil
	}
	return g.answered(t, all.plan(), nil), nil
}
