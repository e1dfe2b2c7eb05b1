package pubsub

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// The affiliations that somebody may have with a node (XEP-0060 §4.1). The account itself is the one owner.
const (
	none        = "none"
	member      = "member"
	publisher   = "publisher"
	publishOnly = "publish-only"
	outcast     = "outcast"
	owner       = "owner"
)

// affiliation is how a bare address stands with a node.
func (f *Feature) affiliation(ctx context.Context, account *core.Account, n *node, who xmpp.JID) (string, error) {
	if who == account.JID {
		return owner, nil
	}
	var a string
	err := f.db.QueryRow(ctx, "select affiliation from pubsub_affiliation where node = $1 and jid = $2", n.id, who.String()).Scan(&a)
	if errors.Is(err, store.ErrNoRows) {
		return none, nil
	}
	if err != nil {
		return "", fmt.Errorf("read affiliation: %w", err)
	}
	return a, nil
}

// mayRead returns nil if an address may read a node, or what to tell it (XEP-0060 §6.5.9).
func (f *Feature) mayRead(ctx context.Context, account *core.Account, n *node, who xmpp.JID) error {
	who = who.Bare()
	a, err := f.affiliation(ctx, account, n, who)
	switch {
	case err != nil:
		return err
	case a == owner || a == publisher || a == member:
		return nil
	case a == outcast || a == publishOnly:
		return xmpp.Forbidden
	}
	switch n.settings.Access {
	case Open:
		return nil
	case Presence:
		subscribed, err := f.contacts.Subscribed(ctx, account, who)
		if err != nil {
			return err
		}
		if !subscribed {
			return fault.NeedPresence
		}
		return nil
	case Roster:
		in, err := f.groups.InGroup(ctx, account, who, n.settings.Groups...)
		if err == nil && !in {
			err = fault.NotInGroup
		}
		return err
	}
	return fault.ClosedNode
}

// mayPublish returns nil if an address may publish to a node (XEP-0060 §7.1.3.1).
func (f *Feature) mayPublish(ctx context.Context, account *core.Account, n *node, who xmpp.JID) error {
	who = who.Bare()
	a, err := f.affiliation(ctx, account, n, who)
	switch {
	case err != nil:
		return err
	case a == owner || a == publisher || a == publishOnly:
		return nil
	case a == outcast:
		return xmpp.Forbidden
	}
	switch n.settings.PublishModel {
	case "open":
		return f.mayRead(ctx, account, n, who)
	case "subscribers":
		id, err := f.subscription(ctx, n, who)
		if err == nil && id != "" {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return xmpp.Forbidden
}

// MayRead reports whether an address may read a node of an account; false if the node does not exist.
func (f *Feature) MayRead(ctx context.Context, account *core.Account, nodeName string, who xmpp.JID) (bool, error) {
	n, err := f.find(ctx, account, nodeName)
	if n == nil || err != nil {
		return false, err
	}
	err = f.mayRead(ctx, account, n, who)
	var refused *xmpp.Error
	if errors.As(err, &refused) {
		return false, nil
	}
	return err == nil, err
}

// Access is the access model of a node, "" if it does not exist.
func (f *Feature) Access(ctx context.Context, account *core.Account, nodeName string) (string, error) {
	n, err := f.find(ctx, account, nodeName)
	if n == nil || err != nil {
		return "", err
	}
	return n.settings.Access, nil
}

// asker is the address that a request comes from.
func asker(r *core.Request) xmpp.JID {
	if r.Stanza.From.IsZero() && r.Sender != nil {
		return r.Sender.JID
	}
	return r.Stanza.From
}

// isOwner reports whether the request is the account's own.
func isOwner(r *core.Request) bool { return asker(r).Bare() == r.Account.JID }
