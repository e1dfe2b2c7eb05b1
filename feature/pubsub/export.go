package pubsub

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// export gives all nodes with their configuration, affiliations, subscriptions and items (XEP-0227 §4.7).
func (f *Feature) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	nodes, err := f.nodes(ctx, account)
	if err != nil || len(nodes) == 0 {
		return nil, err
	}
	owned, published := xmpp.NewElement(nsOwner, "pubsub"), xmpp.NewElement(NS, "pubsub")
	for i := range nodes {
		n := &nodes[i]
		owned.Add(xmpp.NewElement(nsOwner, "configure", n.settings.form("submit", configType).Element()).Set("node", n.name))
		if err := f.exportMembers(ctx, n, owned); err != nil {
			return nil, err
		}
		if n.settings.ItemExpire != unlimited {
			continue // the time that an item has left does not move with it
		}
		items := xmpp.NewElement(NS, "items").Set("node", n.name)
		err := f.Items(ctx, account, n.name, func(id string, payload *xmpp.Element) error {
			items.Add(xmpp.NewElement(NS, "item", payload).Set("id", id))
			return nil
		})
		if err != nil {
			return nil, err
		}
		published.Add(items)
	}
	return []*xmpp.Element{owned, published}, nil
}

func (f *Feature) exportMembers(ctx context.Context, n *node, owned *xmpp.Element) error {
	for _, kind := range []struct{ list, one, sql string }{
		{"affiliations", "affiliation", "select jid, affiliation from pubsub_affiliation where node = $1 order by jid"},
		{"subscriptions", "subscription", "select jid, 'subscribed' from pubsub_subscription where node = $1 order by jid"},
	} {
		rows, err := f.db.Query(ctx, kind.sql, n.id)
		if err != nil {
			return fmt.Errorf("export %s: %w", kind.list, err)
		}
		list := xmpp.NewElement(nsOwner, kind.list).Set("node", n.name)
		for rows.Next() {
			var jid, state string
			if err := rows.Scan(&jid, &state); err != nil {
				return fmt.Errorf("export %s: %w", kind.list, err)
			}
			list.Add(xmpp.NewElement(nsOwner, kind.one).Set("jid", jid).Set(kind.one, state))
		}
		if len(list.Nodes) > 0 {
			owned.Add(list)
		}
	}
	return nil
}

// adopt takes exported nodes back: first <pubsub xmlns='…#owner'/> makes them, then <pubsub/> fills them. Nobody is told.
func (f *Feature) adopt(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	switch {
	case part.Is(nsOwner, "pubsub"):
	case part.Is(NS, "pubsub"):
	default:
		return nil
	}
	silent := &change{account: account}
	err := f.db.Tx(ctx, silent.write(func(ctx context.Context) error {
		for child := range part.Children() {
			if err := f.adoptPart(ctx, account, child); err != nil {
				return fmt.Errorf("node %q: %w", child.Attr("node"), err)
			}
		}
		return nil
	}))
	f.committed(account)
	return err
}

func (f *Feature) adoptPart(ctx context.Context, account *core.Account, e *xmpp.Element) error {
	n, err := f.find(ctx, account, e.Attr("node"))
	if err != nil {
		return err
	}
	settings := f.settingsFor(e.Attr("node"))
	if e.Is(nsOwner, "configure") {
		if settings, err = importSettings(settings, e.Child(xmpp.NSData, "x")); err != nil {
			return err
		}
	}
	if n == nil {
		if n, err = f.create(ctx, account, e.Attr("node"), settings); err != nil {
			return err
		}
	}
	switch {
	case e.Is(nsOwner, "configure"):
		n.settings = settings
		n.settings.clamp(f.cfg.MaxItems)
		f.hold(n.name, &n.settings)
		return f.reset(ctx, n)
	case e.Is(nsOwner, "affiliations"):
		for child := range e.Children() {
			if err := f.setAffiliation(ctx, account, n, child); err != nil {
				return err
			}
		}
	case e.Is(nsOwner, "subscriptions"):
		for child := range e.Children() {
			if err := f.adoptSubscription(ctx, n, child); err != nil {
				return err
			}
		}
	case e.Is(NS, "items"):
		return f.adoptItems(ctx, account, n, e)
	}
	return nil
}

// importSettings takes over what another server's configuration says as far as it is understood here.
func importSettings(settings Settings, x *xmpp.Element) (Settings, error) {
	form, err := xmpp.ParseForm(x)
	if err != nil {
		return settings, err
	}
	for _, given := range form.Fields {
		if known := fieldNamed(given.Var); known != nil && len(given.Values) > 0 {
			before := settings
			if known.set(&settings, given.Values) != nil {
				settings = before
				if given.Var == "pubsub#access_model" { // what is not understood must not become readable
					settings.Access = Whitelist
				}
			}
		}
	}
	return settings, nil
}

func (f *Feature) adoptSubscription(ctx context.Context, n *node, e *xmpp.Element) error {
	who, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil {
		return err
	}
	_, err = f.addSubscription(ctx, n, who)
	return err
}

func (f *Feature) adoptItems(ctx context.Context, account *core.Account, n *node, e *xmpp.Element) error {
	if f.fleeting[n.name] != 0 { // nothing says how much time they have left
		return nil
	}
	for child := range e.Children() {
		p := &publication{node: n.name}
		if err := p.readItem(child); err != nil {
			return err
		}
		if err := f.check(p); err != nil {
			return err
		}
		if err := f.put(ctx, account, n, &item{name: p.id, id: f.db.Next(), publisher: child.Attr("publisher"), payload: p.text}); err != nil {
			return err
		}
	}
	return nil
}
