package push

import (
	"context"
	"slices"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// waking is a device that a message wakes, by its session's resource, and whose message it is.
type waking struct{ resource, from string }

// wakeMissed counts a message for the devices that it wakes, and wakes the devices of sessions whose connections were there when the message
// was kept, and gone when it was put into their queues.
func (p *Push) wakeMissed(ctx context.Context, t *core.Transit) {
	if t.ReceivedID == 0 {
		return
	}
	woken := p.woken.Get(t)
	for _, one := range woken {
		p.counts.add(t.Receiver.ID, one.resource, one.from)
	}
	for _, session := range t.Delivered {
		resource := session.JID.Resource()
		if session.Dormant() && important(t.Stanza) && !slices.ContainsFunc(woken, func(one waking) bool { return one.resource == resource }) {
			p.wakeSession(ctx, session, map[string]int{t.Stanza.From.Bare().String(): 1})
		}
	}
}

// wakeLater wakes the device of a session whose connection is gone while something waits for it. What waits is what is new to it.
func (p *Push) wakeLater(ctx context.Context, session *core.Session) {
	p.counts.reset(session.Account.ID, session.JID.Resource())
	p.wakeSession(ctx, session, senders(session.Waiting()))
}

// maxSenders bounds the chats for which one session's device is woken at once.
const maxSenders = 50

// senders are the bare addresses of those who have sent the kept messages among deliveries that a person wants to know of, with how many. What was said
// in a group is kept there.
func senders(deliveries []core.Delivery) map[string]int {
	var found map[string]int
	for _, d := range deliveries {
		if group := d.Stanza.Kind == xmpp.Message && d.Stanza.Type == "groupchat"; group && !speaks(d.Stanza) || !group && (d.Kept == 0 || !important(d.Stanza)) {
			continue
		}
		if found == nil {
			found = map[string]int{}
		}
		from := d.Stanza.From.Bare().String()
		if _, known := found[from]; known || len(found) < maxSenders {
			found[from]++
		}
	}
	return found
}

// wakeSession wakes the device of a session for messages of these senders.
func (p *Push) wakeSession(ctx context.Context, session *core.Session, from map[string]int) {
	if len(from) == 0 {
		return
	}
	resource := session.JID.Resource()
	err := p.db.Tx(ctx, func(ctx context.Context) error {
		devices, err := p.devices(ctx, session.Account.ID)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d.resource != resource {
				continue
			}
			for sender := range from {
				if d.muted(sender, time.Now()) {
					continue
				}
				if err := p.enqueue(ctx, session.Account, d, sender); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		p.log.Error("could not enqueue a wake-up", "session", session, "err", err)
	}
	for sender, n := range from {
		p.counts.atLeast(session.Account.ID, resource, sender, n)
	}
}
