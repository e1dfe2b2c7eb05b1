package pubsub

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// tell sends an event to all who are to know: the account's own devices and its contacts' that want events of the node, and explicit
// subscribers (XEP-0163 §4.3). What goes wrong is logged: it is in the node all the same.
func (f *Feature) tell(ctx context.Context, account *core.Account, e *event) {
	n := &e.node
	if !n.settings.Notify {
		return
	}
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: n.settings.NotificationType, ID: strconv.FormatInt(f.db.Next(), 36), From: account.JID}
	st.Add(xmpp.NewElement(nsEvent, "event", e.content))
	f.sendOwn(ctx, account, n.name, st)
	told, err := f.tellContacts(ctx, account, e, st)
	if err == nil {
		err = f.tellSubscribers(ctx, account, e, st, told)
	}
	if err != nil {
		f.log.Error("could not tell of an event", "account", account.JID, "err", err)
	}
}

// sendOwn sends to the account's own devices that want events of the node.
func (f *Feature) sendOwn(ctx context.Context, account *core.Account, nodeName string, st *xmpp.Stanza) {
	for _, session := range f.server.Sessions(account.JID) {
		if f.wants(session, nodeName) {
			f.send(ctx, account, session, st)
		}
	}
}

func (f *Feature) wants(session *core.Session, nodeName string) bool {
	available, _ := session.Available()
	return available && f.interest.Wants(session, nodeName)
}

// send puts a stanza of the account into a session's queue: directly for its own, on the whole journey for others, who may have blocked
// it.
func (f *Feature) send(ctx context.Context, account *core.Account, to *core.Session, st *xmpp.Stanza) {
	if to.Account.ID != account.ID {
		f.route(ctx, account, to.JID, st)
		return
	}
	f.counts.events.Inc()
	one := st.Copy()
	one.To = to.JID
	f.server.DeliverTo(ctx, &core.Transit{Stanza: one, Sender: account, Receiver: account}, []*core.Session{to})
}

func (f *Feature) route(ctx context.Context, account *core.Account, to xmpp.JID, st *xmpp.Stanza) {
	f.counts.events.Inc()
	one := st.Copy()
	one.To = to
	if err := f.server.RouteAs(ctx, account, one); err != nil {
		f.log.Debug("event not delivered", "account", account.JID, "err", err)
	}
}

// tellContacts sends to the contacts' devices that want events of the node, and returns which addresses it sent to.
func (f *Feature) tellContacts(ctx context.Context, account *core.Account, e *event, st *xmpp.Stanza) (map[xmpp.JID]bool, error) {
	n := &e.node
	contacts, err := f.automatic(ctx, account, n)
	if err != nil {
		return nil, err
	}
	if e.audience != nil {
		contacts = slices.DeleteFunc(slices.Clone(contacts), func(contact xmpp.JID) bool { return !e.audience(contact) })
	}
	told := map[xmpp.JID]bool{}
	for _, to := range f.interest.Elsewhere(account, n.name) {
		if slices.Contains(contacts, to.Bare()) {
			f.route(ctx, account, to, st)
			told[to.Bare()], told[to] = true, true
		}
	}
	for _, contact := range contacts {
		for _, session := range f.server.Sessions(contact) {
			if f.wants(session, n.name) {
				f.send(ctx, account, session, st)
				told[contact], told[session.JID] = true, true
			}
		}
	}
	return told, nil
}

// automatic are the contacts that may read a node because they may see the account's presence (XEP-0163 §3), or, where the node is for
// members, because they are members and may.
func (f *Feature) automatic(ctx context.Context, account *core.Account, n *node) ([]xmpp.JID, error) {
	rows, err := f.db.Query(ctx, "select jid, affiliation from pubsub_affiliation where node = $1", n.id)
	if err != nil {
		return nil, fmt.Errorf("read affiliations: %w", err)
	}
	if n.settings.Access == Whitelist && rows.Len() == 0 {
		return nil, nil
	}
	affiliations := map[string]string{}
	for rows.Next() {
		var jid, affiliation string
		if err := rows.Scan(&jid, &affiliation); err != nil {
			return nil, fmt.Errorf("read affiliations: %w", err)
		}
		affiliations[jid] = affiliation
	}
	contacts, err := f.contacts.Subscribers(ctx, account)
	if err != nil || len(affiliations) == 0 && n.settings.Access != Roster {
		return contacts, err
	}
	allowed := make([]xmpp.JID, 0, len(contacts))
	for _, contact := range contacts {
		may, err := f.mayBeTold(ctx, account, n, contact, affiliations[contact.String()])
		if err != nil {
			return nil, err
		}
		if may {
			allowed = append(allowed, contact)
		}
	}
	return allowed, nil
}

// mayBeTold reports whether a contact who may see the account's presence, and has this affiliation, may read the node.
func (f *Feature) mayBeTold(ctx context.Context, account *core.Account, n *node, contact xmpp.JID, affiliation string) (bool, error) {
	switch affiliation {
	case member, publisher:
		return true, nil
	case "":
		if n.settings.Access == Roster {
			return f.groups.InGroup(ctx, account, contact, n.settings.Groups...)
		}
		return n.settings.Access != Whitelist, nil
	}
	return false, nil
}

// tellSubscribers sends to the explicit subscribers that have not been sent the event already.
func (f *Feature) tellSubscribers(ctx context.Context, account *core.Account, e *event, st *xmpp.Stanza, told map[xmpp.JID]bool) error {
	subscribers, deleted := e.gone, e.content.Local == "delete"
	if !deleted {
		var err error
		if subscribers, err = f.explicit(ctx, &e.node); err != nil {
			return err
		}
	}
	for _, who := range subscribers {
		if told[who] || e.audience != nil && !e.audience(who) {
			continue
		}
		if !deleted && f.mayRead(ctx, account, &e.node, who) != nil {
			continue
		}
		f.route(ctx, account, who, st)
	}
	return nil
}

// explicit are the addresses that have subscribed to a node.
func (f *Feature) explicit(ctx context.Context, n *node) ([]xmpp.JID, error) {
	rows, err := f.db.Query(ctx, "select jid from pubsub_subscription where node = $1 order by jid", n.id)
	if err != nil {
		return nil, fmt.Errorf("read subscriptions: %w", err)
	}
	var subscribers []xmpp.JID
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read subscriptions: %w", err)
		}
		who, err := xmpp.ParseJID(text)
		if err != nil {
			return nil, fmt.Errorf("stored subscription: %w", err)
		}
		subscribers = append(subscribers, who)
	}
	return subscribers, nil
}
