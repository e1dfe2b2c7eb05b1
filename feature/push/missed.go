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
		some, err := p.withDevices(ctx, some)
		if err != nil {
			return err
		}
		if len(some) == 0 {
			continue
		}
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

// withDevices are those of some accounts that have devices to wake. It reads beside the writer, which others wait for: of those who follow a channel many
// may have none.
func (p *Push) withDevices(ctx context.Context, some []Missed) ([]Missed, error) {
	places := 1 // a power of two, so that there are few different statements
	for places < len(some) {
		places *= 2
	}
	var sql strings.Builder
	sql.WriteString("select distinct account from push_device where account in ($1")
	args := make([]any, places)
	for i := range args {
		if i > 0 {
			fmt.Fprintf(&sql, ", $%d", i+1)
		}
		args[i] = some[min(i, len(some)-1)].Account.ID
	}
	rows, err := p.db.Query(ctx, sql.String()+")", args...)
	if err != nil {
		return nil, fmt.Errorf("look for devices to wake: %w", err)
	}
	has := make(map[int64]bool, rows.Len())
	for rows.Next() {
		var account int64
		if err := rows.Scan(&account); err != nil {
			return nil, fmt.Errorf("look for devices to wake: %w", err)
		}
		has[account] = true
	}
	return slices.DeleteFunc(slices.Clone(some), func(one Missed) bool { return !has[one.Account.ID] }), nil
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
