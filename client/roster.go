package client

import (
	"context"

	"palabre.dev/palabre/xmpp"
)

const nsRoster = "jabber:iq:roster" // RFC 6121 §2

// Contact is an entry of the roster (RFC 6121 §2.1.2).
type Contact struct {
	JID  xmpp.JID
	Name string
	// Subscription is none, to, from, both, or, in a push, remove.
	Subscription string
	// Asked says that we have asked to see the contact's presence and wait for the answer.
	Asked  bool
	Groups []string
}

// Roster is the account's list of contacts. From then on the server pushes changes, see Config.OnRoster.
func (c *Client) Roster(ctx context.Context) ([]Contact, error) {
	query, err := c.Get(ctx, xmpp.JID{}, xmpp.NewElement(nsRoster, "query"))
	if err != nil {
		return nil, err
	}
	return contactsOf(query), nil
}

// contactsOf reads a roster; entries with a malformed address are left out.
func contactsOf(query *xmpp.Element) []Contact {
	var all []Contact
	for item := range query.Children() {
		jid, err := xmpp.ParseJID(item.Attr("jid"))
		if err != nil || !item.Is(nsRoster, "item") {
			continue
		}
		contact := Contact{JID: jid, Name: item.Attr("name"), Subscription: item.Attr("subscription"), Asked: item.Attr("ask") == "subscribe"}
		if contact.Subscription == "" {
			contact.Subscription = "none"
		}
		contact.Groups = texts(item, nsRoster, "group")
		all = append(all, contact)
	}
	return all
}

// SetContact adds a contact or changes its name and groups (RFC 6121 §2.3, §2.4).
func (c *Client) SetContact(ctx context.Context, contact Contact) error {
	item := xmpp.NewElement(nsRoster, "item").Set("jid", contact.JID.String())
	if contact.Name != "" {
		item.Set("name", contact.Name)
	}
	for _, group := range contact.Groups {
		item.Add(xmpp.NewText(nsRoster, "group", group))
	}
	_, err := c.Set(ctx, xmpp.JID{}, xmpp.NewElement(nsRoster, "query", item))
	return err
}

// RemoveContact takes a contact out, and ends both subscriptions (RFC 6121 §2.5).
func (c *Client) RemoveContact(ctx context.Context, contact xmpp.JID) error {
	item := xmpp.NewElement(nsRoster, "item").Set("jid", contact.String()).Set("subscription", "remove")
	_, err := c.Set(ctx, xmpp.JID{}, xmpp.NewElement(nsRoster, "query", item))
	return err
}

// rosterPush takes a change that the server tells (RFC 6121 §2.1.6). Nobody else may.
func (c *Client) rosterPush(request *xmpp.Stanza) (*xmpp.Element, error) {
	if !request.From.IsZero() && request.From != c.Account() {
		return nil, xmpp.ServiceUnavailable
	}
	if c.cfg.OnRoster != nil {
		for _, contact := range contactsOf(request.First()) {
			c.cfg.OnRoster(contact)
		}
	}
	return nil, nil
}
