package pubsub

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// getAffiliations lists how others stand with a node (XEP-0060 §8.9.1).
func (f *Feature) getAffiliations(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(nsOwner, "affiliations", affiliationElement(r.Account.JID.String(), owner)).Set("node", n.name)
	rows, err := f.db.Query(ctx, "select jid, affiliation from pubsub_affiliation where node = $1 order by jid", n.id)
	if err != nil {
		return nil, fmt.Errorf("list affiliations: %w", err)
	}
	for rows.Next() {
		var jid, affiliation string
		if err := rows.Scan(&jid, &affiliation); err != nil {
			return nil, fmt.Errorf("list affiliations: %w", err)
		}
		list.Add(affiliationElement(jid, affiliation))
	}
	return xmpp.NewElement(nsOwner, "pubsub", list), nil
}

func affiliationElement(jid, affiliation string) *xmpp.Element {
	return xmpp.NewElement(nsOwner, "affiliation").Set("jid", jid).Set("affiliation", affiliation)
}

// setAffiliations changes how others stand with a node (XEP-0060 §8.9.2).
func (f *Feature) setAffiliations(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	return nil, f.Change(ctx, r.Account, func(ctx context.Context) error {
		n, err := f.need(ctx, r.Account, e.Attr("node"))
		if err != nil {
			return err
		}
		for child := range e.Children() {
			if !child.Is(nsOwner, "affiliation") {
				continue
			}
			if err := f.setAffiliation(ctx, r.Account, n, child); err != nil {
				return err
			}
		}
		return f.countMembers(ctx, n)
	})
}

func (f *Feature) setAffiliation(ctx context.Context, account *core.Account, n *node, e *xmpp.Element) error {
	who, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil {
		return xmpp.JIDMalformed
	}
	who = who.Bare()
	switch a := e.Attr("affiliation"); {
	case who == account.JID && a == owner:
		return nil
	case who == account.JID || a == owner: // the account is and stays the one owner
		return xmpp.NotAcceptable
	case a == none:
		_, err = f.db.Exec(ctx, "delete from pubsub_affiliation where node = $1 and jid = $2", n.id, who.String())
	case a == member || a == publisher || a == publishOnly || a == outcast:
		_, err = f.db.Exec(ctx, `insert into pubsub_affiliation (node, jid, affiliation) values ($1, $2, $3)
			on conflict (node, jid) do update set affiliation = excluded.affiliation`, n.id, who.String(), a)
	default:
		return xmpp.BadRequest.Because("unknown affiliation %.40q", a)
	}
	return err
}

func (f *Feature) countMembers(ctx context.Context, n *node) error {
	var count int
	if err := f.db.QueryRow(ctx, "select count(*) from pubsub_affiliation where node = $1", n.id).Scan(&count); err != nil {
		return fmt.Errorf("count affiliations: %w", err)
	}
	if count > f.cfg.MaxMembers {
		return xmpp.ResourceConstraint.Because("a node has at most %d affiliations", f.cfg.MaxMembers)
	}
	return nil
}

// getSubscriptions lists the explicit subscriptions of a node (XEP-0060 §8.8.1).
func (f *Feature) getSubscriptions(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	subscribers, err := f.explicit(ctx, n)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(nsOwner, "subscriptions").Set("node", n.name)
	for _, who := range subscribers {
		list.Add(subscriptionElement(nsOwner, "", who, "", "subscribed"))
	}
	return xmpp.NewElement(nsOwner, "pubsub", list), nil
}

// setSubscriptions ends subscriptions; the owner cannot subscribe others (XEP-0060 §8.8.2).
func (f *Feature) setSubscriptions(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	return nil, f.Change(ctx, r.Account, func(ctx context.Context) error {
		n, err := f.need(ctx, r.Account, e.Attr("node"))
		if err != nil {
			return err
		}
		for child := range e.Children() {
			if !child.Is(nsOwner, "subscription") {
				continue
			}
			who, err := xmpp.ParseJID(child.Attr("jid"))
			if err != nil {
				return xmpp.JIDMalformed
			}
			if child.Attr("subscription") != none {
				return xmpp.NotAcceptable.Because("subscriptions can only be ended here")
			}
			_, err = f.db.Exec(ctx, "delete from pubsub_subscription where node = $1 and jid = $2", n.id, who.String())
			if err != nil {
				return fmt.Errorf("end subscription: %w", err)
			}
		}
		return nil
	})
}
