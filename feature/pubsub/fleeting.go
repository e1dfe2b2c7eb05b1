package pubsub

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// ShowRule says what a reader who may read a node sees of an item in it; nil hides the item. It must not change the payload.
type ShowRule func(reader xmpp.JID, payload *xmpp.Element) *xmpp.Element

// OnShow sets the rule for what others than the owner see of the items of a node. Who would not see an item is not told of it either. Call it before the first
// session, as MakePrivate.
func (f *Feature) OnShow(node string, rule func(reader xmpp.JID, payload *xmpp.Element) *xmpp.Element) {
	f.sights[node] = rule
}

// MakeFleeting says that the items of a node are gone after a time (in whole seconds), that its events name them without their payloads, that none is sent unasked
// to who comes online, and that as many stay as may. Its owner can configure nothing of that. Call it before the first session.
func (f *Feature) MakeFleeting(node string, lifetime time.Duration) {
	f.fleeting[node] = int64(lifetime / time.Second)
	settings := DefaultSettings()
	f.hold(node, &settings)
	f.defaults[node] = settings
}

// hold puts right what cannot be configured of a node, and reports whether anything was wrong.
func (f *Feature) hold(node string, s *Settings) bool {
	seconds, fleeting := f.fleeting[node]
	if !fleeting {
		return false
	}
	right := *s
	right.Type, right.ItemExpire, right.MaxItems, right.SendLast = node, seconds, unlimited, never
	right.Persist, right.DeliverPayloads, right.PublishModel = true, false, "publishers"
	wrong := right.Type != s.Type || right.ItemExpire != s.ItemExpire || right.MaxItems != s.MaxItems || right.SendLast != s.SendLast ||
		right.Persist != s.Persist || right.DeliverPayloads != s.DeliverPayloads || right.PublishModel != s.PublishModel
	*s = right
	return wrong
}

// settingsOf reads the stored settings of a node.
func (f *Feature) settingsOf(node, text string) (Settings, error) {
	s, err := decodeSettings(text)
	f.hold(node, &s)
	return s, err
}

// errHeld refuses a configuration that a node cannot have.
var errHeld = xmpp.NotAcceptable.Because("how long the items of this node stay, and how one is told of them, cannot be configured")

// Forget removes an item of a fleeting node of which the time is over, and tells nobody; nothing happens if it is not there. Such items are never among the
// last ones that are remembered. Within a transaction it is part of that.
func (f *Feature) Forget(ctx context.Context, account *core.Account, nodeName, id string) error {
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		freed, err := f.takeAway(ctx, `delete from pubsub_item where name = $3 and node in (select id from pubsub_node where account = $1 and name = $2) returning size`,
			account.ID, nodeName, id)
		if err != nil || freed == 0 {
			return err
		}
		_, _, err = f.use(ctx, account, 0, -freed)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget item: %w", err)
	}
	return nil
}

// sight is what a reader sees of the items of a node.
type sight func(i *item) (seen bool, err error)

// sightOf is how an address sees a node, nil if it sees all of it.
func (f *Feature) sightOf(account *core.Account, n *node, who xmpp.JID) sight {
	rule := f.sights[n.name]
	if rule == nil || who.Bare() == account.JID {
		return nil
	}
	return func(i *item) (bool, error) {
		payload, err := parsePayload(i.payload)
		if err != nil {
			return false, err
		}
		seen := rule(who.Bare(), payload)
		if seen == nil {
			return false, nil
		}
		if seen != payload {
			i.payload = string(seen.Append(nil, ""))
		}
		return true, nil
	}
}

// audience reports who is told of an item, nil for everybody who may read the node.
func (f *Feature) audience(nodeName string, payload *xmpp.Element) func(reader xmpp.JID) bool {
	rule := f.sights[nodeName]
	if rule == nil {
		return nil
	}
	return func(reader xmpp.JID) bool { return rule(reader.Bare(), payload) != nil }
}
