package group

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// rooms are the groups in memory: all that somebody attends, and some more.
type rooms struct {
	groups *Groups
	limit  int

	mu  sync.Mutex // guards all; it may be held while a room's is taken, not the other way round
	all map[string]*loading

	attendsMu sync.Mutex                   // guards attends; nothing is taken while it is held
	attends   map[xmpp.JID][]*core.Session // sessions that attend all groups of their account
}

// loading is a group that is in memory or about to be.
type loading struct {
	ready chan struct{} // closed when room and err are set
	room  *room
	err   error
}

func (rs *rooms) init(g *Groups, limit int) {
	rs.groups, rs.limit = g, limit
	rs.all, rs.attends = map[string]*loading{}, map[xmpp.JID][]*core.Session{}
}

// errNoRoom is what get returns for a name that no group has, or has had.
var errNoRoom = errors.New("no such group")

// get is the group with this local part, from memory or the database.
func (rs *rooms) get(ctx context.Context, name string) (*room, error) {
	rs.mu.Lock()
	l := rs.all[name]
	if l == nil {
		l = &loading{ready: make(chan struct{})}
		rs.all[name] = l
		rs.mu.Unlock()
		l.room, l.err = rs.groups.load(context.WithoutCancel(ctx), name)
		if l.err != nil {
			rs.drop(name, l)
		} else {
			l.room.used.Store(rs.groups.now().UnixNano()) // before it can be forgotten
		}
		close(l.ready)
		rs.shrink()
	} else {
		rs.mu.Unlock()
	}
	select {
	case <-l.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.room != nil {
		l.room.used.Store(rs.groups.now().UnixNano())
	}
	return l.room, l.err
}

func (rs *rooms) drop(name string, l *loading) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.all[name] == l {
		delete(rs.all, name)
	}
}

// maxLooks is how many groups are looked at, each time one was loaded, for some to forget: most may be attended.
const maxLooks = 64

// shrink forgets groups that nobody attends while there are too many.
func (rs *rooms) shrink() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.all) <= rs.limit {
		return
	}
	looks := 0
	for name, l := range rs.all { // in no order: others each time
		if looks++; looks > maxLooks {
			return
		}
		select {
		case <-l.ready:
		default:
			continue
		}
		if l.room != nil && l.room.forgettable(rs.groups.now()) {
			delete(rs.all, name)
		}
		if len(rs.all) <= rs.limit*9/10 {
			return
		}
	}
}

// load reads a group.
func (g *Groups) load(ctx context.Context, name string) (*room, error) {
	r := &room{members: map[xmpp.JID]standing{}, occupants: map[string]*occupant{}, attending: map[*core.Session]*attendee{}, spoke: map[xmpp.JID]int64{}}
	rows, err := g.db.Query(ctx, `select r.id, r.settings, r.subject, r.version, r.secret, coalesce(r.destroyed, ''), coalesce(p.hash, '')
		from group_room r left join group_picture p on p.room = r.id where r.name = $1`, name)
	if err != nil {
		return nil, fmt.Errorf("load group: %w", err)
	}
	if !rows.Next() {
		return nil, errNoRoom
	}
	var settings, secret string
	if err := rows.Scan(&r.id, &settings, &r.subject, &r.version, &secret, &r.destroyed, &r.picture); err != nil {
		return nil, fmt.Errorf("load group: %w", err)
	}
	if r.settings, err = readSettings(settings); err != nil {
		return nil, fmt.Errorf("load group %s: %w", name, err)
	}
	if r.secret, err = hex.DecodeString(secret); err != nil {
		return nil, fmt.Errorf("load group %s: %w", name, err)
	}
	if r.jid, err = xmpp.NewJID(name, g.domain.Domain(), ""); err != nil {
		return nil, fmt.Errorf("load group: %w", err)
	}
	if r.told, err = g.newest(ctx, r.id); err != nil {
		return nil, err
	}
	r.stood = r.version
	return r, g.loadMembers(ctx, r)
}

func (g *Groups) loadMembers(ctx context.Context, r *room) error {
	rows, err := g.db.Query(ctx, "select jid, affiliation, nick, since, offered, hats from group_member where room = $1", r.id)
	if err != nil {
		return fmt.Errorf("load members: %w", err)
	}
	for rows.Next() {
		var text string
		var s standing
		if err := rows.Scan(&text, &s.affiliation, &s.nick, &s.since, &s.offered, &s.hats); err != nil {
			return fmt.Errorf("load members: %w", err)
		}
		jid, err := xmpp.ParseJID(text)
		if err != nil {
			return fmt.Errorf("load members: %w", err)
		}
		if s.nick != "" {
			s.like = likeness(s.nick)
		}
		r.members[jid] = s
	}
	return nil
}
