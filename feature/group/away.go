package group

import "palabre.dev/palabre/xmpp"

// In a private group a member writes without being there with presence. An app that knows rooms alone learns from presence whose nick is whose address, and by that
// whose keys open what is said (XEP-0384): so it is shown the members, those who are not there as being away for long. It says no more than the list of members.

// showsMembers reports whether who comes in with presence is shown the members who are not there; r.mu is held.
func (r *room) showsMembers(limit int) bool {
	return r.settings.MembersOnly && r.settings.Persistent && !r.settings.Locked && !r.settings.Anonymous && r.tellsPresence(limit)
}

// away is a member who is not there with presence, as they are shown; nil for somebody who is there, is no member, or has no nick; r.mu is held.
func (r *room) away(user xmpp.JID) (*occupant, *xmpp.Stanza) {
	s := r.stands(user)
	if s.affiliation < member || s.nick == "" || r.byUser(user) != nil {
		return nil, nil
	}
	st := &xmpp.Stanza{Kind: xmpp.Presence, From: r.in(s.nick)}
	return &occupant{nick: s.nick, user: user, role: r.settings.roleOf(s.affiliation)}, st.Add(xmpp.NewText(xmpp.NSClient, "show", "xa"))
}

// showAllAway tells somebody who comes in which members are not there; r.mu is held.
func (r *room) showAllAway(limit int, to *attendee) {
	if !r.showsMembers(limit) {
		return
	}
	for user := range r.members {
		if o, presence := r.away(user); o != nil {
			to.session.Send(r.about(o, presence, to, notice{}))
		}
	}
}

// showAway tells all in the room that somebody is a member and not there, and reports whether it did; r.mu is held.
func (r *room) showAway(limit int, user xmpp.JID) bool {
	o, presence := r.away(user)
	if o == nil || !r.showsMembers(limit) {
		return false
	}
	r.tellPresence(limit, o, presence, nil, notice{})
	return true
}

// nowAway tells all in the room that somebody who is not there stands otherwise with the group, or is called otherwise; r.mu is held.
func (r *room) nowAway(limit int, user xmpp.JID, before, now standing, n notice) {
	if !r.showsMembers(limit) {
		return
	}
	was := before.affiliation >= member && before.nick != ""
	if is := now.affiliation >= member && now.nick != ""; was && (!is || now.nick != before.nick) {
		switch {
		case is:
			n = notice{codes: []string{"303"}, nick: now.nick}
		case now.affiliation == outcast:
			n.codes = []string{"301"}
		default:
			n.codes = []string{"321"}
		}
		gone := &occupant{nick: before.nick, user: user, role: absent}
		r.tellPresence(limit, gone, &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: r.in(before.nick)}, nil, n)
	}
	if now.affiliation != before.affiliation || now.nick != before.nick {
		r.showAway(limit, user)
	}
}
