package channel

import (
	"context"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// askedOurs decides about what apps ask in the namespace of docs/protocol/channels.md.
func (cs *Channels) askedOurs(ctx context.Context, t *core.Transit, payload *xmpp.Element, set bool) (*plan, error) {
	if set && payload.Local == "attend" {
		return cs.attend(ctx, t, payload)
	}
	return nil, xmpp.ServiceUnavailable
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
