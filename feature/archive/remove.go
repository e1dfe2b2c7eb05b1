package archive

import (
	"context"
	"fmt"
	"math"

	"palabre.dev/palabre/core"
)

// RemovePiece deletes at most manyIDs messages of an account that is being removed, and reports whether there may be more.
func (a *Archive) RemovePiece(ctx context.Context, account *core.Account) (more bool, err error) {
	if more, err = a.deleteSome(ctx, account, math.MaxInt64); err != nil {
		return true, fmt.Errorf("remove messages: %w", err)
	}
	return more, nil
}

// deleteSome deletes at most manyIDs messages from before an id, in a transaction, and reports whether there may be more.
func (a *Archive) deleteSome(ctx context.Context, account *core.Account, before int64) (more bool, err error) {
	err = a.db.Tx(ctx, func(ctx context.Context) error {
		more = false // this may be another attempt
		ids, err := a.ids(ctx, account, &request{Until: before}, manyIDs)
		if err != nil || len(ids) == 0 {
			return err
		}
		more = len(ids) == manyIDs
		where, args := oneOf([]any{account.ID}, ids)
		return a.discard(ctx, "account = $1 and "+where, args...)
	})
	return more, err
}
