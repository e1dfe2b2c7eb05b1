package group

import (
	"context"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// presenceFrom is what an app said of itself, as the room passes it on; r.mu is held.
func (r *room) presenceFrom(st *xmpp.Stanza, o *occupant) *xmpp.Stanza {
	p := &xmpp.Stanza{Kind: xmpp.Presence, Type: st.Type, Lang: st.Lang, From: r.in(o.nick), Nodes: st.Nodes}
	p.Remove(func(e *xmpp.Element) bool { return e.Space == nsMUC || r.forged(e) })
	return p
}

// item says how somebody stands with the room (XEP-0045 §7.2.2); their address is told to whom it may be; r.mu is held.
func (r *room) item(o *occupant, to role, attrs ...string) *xmpp.Element {
	item := xmpp.NewElement(nsUser, "item").Set("affiliation", r.stands(o.user).affiliation.String()).Set("role", o.role.String())
	if !r.settings.Anonymous || to == moderator {
		item.Set("jid", o.user.String())
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		item.Set(attrs[i], attrs[i+1])
	}
	return item
}

// about is somebody's presence for one session; r.mu is held.
func (r *room) about(o *occupant, presence *xmpp.Stanza, to *attendee, item *xmpp.Element, statuses ...string) *xmpp.Stanza {
	x := xmpp.NewElement(nsUser, "x", item)
	for _, status := range statuses {
		x.Add(xmpp.NewElement(nsUser, "status").Set("code", status))
	}
	p := presence.Copy()
	p.To = to.session.JID
	return p.Add(x, r.occupantID(o.user))
}

// showOthers tells somebody who comes in who is there; r.mu is held.
func (r *room) showOthers(to *attendee) {
	for _, o := range r.occupants {
		if len(o.here) > 0 && o != to.occupant {
			to.session.Send(r.about(o, o.here[len(o.here)-1].presence, to, r.item(o, to.occupant.role)))
		}
	}
}

// tellPresence tells the others in the room, and the occupant's other devices, how somebody is; r.mu is held.
func (r *room) tellPresence(o *occupant, presence *xmpp.Stanza, except *attendee, statuses ...string) {
	for _, a := range r.attending {
		if a == except || a.occupant == nil {
			continue
		}
		codes := statuses
		if a.occupant == o {
			codes = append([]string{"110"}, statuses...)
		}
		a.session.Send(r.about(o, presence, a, r.item(o, a.occupant.role), codes...))
	}
}

// tellSelf tells a session how it is in the room; r.mu is held.
func (r *room) tellSelf(a *attendee, statuses ...string) {
	if !r.settings.Anonymous {
		statuses = append(statuses, "100")
	}
	a.session.Send(r.about(a.occupant, a.presence, a, r.item(a.occupant, a.occupant.role), statuses...))
}

// said passes on how somebody is now.
func (g *Groups) said(t *core.Transit, r *room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attending[t.Via]
	if a == nil || a.occupant == nil {
		return
	}
	a.presence = r.presenceFrom(t.Stanza, a.occupant)
	if r.tellsPresence(g.cfg.PresenceLimit) {
		r.tellPresence(a.occupant, a.presence, nil)
		return
	}
	r.tellSelf(a, "110")
}

// rename gives somebody another nick (XEP-0045 §7.6).
func (g *Groups) rename(t *core.Transit, r *room, nick string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attending[t.Via]
	if a == nil || a.occupant == nil {
		return
	}
	if err := r.mayBeCalled(a.user, nick); err != nil {
		g.refuse(t, err)
		return
	}
	a.presence = r.presenceFrom(t.Stanza, a.occupant)
	r.callAnew(a.occupant, nick, r.tellsPresence(g.cfg.PresenceLimit))
}

// callAnew gives an occupant another nick, and tells all, or the occupant alone; r.mu is held.
func (r *room) callAnew(o *occupant, nick string, others bool) {
	away := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(o.nick)}
	for _, a := range r.attending {
		if a.occupant == o || others && a.occupant != nil {
			codes := []string{"303"}
			if a.occupant == o {
				codes = []string{"110", "303"}
			}
			a.session.Send(r.about(o, away, a, r.item(o, a.occupant.role, "nick", nick), codes...))
		}
	}
	delete(r.occupants, likeness(o.nick))
	o.nick = nick
	r.occupants[likeness(nick)] = o
	for _, mine := range o.here {
		mine.presence = mine.presence.Copy()
		mine.presence.From = r.in(nick)
	}
	if len(o.here) == 0 {
		return
	}
	now := o.here[len(o.here)-1].presence
	for _, a := range r.attending {
		switch {
		case a.occupant == o:
			r.tellSelf(a, "110")
		case others && a.occupant != nil:
			a.session.Send(r.about(o, now, a, r.item(o, a.occupant.role)))
		}
	}
}

// leave decides about a session that goes.
func (g *Groups) leave(t *core.Transit, r *room) *plan {
	if t.Via == nil {
		return nil
	}
	return &plan{tell: func(context.Context) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if a := r.attending[t.Via]; a != nil && a.occupant != nil {
			g.out(r, a, t.Stanza)
		}
	}}
}

// out takes a session out of the room and tells so; r.mu is held. st is what it said when it went, nil if it is gone without a word.
func (g *Groups) out(r *room, a *attendee, st *xmpp.Stanza, statuses ...string) {
	o := a.occupant
	away := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(o.nick)}
	if st != nil {
		away = r.presenceFrom(st, o)
	}
	others := r.tellsPresence(g.cfg.PresenceLimit)
	left := *o
	left.role = absent
	if st != nil || len(statuses) > 0 {
		a.session.Send(r.about(&left, away, a, r.item(&left, moderator), append([]string{"110"}, statuses...)...))
	}
	r.part(a)
	switch {
	case len(o.here) > 0 && others: // another device is still there
		r.tellPresence(o, o.here[len(o.here)-1].presence, nil)
	case len(o.here) == 0 && others:
		r.tellPresence(&left, away, a, statuses...)
	}
	if !a.member {
		delete(r.attending, a.session)
	}
}

// part separates a session from its occupant, who goes with their last one; r.mu is held.
func (r *room) part(a *attendee) {
	o := a.occupant
	a.occupant, a.presence = nil, nil
	o.here = slices.DeleteFunc(o.here, func(one *attendee) bool { return one == a })
	if len(o.here) == 0 {
		delete(r.occupants, likeness(o.nick))
	}
}
