package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// nsAffiliations is XEP-0463.
const nsAffiliations = "urn:xmpp:muc:affiliations:1"

// maxItems is how many people one request may be about.
const maxItems = 200

// list tells who stands how with a group, or who is here with which role (XEP-0045 §9.5), by pages of XEP-0059 for lists of affiliations.
func (g *Groups) list(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	item := payload.Child(nsAdmin, "item")
	if item == nil {
		return nil, xmpp.BadRequest
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	asker := r.stands(t.Sender.JID).affiliation
	if word := item.Attr("role"); word != "" {
		if asker < admin {
			return nil, xmpp.Forbidden
		}
		return answer(t, r.listRoles(word)), nil
	}
	wanted, ok := parseAffiliation(item.Attr("affiliation"))
	if !ok || wanted == none {
		return nil, xmpp.BadRequest
	}
	if asker < member || wanted == outcast && asker < admin || r.settings.Anonymous && asker < admin {
		return nil, xmpp.Forbidden
	}
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	return answer(t, r.listMembers(wanted, page, g.cfg.MaxPage)), nil
}

// listRoles lists who is here with a role; r.mu is held.
func (r *room) listRoles(word string) *xmpp.Element {
	query := xmpp.NewElement(nsAdmin, "query")
	for _, o := range r.occupants {
		if o.role.String() == word {
			query.Add(xmpp.NewElement(nsAdmin, "item").Set("jid", o.user.String()).Set("nick", o.nick).Set("role", word).Set("affiliation", r.stands(o.user).affiliation.String()))
		}
	}
	return query
}

// administer decides about changes of affiliations and roles (XEP-0045 §9, §10).
func (g *Groups) administer(t *core.Transit, r *room, payload *xmpp.Element) (*plan, error) {
	var items []*xmpp.Element
	for e := range payload.Children() {
		if e.Is(nsAdmin, "item") {
			items = append(items, e)
		}
	}
	switch {
	case len(items) == 0:
		return nil, xmpp.BadRequest
	case len(items) > maxItems:
		return nil, xmpp.NotAllowed.Because("at most %d at once", maxItems)
	case items[0].Attr("role") != "":
		if len(items) > 1 {
			return nil, xmpp.FeatureNotImplemented.Because("one role at a time")
		}
		return g.setRole(t, r, items[0])
	}
	wishes := make([]wish, 0, len(items))
	for _, item := range items {
		w, err := parseWish(item)
		if err != nil {
			return nil, err
		}
		wishes = append(wishes, w)
	}
	p := g.setAffiliations(t.Sender.JID, r, wishes)
	return g.answered(t, p, nil), nil
}

// wish is that somebody shall stand so with a group.
type wish struct {
	user   xmpp.JID // bare
	as     affiliation
	nick   string
	reason string
}

func parseWish(item *xmpp.Element) (wish, error) {
	as, ok := parseAffiliation(item.Attr("affiliation"))
	jid, err := xmpp.ParseJID(item.Attr("jid"))
	if !ok || err != nil || jid.Local() == "" {
		return wish{}, xmpp.BadRequest.Because("each item needs a jid and an affiliation")
	}
	w := wish{user: jid.Bare(), as: as, reason: item.ChildText(nsAdmin, "reason")}
	if nick := item.Attr("nick"); nick != "" {
		if w.nick, err = cleanNick(nick); err != nil {
			return wish{}, err
		}
	}
	return w, nil
}

// mayGrant refuses what somebody may not do to somebody else (XEP-0045 §5.2.1).
func mayGrant(s state, by standing, self bool, from, to affiliation) error {
	switch {
	case self && to < from && from != owner: // to go is everybody's right
		return nil
	case by.affiliation == owner:
		return nil
	case by.affiliation == admin && from < admin && to < admin:
		return nil
	case by.affiliation == member && s.settings.MembersAdd && from == none && to == member:
		return nil
	}
	return xmpp.Forbidden.Because("that is for somebody who stands higher")
}

// setAffiliations plans changes of how people stand with a group: all, or none.
func (g *Groups) setAffiliations(by xmpp.JID, r *room, wishes []wish) *plan {
	all := &standings{groups: g, room: r, by: by, wishes: wishes}
	return g.change(r, changing{by: by, check: all.check, write: all.write, done: all.done, after: all.after})
}

// standings are changes of how people stand with a group.
type standings struct {
	groups *Groups
	room   *room
	by     xmpp.JID
	wishes []wish
	real   []granted // those of the wishes that change something
	what   *xmpp.Element
}

// granted is a wish that may be done.
type granted struct {
	wish
	before, now standing
}

// check looks at each wish, within the transaction.
func (c *standings) check(ctx context.Context, s state, by standing) (*xmpp.Element, error) {
	c.real = c.real[:0]
	c.what = changed("affiliation", c.by)
	for _, w := range c.wishes {
		before, err := c.groups.readStanding(ctx, c.room, w.user)
		if err != nil {
			return nil, err
		}
		if err := mayGrant(s, by, w.user == c.by, before.affiliation, w.as); err != nil {
			return nil, err
		}
		if before.affiliation == w.as && (w.nick == "" || w.nick == before.nick) {
			continue
		}
		c.real = append(c.real, granted{wish: w, before: before})
	}
	if len(c.real) == 0 {
		return nil, nil
	}
	return c.what, nil
}

// write keeps them; id is that of their entry.
func (c *standings) write(ctx context.Context, id int64) error {
	g, r := c.groups, c.room
	for i := range c.real {
		one := &c.real[i]
		if err := g.newStanding(ctx, r, one, id); err != nil {
			return err
		}
		if err := g.writeStanding(ctx, r, one.user, one.now); err != nil {
			return err
		}
		c.what.Add(whoStands(one.user, one.before, one.now))
	}
	return g.afterStandings(ctx, r)
}

// newStanding is how somebody stands with the group from the entry id on.
func (g *Groups) newStanding(ctx context.Context, r *room, one *granted, id int64) (err error) {
	one.now = standing{affiliation: one.as, nick: one.before.nick, since: one.before.since}
	if one.before.affiliation < member {
		one.now.since = id
	}
	if one.nick != "" {
		one.now.nick = one.nick
	}
	switch {
	case one.as < member:
		one.now.nick = ""
	case one.now.nick == "":
		one.now.nick, err = g.freeNick(ctx, r, one.user)
	}
	return err
}

// done does them in memory; the room is held.
func (c *standings) done(int64) {
	for _, one := range c.real {
		c.groups.nowStands(c.room, one.user, one.before, one.now, one.reason)
	}
}

// after invites those who are new.
func (c *standings) after(ctx context.Context) {
	for _, one := range c.real {
		if one.before.affiliation < member && one.as >= member {
			c.groups.invite(ctx, c.room, c.by, one.user, one.reason)
		}
	}
}

// afterStandings refuses what must not become of a group, within the transaction: nobody who owns it, or too many.
func (g *Groups) afterStandings(ctx context.Context, r *room) error {
	var owners int
	if err := g.db.QueryRow(ctx, "select count(*) from group_member where room = $1 and affiliation = $2", r.id, int64(owner)).Scan(&owners); err != nil {
		return err
	}
	if owners == 0 {
		return xmpp.Conflict.Because("a group needs an owner: make somebody else one first")
	}
	n, err := g.countStored(ctx, r)
	if err == nil && n > g.cfg.MaxMembers {
		return xmpp.NotAllowed.Because("a group has at most %d members", g.cfg.MaxMembers)
	}
	return err
}

// freeNick is what somebody is called at first: the local part of their address, with a number if somebody is called so.
func (g *Groups) freeNick(ctx context.Context, r *room, user xmpp.JID) (string, error) {
	rows, err := g.db.Query(ctx, "select likeness from group_member where room = $1 and likeness is not null", r.id)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for rows.Next() {
		var like string
		if err := rows.Scan(&like); err != nil {
			return "", err
		}
		taken[like] = true
	}
	base, err := cleanNick(user.Local())
	if err != nil {
		base = "member"
	}
	for n, nick := 2, base; ; n, nick = n+1, base+" "+itoa(n+1) {
		if !taken[likeness(nick)] {
			return nick, nil
		}
	}
}
