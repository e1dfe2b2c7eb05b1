package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// consequence is what follows in one group from a change of another. It is noted within the transaction of that change, and done right after it, one after
// the other in the order in which they were noted, also after a crash. Each is an entry in the log of its group; there may be nothing to do any more.
type consequence struct {
	id     int64
	kind   string
	room   int64
	jid    xmpp.JID
	author xmpp.JID
}

// Kinds of consequences; the words are stored.
const (
	enters  = "enters"  // somebody has come into a group, and comes into its community
	departs = "departs" // somebody has left a community, and leaves a group of it
	belongs = "belongs" // a group is in another community than before, or in none
	ended   = "ended"   // a group of a community is no more
)

const (
	maxTogether = 100         // people who come into a community with one entry
	againAfter  = time.Second // when a consequence could not be written
)

var insertConsequence = store.NewInsert("group_consequence", "id", "kind", "room", "jid", "author")

// follows notes a consequence within the transaction of ctx.
func (g *Groups) follows(ctx context.Context, kind string, room int64, jid, author xmpp.JID) error {
	return g.db.Append(ctx, insertConsequence, g.db.Next(), kind, room, jid.String(), author.String())
}

// hurry has consequences done that were noted.
func (g *Groups) hurry() {
	select {
	case g.noted <- struct{}{}:
	default:
	}
}

// conclude does consequences as they come, and first those that a former process has left, until ctx ends.
func (g *Groups) conclude(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := g.concludeNext(ctx)
		if more && err == nil {
			continue
		}
		var again <-chan time.Time
		if err != nil {
			if ctx.Err() == nil {
				g.log.Error("what follows from a change of a group could not be done", "err", err)
			}
			again = time.After(againAfter)
		}
		select {
		case <-g.noted:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// concludeNext does the oldest consequence, and those after it that can be done with it, and reports whether there was one.
func (g *Groups) concludeNext(ctx context.Context) (bool, error) {
	some, err := g.consequences(ctx)
	if err != nil || len(some) == 0 {
		return false, err
	}
	var name string
	err = g.db.QueryRow(ctx, "select name from group_room where id = $1", some[0].room).Scan(&name)
	if errors.Is(err, store.ErrNoRows) {
		return true, g.concluded(ctx, some)
	}
	if err != nil {
		return true, fmt.Errorf("find group: %w", err)
	}
	r, err := g.rooms.get(ctx, name)
	if errors.Is(err, errNoRoom) {
		return true, g.concluded(ctx, some)
	}
	if err != nil {
		return true, err
	}
	p := g.planFor(r, some)
	write := p.write
	err = g.server.KeepIn(ctx, r.id, func(ctx context.Context) error {
		if err := write(ctx); err != nil {
			return err
		}
		return g.concluded(ctx, some)
	}, p.tell)
	var refused *xmpp.Error
	if errors.As(err, &refused) || errors.Is(err, store.ErrNoRows) { // the group has ended meanwhile, or cannot be so
		if !errors.Is(err, xmpp.Gone) {
			g.log.Warn("what would follow from a change of a group cannot be", "kind", some[0].kind, "room", r.jid, "err", err)
		}
		return true, g.concluded(ctx, some)
	}
	return true, err
}

// consequences are the oldest one and those right after it that can be done with it.
func (g *Groups) consequences(ctx context.Context) (some []consequence, err error) {
	rows, err := g.db.Query(ctx, "select id, kind, room, jid, author from group_consequence order by id limit $1", maxTogether)
	if err != nil {
		return nil, fmt.Errorf("look for consequences: %w", err)
	}
	for rows.Next() {
		var c consequence
		var jid, author string
		if err := rows.Scan(&c.id, &c.kind, &c.room, &jid, &author); err != nil {
			return nil, fmt.Errorf("look for consequences: %w", err)
		}
		if c.jid, err = xmpp.ParseJID(jid); err == nil {
			c.author, err = xmpp.ParseJID(author)
		}
		if err != nil {
			return nil, fmt.Errorf("stored consequence: %w", err)
		}
		if first := c; len(some) > 0 {
			if first = some[0]; c.kind != enters || first.kind != enters || c.room != first.room || c.author != first.author {
				break
			}
		}
		some = append(some, c)
	}
	return some, nil
}

// concluded forgets consequences that were done.
func (g *Groups) concluded(ctx context.Context, some []consequence) error {
	for _, c := range some {
		if _, err := g.db.Exec(ctx, "delete from group_consequence where id = $1", c.id); err != nil {
			return fmt.Errorf("forget consequence: %w", err)
		}
	}
	return nil
}

// planFor plans consequences of one kind in one group.
func (g *Groups) planFor(r *room, some []consequence) *plan {
	first := some[0]
	all := &standings{groups: g, room: r, by: first.author, allowed: func(state, standing, bool, affiliation, affiliation) error { return nil }}
	switch first.kind {
	case enters:
		all.skip = func(before standing) bool { return before.affiliation != none }
		for _, c := range some {
			w := wish{user: c.jid, as: member}
			if nick, err := cleanNick(c.jid.Local()); err == nil {
				w.here = nick
			}
			all.wishes = append(all.wishes, w)
		}
		return all.plan()
	case departs:
		all.handsOn = true
		all.skip = func(before standing) bool { return before.affiliation < member || before.since >= first.id }
		all.wishes = []wish{{user: first.jid, as: none}}
		return all.plan()
	}
	return g.change(r, changing{by: first.author, write: func(context.Context, int64) error { return nil }, done: func(int64) {},
		check: func(ctx context.Context, _ state, _ standing) (*xmpp.Element, error) {
			if first.kind == ended {
				return changed("group-removed", first.author, "jid", first.jid.String()), nil
			}
			in, err := g.communityOf(ctx, r.id)
			if err != nil {
				return nil, err
			}
			return changed("community", first.author, "jid", in.address(g)), nil
		}})
}
