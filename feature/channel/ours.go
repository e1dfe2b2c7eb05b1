package channel

import (
	"context"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// askedOurs decides about what apps ask in the namespace of docs/protocol/channels.md.
func (cs *Channels) askedOurs(ctx context.Context, t *core.Transit, payload *xmpp.Element, set bool) (*plan, error) {
	acts := map[string]func(context.Context, *core.Transit, *xmpp.Element) (*plan, error){"sums": cs.sums, "scheduled": cs.scheduled}
	if set {
		acts = map[string]func(context.Context, *core.Transit, *xmpp.Element) (*plan, error){"attend": cs.attend, "react": cs.react, "viewed": cs.saw, "cancel": cs.cancel}
	}
	if do := acts[payload.Local]; do != nil {
		return do(ctx, t, payload)
	}
	return nil, xmpp.ServiceUnavailable
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
