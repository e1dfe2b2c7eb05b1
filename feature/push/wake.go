package push

import (
	"context"
	"slices"

	"palabre.dev/palabre/core"
)

// wakeMissed wakes the devices of sessions whose connections were there when the message was kept, and gone when it was put into their
// queues.
func (p *Push) wakeMissed(ctx context.Context, t *core.Transit) {
	if t.ReceivedID == 0 {
		return
	}
	for _, session := range t.Delivered {
		if session.Dormant() && important(t.Stanza) && !slices.Contains(p.woken.Get(t), session.JID.Resource()) {
			p.wakeSession(ctx, session)
		}
	}
}

// wakeLater wakes the device of a session whose connection is gone while something waits for it.
func (p *Push) wakeLater(ctx context.Context, session *core.Session) {
	if anyKept(session.Waiting()) {
		p.wakeSession(ctx, session)
	}
}

func anyKept(deliveries []core.Delivery) bool {
	for _, d := range deliveries {
		if d.Kept != 0 && important(d.Stanza) {
			return true
		}
	}
	return false
}

func (p *Push) wakeSession(ctx context.Context, session *core.Session) {
	err := p.db.Tx(ctx, func(ctx context.Context) error {
		devices, err := p.devices(ctx, session.Account.ID)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d.resource == session.JID.Resource() {
				if err := p.enqueue(ctx, session.Account, d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		p.log.Error("could not enqueue a wake-up", "session", session, "err", err)
	}
}
