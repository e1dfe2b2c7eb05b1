package upload

import (
	"context"
	"fmt"
	"time"
)

// sweepEvery is how often files are looked through; sweepRows how many are deleted in one go.
const (
	sweepEvery = time.Minute
	sweepRows  = 200
)

// Run deletes files that have expired, slots that were not used, and what removed accounts and broken transfers left: at its start, every
// minute and when an account is removed, until ctx ends.
func (u *Upload) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := u.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			u.log.Error("could not delete files", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-u.released:
			// The transaction that released the files may not have been committed yet: one that comes after it is.
			if err := u.db.Tx(ctx, func(context.Context) error { return nil }); err != nil && ctx.Err() == nil {
				u.log.Error("could not wait for released files", "err", err)
			}
		}
	}
}

// wake lets Run look for released files.
func (u *Upload) wake() {
	select {
	case u.released <- struct{}{}:
	default:
	}
}

func (u *Upload) sweep(ctx context.Context, now time.Time) error {
	if err := u.dropTransfers(ctx, now.Add(-2*transferTime)); err != nil {
		return err
	}
	if err := u.dropParts(ctx, now); err != nil {
		return err
	}
	expired := int64(0)
	if u.cfg.Expiry > 0 {
		expired = now.Add(-u.cfg.Expiry).UnixMicro()
	}
	for {
		// A slot may be in use for as long as a transfer may take, and for as long as there is a part of its file.
		rows, err := u.db.Query(ctx, `select token, blob from upload_file where account = 0 or created < $1
			or (kept = 0 and created < $2 and not exists (select 1 from upload_part p where p.token = upload_file.token)) limit $3`,
			expired, now.Add(-slotLife-transferTime).UnixMicro(), sweepRows)
		if err != nil {
			return fmt.Errorf("find expired files: %w", err)
		}
		for rows.Next() {
			var f file
			if err := rows.Scan(&f.token, &f.blob); err != nil {
				return err
			}
			if err := u.delete(ctx, f); err != nil {
				return err
			}
		}
		if rows.Len() < sweepRows {
			return nil
		}
	}
}

// delete removes the bytes, then the row: a row that is left behind is found again. A slot that was filled meanwhile stays.
func (u *Upload) delete(ctx context.Context, f file) error {
	if err := u.blobs.Remove(ctx, f.key()); err != nil {
		return fmt.Errorf("delete file: %w", err)
	}
	switch p, err := u.readPart(ctx, f.token); {
	case err != nil:
		return err
	case p != nil:
		if err := u.dropPart(ctx, p); err != nil {
			return err
		}
	}
	_, err := u.db.Exec(ctx, "delete from upload_file where token = $1 and blob = $2", f.token, f.blob)
	return err
}
