package group

import (
	"context"
	"fmt"

	"palabre.dev/palabre/xmpp"
)

// maxMembersRead is how many members one answer names.
const maxMembersRead = 10_000

// Members are the bare addresses of the members of a group (XEP-0045 §5.2), administrators and owners among them, at most 10,000; also of one that was destroyed, as
// long as it is kept. ours is false for an address that is not of this service. It reads in the transaction of ctx, if there is one.
func (g *Groups) Members(ctx context.Context, at xmpp.JID) (all []xmpp.JID, ours bool, err error) {
	if at.Domain() != g.domain.Domain() {
		return nil, false, nil
	}
	rows, err := g.db.Query(ctx, "select m.jid from group_member m join group_room r on r.id = m.room where r.name = $1 and m.affiliation >= $2 order by m.jid limit $3",
		at.Local(), int64(member), int64(maxMembersRead))
	if err != nil {
		return nil, true, fmt.Errorf("read members of %s: %w", at, err)
	}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, true, fmt.Errorf("read members of %s: %w", at, err)
		}
		who, err := xmpp.ParseJID(text)
		if err != nil {
			return nil, true, fmt.Errorf("read members of %s: %w", at, err)
		}
		all = append(all, who)
	}
	return all, true, nil
}
