package roster

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// checkSent refuses presence that means nothing.
func (f *Feature) checkSent(_ context.Context, t *core.Transit) error {
	st := t.Stanza
	if st.Kind != xmpp.Presence {
		return nil
	}
	switch st.Type {
	case "":
		if _, err := priorityOf(st); err != nil {
			return err
		}
		if t.Via != nil && !st.To.IsZero() && f.devices.Get(t.Via).full(st.To, f.cfg.MaxDirected) {
			return xmpp.ResourceConstraint.Because("presence is shown to at most %d others", f.cfg.MaxDirected)
		}
		return nil
	case "unavailable":
		return nil
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error":
		if st.To.IsZero() {
			return xmpp.BadRequest.Because("presence of type %s needs an address", st.Type)
		}
		return nil
	}
	return xmpp.BadRequest.Because("presence has no such type") // RFC 6121 §4.7.1
}

// priorityOf is the priority of presence, -128 to 127 (RFC 6121 §4.7.2.3).
func priorityOf(st *xmpp.Stanza) (int8, error) {
	e := st.Child(xmpp.NSClient, "priority")
	if e == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(e.Text()), 10, 8)
	if err != nil {
		return 0, xmpp.BadRequest.Because("the priority is not a number from -128 to 127")
	}
	return int8(n), nil
}

// handle takes the presence that core hands to its owner.
func (f *Feature) handle(ctx context.Context, t *core.Transit) error {
	if !t.Stanza.To.IsZero() {
		return f.received(ctx, t)
	}
	if t.Via == nil {
		return xmpp.BadRequest
	}
	if t.Stanza.Type == "unavailable" {
		f.leave(ctx, t.Via, t.Stanza)
		return nil
	}
	return f.appear(ctx, t.Via, t.Stanza)
}

// appear is initial presence and every later one (RFC 6121 §4.2 and §4.4).
func (f *Feature) appear(ctx context.Context, session *core.Session, st *xmpp.Stanza) error {
	priority, err := priorityOf(st)
	if err != nil {
		return err
	}
	contacts, err := f.contacts.Get(ctx, session.Account.ID)
	if err != nil {
		return err
	}
	was, _ := session.Available()
	f.devices.Get(session).setSince(time.Now())
	session.SetPresence(f.shared.compact(st, session.JID), priority)
	f.broadcast(ctx, session, contacts, st)
	if was {
		return nil
	}
	return f.arrive(ctx, session, contacts)
}

// leave is unavailable presence of a session (RFC 6121 §4.5).
func (f *Feature) leave(ctx context.Context, session *core.Session, st *xmpp.Stanza) {
	contacts, err := f.contacts.Get(ctx, session.Account.ID)
	if err != nil {
		f.log.Error("could not tell contacts that a session left", "session", session, "err", err)
	}
	if was, _ := session.Available(); was {
		session.SetPresence(nil, 0)
		f.broadcast(ctx, session, contacts, st)
	}
	for _, to := range f.devices.Get(session).takeDirected() { // RFC 6121 §4.6.3
		if i, found := find(contacts, to.Bare()); found && contacts[i].state&From != 0 {
			continue
		}
		f.route(ctx, session.Account, addressed(st, to))
	}
}

// ended is the end of a session that said nothing (RFC 6121 §4.5.2).
func (f *Feature) ended(ctx context.Context, session *core.Session) {
	f.leave(context.WithoutCancel(ctx), session, unavailable(session.JID))
}

func unavailable(from xmpp.JID) *xmpp.Stanza {
	return &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", From: from}
}

// addressed is presence as it goes to one address.
func addressed(st *xmpp.Stanza, to xmpp.JID) *xmpp.Stanza {
	st = st.Copy()
	st.To = to
	return st
}

// broadcast sends presence to the contacts that may see it, and to the account's own sessions.
func (f *Feature) broadcast(ctx context.Context, session *core.Session, contacts []contact, st *xmpp.Stanza) {
	for _, c := range contacts {
		if c.state&From != 0 && f.reachable(c.jid) {
			f.route(ctx, session.Account, addressed(st, c.jid))
		}
	}
	f.route(ctx, session.Account, addressed(st, session.Account.JID))
}

// reachable is false for a local account that nobody is there for, which is the cheap way to tell it nothing.
func (f *Feature) reachable(jid xmpp.JID) bool {
	if !f.server.Local(jid) || jid.Local() == "" {
		return true
	}
	for _, session := range f.server.Sessions(jid) {
		if ok, _ := session.Available(); ok {
			return true
		}
	}
	return false
}

// arrive tells a new session who else is there, and asks those elsewhere (RFC 6121 §4.2.2 and §4.3).
func (f *Feature) arrive(ctx context.Context, session *core.Session, contacts []contact) error {
	requests := false
	for _, c := range contacts {
		requests = requests || c.state&Request != 0
		if c.state&To != 0 && f.reachable(c.jid) {
			f.route(ctx, session.Account, &xmpp.Stanza{Kind: xmpp.Presence, Type: "probe", From: session.JID, To: c.jid})
		}
	}
	for _, other := range f.server.Sessions(session.Account.JID) {
		if other != session {
			f.show(other, session.JID, session.Send)
		}
	}
	if !requests {
		return nil
	}
	return f.deliverRequests(ctx, session)
}

// present tells one contact of all the account's sessions: that they are there, or, when it may no longer see them, that they are gone.
func (f *Feature) present(ctx context.Context, account *core.Account, to xmpp.JID, there bool) {
	for _, session := range f.available(account.JID) {
		st := session.Presence()
		if st == nil {
			continue
		}
		if !there {
			st = unavailable(session.JID)
		}
		f.route(ctx, account, addressed(st, to))
	}
}

// received is presence for a local account (RFC 6121 §8.5.2.1.2 and §8.5.3).
func (f *Feature) received(ctx context.Context, t *core.Transit) error {
	switch st := t.Stanza; st.Type {
	case "", "unavailable":
		f.server.DeliverTo(ctx, t, f.recipients(t))
	case "error":
		if session := f.server.Session(st.To); session != nil {
			f.devices.Get(session).forgetDirected(st.From)
			f.server.DeliverTo(ctx, t, []*core.Session{session})
		}
	case "probe":
		return f.probed(ctx, t)
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		f.told(ctx, t)
	default:
		return xmpp.BadRequest
	}
	return nil
}

func (f *Feature) recipients(t *core.Transit) []*core.Session {
	if t.Stanza.To.IsBare() {
		return f.available(t.Receiver.JID)
	}
	if session := f.server.Session(t.Stanza.To); session != nil {
		return []*core.Session{session}
	}
	return nil
}

// route sends presence in an account's name. That it cannot be delivered is not told to anybody.
func (f *Feature) route(ctx context.Context, account *core.Account, st *xmpp.Stanza) {
	err := f.server.RouteAs(ctx, account, st)
	var told *xmpp.Error
	if err != nil && !errors.As(err, &told) {
		f.log.Warn("presence was not delivered", "account", account.JID.String(), "err", err)
	}
}
