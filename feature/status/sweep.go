package status

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	batch      = 100
	againAfter = 10 * time.Second // when something could not be removed
	lookAfter  = time.Hour        // at the latest: sooner than a new status is over
)

// Run removes each status when its time is over, and first those of which it was over before, until ctx ends. Nobody is shown one from that moment on, whether or not it is
// removed yet.
func (f *Feature) Run(ctx context.Context) error {
	for {
		next, err := f.sweep(ctx)
		if err != nil && ctx.Err() == nil {
			f.log.Error("statuses could not be removed", "err", err)
			next = againAfter
		}
		timer := time.NewTimer(next)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// expired is one status that is to be removed.
type expired struct {
	account int64
	author  string
	name    string
}

// sweep removes what is over, and returns when the next one will be.
func (f *Feature) sweep(ctx context.Context) (time.Duration, error) {
	for {
		some, err := f.over(ctx)
		if err != nil {
			return 0, err
		}
		for _, one := range some {
			if err := f.end(ctx, one); err != nil {
				return 0, err
			}
		}
		if len(some) < batch {
			break
		}
	}
	var first int64
	if err := f.db.QueryRow(ctx, "select coalesce(min(expires), 0) from status_item").Scan(&first); err != nil {
		return 0, fmt.Errorf("look for the next status to remove: %w", err)
	}
	if first == 0 {
		return lookAfter, nil
	}
	return min(max(time.UnixMicro(first).Sub(f.now()), 0), lookAfter), nil
}

func (f *Feature) over(ctx context.Context) (some []expired, err error) {
	rows, err := f.db.Query(ctx, "select account, author, name from status_item where expires <= $1 order by expires limit $2", f.now().UnixMicro(), batch)
	if err != nil {
		return nil, fmt.Errorf("look for statuses to remove: %w", err)
	}
	for rows.Next() {
		var one expired
		if err := rows.Scan(&one.account, &one.author, &one.name); err != nil {
			return nil, fmt.Errorf("look for statuses to remove: %w", err)
		}
		some = append(some, one)
	}
	return some, nil
}

// end removes one, unless another one was told by its name meanwhile.
func (f *Feature) end(ctx context.Context, one expired) error {
	jid, err := xmpp.ParseJID(one.author)
	if err != nil {
		return fmt.Errorf("stored status: %w", err)
	}
	return f.db.Tx(ctx, func(ctx context.Context) error {
		n, err := f.db.Exec(ctx, "delete from status_item where account = $1 and name = $2 and expires <= $3", one.account, one.name, f.now().UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		return f.nodes.Forget(ctx, &core.Account{ID: one.account, JID: jid}, Node, one.name)
	})
}
