package client

import (
	"context"

	"palabre.dev/palabre/xmpp"
)

const nsBlocking = "urn:xmpp:blocking" // XEP-0191

// Blocked are the addresses that the account has blocked.
func (c *Client) Blocked(ctx context.Context) ([]xmpp.JID, error) {
	list, err := c.Get(ctx, xmpp.JID{}, xmpp.NewElement(nsBlocking, "blocklist"))
	if err != nil {
		return nil, err
	}
	var all []xmpp.JID
	for item := range list.Children() {
		if jid, err := xmpp.ParseJID(item.Attr("jid")); err == nil {
			all = append(all, jid)
		}
	}
	return all, nil
}

// Block refuses everything from these addresses from now on.
func (c *Client) Block(ctx context.Context, jids ...xmpp.JID) error {
	return c.changeBlocked(ctx, "block", jids)
}

// Unblock takes that back; without addresses, for all (XEP-0191 §3.5).
func (c *Client) Unblock(ctx context.Context, jids ...xmpp.JID) error {
	return c.changeBlocked(ctx, "unblock", jids)
}

func (c *Client) changeBlocked(ctx context.Context, verb string, jids []xmpp.JID) error {
	change := xmpp.NewElement(nsBlocking, verb)
	for _, jid := range jids {
		change.Add(xmpp.NewElement(nsBlocking, "item").Set("jid", jid.String()))
	}
	_, err := c.Set(ctx, xmpp.JID{}, change)
	return err
}
