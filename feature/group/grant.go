package group

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// mayGrant refuses what somebody may not do to somebody else (XEP-0045 §5.2.2).
func mayGrant(s state, by standing, self bool, from, to affiliation) error {
	switch {
	case self && from == outcast:
		return xmpp.Forbidden.Because("you were banned from this group")
	case self && to == outcast:
		return xmpp.Conflict.Because("nobody bans themselves")
	case self && (to < from || to == none): // to go is everybody's right
		return nil
	case by.affiliation == owner:
		return nil
	case by.affiliation == admin && from < admin && to < admin:
		return nil
	case by.affiliation == admin:
		return xmpp.NotAllowed.Because("that is for owners")
	case by.affiliation == member && s.settings.MembersAdd && from == none && to == member:
		return nil
	}
	return xmpp.Forbidden.Because("that is for administrators")
}

// setAffiliations plans changes of how people stand with a group: all, or none.
func (g *Groups) setAffiliations(by xmpp.JID, r *room, wishes []wish) *plan {
	all := &standings{groups: g, room: r, by: by, wishes: wishes, allowed: mayGrant, asks: true}
	return all.plan()
}

// standings are changes of how people stand with a group.
type standings struct {
	groups  *Groups
	room    *room
	by      xmpp.JID
	wishes  []wish
	allowed func(s state, by standing, self bool, from, to affiliation) error
	// also is written and looked at with them; nil for nothing.
	also func(ctx context.Context) error
	// skip leaves out who stands so already that there is nothing to do; nil for nobody.
	skip func(before standing) bool
	// asks lets strangers become members only when they say so: until then they are invited.
	asks bool
	// handsOn lets a last owner go who is taken out by others.
	handsOn bool

	state state
	real  []granted // those of the wishes that change something
	ends  bool      // nobody is left
	what  *xmpp.Element
}

func (c *standings) plan() *plan {
	return c.groups.change(c.room, changing{by: c.by, check: c.check, write: c.write, done: c.done, after: c.after})
}

// granted is a wish that may be done.
type granted struct {
	wish
	before, now standing
	asked       bool // they are invited to become a member
}

// check looks at each wish, within the transaction.
func (c *standings) check(ctx context.Context, s state, by standing) (*xmpp.Element, error) {
	c.state, c.real, c.ends = s, c.real[:0], false
	for _, w := range c.wishes {
		before, err := c.groups.readStanding(ctx, c.room, w.user)
		if err != nil {
			return nil, err
		}
		if before.affiliation == w.as && !before.invited() && (w.nick == "" || w.nick == before.nick) || c.skip != nil && c.skip(before) {
			continue
		}
		back, err := c.takesBack(ctx, w, before, by)
		if err == nil && !back {
			err = c.allowed(s, by, w.user == c.by, before.affiliation, w.as)
		}
		if err != nil {
			return nil, err
		}
		asked, err := c.mustAsk(ctx, w, before)
		if err != nil {
			return nil, err
		}
		if asked && (before.offered == w.as || before.invited() && by.affiliation < admin) {
			continue
		}
		if asked && !before.invited() && !c.groups.strangers.Allow(c.by) {
			return nil, xmpp.ResourceConstraint.Because("at most %d people are invited in an hour whom you do not know", maxStrangers)
		}
		c.real = append(c.real, granted{wish: w, before: before, asked: asked})
		if (w.user == c.by || c.handsOn) && before.affiliation == owner && w.as < member {
			if err := c.handOn(ctx, w.user); err != nil {
				return nil, err
			}
		}
	}
	if len(c.real) == 0 {
		return nil, nil
	}
	c.what = changed("affiliation", c.by)
	return c.what, nil
}

// takesBack reports whether a member takes back the invitation that they have sent themselves, within the transaction of ctx.
func (c *standings) takesBack(ctx context.Context, w wish, before, by standing) (bool, error) {
	if !c.asks || w.as != none || !before.invited() || by.affiliation < member {
		return false, nil
	}
	var author string
	err := c.groups.db.QueryRow(ctx, "select author from group_entry where room = $1 and id = $2", c.room.id, before.since).Scan(&author)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("who has invited: %w", err)
	}
	return author == c.by.String(), nil
}

// handOn makes somebody else the owner when the last one goes; a group that nobody is left in ends.
func (c *standings) handOn(ctx context.Context, leaving xmpp.JID) error {
	for _, w := range c.wishes {
		if w.as == owner {
			return nil
		}
	}
	g, r := c.groups, c.room
	var others int
	if err := g.db.QueryRow(ctx, "select count(*) from group_member where room = $1 and affiliation = $2 and jid <> $3", r.id, int64(owner), leaving.String()).Scan(&others); err != nil {
		return err
	}
	if others > 0 {
		return nil
	}
	heir, ok, err := g.heir(ctx, r, leaving)
	if err != nil || !ok {
		c.ends = !ok
		return err
	}
	before, err := g.readStanding(ctx, r, heir)
	c.real = append(c.real, granted{wish: wish{user: heir, as: owner}, before: before})
	return err
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
		if one.now.affiliation != none { // let in or banned: they wait no longer
			if _, err := g.db.Exec(ctx, "delete from group_request where room = $1 and jid = $2", r.id, one.user.String()); err != nil {
				return fmt.Errorf("forget request: %w", err)
			}
		}
		c.what.Add(whoStands(one.user, one.before, one.now))
	}
	if c.also != nil {
		if err := c.also(ctx); err != nil {
			return err
		}
	}
	if c.ends {
		if _, err := g.db.Exec(ctx, "update group_room set destroyed = $1 where id = $2", noEnd, r.id); err != nil {
			return err
		}
		return g.over(ctx, r, c.by)
	}
	if err := c.comeAndGo(ctx); err != nil {
		return err
	}
	return g.afterStandings(ctx, r, c.state.settings)
}

// newStanding is how somebody stands with the group from the entry id on.
func (g *Groups) newStanding(ctx context.Context, r *room, one *granted, id int64) (err error) {
	if one.asked {
		one.now = standing{since: id, offered: one.as}
		return nil
	}
	one.now = standing{affiliation: one.as, nick: one.before.nick, since: one.before.since, hats: one.before.hats}
	if one.before.affiliation < member {
		one.now.since = id
	}
	switch {
	case one.as < member:
		one.now.nick, one.now.hats = "", ""
		return nil
	case one.nick != "":
		one.now.nick, err = one.nick, g.nickFree(ctx, r, one.user, one.nick)
	case one.now.nick == "" && one.here != "" && g.nickFree(ctx, r, one.user, one.here) == nil:
		one.now.nick = one.here
	case one.now.nick == "":
		one.now.nick, err = g.freeNick(ctx, r, one.user)
	}
	one.now.like = likeness(one.now.nick)
	return err
}

// done does them in memory; the room is held.
func (c *standings) done(id int64) {
	for _, one := range c.real {
		c.groups.nowStands(c.room, one.user, one.before, one.now, notice{by: c.by, reason: one.reason})
	}
	c.room.nowStood(id, c.real)
	if c.ends {
		c.room.destroyed = noEnd
	}
}

// after invites those who are new, and shows visitors out of a group that is no more.
func (c *standings) after(ctx context.Context) {
	if c.ends {
		c.room.tellDestroyed(end{})
	}
	for _, one := range c.real {
		if one.before.affiliation < member && one.as >= member && one.user != c.by && !(one.asked && one.before.invited()) {
			c.groups.invite(ctx, c.room, c.by, one.user, one.reason)
		}
	}
}

// afterStandings refuses what must not become of a group, within the transaction: nobody who owns it, or too many.
func (g *Groups) afterStandings(ctx context.Context, r *room, settings Settings) error {
	var owners, members, bans, invited int
	err := g.db.QueryRow(ctx, `select coalesce(sum(case when affiliation = $1 then 1 else 0 end), 0), coalesce(sum(case when affiliation >= $2 then 1 else 0 end), 0),
		coalesce(sum(case when affiliation = $3 then 1 else 0 end), 0), coalesce(sum(case when affiliation = $4 then 1 else 0 end), 0) from group_member where room = $5`,
		int64(owner), int64(member), int64(outcast), int64(none), r.id).Scan(&owners, &members, &bans, &invited)
	switch {
	case err != nil:
		return fmt.Errorf("count members: %w", err)
	case owners == 0:
		return xmpp.Conflict.Because("a group needs an owner: make somebody else one first")
	case members > g.cfg.most(settings):
		return xmpp.NotAllowed.Because("a group has at most %d members", g.cfg.most(settings))
	case invited > g.cfg.most(settings):
		return xmpp.NotAllowed.Because("at most %d people can be invited at once", g.cfg.most(settings))
	case bans > maxBans:
		return xmpp.NotAllowed.Because("at most %d people can be banned", maxBans)
	}
	return nil
}
