package group

import (
	"slices"
	"strconv"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

func itoa(n int) string { return strconv.Itoa(n) }

// nowStands does in memory that somebody stands otherwise with the group, and tells those who are here (XEP-0045 §9, §10); r.mu is held.
func (g *Groups) nowStands(r *room, user xmpp.JID, before, now standing, n notice) {
	if now.affiliation == none && !now.invited() {
		delete(r.members, user)
	} else {
		r.members[user] = now
	}
	if o := r.byUser(user); o != nil {
		g.nowHere(r, o, before, now, n)
	} else {
		r.nowAway(g.cfg.PresenceLimit, user, before, now, n)
	}
	if now.affiliation < member {
		for session, a := range r.attending {
			if a.user == user {
				a.member = false
				if a.occupant == nil {
					delete(r.attending, session)
					r.leaving = append(r.leaving, a)
				}
			}
		}
	}
	if now.affiliation >= member && before.affiliation < member {
		for _, session := range g.rooms.attendingSessions(user) {
			g.follow(r, session)
		}
	}
}

// nowHere is nowStands for somebody who is here; r.mu is held.
func (g *Groups) nowHere(r *room, o *occupant, before, now standing, n notice) {
	as := r.settings.roleOf(now.affiliation)
	if as == absent {
		n.codes = []string{"321"} // no member any more
		if now.affiliation == outcast {
			n.codes = []string{"301"}
		}
		g.showOut(r, o, n)
		return
	}
	if now.affiliation != before.affiliation {
		o.role = as
		r.tellPresence(g.cfg.PresenceLimit, o, o.now(), nil, n)
	}
	if now.nick != "" {
		g.callAnew(r, o, now.nick)
	}
}

// attendingSessions are the sessions that attend all groups of an account.
func (rs *rooms) attendingSessions(user xmpp.JID) []*core.Session {
	rs.attendsMu.Lock()
	defer rs.attendsMu.Unlock()
	return slices.Clone(rs.attends[user])
}

// listMembers is a page of those who stand so with the group, in the order of their addresses; r.mu is held.
func (r *room) listMembers(wanted affiliation, page xmpp.Page, most int) *xmpp.Element {
	var all []xmpp.JID
	for jid, s := range r.members {
		if s.affiliation == wanted {
			all = append(all, jid)
		}
	}
	slices.SortFunc(all, func(a, b xmpp.JID) int { return strings.Compare(a.String(), b.String()) })
	query := xmpp.NewElement(nsAdmin, "query")
	whole := page.Max < 0 && page.After == ""
	paged := xmpp.Paged{Index: -1, Count: len(all)}
	for _, jid := range all {
		if !whole && (jid.String() <= page.After || page.Max >= 0 && len(query.Nodes) >= min(page.Max, most)) {
			continue
		}
		s := r.members[jid]
		item := xmpp.NewElement(nsAdmin, "item").Set("jid", jid.String()).Set("affiliation", wanted.String())
		if s.nick != "" {
			item.Set("nick", s.nick)
		}
		if paged.First == "" {
			paged.First = jid.String()
		}
		paged.Last = jid.String()
		query.Add(item)
	}
	if !whole {
		query.Add(paged.Element())
	}
	return query
}

// setRole gives somebody who is here another role, or shows them out (XEP-0045 §8.2 – §8.4, §9.6). Roles last as long as the visit.
func (g *Groups) setRole(t *core.Transit, r *room, item *xmpp.Element) (*plan, error) {
	nick, err := cleanNick(item.Attr("nick"))
	if err != nil {
		return nil, xmpp.BadRequest.Because("which nick?")
	}
	wanted := slices.Index(roleNames[:], item.Attr("role"))
	reason := item.ChildText(nsAdmin, "reason")
	if wanted < 0 || len(reason) > maxReason {
		return nil, xmpp.BadRequest.Because("no such role, or a reason longer than %d bytes", maxReason)
	}
	by := t.Sender.JID
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.mayGiveRole(by, nick, role(wanted)); err != nil {
		return nil, err
	}
	return r.inTurn(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		o, err := r.mayGiveRole(by, nick, role(wanted)) // something was changed meanwhile
		if err != nil {
			g.refuse(t, err)
			return
		}
		g.giveRole(r, o, role(wanted), notice{by: by, reason: reason})
		t.Via.Send(t.Stanza.Reply())
	}), nil
}

// mayGiveRole finds who is to have another role, and refuses what somebody may not; r.mu is held.
func (r *room) mayGiveRole(by xmpp.JID, nick string, wanted role) (*occupant, error) {
	stands := r.stands(by).affiliation
	me, o := r.byUser(by), r.occupants[likeness(nick)]
	switch {
	case stands < admin && (me == nil || me.role < moderator), stands < admin && wanted == moderator:
		return nil, xmpp.Forbidden.Because("that is for moderators")
	case o == nil || o.nick != nick:
		return nil, xmpp.ItemNotFound
	case stands < owner && r.stands(o.user).affiliation >= max(stands, member) && wanted < o.role, wanted < moderator && r.stands(o.user).affiliation >= admin && wanted != absent,
		stands < admin && o.role == moderator:
		return nil, xmpp.NotAllowed.Because("they stand as high as you, or higher")
	}
	return o, nil
}

// giveRole does in memory that somebody has another role, and tells it; r.mu is held.
func (g *Groups) giveRole(r *room, o *occupant, wanted role, n notice) {
	if wanted == absent {
		n.codes = []string{"307"}
		g.showOut(r, o, n)
		return
	}
	o.role = wanted
	r.tellPresence(g.cfg.PresenceLimit, o, o.now(), nil, n)
}
