package group

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// attend makes a session get what is said in all groups of its account, and lists them, so that it knows with what to catch up
// (docs/protocol/groups.md).
func (g *Groups) attend(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	limit := page.Size(g.cfg.MaxPage)
	return &plan{tell: func(ctx context.Context) {
		g.rooms.attend(t.Via)
		reply, err := g.mine(ctx, t.Via, page.After, limit)
		if err != nil {
			g.refuse(t, err)
			return
		}
		t.Via.Send(t.Stanza.Reply(reply))
		g.goneIfEnded(ctx, t.Via)
	}}, nil
}

// mine lists the groups of an account by pages, and has the session attend those that it lists.
func (g *Groups) mine(ctx context.Context, session *core.Session, after string, limit int) (*xmpp.Element, error) {
	rows, err := g.db.Query(ctx, `select r.name, coalesce(p.name, '') from group_member m join group_room r on r.id = m.room
		left join group_child c on c.room = r.id left join group_room p on p.id = c.community
		where m.jid = $1 and m.affiliation >= $2 and r.destroyed is null and r.name > $3 order by r.name limit $4`, session.Account.JID.String(), int64(member), after, limit+1)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	list := xmpp.NewElement(NS, "groups")
	paged := xmpp.Paged{Index: -1, Count: -1}
	for n := 0; rows.Next(); n++ {
		var name, in string
		if err := rows.Scan(&name, &in); err != nil {
			return nil, err
		}
		if n == limit {
			return list.Add(paged.Element()), nil
		}
		r, err := g.rooms.get(ctx, name)
		if errors.Is(err, errNoRoom) { // it was taken away meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		if paged.First == "" {
			paged.First = name
		}
		paged.Last = name
		if one, readable := g.join(r, session); one != nil {
			unread, err := g.unread(ctx, r, session.Account, readable)
			if err != nil {
				return nil, err
			}
			one.Set("unread", strconv.Itoa(unread))
			if in != "" {
				one.Set("community", in+"@"+g.domain.Domain())
			}
			list.Add(one)
		}
	}
	return list.Set("complete", "true").Add(paged.Element()), nil
}

// join makes a session of a member attend a group without presence, and tells what it is; nil if they are no member any more, or not yet: then the
// session attends it when it is told that they are. readable is the log as it is told to be.
func (g *Groups) join(r *room, session *core.Session) (told *xmpp.Element, readable span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isMember(session.Account.JID) {
		return nil, span{}
	}
	r.add(session).member = true
	g.remember(session, r)
	s := r.stands(session.Account.JID)
	e := xmpp.NewElement(NS, "group").Set("jid", r.jid.String()).Set("name", r.settings.Name).Set("affiliation", s.affiliation.String()).Set("nick", s.nick).Set("occupant", r.idOf(session.Account.JID)).
		Set("newest", strconv.FormatInt(r.told, 10)).Set("since", strconv.FormatInt(s.since, 10)).Set("members", strconv.Itoa(r.countMembers()))
	if r.settings.Community {
		e.Set("kind", "community")
	}
	if r.picture != "" {
		e.Set("picture", r.picture)
	}
	return e, span{after: s.since, until: r.told + 1}
}
