package roster

import (
	"context"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// probed answers who asks whether an account is there (RFC 6121 §4.3.2).
func (f *Feature) probed(ctx context.Context, t *core.Transit) error {
	account, from := t.Receiver, t.Stanza.From
	if from.IsZero() {
		return nil
	}
	if from.Bare() != account.JID {
		state, err := f.stateOf(ctx, account.ID, from)
		if err != nil {
			return err
		}
		if state&From == 0 {
			f.correct(ctx, account, from, state)
			return nil
		}
	}
	answer := func(st *xmpp.Stanza) { f.route(ctx, account, st) }
	if session := f.server.Session(from); session != nil {
		answer = session.Send // the probe has passed every rule between the two already
	}
	sessions := f.available(account.JID)
	for _, session := range sessions {
		f.show(session, from, answer)
	}
	if len(sessions) == 0 && !f.server.Local(from) {
		answer(addressed(unavailable(account.JID), from))
	}
	return nil
}

// correct tells a contact that believes to be subscribed that it is not, so that both ends agree again. Those whom the account shows
// its presence without a subscription are left alone, and so are those who wait for an answer.
func (f *Feature) correct(ctx context.Context, account *core.Account, from xmpp.JID, state State) {
	if state&Request == 0 {
		f.say(ctx, account, "unsubscribed", from.Bare())
	}
}

// maxShown bounds how often a presence that keeps changing is sent again: far more often than it can change meanwhile, since the last one that is sent must be
// the one that holds.
const maxShown = 1000

// show sends the presence that a session has now, with the time since when (XEP-0203). When it changes meanwhile it is sent again:
// otherwise the older one could arrive last.
func (f *Feature) show(session *core.Session, to xmpp.JID, send func(*xmpp.Stanza)) {
	st := session.Presence()
	if st == nil {
		return
	}
	for range maxShown {
		if st == nil {
			send(addressed(unavailable(session.JID), to))
		} else {
			send(delayed(addressed(st, to), session.Account.JID, f.devices.Get(session).sinceWhen()))
		}
		now := session.Presence()
		if now == st {
			return
		}
		st = now
	}
}

func delayed(st *xmpp.Stanza, from xmpp.JID, since time.Time) *xmpp.Stanza {
	if since.IsZero() || st.Child(xmpp.NSDelay, "delay") != nil {
		return st
	}
	return st.Add(xmpp.Delay(from, since))
}
