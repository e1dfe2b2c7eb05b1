package group

import (
	"context"
	"slices"

	"palabre.dev/palabre/core"
)

// inRooms are the groups that a session attends.
var inRooms = new(core.Key[[]*room])

// remember notes that a session attends a group; r.mu is held.
func (g *Groups) remember(session *core.Session, r *room) {
	all := inRooms.Get(session)
	if !slices.Contains(all, r) {
		inRooms.Set(session, append(slices.Clone(all), r))
	}
}

// follow makes a session of a member get what is said, without being there; r.mu is held. One that has ended meanwhile does not: nobody would take it out.
func (g *Groups) follow(r *room, session *core.Session) {
	a := r.add(session)
	a.member = true
	g.remember(session, r)
	if a.occupant == nil && g.server.Session(session.JID) != session {
		delete(r.attending, session)
	}
}

// goneIfEnded takes a session out of all groups that has ended while it came into one: another one may have taken its address.
func (g *Groups) goneIfEnded(ctx context.Context, session *core.Session) {
	if g.server.Session(session.JID) != session {
		g.gone(ctx, session)
	}
}

// gone takes a session that has ended out of all groups.
func (g *Groups) gone(_ context.Context, session *core.Session) {
	g.rooms.forget(session)
	for _, r := range inRooms.Get(session) {
		r.mu.Lock()
		if a := r.attending[session]; a != nil {
			a.member = false
			if a.occupant != nil {
				g.out(r, a, nil, notice{})
			}
			delete(r.attending, session)
		}
		over := r.isOver()
		r.mu.Unlock()
		if over {
			g.endTemporary(r)
		}
	}
}

// forget notes that a session attends its account's groups no longer.
func (rs *rooms) forget(session *core.Session) {
	rs.attendsMu.Lock()
	defer rs.attendsMu.Unlock()
	jid := session.Account.JID
	left := slices.DeleteFunc(rs.attends[jid], func(s *core.Session) bool { return s == session })
	if len(left) == 0 {
		delete(rs.attends, jid)
	} else {
		rs.attends[jid] = left
	}
}

// attend notes that a session attends all groups of its account, from now on.
func (rs *rooms) attend(session *core.Session) {
	rs.attendsMu.Lock()
	defer rs.attendsMu.Unlock()
	jid := session.Account.JID
	if !slices.Contains(rs.attends[jid], session) {
		rs.attends[jid] = append(rs.attends[jid], session)
	}
}
