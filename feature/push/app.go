package push

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/xmpp"
)

const nsPubSub = "http://jabber.org/protocol/pubsub"

// enable notes where an app wants its wake-ups sent (XEP-0357 §5).
func (p *Push) enable(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	service, err := p.ownRequest(r)
	if err != nil {
		return nil, err
	}
	d := device{account: r.Account.ID, service: service.String(), node: r.Payload.Attr("node"), resource: r.Via.JID.Resource()}
	if d.node == "" || len(d.node) > maxNode {
		return nil, xmpp.BadRequest.Because("node must be 1 to %d bytes", maxNode)
	}
	if x := r.Payload.Child(xmpp.NSData, "x"); x != nil {
		if _, err := xmpp.ParseForm(x); err != nil {
			return nil, xmpp.BadRequest.Because("%v", err)
		}
		if d.options = x.String(); len(d.options) > maxOptions {
			return nil, xmpp.NotAcceptable.Because("the publish options are longer than %d bytes", maxOptions)
		}
	}
	return nil, p.save(ctx, d)
}

// disable forgets one node of an app server, or all (XEP-0357 §6).
func (p *Push) disable(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	service, err := p.ownRequest(r)
	if err != nil {
		return nil, err
	}
	return nil, p.forget(ctx, r.Account.ID, service.String(), r.Payload.Attr("node"))
}

// ownRequest refuses what is not an account's own session setting something up, and reads the app server's address.
func (p *Push) ownRequest(r *core.Request) (xmpp.JID, error) {
	if !r.Own() || !r.Set || r.Via == nil {
		return xmpp.JID{}, xmpp.NotAllowed
	}
	service, err := xmpp.ParseJID(r.Payload.Attr("jid"))
	if err != nil {
		return xmpp.JID{}, xmpp.JIDMalformed
	}
	return service, nil
}

// tellApp is the worker that wakes an app through its app server.
func (p *Push) tellApp(ctx context.Context, job jobs.Job) error {
	d, account, err := p.find(ctx, job.Payload)
	if err != nil || d == nil || p.awake(account, *d) {
		return err
	}
	iq, err := d.notification(account)
	if err != nil {
		return errors.Join(jobs.ErrGiveUp, err)
	}
	_, err = p.server.Ask(ctx, iq)
	var refused *xmpp.Error
	if errors.As(err, &refused) && refused.Type != "wait" && !errors.Is(refused, xmpp.RemoteServerNotFound) {
		// XEP-0357 §7: an app server that refuses does not know the device any more.
		return errors.Join(fmt.Errorf("%w: %w", jobs.ErrGiveUp, err), p.forget(ctx, d.account, d.service, d.node))
	}
	return err
}

// notification is the request that wakes the app (XEP-0357 §7), without a summary.
func (d device) notification(account *core.Account) (*xmpp.Stanza, error) {
	service, err := xmpp.ParseJID(d.service)
	if err != nil {
		return nil, err
	}
	item := xmpp.NewElement(nsPubSub, "item", xmpp.NewElement(NS, "notification"))
	pubsub := xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", item).Set("node", d.node))
	if d.options != "" {
		x, err := xmpp.Parse(d.options, xmpp.Scope{})
		if err != nil {
			return nil, err
		}
		pubsub.Add(xmpp.NewElement(nsPubSub, "publish-options", x))
	}
	iq := &xmpp.Stanza{Kind: xmpp.IQ, Type: "set", From: account.JID, To: service}
	return iq.Add(pubsub), nil
}
