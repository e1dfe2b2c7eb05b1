package account

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/store"
)

// Jobs do work that survives a crash; *jobs.Jobs does.
type Jobs interface {
	Register(kind string, worker jobs.Worker)
	Enqueue(ctx context.Context, kind, name, payload string) error
	Hurry(ctx context.Context, kind, name string) error
}

// The removal of an account goes in three steps. First it is marked: from then on nobody finds it, and what follows is certain. Then a job
// deletes what is there of it, the long parts in pieces, so that nobody waits for it. Those who had found the account before may still be
// writing meanwhile: what they leave behind is deleted last, when they must have ended, and only then the account itself, so that its name
// belongs to nobody before.
const (
	removalJob  = "account_removal"
	pieceTime   = 250 * time.Millisecond // how long one attempt at the job goes on deleting: other jobs wait meanwhile
	removalTime = 5 * time.Minute        // of one attempt
	sweepAfter  = 10 * time.Minute       // no request takes that long
	retryPause  = 10 * time.Second       // after the database has refused to say what is to be taken up
)

// emptied are the accounts that this process has deleted all data of, and when: somebody may still write to them.
type emptied struct {
	mu       sync.Mutex // guards accounts
	accounts map[int64]time.Time
}

func (e *emptied) note(account int64, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.accounts == nil {
		e.accounts = map[int64]time.Time{}
	}
	e.accounts[account] = at
}

// since is when an account was emptied, false if it was not.
func (e *emptied) since(account int64) (at time.Time, is bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, is = e.accounts[account]
	return at, is
}

func (e *emptied) forget(account int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.accounts, account)
}

// UseJobs says who goes on with removals. Call it before Attach.
func (a *Accounts) UseJobs(work Jobs) {
	a.jobs = work
	work.Register(removalJob, jobs.Worker{Do: a.goOnRemoving, Timeout: removalTime, MaxAttempts: math.MaxInt, FirstPause: time.Second})
}

// OnRemovePiece adds what deletes a bounded number of a feature's rows of an account, in a transaction of its own, and reports whether there
// may be more. It is asked again and again before the transaction of core.Server.OnRemove, which deletes the rest.
func (a *Accounts) OnRemovePiece(fn func(ctx context.Context, account *core.Account) (more bool, err error)) {
	a.pieces = append(a.pieces, fn)
}

// Remove deletes an account and all that the features hold of it, and ends its sessions. When it returns, that is certain and nobody finds the
// account any more; its data goes in the background, also after a restart. A tell that is not nil is called when the removal is certain and
// the sessions are still there. The name rests for Config.NameRest. It returns an error that wraps core.ErrNoAccount if it is gone already.
func (a *Accounts) Remove(ctx context.Context, account *core.Account, tell func()) error {
	if a.server == nil || a.jobs == nil {
		return errors.New("remove account: the features are not there")
	}
	name := account.JID.Local()
	err := a.db.Tx(ctx, func(ctx context.Context) error {
		if err := a.touch(ctx, `update account set removing = true where id = $1 and not removing`, account); err != nil {
			return err
		}
		return a.enqueueRemoval(ctx, account)
	})
	if err != nil {
		return fmt.Errorf("remove account %s: %w", name, err)
	}
	a.cache.drop(name)
	a.log.Info("account changed", "account", name, "what", "removed")
	if tell != nil {
		tell()
	}
	a.endSessions(account, nil, "not-authorized", "this account has been removed")
	return nil
}

// enqueueRemoval has the job done now, also one that an earlier process has put off.
func (a *Accounts) enqueueRemoval(ctx context.Context, account *core.Account) error {
	name := strconv.FormatInt(account.ID, 10)
	if err := a.jobs.Enqueue(ctx, removalJob, name, account.JID.Local()); err != nil {
		return err
	}
	return a.jobs.Hurry(ctx, removalJob, name)
}

// FinishRemoval deletes the data of an account that Remove was called for, and returns when it is gone. The job does it otherwise. It does
// nothing to other accounts.
func (a *Accounts) FinishRemoval(ctx context.Context, account *core.Account) error {
	if there, err := a.isRemoving(ctx, account); err != nil || !there {
		return err
	}
	return a.removeAll(ctx, account, false)
}

// removeAll deletes all data of an account without a pause.
func (a *Accounts) removeAll(ctx context.Context, account *core.Account, last bool) error {
	for more := true; more; {
		var err error
		if more, err = a.removePieces(ctx, account, pieceTime); err != nil {
			return err
		}
	}
	return a.removeRest(ctx, account, last)
}

// goOnRemoving is the worker of the job.
func (a *Accounts) goOnRemoving(ctx context.Context, job jobs.Job) error {
	id, err := strconv.ParseInt(job.Name, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: number of an account: %w", jobs.ErrGiveUp, err)
	}
	jid, err := a.jid(job.Payload)
	if err != nil {
		return fmt.Errorf("%w: name of an account: %w", jobs.ErrGiveUp, err)
	}
	account := &core.Account{ID: id, JID: jid}
	if there, err := a.isRemoving(ctx, account); err != nil || !there {
		return err
	}
	a.endSessions(account, nil, "not-authorized", "this account has been removed")
	if more, err := a.removePieces(ctx, account, pieceTime); err != nil {
		return err
	} else if more {
		return jobs.Again(0)
	}
	if pause, err := a.waitForWriters(ctx, job, account); err != nil {
		return err
	} else if pause > 0 {
		return jobs.Again(pause)
	}
	if err := a.removeRest(ctx, account, true); err != nil {
		return err
	}
	a.emptied.forget(id)
	return nil
}

// waitForWriters deletes the rest of an account's data a first time, and is how long the last time must wait. Whoever wrote to it before a restart
// does not any more. The job may come sooner than it was told to, where the database could not note its pause.
func (a *Accounts) waitForWriters(ctx context.Context, job jobs.Job, account *core.Account) (pause time.Duration, err error) {
	if job.ID <= a.began {
		return 0, nil
	}
	if at, is := a.emptied.since(account.ID); is {
		return sweepAfter - time.Since(at), nil
	}
	if err := a.removeRest(ctx, account, false); err != nil {
		return 0, err
	}
	a.emptied.note(account.ID, time.Now())
	return sweepAfter, nil
}

// isRemoving reports whether an account was marked and is not gone.
func (a *Accounts) isRemoving(ctx context.Context, account *core.Account) (is bool, err error) {
	err = a.db.QueryRow(ctx, `select removing from account where id = $1`, account.ID).Scan(&is)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up removal: %w", err)
	}
	return is, nil
}

// removePieces deletes long parts for some time, and reports whether there may be more.
func (a *Accounts) removePieces(ctx context.Context, account *core.Account, atMost time.Duration) (more bool, err error) {
	until := time.Now().Add(atMost)
	for _, piece := range a.pieces {
		for more = true; more; {
			if more, err = piece(ctx, account); err != nil {
				return true, fmt.Errorf("remove the data of account %s: %w", account.JID.Local(), err)
			}
			if more && time.Now().After(until) {
				return true, nil
			}
		}
	}
	return false, nil
}

// removeRest deletes what the pieces have left and, at last, the account itself: its name is free from then on, or rests.
func (a *Accounts) removeRest(ctx context.Context, account *core.Account, last bool) error {
	name := account.JID.Local()
	err := a.db.Tx(ctx, func(ctx context.Context) error {
		if there, err := a.isRemoving(ctx, account); err != nil || !there {
			return err
		}
		if err := a.server.Removed(ctx, account); err != nil {
			return err
		}
		if _, err := a.db.Exec(ctx, `delete from account_credential where account = $1`, account.ID); err != nil || !last {
			return err
		}
		if _, err := a.db.Exec(ctx, `insert into account_gone (name, removed) select name, cast($2 as bigint) from account where id = $1 and not importing
			on conflict (name) do update set removed = excluded.removed`, account.ID, time.Now().UnixMicro()); err != nil {
			return err
		}
		_, err := a.db.Exec(ctx, `delete from account where id = $1`, account.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove the data of account %s: %w", name, err)
	}
	return nil
}

// Run takes up removals, and takes back imports, that an earlier process has left and that nothing else goes on with. What the database refuses
// it tries again, until ctx ends.
func (a *Accounts) Run(ctx context.Context) error {
	if a.jobs == nil {
		return errors.New("go on with removals: there are no jobs")
	}
	for after := int64(0); ; {
		last, err := a.takeUp(ctx, after)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			a.log.Error("go on with removals", "err", err)
			pause(ctx, a.retryPause)
		case last == after:
			return nil
		}
		after = last
	}
}

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// takeUp enqueues a page of the removals after an account, and returns the last that is certain to be gone on with.
func (a *Accounts) takeUp(ctx context.Context, after int64) (last int64, err error) {
	left, err := a.leftRemoving(ctx, after)
	if err != nil {
		return after, fmt.Errorf("look for unfinished removals: %w", err)
	}
	if len(left) == 0 {
		return after, nil
	}
	err = a.db.Tx(ctx, func(ctx context.Context) error {
		for _, account := range left {
			if err := a.enqueueRemoval(ctx, account); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return after, err
	}
	return left[len(left)-1].ID, nil
}

// leftRemoving is a page of the accounts that were half made or half removed when this process began.
func (a *Accounts) leftRemoving(ctx context.Context, after int64) (left []*core.Account, err error) {
	const page = 500
	rows, err := a.db.Query(ctx, `select id, name from account where removing and id > $1 and id < $2 order by id limit $3`, after, a.began, page)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		account := &core.Account{}
		var name string
		if err := rows.Scan(&account.ID, &name); err != nil {
			return nil, err
		}
		if account.JID, err = a.jid(name); err != nil {
			return nil, err
		}
		left = append(left, account)
	}
	return left, nil
}
