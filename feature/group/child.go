package group

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// community is one that a group belongs to, as the database has it; the zero one is none.
type community struct {
	id   int64
	name string // the local part of its address
	open bool   // its members become members of the group by themselves
}

// address is that of the community, "" for none.
func (c community) address(g *Groups) string {
	if c.id == 0 {
		return ""
	}
	jid, err := xmpp.NewJID(c.name, g.domain.Domain(), "")
	if err != nil {
		return "" // it was checked when the group was made
	}
	return jid.String()
}

// communityOf is the community that a group belongs to.
func (g *Groups) communityOf(ctx context.Context, room int64) (c community, err error) {
	var open int64
	err = g.db.QueryRow(ctx, "select r.id, r.name, c.open from group_child c join group_room r on r.id = c.community where c.room = $1", room).Scan(&c.id, &c.name, &open)
	if errors.Is(err, store.ErrNoRows) {
		return community{}, nil
	}
	if err != nil {
		return c, fmt.Errorf("read community: %w", err)
	}
	c.open = open != 0
	return c, nil
}

// opens reports whether somebody becomes a member of a group by themselves because they are in its community.
func (g *Groups) opens(ctx context.Context, r *room, user xmpp.JID) (bool, error) {
	in, err := g.communityOf(ctx, r.id)
	if err != nil || !in.open {
		return false, err
	}
	stands, err := g.readStanding(ctx, &room{id: in.id}, user)
	return stands.affiliation >= member, err
}

// stillOpens refuses, within the transaction of ctx, who would not become a member by themselves any more.
func (g *Groups) stillOpens(ctx context.Context, r *room, user xmpp.JID) error {
	open, err := g.opens(ctx, r, user)
	if err == nil && !open {
		err = xmpp.NotAllowed.Because("the group has just been changed")
	}
	return err
}

// childrenWith are the groups of a community that somebody is a member of.
func (g *Groups) childrenWith(ctx context.Context, community int64, user xmpp.JID) ([]int64, error) {
	return g.ids(ctx, "select c.room from group_child c join group_member m on m.room = c.room where c.community = $1 and m.jid = $2 and m.affiliation >= $3 order by c.room",
		community, user.String(), int64(member))
}

func (g *Groups) ids(ctx context.Context, sql string, args ...any) (all []int64, err error) {
	rows, err := g.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list groups: %w", err)
		}
		all = append(all, id)
	}
	return all, nil
}

// comeAndGo notes what follows from new standings, within their transaction: who leaves a community leaves its groups, who comes into one of its groups
// comes into the community. Who was banned from the community does not.
func (c *standings) comeAndGo(ctx context.Context) error {
	g := c.groups
	if c.state.settings.Community {
		for _, one := range c.real {
			if one.now.affiliation >= member || one.asked { // who is banned may be about to come in
				continue
			}
			rooms, err := g.childrenWith(ctx, c.room.id, one.user)
			if err != nil {
				return err
			}
			for _, room := range rooms {
				if err := g.follows(ctx, departs, room, one.user, c.by); err != nil {
					return err
				}
			}
		}
		return nil
	}
	in, err := g.communityOf(ctx, c.room.id)
	if err != nil || in.id == 0 {
		return err
	}
	for _, one := range c.real {
		if one.before.affiliation < member && one.now.affiliation >= member {
			if err := g.bring(ctx, in.id, one.user, c.by); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring notes that somebody who has come into a group comes into its community, within the transaction of ctx.
func (g *Groups) bring(ctx context.Context, community int64, user, by xmpp.JID) error {
	stands, err := g.readStanding(ctx, &room{id: community}, user)
	switch {
	case err != nil || stands.affiliation >= member:
		return err
	case stands.affiliation == outcast:
		return xmpp.Forbidden.Because("%s was banned from the community of this group", user)
	}
	if err := g.fits(ctx, community, 1); err != nil {
		return err
	}
	return g.follows(ctx, enters, community, user, by)
}

// fits refuses more people than a community may have, within the transaction of ctx; who is about to come in counts.
func (g *Groups) fits(ctx context.Context, community int64, more int) error {
	var n int
	err := g.db.QueryRow(ctx, `select (select count(*) from group_member where room = $1 and affiliation >= $2) +
		(select count(*) from group_consequence where room = $1 and kind = $3)`, community, int64(member), enters).Scan(&n)
	if err != nil {
		return fmt.Errorf("count members: %w", err)
	}
	if n+more > g.cfg.MaxCommunityMembers {
		return xmpp.NotAllowed.Because("a community has at most %d members", g.cfg.MaxCommunityMembers)
	}
	return nil
}

// over notes what follows from the end of a group, within its transaction: its community loses it, and its own groups, if it is a community, stay as groups of
// their own.
func (g *Groups) over(ctx context.Context, r *room, by xmpp.JID) error {
	in, err := g.communityOf(ctx, r.id)
	if err != nil {
		return err
	}
	if in.id != 0 {
		if err := g.follows(ctx, ended, in.id, r.jid, by); err != nil {
			return err
		}
	}
	rooms, err := g.ids(ctx, "select room from group_child where community = $1 order by room", r.id)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		if err := g.follows(ctx, belongs, room, r.jid, by); err != nil {
			return err
		}
	}
	if _, err := g.db.Exec(ctx, "delete from group_child where room = $1 or community = $1", r.id); err != nil {
		return fmt.Errorf("take groups out of a community: %w", err)
	}
	return nil
}

// mayBeSo refuses settings that a community, or a group of one, cannot have, within the transaction of ctx.
func (g *Groups) mayBeSo(ctx context.Context, r *room, next Settings) error {
	if next.Community && (!next.OnlyAdminsWrite || !next.Persistent) {
		return xmpp.NotAcceptable.Because("the announcements of a community are kept, and only administrators write them")
	}
	if next.MembersOnly && next.Persistent {
		return nil
	}
	in, err := g.communityOf(ctx, r.id)
	if err == nil && in.id != 0 {
		err = xmpp.NotAcceptable.Because("a group of a community is kept, and for members only")
	}
	return err
}
