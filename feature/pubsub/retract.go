package pubsub

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// retractItems removes items (XEP-0060 §7.2). Others are told if the request or the node's configuration says so.
func (f *Feature) retractItems(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	names := namesIn(e)
	switch {
	case len(names) == 0:
		return nil, fault.ItemRequired
	case len(names) > maxNamed:
		return nil, xmpp.PolicyViolation.Because("at most %d items at a time", maxNamed)
	}
	if err := f.mayRetract(ctx, r, n, names); err != nil {
		return nil, err
	}
	notify, _ := xmpp.Bool(e.Attr("notify"))
	return nil, f.Change(ctx, r.Account, func(ctx context.Context) error {
		for _, name := range names {
			if err := f.take(ctx, r.Account, n.name, name, notify, r.Via); err != nil {
				return err
			}
		}
		return nil
	})
}

// mayRetract lets the owner remove anything, and publishers what they have published.
func (f *Feature) mayRetract(ctx context.Context, r *core.Request, n *node, names []string) error {
	if isOwner(r) {
		return nil
	}
	if err := f.mayPublish(ctx, r.Account, n, asker(r)); err != nil {
		return err
	}
	for _, name := range names {
		i, err := f.item(ctx, n, name)
		if err != nil {
			return err
		}
		if i != nil && i.publisher != asker(r).Bare().String() {
			return xmpp.Forbidden
		}
	}
	return nil
}

// take removes one item within a Change; item-not-found if it is not there.
func (f *Feature) take(ctx context.Context, account *core.Account, nodeName, id string, notify bool, via *core.Session) error {
	if id == "" {
		return fault.ItemRequired
	}
	n, err := f.need(ctx, account, nodeName)
	if err != nil {
		return err
	}
	i, err := f.item(ctx, n, id)
	if err != nil {
		return err
	}
	if i == nil {
		return xmpp.ItemNotFound
	}
	freed, err := f.takeAway(ctx, "delete from pubsub_item where node = $1 and name = $2 returning size", n.id, id)
	if err != nil {
		return err
	}
	if _, _, err := f.use(ctx, account, 0, -freed); err != nil {
		return err
	}
	for _, rule := range f.retract[nodeName] {
		if err := rule(ctx, account, id); err != nil {
			return err
		}
	}
	if !notify && !n.settings.NotifyRetract {
		return nil
	}
	payload, err := parsePayload(i.payload)
	if err != nil {
		return err
	}
	items := xmpp.NewElement(nsEvent, "items", xmpp.NewElement(nsEvent, "retract").Set("id", id)).Set("node", n.name)
	return f.add(ctx, account, event{node: *n, by: via, audience: f.audience(n.name, payload), content: items})
}

// Retract removes an item in the name of the account and tells others; xmpp.ItemNotFound if it is not there. Within Change it is kept
// together with the rest.
func (f *Feature) Retract(ctx context.Context, account *core.Account, nodeName, id string) error {
	return f.Change(ctx, account, func(ctx context.Context) error { return f.take(ctx, account, nodeName, id, true, nil) })
}
