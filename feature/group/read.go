package group

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// kept is one entry as it was read from the log.
type kept struct {
	id, after int64
	kind      entryKind
	author    string // bare
	stanza    string
}

// maxPageBytes bounds what one answer reads; one message always goes.
const maxPageBytes = 2 << 20

// span is a part of a group's log: the entries with ids strictly between two.
type span struct {
	after, until int64
	ids          []int64 // those alone, if there are any
	last         bool    // the newest ones first
	said         bool    // messages alone, with those that correct them
}

// statement reads a span.
func (s *span) statement(room int64) (sql string, args []any) {
	sql, args = "select id, after, kind, author, stanza from group_entry where room = $1 and id > $2 and id < $3", []any{room, s.after, s.until}
	for i, id := range s.ids {
		sql += []string{" and id in (", ", "}[min(i, 1)] + "$" + strconv.Itoa(len(args)+1)
		args = append(args, id)
	}
	if len(s.ids) > 0 {
		sql += ")"
	}
	if s.said {
		sql += " and kind in (" + strconv.Itoa(int(saidEntry)) + ", " + strconv.Itoa(int(correctionEntry)) + ", " + strconv.Itoa(int(quietEntry)) + ")"
	}
	if s.last {
		return sql + " order by id desc limit ", args
	}
	return sql + " order by id limit ", args
}

// read reads at most limit entries of a group. A page of large messages is shorter.
func (g *Groups) read(ctx context.Context, room int64, s span, limit int) (found []kept, more bool, err error) {
	if limit == 0 {
		return nil, true, nil
	}
	sql, args := s.statement(room)
	fit := limit + 1
	rows, err := g.db.Query(ctx, sql+strconv.Itoa(fit), args...)
	for errors.Is(err, store.ErrTooLarge) && fit > 1 {
		fit = max(fit/4, 1)
		rows, err = g.db.Query(ctx, sql+strconv.Itoa(fit), args...)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read log: %w", err)
	}
	size := 0
	for rows.Next() {
		var k kept
		if err := rows.Scan(&k.id, &k.after, &k.kind, &k.author, &k.stanza); err != nil {
			return nil, false, fmt.Errorf("read log: %w", err)
		}
		if size += len(k.stanza); len(found) == limit || size > maxPageBytes && len(found) > 0 {
			return found, true, nil
		}
		found = append(found, k)
	}
	return found, fit <= limit && len(found) == fit, nil
}

// readable is the newest entry that somebody may not read: what they find begins after it; r.mu is held.
func (r *room) readable(user xmpp.JID) (after int64, err error) {
	s := r.stands(user)
	switch {
	case s.affiliation == outcast:
		return 0, xmpp.Forbidden
	case (r.settings.MembersOnly || r.settings.Locked) && s.affiliation < member:
		return 0, xmpp.Forbidden.Because("only members read here")
	case r.settings.Password != "" && s.affiliation < member && r.byUser(user.Bare()) == nil:
		return 0, xmpp.Forbidden.Because("come in first")
	case r.settings.MembersOnly && !r.settings.WholeHistory && s.affiliation < owner:
		return s.since - 1, nil
	}
	return 0, nil
}

// maxHistory is how many messages are sent to who comes in.
const maxHistory = 50

// history are the messages that an app wants when it comes in (XEP-0045 §7.2.13): the last ones, not older than it says.
func (g *Groups) history(ctx context.Context, t *core.Transit, r *room) ([]*xmpp.Stanza, error) {
	wish := t.Stanza.Child(nsMUC, "x").Child(nsMUC, "history")
	limit, since := 20, int64(0)
	if wish != nil {
		limit = maxHistory
		for _, name := range []string{"maxstanzas", "maxchars"} {
			if n, err := strconv.Atoi(wish.Attr(name)); err == nil && (name == "maxstanzas" || n == 0) {
				limit = min(limit, max(n, 0))
			}
		}
		if at, err := xmpp.ParseTime(wish.Attr("since")); err == nil {
			since = at.UnixMicro()
		}
		if n, err := strconv.ParseInt(wish.Attr("seconds"), 10, 32); err == nil {
			since = max(since, g.now().UnixMicro()-n*1e6)
		}
	}
	if limit == 0 {
		return nil, nil
	}
	r.mu.Lock()
	after, err := r.readable(t.Sender.JID)
	told := r.told
	r.mu.Unlock()
	if err != nil {
		return nil, nil // what keeps them from reading keeps them out
	}
	found, _, err := g.read(ctx, r.id, span{after: max(after, since), until: told + 1, last: true, said: true}, limit)
	if err != nil {
		return nil, err
	}
	var out []*xmpp.Stanza
	for i := len(found) - 1; i >= 0; i-- {
		st, err := parseStanza(found[i].stanza)
		if err != nil {
			return nil, err
		}
		if st.Body() == "" && !isEncrypted(st) { // changes and markers mean nothing to who was not there
			continue
		}
		st.To = t.Via.JID
		st.Add(xmpp.StanzaID(r.jid, found[i].id), xmpp.NewElement("urn:xmpp:delay", "delay").Set("from", r.jid.String()).Set("stamp", xmpp.FormatTime(time.UnixMicro(found[i].id))))
		out = append(out, st)
	}
	return out, nil
}

func isEncrypted(st *xmpp.Stanza) bool {
	return st.Child("eu.siacs.conversations.axolotl", "encrypted") != nil || st.Child("urn:xmpp:omemo:2", "encrypted") != nil
}

func parseStanza(text string) (*xmpp.Stanza, error) {
	e, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		return nil, fmt.Errorf("read message of a group: %w", err)
	}
	return xmpp.NewStanza(e, xmpp.NSClient)
}
