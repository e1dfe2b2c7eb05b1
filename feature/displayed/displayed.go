// Package displayed helps an account's devices to agree on what has been read (XEP-0490): the node that they keep it in is private from
// the start, and a message that carries both a marker for the contact and the state for the own devices updates the node on its way
// (urn:xmpp:mds:server-assist:0). What the state means is the apps' matter.
package displayed

import (
	"context"
	"fmt"
	"log/slog"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Node is the name of the node, and the namespace of what it holds.
const Node = "urn:xmpp:mds:displayed:0"

const nsAssist = "urn:xmpp:mds:server-assist:0"

// Publisher publishes in the name of an account, and knows what was published.
type Publisher interface {
	// MakePrivate says that a node is for its owner's devices alone.
	MakePrivate(node string)
	// Publish keeps an item and tells the account's devices.
	Publish(ctx context.Context, account *core.Account, node, id string, payload *xmpp.Element) error
	// Item is what was published, nil for nothing.
	Item(ctx context.Context, account *core.Account, node, id string) (*xmpp.Element, error)
}

// Feature is the server's help.
type Feature struct {
	publisher Publisher
	log       *slog.Logger
	states    *core.Note[*xmpp.Element]
}

// New makes the feature.
func New(publisher Publisher, log *slog.Logger) *Feature {
	publisher.MakePrivate(Node)
	return &Feature{publisher: publisher, log: log.With("part", "displayed"), states: new(core.Note[*xmpp.Element])}
}

// Attach hangs the feature on the journey of a stanza.
func (f *Feature) Attach(s *core.Server) {
	s.Announce(core.AtAccount, nsAssist)
	s.Change(core.Sent, f.strip)
	s.Tell(core.Sent, f.publish)
}

// strip takes the state out of a message, so that neither the contact nor an archive gets it, and remembers it (XEP-0490 §5).
func (f *Feature) strip(_ context.Context, t *core.Transit) error {
	if t.Stanza.Kind != xmpp.Message || t.Via == nil {
		return nil
	}
	state := t.Stanza.Child(Node, "displayed")
	if state == nil {
		return nil
	}
	t.Edit().Remove(func(e *xmpp.Element) bool { return e.Is(Node, "displayed") })
	if state.Child(xmpp.NSStanzaID, "stanza-id") != nil && !t.Stanza.To.IsZero() {
		f.states.Set(t, state)
	}
	return nil
}

// publish keeps the state, under the address that the message goes to. This happens before the message is acknowledged; a state that cannot
// be kept does not hold the message up.
func (f *Feature) publish(ctx context.Context, t *core.Transit) {
	state := f.states.Get(t)
	if state == nil {
		return
	}
	if err := f.publisher.Publish(ctx, t.Sender, Node, t.Stanza.To.String(), state); err != nil {
		f.log.Warn("could not keep what was displayed", "account", t.Sender.JID, "err", err)
	}
}

// Displayed is the id that the archive of a chat has given to the newest message that an account has seen there, "" if that is not known (XEP-0490 §3).
func (f *Feature) Displayed(ctx context.Context, account *core.Account, chat xmpp.JID) (id string, err error) {
	state, err := f.publisher.Item(ctx, account, Node, chat.Bare().String())
	if err != nil {
		return "", fmt.Errorf("read what was displayed: %w", err)
	}
	seen := state.Child(xmpp.NSStanzaID, "stanza-id")
	if by, err := xmpp.ParseJID(seen.Attr("by")); err != nil || by != chat.Bare() {
		return "", nil
	}
	return seen.Attr("id"), nil
}
