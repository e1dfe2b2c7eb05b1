package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// stepUpLife is how long after a right PIN a payment needs no new one.
const stepUpLife = 2 * time.Minute

// weighs is how much of an intent counts for a new PIN: a mandate is as large as what it lets take in all of a period. 0 for what never needs one.
func weighs(i *intent.Intent) int64 {
	if r, _ := rules(i.Kind); !r.limited && !r.steps {
		return 0
	}
	return max(i.Amount, i.Total)
}

// proved says whether the PIN of a key was right a moment ago; a passkey verifies its user each time. It is not so by having been added.
func (s *Service) proved(k *key) bool {
	return k.kind == passkey || s.now().Sub(time.UnixMicro(k.unlocked)) <= stepUpLife
}

// orderStepped refuses an order by which more could be paid than before, with a key whose PIN was not given a moment ago: otherwise it would be the way around what stepped asks for.
func (s *Service) orderStepped(ctx context.Context, k *key, o *signedOrder) error {
	if s.proved(k) {
		return nil
	}
	switch o.Kind {
	case intent.AddKey, intent.AllowOffline, intent.Unfreeze:
		return stepUp()
	case intent.SetLimits:
		raises, err := s.raises(ctx, o)
		if err == nil && raises {
			err = stepUp()
		}
		return err
	}
	return nil
}

// raises says whether an order sets limits above those that the account has now.
func (s *Service) raises(ctx context.Context, o *signedOrder) (bool, error) {
	l, err := o.Limits()
	if err != nil {
		return false, badText("%v", err)
	}
	w, err := s.walletOf(ctx, o.account)
	unit := s.cfg.unit(l.Unit)
	if err != nil || unit == nil { // what is not paid here is refused for that
		return false, err
	}
	is, err := s.allowanceOf(ctx, o.account, w.level, unit)
	level, _ := unit.limit(w.level)
	return !is.any || above(lower(level.Transaction, l.Transaction), is.Transaction) || above(lower(level.Day, l.Day), is.Day), err
}

// above says whether a limit is higher than another one, of which 0 is none.
func above(limit, than int64) bool { return than > 0 && (limit == 0 || limit > than) }

// stepped refuses a payment with a key whose PIN was not given a moment ago, if it is large together with what the key has signed since: many small ones are a large one. A
// passkey verifies its user each time.
func (s *Service) stepped(ctx context.Context, k *key, i *intent.Intent) error {
	if s.proved(k) {
		return nil
	}
	needs, err := s.needsStepUp(ctx, k, i)
	if err == nil && needs {
		return stepUp()
	}
	return err
}

// needsStepUp says whether an intent is large together with what a key has signed since its PIN was last right.
func (s *Service) needsStepUp(ctx context.Context, k *key, i *intent.Intent) (bool, error) {
	unit, weight := s.cfg.unit(i.Unit), weighs(i)
	if unit == nil || unit.StepUp == 0 || weight == 0 {
		return false, nil
	}
	var spent int64
	err := s.db.QueryRow(ctx, "select spent from pay_stepped where account = $1 and key = $2 and unit = $3", k.account.String(), k.id, i.Unit).Scan(&spent)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return false, fmt.Errorf("read what a key has signed: %w", err)
	}
	return spent+weight >= unit.StepUp, nil
}

// countStep counts in the transaction of ctx what a key with a PIN has signed. It is no more than matters.
func (s *Service) countStep(ctx context.Context, k *key, i *intent.Intent) error {
	weight := weighs(i)
	if unit := s.cfg.unit(i.Unit); k.kind != pinKey || weight == 0 || unit == nil || unit.StepUp == 0 {
		return nil
	}
	_, err := s.db.Exec(ctx, `insert into pay_stepped (account, key, unit, spent) values ($1, $2, $3, $4) on conflict (account, key, unit)
		do update set spent = case when pay_stepped.spent > $5 then pay_stepped.spent else pay_stepped.spent + excluded.spent end`, k.account.String(), k.id, i.Unit, weight, int64(ledger.MaxAmount))
	if err != nil {
		return fmt.Errorf("count what a key has signed: %w", err)
	}
	return nil
}

// forgetSteps begins anew for a key whose PIN was right, in the transaction of ctx.
func (s *Service) forgetSteps(ctx context.Context, k *key) error {
	if _, err := s.db.Exec(ctx, "delete from pay_stepped where account = $1 and key = $2", k.account.String(), k.id); err != nil {
		return fmt.Errorf("forget what a key has signed: %w", err)
	}
	return nil
}

// quotesStepUp says whether some key of an account needs its PIN anew for a payment; also a passkey verifies its user.
func (s *Service) quotesStepUp(ctx context.Context, account xmpp.JID, i *intent.Intent) (bool, error) {
	if unit := s.cfg.unit(i.Unit); unit.StepUp == 0 || weighs(i) == 0 {
		return false, nil
	} else if weighs(i) >= unit.StepUp {
		return true, nil
	}
	keys, err := s.keys(ctx, account, "and k.dropped = 0 and k.kind = $2", pinKey)
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if needs, err := s.needsStepUp(ctx, k, i); err != nil || needs {
			return needs, err
		}
	}
	return false, nil
}
