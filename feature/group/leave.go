package group

import (
	"context"
	"fmt"

	"palabre.dev/palabre/xmpp"
)

// inTurn plans what is done between what is told from the log: nothing of it is missed or told twice by who comes in meanwhile.
func (r *room) inTurn(do func()) *plan {
	return &plan{room: r, write: func(context.Context) error { return nil }, tell: func(context.Context) { do() }}
}

// isOver reports whether a temporary group, or one that was never configured, has been left by everybody (XEP-0045 §10.1.1); r.mu is held.
func (r *room) isOver() bool {
	return r.destroyed == "" && (!r.settings.Persistent || r.settings.Locked) && len(r.occupants) == 0
}

// endTemporary takes away a group that everybody has left, with its log; its name is free again.
func (g *Groups) endTemporary(r *room) {
	r.mu.Lock()
	if !r.isOver() {
		r.mu.Unlock()
		return
	}
	r.destroyed = noEnd // nobody comes in from here on
	r.mu.Unlock()
	err := g.db.Tx(context.Background(), func(ctx context.Context) error {
		r.tail.undone = 0 // who still has something to write for it looks, and finds that it is gone
		return g.takeAway(ctx, r.id)
	})
	if err != nil {
		g.log.Error("a temporary group could not be taken away", "room", r.jid, "err", err)
		r.mu.Lock()
		r.destroyed = ""
		r.mu.Unlock()
		return
	}
	g.rooms.dropRoom(r)
}

// takeAway deletes a group with all that belongs to it; ctx carries a transaction.
func (g *Groups) takeAway(ctx context.Context, room int64) error {
	for _, table := range []string{"group_entry where room", "group_member where room", "group_link where room", "group_request where room", "group_picture where room", "group_room where id"} {
		if _, err := g.db.Exec(ctx, "delete from "+table+" = $1", room); err != nil {
			return fmt.Errorf("take group away: %w", err)
		}
	}
	return nil
}

// dropRoom forgets a group.
func (rs *rooms) dropRoom(r *room) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if l := rs.all[r.jid.Local()]; l != nil && l.room == r {
		delete(rs.all, r.jid.Local())
	}
}

// heir is who owns a group when its last owner goes: who has been an administrator for longest, else the oldest member; ok is false if there is
// nobody. ctx carries a transaction.
func (g *Groups) heir(ctx context.Context, r *room, leaving xmpp.JID) (heir xmpp.JID, ok bool, err error) {
	rows, err := g.db.Query(ctx, "select jid from group_member where room = $1 and affiliation >= $2 and jid <> $3 order by affiliation desc, since, jid limit 1", r.id, int64(member), leaving.String())
	if err != nil {
		return heir, false, fmt.Errorf("find heir: %w", err)
	}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return heir, false, err
		}
		heir, err = xmpp.ParseJID(text)
		ok = true
	}
	return heir, ok, err
}
