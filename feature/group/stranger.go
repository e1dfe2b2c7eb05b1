package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Contacts knows whom people know.
type Contacts interface {
	// Listed reports whether somebody is a contact of an account.
	Listed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error)
}

// mustAsk reports, within the transaction, whether somebody whom others make a member has to say so first: who does not have them among their contacts, is not there, and
// has not asked to be let in. So nobody is put into a group by a stranger.
func (c *standings) mustAsk(ctx context.Context, w wish, before standing) (bool, error) {
	g := c.groups
	if !c.asks || g.others.Contacts == nil || w.user == c.by || w.as < member || before.affiliation >= member || w.here != "" {
		return false, nil
	}
	account, err := g.server.Account(ctx, w.user)
	if errors.Is(err, core.ErrNoAccount) {
		return false, xmpp.ItemNotFound.Because("%s has no account here", w.user)
	}
	if err != nil {
		return false, fmt.Errorf("look for who is added: %w", err)
	}
	knows, err := g.others.Contacts.Listed(ctx, account, c.by)
	if err != nil || knows {
		return false, err
	}
	var waits int
	if err := g.db.QueryRow(ctx, "select count(*) from group_request where room = $1 and jid = $2", c.room.id, w.user.String()).Scan(&waits); err != nil {
		return false, fmt.Errorf("look for a request: %w", err)
	}
	return waits == 0, nil
}

// accept plans that somebody who is invited becomes what they were offered to be.
func (g *Groups) accept(r *room, user xmpp.JID, offered affiliation, nick string) *plan {
	all := &standings{groups: g, room: r, by: user, wishes: []wish{{user: user, as: offered, nick: nick}}}
	all.allowed = func(_ state, by standing, _ bool, _, _ affiliation) error {
		if by.offered != offered {
			return xmpp.Forbidden.Because("you are not invited any more")
		}
		return nil
	}
	return all.plan()
}

// asks is what an invitation says to who becomes a member only by accepting it, nil for others; r.mu is held.
func (r *room) asks(user xmpp.JID) *xmpp.Element {
	if !r.stands(user).invited() {
		return nil
	}
	return xmpp.NewElement(NS, "invited").Set("jid", r.jid.String()).Set("name", r.settings.Name)
}

// invitations lists who is invited and has not said anything yet, to members. Administrators take it back by affiliation='none'.
func (g *Groups) invitations(t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stands := r.stands(t.Sender.JID).affiliation; stands < member || r.settings.Anonymous && stands < admin {
		return nil, xmpp.Forbidden
	}
	var all []xmpp.JID
	for jid, s := range r.members {
		if s.invited() {
			all = append(all, jid)
		}
	}
	slices.SortFunc(all, func(a, b xmpp.JID) int { return strings.Compare(a.String(), b.String()) })
	list := xmpp.NewElement(NS, "invitations")
	for _, jid := range all {
		list.Add(xmpp.NewElement(NS, "invitation").Set("jid", jid.String()).Set("affiliation", r.members[jid].offered.String()).Set("stamp", stamp(r.members[jid].since)))
	}
	return answer(t, list), nil
}
