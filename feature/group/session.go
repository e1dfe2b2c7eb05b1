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
	rs.mu.Lock()
	defer rs.mu.Unlock()
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
	rs.mu.Lock()
	defer rs.mu.Unlock()
	jid := session.Account.JID
	if !slices.Contains(rs.attends[jid], session) {
		rs.attends[jid] = append(rs.attends[jid], session)
	}
}
