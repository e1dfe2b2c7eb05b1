package pubsub

import (
	"context"
	"crypto/rand"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const configType = NS + "#node_config"

// createNode makes a node, with a configuration if the request brings one (XEP-0060 §8.1).
func (f *Feature) createNode(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	if !isOwner(r) {
		return nil, xmpp.Forbidden
	}
	name := e.Attr("node")
	instant := name == ""
	if instant {
		name = rand.Text()
	}
	settings := f.settingsFor(name)
	if x := r.Payload.Child(NS, "configure").Child(xmpp.NSData, "x"); x != nil {
		form, err := parseForm(x, configType)
		if err != nil {
			return nil, err
		}
		if err := settings.apply(form); err != nil {
			return nil, err
		}
		if settings.clamp(f.cfg.MaxItems); f.hold(name, &settings) {
			return nil, errHeld
		}
	}
	err := f.Change(ctx, r.Account, func(ctx context.Context) error {
		n, err := f.find(ctx, r.Account, name)
		if err != nil {
			return err
		}
		if n != nil {
			return xmpp.Conflict
		}
		_, err = f.create(ctx, r.Account, name, settings)
		return err
	})
	if err != nil || !instant {
		return nil, err
	}
	return xmpp.NewElement(NS, "pubsub", xmpp.NewElement(NS, "create").Set("node", name)), nil
}

// handleOwner answers what only the owner may ask (XEP-0060 §8).
func (f *Feature) handleOwner(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !isOwner(r) {
		return nil, xmpp.Forbidden
	}
	for child := range r.Payload.Children() {
		if child.Space != nsOwner {
			continue
		}
		if act := f.ownerAction(child.Local, r.Set); act != nil {
			return act(ctx, r, child)
		}
	}
	return nil, xmpp.BadRequest.Because("there is nothing to do in this request")
}

func (f *Feature) ownerAction(name string, set bool) act {
	if set {
		switch name {
		case "configure":
			return f.setSettings
		case "delete":
			return f.deleteNode
		case "purge":
			return f.purgeNode
		case "affiliations":
			return f.setAffiliations
		case "subscriptions":
			return f.setSubscriptions
		}
		return nil
	}
	switch name {
	case "configure":
		return f.getSettings
	case "default":
		return f.getDefault
	case "affiliations":
		return f.getAffiliations
	case "subscriptions":
		return f.getSubscriptions
	}
	return nil
}

func (f *Feature) getSettings(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	configure := xmpp.NewElement(nsOwner, "configure", n.settings.form("form", configType).Element()).Set("node", n.name)
	return xmpp.NewElement(nsOwner, "pubsub", configure), nil
}

func (f *Feature) getDefault(context.Context, *core.Request, *xmpp.Element) (*xmpp.Element, error) {
	settings := DefaultSettings()
	return xmpp.NewElement(nsOwner, "pubsub", xmpp.NewElement(nsOwner, "default", settings.form("form", configType).Element())), nil
}

// setSettings changes a node's configuration (XEP-0060 §8.2). What the form leaves out stays as it is.
func (f *Feature) setSettings(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	x := e.Child(xmpp.NSData, "x")
	if x.Attr("type") == "cancel" {
		return nil, nil
	}
	form, err := parseForm(x, configType)
	if err != nil {
		return nil, err
	}
	return nil, f.Change(ctx, r.Account, func(ctx context.Context) error {
		n, err := f.need(ctx, r.Account, e.Attr("node"))
		if err != nil {
			return err
		}
		if err := n.settings.apply(form); err != nil {
			return err
		}
		n.settings.clamp(f.cfg.MaxItems)
		if f.hold(n.name, &n.settings) {
			return errHeld
		}
		return f.settle(ctx, r.Account, n, r.Via)
	})
}

// settle writes a node's new settings and what follows from them.
func (f *Feature) settle(ctx context.Context, account *core.Account, n *node, via *core.Session) error {
	if err := f.reset(ctx, n); err != nil {
		return err
	}
	if !n.settings.Persist {
		if err := f.empty(ctx, account, n); err != nil {
			return err
		}
	}
	freed, err := f.trim(ctx, n)
	if err != nil {
		return err
	}
	if _, _, err := f.use(ctx, account, 0, -freed); err != nil {
		return err
	}
	for _, rule := range f.configure[n.name] {
		if err := rule(ctx, account, n.settings.Access); err != nil {
			return err
		}
	}
	if !n.settings.NotifyConfig {
		return nil
	}
	told := xmpp.NewElement(nsEvent, "configuration").Set("node", n.name)
	if n.settings.DeliverPayloads {
		told.Add(n.settings.form("result", configType).Element())
	}
	return f.add(ctx, account, event{node: *n, by: via, content: told})
}

func (f *Feature) deleteNode(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	return nil, f.Change(ctx, r.Account, func(ctx context.Context) error { return f.delete(ctx, r.Account, e.Attr("node"), r.Via) })
}

// delete removes a node within a Change (XEP-0060 §8.4).
func (f *Feature) delete(ctx context.Context, account *core.Account, name string, via *core.Session) error {
	n, err := f.need(ctx, account, name)
	if err != nil {
		return err
	}
	gone, err := f.explicit(ctx, n)
	if err != nil {
		return err
	}
	if err := f.drop(ctx, account, n); err != nil {
		return err
	}
	if err := f.tellRules(ctx, account, name); err != nil || !n.settings.NotifyDelete {
		return err
	}
	return f.add(ctx, account, event{node: *n, by: via, gone: gone, content: xmpp.NewElement(nsEvent, "delete").Set("node", name)})
}

// tellRules runs the rules for the removal of all items of a node.
func (f *Feature) tellRules(ctx context.Context, account *core.Account, name string) error {
	for _, rule := range f.retract[name] {
		if err := rule(ctx, account, ""); err != nil {
			return err
		}
	}
	return nil
}

// purgeNode removes all items of a node (XEP-0060 §8.5).
func (f *Feature) purgeNode(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	return nil, f.Change(ctx, r.Account, func(ctx context.Context) error {
		n, err := f.need(ctx, r.Account, e.Attr("node"))
		if err != nil {
			return err
		}
		if err := f.empty(ctx, r.Account, n); err != nil {
			return err
		}
		if err := f.tellRules(ctx, r.Account, n.name); err != nil || !n.settings.NotifyRetract {
			return err
		}
		return f.add(ctx, r.Account, event{node: *n, by: r.Via, content: xmpp.NewElement(nsEvent, "purge").Set("node", n.name)})
	})
}
