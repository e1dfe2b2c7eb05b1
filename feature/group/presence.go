package group

import (
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// notice is what a presence of the room says besides how somebody stands with it (XEP-0045 §7.6, §8.2, §9.1, §15.6).
type notice struct {
	codes  []string
	nick   string   // the new one
	by     xmpp.JID // bare; who did it
	reason string
	more   *xmpp.Element
}

// presenceFrom is what an app said of itself, as the room passes it on; r.mu is held.
func (r *room) presenceFrom(st *xmpp.Stanza, o *occupant) *xmpp.Stanza {
	p := &xmpp.Stanza{Kind: xmpp.Presence, Type: st.Type, Lang: st.Lang, From: r.in(o.nick), Nodes: st.Nodes}
	p.Remove(func(e *xmpp.Element) bool { return e.Space == nsMUC || r.forged(e) })
	return p
}

// address is the full address of the device that came last.
func (o *occupant) address() xmpp.JID {
	if len(o.here) == 0 {
		return o.user
	}
	return o.here[len(o.here)-1].session.JID
}

// now is how the occupant was last said to be.
func (o *occupant) now() *xmpp.Stanza { return o.here[len(o.here)-1].presence }

// item says how somebody stands with the room (XEP-0045 §7.1); their address is told to whom it may be; r.mu is held.
func (r *room) item(o *occupant, to *attendee, n notice) *xmpp.Element {
	item := xmpp.NewElement(nsUser, "item").Set("affiliation", r.stands(o.user).affiliation.String()).Set("role", o.role.String())
	seen := !r.settings.Anonymous || to.occupant.role == moderator
	if seen || to.user == o.user {
		item.Set("jid", o.address().String())
	}
	if n.nick != "" {
		item.Set("nick", n.nick)
	}
	if !n.by.IsZero() && n.by != o.user {
		actor := xmpp.NewElement(nsUser, "actor")
		if by := r.byUser(n.by); by != nil {
			actor.Set("nick", by.nick)
		} else if nick := r.stands(n.by).nick; nick != "" {
			actor.Set("nick", nick)
		}
		if len(actor.Attrs) > 0 {
			item.Add(actor)
		}
	}
	if n.reason != "" {
		item.Add(xmpp.NewText(nsUser, "reason", n.reason))
	}
	return item
}

// about is somebody's presence for one session; r.mu is held.
func (r *room) about(o *occupant, presence *xmpp.Stanza, to *attendee, n notice) *xmpp.Stanza {
	x := xmpp.NewElement(nsUser, "x", r.item(o, to, n), n.more)
	if to.user == o.user {
		x.Add(xmpp.NewElement(nsUser, "status").Set("code", "110"))
		if to.versioned && presence.Type == "" {
			x.Add(xmpp.NewElement(nsAffiliations, "mav").Set("until", r.stoodVersion()))
		}
	}
	for _, code := range n.codes {
		x.Add(xmpp.NewElement(nsUser, "status").Set("code", code))
	}
	p := presence.Copy()
	p.To = to.session.JID
	if p.Type != "unavailable" {
		p.Add(x, r.hatsOf(o.user), r.occupantID(o.user))
		return p
	}
	return p.Add(x, r.occupantID(o.user))
}

// showOthers tells somebody who comes in who is there; r.mu is held.
func (r *room) showOthers(to *attendee) {
	for _, o := range r.occupants {
		if len(o.here) > 0 && o != to.occupant {
			to.session.Send(r.about(o, o.now(), to, notice{}))
		}
	}
}

// tellPresence tells all in the room how somebody is, or in a large group that occupant's own devices alone; r.mu is held.
func (r *room) tellPresence(limit int, o *occupant, presence *xmpp.Stanza, except *attendee, n notice) {
	all := r.tellsPresence(limit)
	for _, a := range r.attending {
		if a != except && a.occupant != nil && (all || a.user == o.user) {
			a.session.Send(r.about(o, presence, a, n))
		}
	}
}

// said passes on how somebody is now.
func (g *Groups) said(t *core.Transit, r *room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.attending[t.Via]
	if a == nil || a.occupant == nil {
		return
	}
	o := a.occupant
	a.presence = r.presenceFrom(t.Stanza, o)
	o.here = append(slices.DeleteFunc(o.here, func(one *attendee) bool { return one == a }), a)
	r.tellPresence(g.cfg.PresenceLimit, o, a.presence, nil, notice{})
}

// callAnew gives an occupant another nick, and tells it (XEP-0045 §7.6); r.mu is held.
func (g *Groups) callAnew(r *room, o *occupant, nick string) {
	if other := r.occupants[likeness(nick)]; o.nick == nick || other != nil && other != o { // a visitor who is here keeps theirs
		return
	}
	away := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(o.nick)}
	r.tellPresence(g.cfg.PresenceLimit, o, away, nil, notice{codes: []string{"303"}, nick: nick})
	delete(r.occupants, likeness(o.nick))
	o.nick = nick
	r.occupants[likeness(nick)] = o
	for _, mine := range o.here {
		mine.presence = mine.presence.Copy()
		mine.presence.From = r.in(nick)
	}
	r.tellPresence(g.cfg.PresenceLimit, o, o.now(), nil, notice{})
}

// leave decides about a session that goes (XEP-0045 §7.14).
func (g *Groups) leave(t *core.Transit, r *room) *plan {
	if t.Via == nil {
		return nil
	}
	said, n := t.Stanza, notice{}
	if said.IsError() { // it is removed because of an error (XEP-0045 §11); what came back is for nobody else
		said, n.codes = nil, []string{"333"}
	}
	return r.inTurn(func() {
		r.mu.Lock()
		if a := r.attending[t.Via]; a != nil && a.occupant != nil {
			g.out(r, a, said, n)
		}
		empty := r.isOver()
		r.mu.Unlock()
		if empty {
			g.endTemporary(r)
		}
	})
}

// out takes a session out of the room and tells so; r.mu is held. st is what it said when it went, nil if it is gone without a word.
func (g *Groups) out(r *room, a *attendee, st *xmpp.Stanza, n notice) {
	o := a.occupant
	away := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(o.nick)}
	if st != nil {
		away = r.presenceFrom(st, o)
	}
	left := &occupant{nick: o.nick, user: o.user, role: absent, here: []*attendee{a}}
	if st != nil || len(n.codes) > 0 {
		a.session.Send(r.about(left, away, a, n))
	}
	r.part(a)
	if len(o.here) > 0 { // another device is still there
		r.tellPresence(g.cfg.PresenceLimit, o, o.now(), nil, notice{})
	} else if s := r.stands(o.user); s.nick != o.nick || !r.showAway(g.cfg.PresenceLimit, o.user) {
		r.tellPresence(g.cfg.PresenceLimit, left, away, a, n)
	}
	if !a.member {
		delete(r.attending, a.session)
	}
}

// showOut takes all devices of an occupant out of the room; r.mu is held.
func (g *Groups) showOut(r *room, o *occupant, n notice) {
	here := o.here
	o.here = nil
	delete(r.occupants, likeness(o.nick))
	away := &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(o.nick)}
	left := &occupant{nick: o.nick, user: o.user, role: absent, here: here}
	r.tellPresence(g.cfg.PresenceLimit, left, away, nil, n)
	for _, a := range here {
		a.occupant, a.presence = nil, nil
		if !a.member {
			delete(r.attending, a.session)
		}
	}
	r.showAway(g.cfg.PresenceLimit, o.user)
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
