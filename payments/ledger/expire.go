package ledger

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	// expirePause is how often it is looked for holds of which the time is over.
	expirePause = time.Second
	// expireAtOnce is how many are ended between two looks into the database.
	expireAtOnce = 500
	// expireSlack is how long a hold that was decided on may take to be seen.
	expireSlack = 2 * postTimeout
)

// expire ends all holds of which the time is over by now.
func (l *Ledger) expire(ctx context.Context) error {
	now := l.now().UnixMicro()
	if l.expired == 0 { // the first look: what was over long before the newest record was ended then
		err := l.db.QueryRow(ctx, "select coalesce(max(id), 0) from ledger_record").Scan(&l.expired)
		if err != nil {
			return fmt.Errorf("look for the newest record: %w", err)
		}
		l.expired -= MaxHolding.Microseconds()
	}
	for {
		rows, err := l.db.Query(ctx, `select h.id, h.key from ledger_record h where h.expires > $1 and h.expires <= $2 and h.expires > 0
			and not exists (select 1 from ledger_record e where e.target = h.id and e.target > 0) order by h.expires, h.id limit $3`, l.expired, now, int64(expireAtOnce))
		if err != nil {
			return fmt.Errorf("look for holds that are over: %w", err)
		}
		unsound := 0
		for rows.Next() {
			var id int64
			var key string
			if err := rows.Scan(&id, &key); err != nil {
				return fmt.Errorf("look for holds that are over: %w", err)
			}
			o := Operation{ID: ownPrefix + "expiry:" + strconv.FormatInt(id, 10), Kind: Expiry, Of: key}
			_, err := l.ask(ctx, &request{operations: []Operation{o}, own: true, done: make(chan struct{})})
			if errors.Is(err, ErrUnsound) {
				l.log.Error("a hold whose time is over is not what it was, and stays", "record", id, "err", err)
				unsound++
				continue
			}
			var refused *Refused
			if err != nil && !errors.As(err, &refused) { // refused: it was ended meanwhile
				return fmt.Errorf("end hold %d: %w", id, err)
			}
		}
		if rows.Len() < expireAtOnce || unsound == rows.Len() {
			l.expired = now - expireSlack.Microseconds()
			return nil
		}
	}
}
