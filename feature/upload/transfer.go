package upload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"palabre.dev/palabre/store"
)

// maxTransfers is how many transfers to one slot may be under way: a client whose connection broke begins anew before the server has noticed.
const maxTransfers = 3

// cleanTime is how long tidying up after a transfer may take when its client is gone.
const cleanTime = 30 * time.Second

var (
	errOther = errors.New("this slot holds another file already")
	errMany  = errors.New("too many transfers to this slot are under way")
)

// keep stores the bytes under a key of their own, then notes that they are the slot's: what is noted is on disk, and of several transfers at
// once the first to be noted wins. The others are told what those are told that come later. Before the bytes there is a note of their key,
// so that they are found and deleted should nobody be there to do it.
func (u *Upload) keep(r *http.Request, f file) error {
	u.counts.underWay.Inc()
	defer u.counts.underWay.Dec()
	blob, err := newToken()
	if err != nil {
		return err
	}
	if err := u.begin(r.Context(), f.token, blob); err != nil {
		return err
	}
	digest := sha256.New()
	err = u.blobs.Put(r.Context(), blob, io.TeeReader(r.Body, digest), f.size)
	won := false
	if err == nil {
		won, err = u.settle(r.Context(), f.token, blob, hex.EncodeToString(digest.Sum(nil)))
	}
	if won || errors.Is(err, store.ErrUnknown) { // what is not certain now is so when the transfers are looked through
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), cleanTime)
	defer cancel()
	return errors.Join(err, u.dropTransfer(ctx, blob))
}

// begin notes a transfer.
func (u *Upload) begin(ctx context.Context, token, blob string) error {
	return u.db.Tx(ctx, func(ctx context.Context) error {
		var n int
		if err := u.db.QueryRow(ctx, "select count(*) from upload_transfer where token = $1", token).Scan(&n); err != nil {
			return fmt.Errorf("count transfers: %w", err)
		}
		if n >= maxTransfers {
			return errMany
		}
		_, err := u.db.Exec(ctx, "insert into upload_transfer (blob, token, began) values ($1, $2, $3)", blob, token, u.db.Next())
		return err
	})
}

// settle makes the bytes those of the slot if it has none yet. It returns errOther if it has others, and store.ErrNoRows if it is gone. The
// transfer is not won though nothing is wrong when the same bytes were there before.
func (u *Upload) settle(ctx context.Context, token, blob, digest string) (won bool, err error) {
	err = u.db.Tx(ctx, func(ctx context.Context) error {
		n, err := u.db.Exec(ctx, "update upload_file set kept = 1, digest = $1, blob = $2 where token = $3 and account <> 0 and kept = 0", digest, blob, token)
		if err != nil {
			return err
		}
		if won = n == 1; won {
			if _, err := u.db.Exec(ctx, "delete from upload_part where blob = $1", blob); err != nil {
				return err
			}
			_, err := u.db.Exec(ctx, "delete from upload_transfer where blob = $1", blob)
			return err
		}
		there := file{token: token}
		if err := u.read(ctx, &there); err != nil {
			return err
		}
		if there.digest != digest {
			return errOther
		}
		return nil
	})
	return won && err == nil, err
}

// dropTransfer deletes the bytes of a transfer that did not win, then its note.
func (u *Upload) dropTransfer(ctx context.Context, blob string) error {
	if err := u.blobs.Remove(ctx, blob); err != nil {
		return fmt.Errorf("delete the bytes of a transfer: %w", err)
	}
	_, err := u.db.Exec(ctx, "delete from upload_transfer where blob = $1", blob)
	return err
}

// dropTransfers deletes what transfers have left that began before a time, or before this process.
func (u *Upload) dropTransfers(ctx context.Context, before time.Time) error {
	for {
		rows, err := u.db.Query(ctx, "select blob from upload_transfer where began < $1 limit $2", max(before.UnixMicro(), u.began), sweepRows)
		if err != nil {
			return fmt.Errorf("find transfers: %w", err)
		}
		for rows.Next() {
			var blob string
			if err := rows.Scan(&blob); err != nil {
				return err
			}
			if err := u.dropTransfer(ctx, blob); err != nil {
				return err
			}
		}
		if rows.Len() < sweepRows {
			return nil
		}
	}
}
