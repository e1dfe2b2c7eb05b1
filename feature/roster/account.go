package roster

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Subscribed reports whether contact (its bare address counts) may see the account's presence: its subscription is from or both, or it
// is the account itself. The error is that of the database.
func (f *Feature) Subscribed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	if contact.Bare() == account.JID {
		return true, nil
	}
	state, err := f.stateOf(ctx, account.ID, contact)
	return state&From != 0, err
}

// Listed reports whether the contact is in the account's roster.
func (f *Feature) Listed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	state, err := f.stateOf(ctx, account.ID, contact)
	return state&Listed != 0, err
}

// Subscribers are the bare addresses of the contacts that may see the account's presence.
func (f *Feature) Subscribers(ctx context.Context, account *core.Account) ([]xmpp.JID, error) {
	return f.withState(ctx, account, From)
}

// Subscriptions are the bare addresses of the contacts whose presence the account may see.
func (f *Feature) Subscriptions(ctx context.Context, account *core.Account) ([]xmpp.JID, error) {
	return f.withState(ctx, account, To)
}

// Contact is somebody in a roster, with the name that the account has given them.
type Contact struct {
	JID  xmpp.JID
	Name string
}

// Named are the contacts in the account's roster, at most max. It asks the database.
func (f *Feature) Named(ctx context.Context, account *core.Account, max int) ([]Contact, error) {
	found, err := f.items(ctx, `account = $1 and (state & $2) <> 0 order by contact limit $3`, account.ID, int64(Listed), max)
	if err != nil {
		return nil, err
	}
	named := make([]Contact, len(found))
	for i, one := range found {
		named[i] = Contact{one.contact, one.name}
	}
	return named, nil
}

func (f *Feature) withState(ctx context.Context, account *core.Account, part State) ([]xmpp.JID, error) {
	contacts, err := f.contacts.Get(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	var found []xmpp.JID
	for _, c := range contacts {
		if c.state&part != 0 {
			found = append(found, c.jid)
		}
	}
	return found, nil
}

// InGroup reports whether the account has put the contact into one of these groups of its roster. It asks the database.
func (f *Feature) InGroup(ctx context.Context, account *core.Account, contact xmpp.JID, groups ...string) (bool, error) {
	it, err := f.item(ctx, account.ID, contact.Bare())
	if err != nil {
		return false, err
	}
	for _, have := range it.groups {
		for _, want := range groups {
			if have == want {
				return true, nil
			}
		}
	}
	return false, nil
}

// Approve lets the contact see the account's presence: it answers a request that waits, or approves one that will come (RFC 6121
// §3.4). Call it outside a transaction. The error is an *xmpp.Error if a limit or another feature refuses.
func (f *Feature) Approve(ctx context.Context, account *core.Account, contact xmpp.JID) error {
	return f.server.RouteAs(ctx, account, &xmpp.Stanza{Kind: xmpp.Presence, Type: "subscribed", From: account.JID, To: contact.Bare()})
}

// Subscribe asks the contact in the account's name to see its presence. It is as Approve in all else.
func (f *Feature) Subscribe(ctx context.Context, account *core.Account, contact xmpp.JID) error {
	return f.server.RouteAs(ctx, account, &xmpp.Stanza{Kind: xmpp.Presence, Type: "subscribe", From: account.JID, To: contact.Bare()})
}

// Add puts a contact into the account's roster, or changes its name and groups, as a roster set of the account's device would. It
// subscribes to nothing. Call it outside a transaction.
func (f *Feature) Add(ctx context.Context, account *core.Account, contact xmpp.JID, name string, groups ...string) error {
	if contact.Bare() == account.JID {
		return xmpp.NotAllowed
	}
	return f.setItem(ctx, account, &item{contact: contact.Bare(), name: name, groups: groups})
}

// Hide tells those who see the account's presence, and for whom match is true, that all its sessions are unavailable. Nothing is
// remembered: it is for blocking, which keeps later presence back itself (XEP-0191 §3.3).
func (f *Feature) Hide(ctx context.Context, account *core.Account, match func(xmpp.JID) bool) error {
	return f.eachWatcher(ctx, account, match, func(session *core.Session, to xmpp.JID) {
		f.route(ctx, account, addressed(unavailable(session.JID), to))
	})
}

// Show sends the presence of all the account's sessions to those who see it and for whom match is true, and asks for theirs.
func (f *Feature) Show(ctx context.Context, account *core.Account, match func(xmpp.JID) bool) error {
	err := f.eachWatcher(ctx, account, match, func(session *core.Session, to xmpp.JID) {
		if st := session.Presence(); st != nil {
			f.route(ctx, account, addressed(st, to))
		}
	})
	if err != nil {
		return err
	}
	seen, err := f.Subscriptions(ctx, account)
	if err != nil {
		return err
	}
	for _, to := range seen {
		for _, session := range f.available(account.JID) {
			if match(to) && f.reachable(to) {
				f.route(ctx, account, &xmpp.Stanza{Kind: xmpp.Presence, Type: "probe", From: session.JID, To: to})
			}
		}
	}
	return nil
}

// eachWatcher calls fn for every available session and each address that sees its presence.
func (f *Feature) eachWatcher(ctx context.Context, account *core.Account, match func(xmpp.JID) bool, fn func(*core.Session, xmpp.JID)) error {
	watchers, err := f.Subscribers(ctx, account)
	if err != nil {
		return err
	}
	for _, session := range f.server.Sessions(account.JID) {
		if ok, _ := session.Available(); ok {
			for _, to := range watchers {
				if match(to) {
					fn(session, to)
				}
			}
		}
		for _, to := range f.devices.Get(session).listDirected() {
			if match(to) {
				fn(session, to)
			}
		}
	}
	return nil
}
