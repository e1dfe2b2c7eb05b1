package pay

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
)

// Suspicion is something that an operator should look at.
type Suspicion struct {
	At time.Time
	// Account is whom it is about.
	Account string
	// Kind is double-promise (a pocket that was promised twice; About is the payee who got nothing) or pin-guessing (a key that was dropped after ten wrong PINs;
	// About is its id).
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

// Suspicions reads at most max (1–1,000) suspicions from before a time, the newest first.
func (s *Service) Suspicions(ctx context.Context, before time.Time, max int) (all []Suspicion, err error) {
	rows, err := s.db.Query(ctx, "select id, account, kind, payment, about from pay_suspicion where id < $1 order by id desc limit $2", before.UnixMicro(), min(1000, max))
	if err != nil {
		return nil, fmt.Errorf("read suspicions: %w", err)
	}
	for rows.Next() {
		var one Suspicion
		var at int64
		if err := rows.Scan(&at, &one.Account, &one.Kind, &one.Payment, &one.About); err != nil {
			return nil, fmt.Errorf("read suspicions: %w", err)
		}
		one.At = time.UnixMicro(at).UTC()
		all = append(all, one)
	}
	return all, nil
}
