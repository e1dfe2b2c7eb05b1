package archive

import (
	"context"
	"errors"
	"fmt"
	"math"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
)

// RemovePiece deletes at most 500 messages of an account that is being removed, and reports whether there may be more.
func (a *Archive) RemovePiece(ctx context.Context, account *core.Account) (more bool, err error) {
	if more, err = a.deleteSome(ctx, account.ID, math.MaxInt64); err != nil {
		return true, fmt.Errorf("remove messages: %w", err)
	}
	return more, nil
}

// deleteSome deletes at most maxDeleted messages from before an id, in a transaction of its own, and reports whether there may be more.
func (a *Archive) deleteSome(ctx context.Context, account, before int64) (more bool, err error) {
	const maxDeleted = 500
	upTo := before - 1
	err = a.db.QueryRow(ctx, "select id from archive_entry where account = $1 and id < $2 order by id limit 1 offset $3",
		account, before, maxDeleted-1).Scan(&upTo)
	more = err == nil
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return true, err
	}
	err = a.db.Tx(ctx, func(ctx context.Context) error { return a.discard(ctx, "account = $1 and id <= $2", account, upTo) })
	return more, err
}
