package push

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Missed is what an account may have missed in a chat whose messages are kept elsewhere than in its archive, such as a group's.
type Missed struct {
	Account  *core.Account
	Messages int
	Called   bool // one of them names the account
}

// missedAtOnce is for how many accounts one transaction wakes.
const missedAtOnce = 200

// Missed wakes the devices of these accounts that are not connected. A chat that is muted wakes only who is called, and wants that.
func (p *Push) Missed(ctx context.Context, chat xmpp.JID, who []Missed) error {
	from := chat.Bare().String()
	who = slices.DeleteFunc(slices.Clone(who), p.allAwake)
	for some := range slices.Chunk(who, missedAtOnce) {
		if err := p.wakeSome(ctx, from, some); err != nil {
			return fmt.Errorf("wake for a group: %w", err)
		}
	}
	return nil
}

// allAwake reports whether it is known without asking the database that no device of an account has to be woken.
func (p *Push) allAwake(one Missed) bool {
	devices, known := p.cache.Get(one.Account.ID)
	return known && !slices.ContainsFunc(devices, func(d device) bool { return !p.awake(one.Account, d) })
}

func (p *Push) wakeSome(ctx context.Context, from string, some []Missed) error {
	type count struct {
		one      Missed
		resource string
	}
	var counted []count
	err := p.db.Tx(ctx, func(ctx context.Context) error {
		counted = counted[:0] // this may be another attempt
		for _, one := range some {
			devices, err := p.devices(ctx, one.Account.ID)
			if err != nil {
				return err
			}
			for _, d := range devices {
				if p.awake(one.Account, d) {
					continue
				}
				counted = append(counted, count{one, d.resource})
				if d.mutedFor(from, one.Called, time.Now()) {
					continue
				}
				if err := p.enqueue(ctx, one.Account, d, jobChat(from, one.Called)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range counted {
		p.counts.atLeast(c.one.Account.ID, c.resource, from, p.counts.of(c.one.Account.ID, c.resource, from)+c.one.Messages)
	}
	return nil
}

// calledMark is at the end of what a job's name says of a chat when somebody is called there.
const calledMark = "\ncalled"

func jobChat(from string, called bool) string {
	if called {
		return from + calledMark
	}
	return from
}

// chatOfJob is the chat that a job is for, and whether somebody is called there.
func chatOfJob(text string) (from string, called bool) { return strings.CutSuffix(text, calledMark) }
