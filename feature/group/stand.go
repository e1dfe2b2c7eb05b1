package group

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

func itoa(n int) string { return strconv.Itoa(n) }

// nowStands does in memory that somebody stands otherwise with the group, and tells those who are here (XEP-0045 §9, §10); r.mu is held.
func (g *Groups) nowStands(r *room, user xmpp.JID, before, now standing, reason string) {
	if now.affiliation == none {
		delete(r.members, user)
	} else {
		r.members[user] = now
	}
	o := r.byUser(user)
	switch {
	case o != nil && r.settings.roleOf(now.affiliation) == absent:
		status := "321" // no member any more
		if now.affiliation == outcast {
			status = "301"
		}
		for _, a := range slices.Clone(o.here) {
			g.out(r, a, nil, status)
		}
	case o != nil:
		o.role = r.settings.roleOf(now.affiliation)
		if len(o.here) > 0 && r.tellsPresence(g.cfg.PresenceLimit) {
			r.tellPresence(o, o.here[len(o.here)-1].presence, nil)
		}
	}
	if now.affiliation < member && before.affiliation >= member {
		for session, a := range r.attending {
			if a.user == user && a.occupant == nil {
				delete(r.attending, session)
			}
		}
	}
	if now.affiliation >= member && before.affiliation < member {
		for _, session := range g.rooms.attendingSessions(user) {
			r.add(session).member = true
			g.remember(session, r)
		}
	}
}

// attendingSessions are the sessions that attend all groups of an account.
func (rs *rooms) attendingSessions(user xmpp.JID) []*core.Session {
	rs.mu.Lock()
	defer rs.mu.Unlock()
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
	wanted := role(slices.Index(roleNames[:], item.Attr("role")))
	if int(wanted) >= len(roleNames) {
		return nil, xmpp.BadRequest.Because("no such role")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.occupants[likeness(nick)]
	by := r.stands(t.Sender.JID).affiliation
	switch {
	case o == nil || o.nick != nick:
		return nil, xmpp.ItemNotFound
	case by < admin:
		return nil, xmpp.Forbidden
	case r.stands(o.user).affiliation >= by || wanted < moderator && r.stands(o.user).affiliation >= admin:
		return nil, xmpp.NotAllowed.Because("they stand as high as you, or higher")
	case wanted == moderator && by < owner && by < admin:
		return nil, xmpp.Forbidden
	}
	return &plan{tell: func(context.Context) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if wanted == absent {
			for _, a := range slices.Clone(o.here) {
				g.out(r, a, nil, "307")
			}
		} else if len(o.here) > 0 {
			o.role = wanted
			r.tellPresence(o, o.here[len(o.here)-1].presence, nil)
		}
		t.Via.Send(t.Stanza.Reply())
	}}, nil
}
