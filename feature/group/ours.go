package group

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// askedOurs decides about what apps ask of a group in the namespace of docs/protocol/groups.md: links and requests.
func (g *Groups) askedOurs(ctx context.Context, t *core.Transit, r *room, payload *xmpp.Element, set bool) (*plan, error) {
	r.mu.Lock()
	over := r.destroyed != ""
	gone := r.gone()
	r.mu.Unlock()
	switch {
	case over:
		return nil, gone
	case payload.Is(NS, "links") && !set:
		return g.links(ctx, t, r)
	case payload.Is(NS, "requests") && !set:
		return g.requests(ctx, t, r)
	case payload.Is(NS, "invitations") && !set:
		return g.invitations(t, r)
	case payload.Is(NS, "link") && set:
		return g.makeLink(t, r, payload)
	case payload.Is(NS, "revoke") && set:
		return g.revokeLink(t, r, payload)
	case payload.Is(NS, "join") && set:
		return g.joinBy(t, r, payload)
	case payload.Is(NS, "decide") && set:
		user, err := xmpp.ParseJID(payload.Attr("jid"))
		let, ok := xmpp.Bool(payload.Attr("allow"))
		if err != nil || !ok {
			return nil, xmpp.BadRequest
		}
		return g.answered(t, g.decideRequest(t.Sender.JID, r, user.Bare(), let), nil), nil
	}
	return nil, xmpp.ServiceUnavailable
}
