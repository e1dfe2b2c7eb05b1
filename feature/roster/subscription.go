package roster

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// change is what a subscription stanza does at the ends that are local; the Keep phase fills it in.
type change struct {
	outgoing       bool // a local account sends it and its roster follows
	sent, received end
}

// end is what happened at one end.
type end struct {
	was, next State
	pass      bool // the stanza goes on to the contact, or to the account's devices
	answer    bool // the server says "subscribed" in the account's name
}

type untouched struct{}

// asIs marks a subscription stanza that the server sends after it has changed the sender's roster already.
func asIs(ctx context.Context) context.Context { return context.WithValue(ctx, untouched{}, true) }

// stamp prepares a local account's subscription stanza: from bare to bare address (RFC 6121 §3.1.2).
func (f *Feature) stamp(ctx context.Context, t *core.Transit) error {
	if t.Stanza.Kind != xmpp.Presence || !aboutSubscription(t.Stanza.Type) {
		return nil
	}
	to := t.Stanza.To.Bare()
	if to == t.Sender.JID {
		t.Drop() // an account always sees itself
		return nil
	}
	st := t.Edit()
	st.From, st.To = t.Sender.JID, to
	if ctx.Value(untouched{}) == nil {
		f.changes.Set(t, &change{outgoing: true})
	}
	return nil
}

// planSent changes the sender's roster.
func (f *Feature) planSent(t *core.Transit) core.Write {
	c := f.changes.Get(t)
	if c == nil {
		return nil
	}
	account, contact, kind := t.Sender.ID, t.Stanza.To, t.Stanza.Type
	return func(ctx context.Context) error {
		it, err := f.item(ctx, account, contact)
		if err != nil {
			return err
		}
		was := it.state
		next, route := outbound(was, kind)
		c.sent = end{was: was, next: next, pass: route}
		return f.saveChanged(ctx, account, it, was, next)
	}
}

func (f *Feature) saveChanged(ctx context.Context, account int64, it *item, was, next State) error {
	if next == was {
		return nil
	}
	it.state = next
	return f.save(ctx, account, it, was)
}

// planReceived changes the receiver's roster.
func (f *Feature) planReceived(t *core.Transit) core.Write {
	st := t.Stanza
	if st.Kind != xmpp.Presence || !aboutSubscription(st.Type) || st.From.IsZero() || st.From.Bare() == t.Receiver.JID {
		return nil
	}
	c := f.changes.Get(t)
	if c == nil {
		c = &change{}
		f.changes.Set(t, c)
	}
	account, contact := t.Receiver.ID, st.From.Bare()
	return func(ctx context.Context) error {
		c.received = end{}
		if c.outgoing && !c.sent.pass {
			return nil
		}
		it, err := f.item(ctx, account, contact)
		if err != nil {
			return err
		}
		was := it.state
		next, deliver, answer := inbound(was, st.Type)
		c.received = end{was: was, next: next, pass: deliver, answer: answer}
		if st.Type == "subscribe" && deliver {
			it.request = requestText(st)
		}
		return f.saveChanged(ctx, account, it, was, next)
	}
}

// maxRequestBytes is how large a request may be to be kept with all that it carries (RFC 6121 §3.1.3); of a larger one only the bare
// request is kept.
const maxRequestBytes = 8192

func requestText(st *xmpp.Stanza) string {
	if text := st.AppendAlone(nil); len(text) <= maxRequestBytes {
		return string(text)
	}
	return (&xmpp.Stanza{Kind: xmpp.Presence, Type: st.Type, ID: st.ID, From: st.From, To: st.To}).String()
}

// tellSent tells the sender's devices what their stanza has changed, and ends its journey where RFC 6121 appendix A.2 says so.
func (f *Feature) tellSent(ctx context.Context, t *core.Transit) {
	if t.Stanza.Kind != xmpp.Presence {
		return
	}
	c := f.changes.Get(t)
	if c == nil || !c.outgoing {
		f.noteDirected(t)
		return
	}
	account, contact := t.Sender, t.Stanza.To
	if c.sent.next != c.sent.was {
		f.changed(ctx, account, contact, (c.sent.next^c.sent.was)&shown != 0)
	}
	if !c.sent.pass {
		t.Drop()
		return
	}
	if gained := c.sent.next&From != 0; gained != (c.sent.was&From != 0) {
		t.After(func(ctx context.Context) { f.present(ctx, account, contact, gained) })
	}
}

// told is the receiver's end of a subscription stanza (RFC 6121 §3.1.3, §3.1.6, §3.2.3 and §3.3.3).
func (f *Feature) told(ctx context.Context, t *core.Transit) {
	c := f.changes.Get(t)
	if c == nil {
		return
	}
	end, account, contact := c.received, t.Receiver, t.Stanza.From.Bare()
	if end.pass {
		to := f.interested(account.JID)
		if t.Stanza.Type == "subscribe" {
			to = f.available(account.JID)
		}
		f.server.DeliverTo(ctx, t, to)
	}
	if end.next != end.was {
		f.changed(ctx, account, contact, (end.next^end.was)&shown != 0)
	}
	if end.answer {
		f.say(ctx, account, "subscribed", contact)
	}
	if gained := end.next&From != 0; gained != (end.was&From != 0) {
		f.present(ctx, account, contact, gained)
	}
}

// say sends a subscription stanza in an account's name whose effect on the account's own roster is there already.
func (f *Feature) say(ctx context.Context, account *core.Account, kind string, to xmpp.JID) {
	f.route(asIs(ctx), account, &xmpp.Stanza{Kind: xmpp.Presence, Type: kind, From: account.JID, To: to})
}

// deliverRequests gives a session that has just come the requests that wait for an answer (RFC 6121 §3.1.3).
func (f *Feature) deliverRequests(ctx context.Context, session *core.Session) error {
	waiting, err := f.items(ctx, `account = $1 and (state & $2) <> 0`, session.Account.ID, int64(Request))
	if err != nil {
		return err
	}
	for _, it := range waiting {
		st, err := readStanza(it.request)
		if err != nil {
			f.log.Error("kept request is unreadable", "account", session.Account.JID.String(), "err", err)
			continue
		}
		session.Send(st)
	}
	return nil
}

func readStanza(text string) (*xmpp.Stanza, error) {
	e, err := xmpp.Parse(text, xmpp.Scope{})
	if err != nil {
		return nil, err
	}
	return xmpp.NewStanza(e, xmpp.NSClient)
}
