package group

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// logPiece is how many entries of a group that has nobody left are deleted at once.
const logPiece = 1000

// RemovePiece takes an account that is being closed out of one group, and reports whether there may be more. Where nobody else owns a group it is handed on: to
// who has been an administrator for longest, else to the oldest member. A group that has nobody left is taken away with its log. What they said stays
// with the others.
func (g *Groups) RemovePiece(ctx context.Context, account *core.Account) (more bool, err error) {
	var name string
	err = g.db.QueryRow(ctx, "select r.name from group_member m join group_room r on r.id = m.room where m.jid = $1 order by m.room limit 1", account.JID.String()).Scan(&name)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("look for groups of a closed account: %w", err)
	}
	r, err := g.rooms.get(ctx, name)
	if errors.Is(err, errNoRoom) { // it was taken away meanwhile
		return true, nil
	}
	if err != nil {
		return true, err
	}
	r.mu.Lock()
	destroyed := r.destroyed != ""
	r.mu.Unlock()
	if destroyed {
		return true, g.clearAway(ctx, r, account.JID)
	}
	d := &departure{groups: g, room: r, user: account.JID}
	p := g.change(r, changing{by: account.JID, check: d.check, write: d.write, done: d.done, after: d.after})
	err = g.server.KeepIn(ctx, r.id, p.write, p.tell)
	if errors.Is(err, xmpp.Gone) || errors.Is(err, store.ErrNoRows) { // it has ended, or was taken away, meanwhile
		return true, nil
	}
	if err != nil {
		return true, fmt.Errorf("take a closed account out of a group: %w", err)
	}
	g.hurry()
	return true, nil
}

// departure is the change that takes somebody out of a group who exists no longer.
type departure struct {
	groups *Groups
	room   *room
	user   xmpp.JID

	before       standing
	heir         xmpp.JID // zero for nobody
	heirs, heirN standing // how the heir stood, and stands now
	deserted     bool
}

// noEnd is what group_room.destroyed says of a group that ended without a word.
const noEnd = "{}"

func (d *departure) check(ctx context.Context, _ state, by standing) (*xmpp.Element, error) {
	d.before, d.heir, d.deserted = by, xmpp.JID{}, false
	if by.affiliation == none && !by.invited() {
		return nil, nil
	}
	what := changed("affiliation", d.user).Add(whoStands(d.user, by, standing{}))
	if by.affiliation < member {
		return what, nil
	}
	heir, ok, err := d.groups.heir(ctx, d.room, d.user)
	if err != nil {
		return nil, err
	}
	if !ok {
		d.deserted = true
		return changed("destroyed", d.user), nil
	}
	if d.heirs, err = d.groups.readStanding(ctx, d.room, heir); err != nil {
		return nil, err
	}
	if d.heirs.affiliation < owner { // the best of all: nobody else owns it
		d.heir, d.heirN = heir, d.heirs
		d.heirN.affiliation = owner
		what.Add(whoStands(heir, d.heirs, d.heirN))
	}
	return what, nil
}

func (d *departure) write(ctx context.Context, _ int64) error {
	g, r := d.groups, d.room
	if d.deserted {
		if _, err := g.db.Exec(ctx, "update group_room set destroyed = $1 where id = $2", noEnd, r.id); err != nil {
			return err
		}
		return g.over(ctx, r, d.user)
	}
	if err := g.writeStanding(ctx, r, d.user, standing{}); err != nil {
		return err
	}
	if d.heir.IsZero() {
		return nil
	}
	return g.writeStanding(ctx, r, d.heir, d.heirN)
}

func (d *departure) done(id int64) {
	r := d.room
	if d.deserted {
		r.destroyed = noEnd
		return
	}
	gone := []granted{{wish: wish{user: d.user}, before: d.before}}
	d.groups.nowStands(r, d.user, d.before, standing{}, notice{})
	if !d.heir.IsZero() {
		d.groups.nowStands(r, d.heir, d.heirs, d.heirN, notice{})
		gone = append(gone, granted{wish: wish{user: d.heir}, before: d.heirs, now: d.heirN})
	}
	r.nowStood(id, gone)
}

// after shows visitors out of a group that is no more.
func (d *departure) after(context.Context) {
	if d.deserted {
		d.room.tellDestroyed(end{})
	}
}

// clearAway deletes a piece of a group that was destroyed, if nobody else belonged to it, and else what it knows of somebody.
func (g *Groups) clearAway(ctx context.Context, r *room, user xmpp.JID) error {
	done := false
	err := g.db.Tx(ctx, func(ctx context.Context) error {
		done = false
		_, others, err := g.heir(ctx, r, user)
		if err != nil {
			return err
		}
		if others {
			return g.writeStanding(ctx, r, user, standing{})
		}
		n, err := g.db.Exec(ctx, "delete from group_entry where id in (select id from group_entry where room = $1 order by id limit $2)", r.id, logPiece)
		if err != nil || n == logPiece {
			return err
		}
		r.tail.undone = 0 // who still has something to write for it looks, and finds that it is gone
		done = true
		return g.takeAway(ctx, r.id)
	})
	if err != nil {
		return fmt.Errorf("take group away: %w", err)
	}
	if done {
		g.rooms.dropRoom(r)
	}
	return nil
}

// errStillMember keeps an account from being gone that somebody has just made a member of a group.
var errStillMember = errors.New("the account is still in a group")

// remove makes certain that nothing of a closed account is left, within the transaction that removes it. What it is still in is taken by RemovePiece, for
// which the removal is tried again: the log and what is in memory change there alone.
func (g *Groups) remove(ctx context.Context, account *core.Account) error {
	var n int
	if err := g.db.QueryRow(ctx, "select count(*) from group_member where jid = $1", account.JID.String()).Scan(&n); err != nil {
		return fmt.Errorf("look for groups of a closed account: %w", err)
	}
	if n > 0 {
		return errStillMember
	}
	for _, table := range []string{"group_request", "group_consequence"} {
		if _, err := g.db.Exec(ctx, "delete from "+table+" where jid = $1", account.JID.String()); err != nil {
			return err
		}
	}
	return nil
}
