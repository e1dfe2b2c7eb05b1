package group

import (
	"context"
	"fmt"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Markers knows how far an account has read.
type Markers interface {
	// Displayed is the id that the archive of a chat has given to the newest message that an account has seen there, "" if that is not known.
	Displayed(ctx context.Context, account *core.Account, chat xmpp.JID) (id string, err error)
}

// maxUnread is how far unread messages are counted.
const maxUnread = 250

// unread is how many messages of others an account has not seen in a part of a group's log, at most maxUnread: those after its marker, and after the last that it has
// written itself. What is about messages does not count, nor does what replaces one, or what its author wants nobody to notice.
func (g *Groups) unread(ctx context.Context, r *room, account *core.Account, in span) (n int, err error) {
	if g.others.Markers != nil && in.after < in.until-1 {
		text, err := g.others.Markers.Displayed(ctx, account, r.jid)
		if err != nil {
			return 0, fmt.Errorf("count unread: %w", err)
		}
		if id, err := strconv.ParseInt(text, 10, 64); err == nil { // what is no id of a log marks nothing
			in.after = max(in.after, id)
		}
	}
	if in.after >= in.until-1 {
		return 0, nil
	}
	rows, err := g.db.Query(ctx, "select author, kind from group_entry where room = $1 and id > $2 and id < $3 order by id desc limit $4", r.id, in.after, in.until, maxUnread)
	if err != nil {
		return 0, fmt.Errorf("count unread: %w", err)
	}
	me := account.JID.String()
	for rows.Next() {
		var author string
		var kind entryKind
		if err := rows.Scan(&author, &kind); err != nil {
			return 0, fmt.Errorf("count unread: %w", err)
		}
		if (kind == saidEntry || kind == quietEntry) && author == me { // who writes has read
			return n, nil
		}
		if kind == saidEntry {
			n++
		}
	}
	return n, nil
}
