package group

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// state is a group as the database has it, within a transaction.
type state struct {
	settings  Settings
	destroyed bool
}

// readState reads a group within the transaction of ctx.
func (g *Groups) readState(ctx context.Context, r *room) (s state, err error) {
	var text string
	err = g.db.QueryRow(ctx, "select settings, destroyed is not null from group_room where id = $1", r.id).Scan(&text, &s.destroyed)
	if errors.Is(err, store.ErrNoRows) {
		return state{destroyed: true}, nil
	}
	if err != nil {
		return s, fmt.Errorf("read group: %w", err)
	}
	s.settings, err = readSettings(text)
	return s, err
}

// readStanding reads how somebody stands with a group within the transaction of ctx.
func (g *Groups) readStanding(ctx context.Context, r *room, user xmpp.JID) (s standing, err error) {
	err = g.db.QueryRow(ctx, "select affiliation, nick, since, offered, hats from group_member where room = $1 and jid = $2", r.id, user.String()).Scan(&s.affiliation, &s.nick, &s.since, &s.offered, &s.hats)
	if errors.Is(err, store.ErrNoRows) {
		return standing{}, nil
	}
	if err != nil {
		return s, fmt.Errorf("read member: %w", err)
	}
	if s.nick != "" {
		s.like = likeness(s.nick)
	}
	return s, nil
}

// writeStanding keeps how somebody stands with a group; ctx carries a transaction.
func (g *Groups) writeStanding(ctx context.Context, r *room, user xmpp.JID, s standing) error {
	if s.affiliation == none && !s.invited() {
		_, err := g.db.Exec(ctx, "delete from group_member where room = $1 and jid = $2", r.id, user.String())
		return err
	}
	var like any
	if s.nick != "" {
		like = s.like
	}
	_, err := g.db.Exec(ctx, `insert into group_member (room, jid, affiliation, nick, likeness, since, offered, hats) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (room, jid) do update set affiliation = excluded.affiliation, nick = excluded.nick, likeness = excluded.likeness, since = excluded.since, offered = excluded.offered, hats = excluded.hats`,
		r.id, user.String(), int64(s.affiliation), s.nick, like, s.since, int64(s.offered), s.hats)
	return err
}
