package client

import (
	"context"
	"strconv"

	"palabre.dev/palabre/xmpp"
)

// Presence is how available a client says it is (RFC 6121 §4.7).
type Presence struct {
	Show     string // "", away, chat, dnd or xa
	Status   string // for people
	Priority int8   // a negative one takes no messages for the bare address
}

// SetPresence makes the client available, or changes how; contacts are told, and so is every new session from then on.
func (c *Client) SetPresence(ctx context.Context, p Presence) error {
	st := &xmpp.Stanza{Kind: xmpp.Presence}
	for _, part := range [...][2]string{{"show", p.Show}, {"status", p.Status}} {
		if part[1] != "" {
			st.Add(xmpp.NewText(xmpp.NSClient, part[0], part[1]))
		}
	}
	if p.Priority != 0 {
		st.Add(xmpp.NewText(xmpp.NSClient, "priority", strconv.Itoa(int(p.Priority))))
	}
	st.Add(c.caps())
	return c.present(ctx, st, st)
}

// SetUnavailable takes the presence back.
func (c *Client) SetUnavailable(ctx context.Context) error {
	return c.present(ctx, &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable"}, nil)
}

func (c *Client) present(ctx context.Context, st, remember *xmpp.Stanza) error {
	c.mu.Lock()
	c.presence = remember
	c.mu.Unlock()
	return c.Send(ctx, st)
}

// Subscribe asks to see a contact's presence.
func (c *Client) Subscribe(ctx context.Context, contact xmpp.JID) error {
	return c.direct(ctx, contact, "subscribe")
}

// Unsubscribe ends that.
func (c *Client) Unsubscribe(ctx context.Context, contact xmpp.JID) error {
	return c.direct(ctx, contact, "unsubscribe")
}

// Approve lets a contact see our presence, also before it asks (RFC 6121 §3.4).
func (c *Client) Approve(ctx context.Context, contact xmpp.JID) error {
	return c.direct(ctx, contact, "subscribed")
}

// Deny refuses that, or takes it back.
func (c *Client) Deny(ctx context.Context, contact xmpp.JID) error {
	return c.direct(ctx, contact, "unsubscribed")
}

func (c *Client) direct(ctx context.Context, contact xmpp.JID, kind string) error {
	return c.Send(ctx, &xmpp.Stanza{Kind: xmpp.Presence, Type: kind, To: contact.Bare()})
}
