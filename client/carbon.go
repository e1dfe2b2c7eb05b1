package client

import (
	"context"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// enableCarbons asks for copies; a server that has none says so, which is not an error.
func (c *Client) enableCarbons(ctx context.Context, s *transport.Stream) {
	for {
		iq := &xmpp.Stanza{Kind: xmpp.IQ, Type: "set"}
		_, err := c.askFor(ctx, iq.Add(xmpp.NewElement(nsCarbons, "enable")), true)
		if err == nil || !c.mayAskAgain(ctx, s, err) {
			return
		}
	}
}

// Carbon takes a copied message out of its wrapping (XEP-0280 §6). Sent says that one of the account's own devices has sent it. It
// returns nil for a message that is no carbon. A forged one, which did not come from the account itself, gives nil and forged.
func Carbon(st *xmpp.Stanza, account xmpp.JID) (inner *xmpp.Stanza, sent, forged bool) {
	wrap := st.Child(nsCarbons, "received")
	if wrap == nil {
		wrap, sent = st.Child(nsCarbons, "sent"), true
	}
	if wrap == nil {
		return nil, false, false
	}
	if st.From != account {
		return nil, sent, true // XEP-0280 §11
	}
	inner, _ = forwarded(wrap)
	return inner, sent, inner == nil
}
