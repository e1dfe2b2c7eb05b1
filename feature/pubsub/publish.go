package pubsub

import (
	"context"
	"crypto/rand"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// handle answers what anybody may ask, as far as access allows (XEP-0060 §5–§7, §8.1).
func (f *Feature) handle(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	for child := range r.Payload.Children() {
		if child.Space != NS {
			continue
		}
		if act := f.action(child.Local, r.Set); act != nil {
			return act(ctx, r, child)
		}
	}
	return nil, xmpp.BadRequest.Because("there is nothing to do in this request")
}

// act answers a request, of which e is the child that says what to do.
type act func(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error)

func (f *Feature) action(name string, set bool) act {
	if set {
		switch name {
		case "publish":
			return f.publishItem
		case "retract":
			return f.retractItems
		case "create":
			return f.createNode
		case "subscribe":
			return f.subscribe
		case "unsubscribe":
			return f.unsubscribe
		case "options":
			return refuse("subscription-options")
		}
		return nil
	}
	switch name {
	case "items":
		return f.retrieve
	case "subscriptions":
		return f.mySubscriptions
	case "affiliations":
		return f.myAffiliations
	case "default":
		return refuse("subscription-options")
	case "options":
		return refuse("subscription-options")
	}
	return nil
}

func refuse(feature string) act {
	return func(context.Context, *core.Request, *xmpp.Element) (*xmpp.Element, error) {
		return nil, fault.Unsupported(feature)
	}
}

// publication is what a request wants published.
type publication struct {
	node    string
	id      string
	payload *xmpp.Element
	text    string     // the payload's bytes
	options *xmpp.Form // preconditions; nil if none
}

// parsePublication reads <publish/> and the <publish-options/> beside it (XEP-0060 §7.1).
func (f *Feature) parsePublication(pubsub, publish *xmpp.Element) (*publication, error) {
	p := &publication{node: publish.Attr("node")}
	if p.node == "" {
		return nil, fault.NodeRequired
	}
	items := 0
	for child := range publish.Children() {
		if !child.Is(NS, "item") {
			continue
		}
		if items++; items > 1 {
			return nil, fault.MaxItems.Because("one item at a time")
		}
		if err := p.readItem(child); err != nil {
			return nil, err
		}
	}
	if items == 0 {
		return nil, fault.ItemRequired
	}
	if options := pubsub.Child(NS, "publish-options"); options != nil {
		form, err := parseForm(options.Child(xmpp.NSData, "x"), NS+"#publish-options")
		if err != nil {
			return nil, err
		}
		p.options = form
	}
	return p, f.check(p)
}

func (p *publication) readItem(e *xmpp.Element) error {
	p.id = e.Attr("id")
	for payload := range e.Children() {
		if p.payload != nil {
			return fault.InvalidPayload.Because("an item holds one element")
		}
		p.payload = payload
	}
	return nil
}

// check applies the limits, gives the publication an id if it has none, and makes its bytes.
func (f *Feature) check(p *publication) error {
	if len(p.id) > maxName || len(p.node) > maxName {
		return xmpp.NotAcceptable.Because("the name of a node and the id of an item have at most %d bytes", maxName)
	}
	if p.id == "" {
		p.id = rand.Text()
	}
	if p.payload != nil {
		p.text = string(p.payload.Append(nil, ""))
	}
	if len(p.text) > f.cfg.MaxPayloadBytes {
		return fault.PayloadTooBig.Because("an item has at most %d bytes", f.cfg.MaxPayloadBytes)
	}
	return nil
}

// parseForm reads a submitted form of this FORM_TYPE.
func parseForm(x *xmpp.Element, formType string) (*xmpp.Form, error) {
	form, err := xmpp.ParseForm(x)
	if err != nil || form.Type != "submit" {
		return nil, xmpp.BadRequest.Because("there is no data form of type submit")
	}
	if given, ok := form.Value("FORM_TYPE"); ok && given != formType {
		return nil, xmpp.BadRequest.Because("FORM_TYPE must be %s", formType)
	}
	return form, nil
}

func (f *Feature) publishItem(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	p, err := f.parsePublication(r.Payload, e)
	if err != nil {
		return nil, err
	}
	by := ""
	if !isOwner(r) {
		by = asker(r).Bare().String()
		n, err := f.need(ctx, r.Account, p.node)
		if err != nil {
			return nil, err
		}
		if err := f.mayPublish(ctx, r.Account, n, asker(r)); err != nil {
			return nil, err
		}
	}
	err = f.Change(ctx, r.Account, func(ctx context.Context) error { return f.keep(ctx, r.Account, p, by, r.Via) })
	if err != nil {
		return nil, err
	}
	published := xmpp.NewElement(NS, "item").Set("id", p.id)
	return xmpp.NewElement(NS, "pubsub", xmpp.NewElement(NS, "publish", published).Set("node", p.node)), nil
}

// keep writes a publication within a Change, making the node if need be (XEP-0060 §7.1.4). by is the publisher if that is not the owner.
func (f *Feature) keep(ctx context.Context, account *core.Account, p *publication, by string, via *core.Session) error {
	n, err := f.find(ctx, account, p.node)
	if err != nil {
		return err
	}
	switch {
	case n == nil && by != "":
		return xmpp.ItemNotFound
	case n == nil:
		n, err = f.autoCreate(ctx, account, p)
	case p.options != nil:
		if unmet := n.settings.unmet(p.options, f.cfg.MaxItems); unmet != "" {
			err = fault.Precondition.Because("the node is not configured as wanted: %.80s", unmet)
		}
	}
	if err != nil {
		return err
	}
	if p.payload == nil && (n.settings.Persist || n.settings.DeliverPayloads) {
		return fault.PayloadRequired
	}
	return f.keepItem(ctx, account, n, p, by, via)
}

func (f *Feature) keepItem(ctx context.Context, account *core.Account, n *node, p *publication, by string, via *core.Session) error {
	i := &item{name: p.id, id: f.db.Next(), publisher: by, payload: p.text}
	if n.settings.Persist {
		if err := f.put(ctx, account, n, i); err != nil {
			return err
		}
	}
	for _, rule := range f.publish[p.node] {
		if err := rule(ctx, account, p.id, p.payload); err != nil {
			return err
		}
	}
	shown := xmpp.NewElement(nsEvent, "item").Set("id", p.id)
	if by != "" {
		shown.Set("publisher", by)
	}
	if n.settings.DeliverPayloads {
		shown.Add(p.payload)
	}
	return f.add(ctx, account, event{node: *n, by: via, audience: f.audience(n.name, p.payload), content: xmpp.NewElement(nsEvent, "items", shown).Set("node", n.name)})
}

func (f *Feature) autoCreate(ctx context.Context, account *core.Account, p *publication) (*node, error) {
	settings := f.settingsFor(p.node)
	if p.options != nil {
		if err := settings.apply(p.options); err != nil {
			return nil, fault.Precondition.Because("%v", err)
		}
		settings.clamp(f.cfg.MaxItems)
		f.hold(p.node, &settings)
		if unmet := settings.unmet(p.options, f.cfg.MaxItems); unmet != "" {
			return nil, fault.Precondition.Because("this cannot be configured: %.80s", unmet)
		}
	}
	return f.create(ctx, account, p.node, settings)
}

// Publish publishes in the name of the account, making the node if need be; an empty id is replaced by a random one. It returns an
// *xmpp.Error beyond the limits. Within Change it is kept together with the rest.
func (f *Feature) Publish(ctx context.Context, account *core.Account, nodeName, id string, payload *xmpp.Element) error {
	p := &publication{node: nodeName, id: id, payload: payload}
	if err := f.check(p); err != nil {
		return err
	}
	return f.Change(ctx, account, func(ctx context.Context) error { return f.keep(ctx, account, p, "", nil) })
}

// Ensure makes a node with this access model if it is not there; one that is there stays as it is. Within Change it is kept together with
// the rest.
func (f *Feature) Ensure(ctx context.Context, account *core.Account, nodeName, access string) error {
	return f.Change(ctx, account, func(ctx context.Context) error {
		n, err := f.find(ctx, account, nodeName)
		if n != nil || err != nil {
			return err
		}
		settings := f.settingsFor(nodeName)
		settings.Access = access
		_, err = f.create(ctx, account, nodeName, settings)
		return err
	})
}
