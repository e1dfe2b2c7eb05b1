package group

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// remove takes an account that is closed out of all groups. Where nobody else owns a group, it is handed on: to who has been an administrator for
// longest, else to the oldest member; a group that has nobody left is taken away with its log. What they said stays with the others.
func (g *Groups) remove(ctx context.Context, account *core.Account) error {
	jid := account.JID.String()
	rows, err := g.db.Query(ctx, "select room from group_member where jid = $1", jid)
	if err != nil {
		return fmt.Errorf("leave groups: %w", err)
	}
	for rows.Next() {
		var room int64
		if err := rows.Scan(&room); err != nil {
			return err
		}
		if _, err := g.db.Exec(ctx, "delete from group_member where room = $1 and jid = $2", room, jid); err != nil {
			return fmt.Errorf("leave groups: %w", err)
		}
		heir, err := g.handOn(ctx, room)
		if err != nil {
			return err
		}
		g.rooms.without(room, account.JID, heir)
	}
	return nil
}

// without takes somebody out of a group in memory, and makes somebody else its owner.
func (rs *rooms) without(id int64, user, heir xmpp.JID) {
	r := rs.loaded(id)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.stands(user)
	rs.groups.nowStands(r, user, before, standing{}, "")
	if !heir.IsZero() {
		before := r.stands(heir)
		now := before
		now.affiliation = owner
		rs.groups.nowStands(r, heir, before, now, "")
	}
}

// loaded is the group with this number if it is in memory.
func (rs *rooms) loaded(id int64) *room {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, l := range rs.all {
		select {
		case <-l.ready:
			if l.room != nil && l.room.id == id {
				return l.room
			}
		default:
		}
	}
	return nil
}

// handOn makes somebody the owner of a group that has none, or takes away one that has nobody; ctx carries a transaction.
func (g *Groups) handOn(ctx context.Context, room int64) (heir xmpp.JID, err error) {
	var owners, members int
	err = g.db.QueryRow(ctx, "select coalesce(sum(case when affiliation = $1 then 1 else 0 end), 0), count(*) from group_member where room = $2 and affiliation >= $3",
		int64(owner), room, int64(member)).Scan(&owners, &members)
	switch {
	case err != nil:
		return heir, fmt.Errorf("hand group on: %w", err)
	case owners > 0:
		return heir, nil
	case members == 0:
		for _, table := range []string{"group_entry where room", "group_member where room", "group_room where id"} {
			if _, err := g.db.Exec(ctx, "delete from "+table+" = $1", room); err != nil {
				return heir, fmt.Errorf("take group away: %w", err)
			}
		}
		return heir, nil
	}
	var text string
	err = g.db.QueryRow(ctx, "select jid from group_member where room = $1 and affiliation >= $2 order by affiliation desc, since limit 1", room, int64(member)).Scan(&text)
	if err != nil {
		return heir, fmt.Errorf("hand group on: %w", err)
	}
	if _, err := g.db.Exec(ctx, "update group_member set affiliation = $1 where room = $2 and jid = $3", int64(owner), room, text); err != nil {
		return heir, fmt.Errorf("hand group on: %w", err)
	}
	return xmpp.ParseJID(text)
}
