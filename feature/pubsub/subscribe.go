package pubsub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// subscription is the id of an address's explicit subscription to a node, "" if it has none.
func (f *Feature) subscription(ctx context.Context, n *node, who xmpp.JID) (id string, err error) {
	err = f.db.QueryRow(ctx, "select id from pubsub_subscription where node = $1 and jid = $2", n.id, who.String()).Scan(&id)
	if errors.Is(err, store.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read subscription: %w", err)
	}
	return id, nil
}

// subscriberIn reads the address that a request is about: one of the asker's own (XEP-0060 §6.1.3.1).
func subscriberIn(r *core.Request, e *xmpp.Element) (xmpp.JID, error) {
	who, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil || who.Bare() != asker(r).Bare() {
		return xmpp.JID{}, fault.InvalidJID
	}
	return who, nil
}

// subscribe adds an explicit subscription, and sends the last item (XEP-0060 §6.1).
func (f *Feature) subscribe(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	who, err := subscriberIn(r, e)
	if err != nil {
		return nil, err
	}
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	if err := f.mayRead(ctx, r.Account, n, who); err != nil {
		return nil, err
	}
	var id string
	err = f.db.Tx(ctx, func(ctx context.Context) (err error) {
		id, err = f.addSubscription(ctx, n, who)
		return err
	})
	if err != nil {
		return nil, told(err)
	}
	answer := xmpp.NewElement(NS, "pubsub", subscriptionElement(NS, n.name, who, id, "subscribed"))
	if n.settings.SendLast == never {
		return answer, nil
	}
	if err := f.server.Answer(ctx, r.Transit, r.Stanza.Reply(answer)); err != nil {
		return nil, err
	}
	f.events.put(r.Account.ID, func(ctx context.Context) {
		if err := f.sendLast(ctx, r.Account, n, who); err != nil {
			f.log.Error("could not send the last item", "account", r.Account.JID, "err", err)
		}
	})
	f.tellAll(ctx, r.Account)
	return nil, core.ErrAnswered
}

func (f *Feature) addSubscription(ctx context.Context, n *node, who xmpp.JID) (string, error) {
	id, err := f.subscription(ctx, n, who)
	if err != nil || id != "" {
		return id, err
	}
	var count int
	if err := f.db.QueryRow(ctx, "select count(*) from pubsub_subscription where node = $1", n.id).Scan(&count); err != nil {
		return "", err
	}
	if count >= f.cfg.MaxMembers {
		return "", xmpp.ResourceConstraint.Because("a node has at most %d subscriptions", f.cfg.MaxMembers)
	}
	id = rand.Text()
	_, err = f.db.Exec(ctx, "insert into pubsub_subscription (node, jid, bare, id) values ($1, $2, $3, $4)",
		n.id, who.String(), who.Bare().String(), id)
	return id, err
}

func subscriptionElement(space, nodeName string, who xmpp.JID, id, state string) *xmpp.Element {
	e := xmpp.NewElement(space, "subscription")
	if nodeName != "" {
		e.Set("node", nodeName)
	}
	e.Set("jid", who.String())
	if id != "" {
		e.Set("subid", id)
	}
	return e.Set("subscription", state)
}

// unsubscribe ends an explicit subscription (XEP-0060 §6.2).
func (f *Feature) unsubscribe(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	who, err := subscriberIn(r, e)
	if err != nil {
		return nil, err
	}
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	removed, err := f.db.Exec(ctx, "delete from pubsub_subscription where node = $1 and jid = $2", n.id, who.String())
	if err != nil {
		return nil, told(err)
	}
	if removed == 0 {
		return nil, fault.NotSubscribed
	}
	return nil, nil
}

// mySubscriptions lists the asker's subscriptions at this account (XEP-0060 §5.6).
func (f *Feature) mySubscriptions(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	rows, err := f.db.Query(ctx, `select n.name, s.jid, s.id from pubsub_node n join pubsub_subscription s on s.node = n.id
		where n.account = $1 and ($2 = '' or n.name = $2) and s.bare = $3 order by n.id, s.jid limit $4`,
		r.Account.ID, e.Attr("node"), asker(r).Bare().String(), int64(f.cfg.MaxMembers))
	if err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	list := xmpp.NewElement(NS, "subscriptions")
	for rows.Next() {
		var name, jid, id string
		if err := rows.Scan(&name, &jid, &id); err != nil {
			return nil, fmt.Errorf("list subscriptions: %w", err)
		}
		who, err := xmpp.ParseJID(jid)
		if err != nil {
			return nil, fmt.Errorf("stored subscription: %w", err)
		}
		list.Add(subscriptionElement(NS, name, who, id, "subscribed"))
	}
	return xmpp.NewElement(NS, "pubsub", list), nil
}

// myAffiliations lists how the asker stands with the nodes of this account (XEP-0060 §5.7).
func (f *Feature) myAffiliations(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	list := xmpp.NewElement(NS, "affiliations")
	sql := `select n.name, a.affiliation from pubsub_node n join pubsub_affiliation a on a.node = n.id
		where n.account = $1 and ($2 = '' or n.name = $2) and a.jid = $3 order by n.id`
	args := []any{r.Account.ID, e.Attr("node"), asker(r).Bare().String()}
	if isOwner(r) {
		sql, args = "select name, 'owner' from pubsub_node where account = $1 and ($2 = '' or name = $2) order by id", args[:2]
	}
	rows, err := f.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list affiliations: %w", err)
	}
	for rows.Next() {
		var name, affiliation string
		if err := rows.Scan(&name, &affiliation); err != nil {
			return nil, fmt.Errorf("list affiliations: %w", err)
		}
		list.Add(xmpp.NewElement(NS, "affiliation").Set("node", name).Set("affiliation", affiliation))
	}
	return xmpp.NewElement(NS, "pubsub", list), nil
}
