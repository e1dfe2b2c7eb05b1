package pay

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Suspicion is something that an operator should look at.
type Suspicion struct {
	At time.Time
	// Account is whom it is about.
	Account string
	// Kind is double-promise (a pocket that was promised twice; About is the payee who got nothing), promise-void (a promise that its payee handed in and was not paid for;
	// About is why, and the payee), pin-guessing (a key that was locked after ten wrong PINs; About is its id) or link-guessing (one that takes no PIN by links after twelve).
	Kind string
	// Payment is the id of what it is about, empty for none.
	Payment, About string
}

// note writes a suspicion in the transaction of ctx.
func (s *Service) note(ctx context.Context, account xmpp.JID, kind, payment, about string) error {
	_, err := s.db.Exec(ctx, "insert into pay_suspicion (id, account, kind, payment, about) values ($1, $2, $3, $4, $5)", s.db.Next(), account.String(), kind, payment, about)
	if err != nil {
		return fmt.Errorf("note suspicion: %w", err)
	}
	return nil
}

// Kinds of what is noted about promises.
const (
	doublePromise = "double-promise"
	voidPromise   = "promise-void"
)

// maxNoted is how many suspicions of a kind are noted about one account in eight days, so that nobody hides others behind their own.
const maxNoted = 50

// noteOnce writes a suspicion about a payment, which is handed in again perhaps.
func (s *Service) noteOnce(ctx context.Context, account xmpp.JID, kind, payment, about string) error {
	var all, same int64
	err := s.db.QueryRow(ctx, "select count(*), coalesce(sum(case when payment = $1 then 1 else 0 end), 0) from pay_suspicion where account = $2 and kind = $3 and id > $4", payment,
		account.String(), kind, s.now().Add(-promisesEnd).UnixMicro()).Scan(&all, &same)
	if err != nil {
		return fmt.Errorf("read suspicions: %w", err)
	}
	if same > 0 || all >= maxNoted {
		return nil
	}
	return s.note(ctx, account, kind, payment, about)
}

// Suspicions reads at most max (1–1,000) suspicions from before a time, the newest first.
func (s *Service) Suspicions(ctx context.Context, before time.Time, max int) ([]Suspicion, error) {
	return read(ctx, s.db, "suspicions", func(row *store.Rows) (one Suspicion, err error) {
		var at int64
		err = row.Scan(&at, &one.Account, &one.Kind, &one.Payment, &one.About)
		one.At = atMicro(at)
		return one, err
	}, "select id, account, kind, payment, about from pay_suspicion where id < $1 order by id desc limit $2", before.UnixMicro(), min(1000, max))
}
