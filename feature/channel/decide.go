package channel

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// plan is what was decided about a stanza: what to write, in the log of which channel, and what to do when it was kept.
type plan struct {
	channel *channel
	write   core.Write
	tell    func(ctx context.Context)
}

// planned is the plan of a stanza on its way.
var planned = new(core.Note[*plan])

// Decide is asked before anything is kept (core.Deciding).
func (cs *Channels) Decide(ctx context.Context, t *core.Transit) (int64, core.Write, error) {
	p, err := cs.decide(ctx, t)
	if err != nil || p == nil {
		return 0, nil, err
	}
	planned.Set(t, p)
	if p.channel == nil {
		return 0, p.write, nil
	}
	return p.channel.id, p.write, nil
}

// Handle tells what was kept (core.Service).
func (cs *Channels) Handle(ctx context.Context, t *core.Transit) error {
	if p := planned.Get(t); p != nil && p.tell != nil {
		p.tell(ctx)
	}
	return nil
}

func (cs *Channels) decide(ctx context.Context, t *core.Transit) (*plan, error) {
	st := t.Stanza
	switch {
	case t.Sender == nil || t.Via == nil: // nobody else can come here yet
		return nil, xmpp.ServiceUnavailable
	case st.IsError() || st.Kind == xmpp.Presence || st.Kind == xmpp.IQ && !st.IsRequest():
		return nil, nil
	case st.Kind == xmpp.Message:
		return nil, xmpp.ServiceUnavailable.Because("what is published goes to the node of a channel")
	}
	payload := st.First()
	if payload == nil || st.ID == "" {
		return nil, xmpp.BadRequest
	}
	set := st.Type == "set"
	if !st.To.IsBare() {
		return nil, xmpp.ServiceUnavailable
	}
	if name := st.To.Local(); name != "" { // a channel as a chat, for those who mute or open it by an address
		if payload.Is(nsInfo, "query") && !set {
			return cs.info(ctx, t, name)
		}
		return nil, xmpp.ServiceUnavailable
	}
	switch {
	case payload.Is(nsPubSub, "pubsub"):
		return cs.askedPubSub(ctx, t, payload, set)
	case payload.Is(nsOwner, "pubsub"):
		return cs.askedOwner(ctx, t, payload, set)
	case payload.Space == NS:
		return cs.askedOurs(ctx, t, payload, set)
	case set && payload.Is(nsMAM, "query"):
		return cs.query(ctx, t, payload)
	case set:
		return nil, xmpp.ServiceUnavailable
	}
	return cs.askedAbout(ctx, t, payload)
}

// askedAbout answers what is asked of any service.
func (cs *Channels) askedAbout(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	switch {
	case payload.Is(nsInfo, "query"):
		return cs.info(ctx, t, payload.Attr("node"))
	case payload.Is(nsItems, "query"):
		return cs.items(ctx, t, payload)
	case payload.Is(nsMAM, "query"):
		return answer(t, xmpp.NewArchiveForm()), nil
	case payload.Is(nsPing, "ping"):
		return answer(t, nil), nil
	}
	return nil, xmpp.ServiceUnavailable
}

// act decides about a request, of which e is the child that says what to do.
type act func(ctx context.Context, t *core.Transit, pubsub, e *xmpp.Element) (*plan, error)

// askedPubSub decides about what anybody may ask, as far as access allows (XEP-0060 §5–§8).
func (cs *Channels) askedPubSub(ctx context.Context, t *core.Transit, pubsub *xmpp.Element, set bool) (*plan, error) {
	acts := map[string]act{"items": cs.retrieve, "subscriptions": cs.mySubscriptions, "affiliations": cs.myAffiliations, "options": cs.options}
	if set {
		acts = map[string]act{"create": cs.create, "publish": cs.publish, "retract": cs.retract, "subscribe": cs.subscribe, "unsubscribe": cs.unsubscribe, "options": cs.setOptions}
	}
	return doFirst(ctx, t, pubsub, acts)
}

// doFirst does the first thing that a request names and that is known.
func doFirst(ctx context.Context, t *core.Transit, payload *xmpp.Element, acts map[string]act) (*plan, error) {
	for child := range payload.Children() {
		if do := acts[child.Local]; do != nil && child.Space == payload.Space {
			return do(ctx, t, payload, child)
		}
	}
	return nil, xmpp.BadRequest.Because("there is nothing to do in this request")
}

// node is the channel that a request names.
func (cs *Channels) node(ctx context.Context, e *xmpp.Element) (*channel, error) {
	name := e.Attr("node")
	if name == "" {
		return nil, fault.NodeRequired
	}
	return cs.loaded.get(ctx, name)
}

// readable is the channel that a request names, if the asker may read it.
func (cs *Channels) readable(ctx context.Context, t *core.Transit, e *xmpp.Element) (*channel, error) {
	c, err := cs.node(ctx, e)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.mayRead(t.Sender.JID)
}

// answer makes a plan that answers an iq at once.
func answer(t *core.Transit, payload *xmpp.Element) *plan {
	return &plan{tell: func(context.Context) { t.Via.Send(t.Stanza.Reply(payload)) }}
}

// answered makes a plan answer the iq that asked for it, when it was done.
func (p *plan) answered(t *core.Transit, payload func() *xmpp.Element) *plan {
	tell := p.tell
	p.tell = func(ctx context.Context) {
		if tell != nil {
			tell(ctx)
		}
		var body *xmpp.Element
		if payload != nil {
			body = payload()
		}
		t.Via.Send(t.Stanza.Reply(body))
	}
	return p
}
