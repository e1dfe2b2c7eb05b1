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

// wallet is what is known of an account beside its balances.
type wallet struct {
	level  string
	frozen time.Time // zero if it is not
}

// walletOf reads a wallet; one that nobody has spoken of is open, on the lowest level.
func (s *Service) walletOf(ctx context.Context, account xmpp.JID) (w wallet, err error) {
	var at int64
	err = s.db.QueryRow(ctx, "select level, frozen from pay_wallet where account = $1", account.String()).Scan(&w.level, &at)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return w, fmt.Errorf("read wallet: %w", err)
	}
	if at != 0 {
		w.frozen = time.UnixMicro(at).UTC()
	}
	if w.level == "" {
		w.level = s.cfg.Levels[0]
	}
	return w, nil
}

const day = 24 * time.Hour

func dayOf(at time.Time) int64 { return at.UnixMicro() / day.Microseconds() }

// allowance is what an account may spend in a unit now.
type allowance struct {
	Limit
	any  bool  // it may spend something
	left int64 // today
}

// allowanceOf reads what an account may spend: the level's limits, or lower ones of its own, and what is left of the day.
func (s *Service) allowanceOf(ctx context.Context, account xmpp.JID, level string, unit *Unit) (a allowance, err error) {
	a.Limit, a.any = unit.limit(level)
	var transaction, most int64
	err = s.db.QueryRow(ctx, "select transaction_most, day_most from pay_limit where account = $1 and unit = $2", account.String(), unit.Code).Scan(&transaction, &most)
	switch {
	case errors.Is(err, store.ErrNoRows):
	case err != nil:
		return a, fmt.Errorf("read limits: %w", err)
	case transaction < 0 || most < 0: // set while 0 was a limit of nothing
		return allowance{}, nil
	default:
		a.Transaction, a.Day = lower(a.Transaction, transaction), lower(a.Day, most)
	}
	if a.Day == 0 {
		a.left = ledger.MaxAmount
		return a, nil
	}
	var spent int64
	err = s.db.QueryRow(ctx, "select spent from pay_day where account = $1 and unit = $2 and day = $3", account.String(), unit.Code, dayOf(s.now())).Scan(&spent)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return a, fmt.Errorf("read what was spent: %w", err)
	}
	a.left = max(a.Day-spent, 0)
	return a, nil
}

// lower is the lower of two limits, of which 0 is none.
func lower(limit, own int64) int64 {
	if limit == 0 || own == 0 {
		return limit + own
	}
	return min(limit, own)
}

// mayPay refuses what the wallet or its limits do not allow now.
func (s *Service) mayPay(ctx context.Context, p *payment, r rule) error {
	if p.Amount == 0 {
		return nil
	}
	w, err := s.walletOf(ctx, p.payer)
	if err != nil {
		return err
	}
	if !w.frozen.IsZero() {
		return frozen()
	}
	if !r.limited {
		return nil
	}
	a, err := s.allowanceOf(ctx, p.payer, w.level, s.cfg.unit(p.Unit))
	if err != nil {
		return err
	}
	amount := p.Amount + p.Fee
	own := p.signer() == p.payer // what somebody may still spend is not for others
	switch {
	case !a.any:
		return overLimit("level", 0)
	case a.Transaction > 0 && amount > a.Transaction && own:
		return overLimit("transaction", a.Transaction)
	case amount > a.left && own:
		return overLimit("day", a.left)
	case a.Transaction > 0 && amount > a.Transaction, amount > a.left:
		return refusal(xmpp.PolicyViolation, "over-limit")
	}
	return nil
}

// spend looks again, in the transaction of ctx, at what may have changed since a payment was decided: the key, the wallet, the limits. It counts what is spent.
func (s *Service) spend(ctx context.Context, p *payment, r rule) error {
	k, err := s.keyOf(ctx, p.signer(), p.Key)
	if err != nil {
		return err
	}
	if err := s.mayUse(ctx, k, p.Intent); err != nil {
		return err
	}
	if err := s.countStep(ctx, k, p.Intent); err != nil {
		return err
	}
	if err := s.mayPay(ctx, p, r); err != nil || !r.limited {
		return err
	}
	_, err = s.db.Exec(ctx, `insert into pay_day (account, unit, day, spent) values ($1, $2, $3, $4)
		on conflict (account, unit, day) do update set spent = pay_day.spent + excluded.spent`, p.Payer, p.Unit, dayOf(s.now()), p.Amount+p.Fee)
	if err != nil {
		return fmt.Errorf("count what is spent: %w", err)
	}
	return s.notePayee(ctx, p)
}

// notePayee remembers whom an account has paid, for warnings.
func (s *Service) notePayee(ctx context.Context, p *payment) error {
	if p.Kind == intent.Reserve {
		return nil
	}
	_, err := s.db.Exec(ctx, `insert into pay_payee (account, payee, unit, times, largest, newest) values ($1, $2, $3, 1, $4, $5)
		on conflict (account, payee, unit) do update set times = pay_payee.times + 1, newest = excluded.newest,
		largest = case when excluded.largest > pay_payee.largest then excluded.largest else pay_payee.largest end`, p.Payer, p.Payee, p.Unit, p.Amount, micro(p.at))
	if err != nil {
		return fmt.Errorf("note payee: %w", err)
	}
	return nil
}

// wallet is what an account has, and who may spend it.
func (s *Service) wallet(ctx context.Context, account xmpp.JID, _ *xmpp.Element) (*xmpp.Element, error) {
	w, err := s.walletOf(ctx, account)
	if err != nil {
		return nil, err
	}
	e := element("wallet", "level", w.level)
	if !w.frozen.IsZero() {
		e.Set("frozen", "true").Set("since", intent.FormatTime(w.frozen.Truncate(time.Second)))
	}
	for i := range s.cfg.Units {
		if err := s.addBalance(ctx, e, account, w.level, &s.cfg.Units[i]); err != nil {
			return nil, err
		}
	}
	keys, err := s.keys(ctx, account, "and k.dropped = 0")
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		e.Add(k.element())
	}
	return e, nil
}

// addBalance adds what an account has of a unit, and what of it it may spend.
func (s *Service) addBalance(ctx context.Context, e *xmpp.Element, account xmpp.JID, level string, unit *Unit) error {
	balance, err := s.stands(ctx, WalletAccount(unit.Code, account))
	if err != nil {
		return err
	}
	pocket, err := s.stands(ctx, PocketAccount(unit.Code, account))
	if err != nil {
		return err
	}
	e.Add(element("balance", "unit", unit.Code).Set("amount", digits(balance.Balance)).Set("held", digits(balance.Held)).Set("pocket", digits(pocket.Balance)))
	a, err := s.allowanceOf(ctx, account, level, unit)
	if err != nil {
		return err
	}
	limit := element("limit", "unit", unit.Code)
	if !a.any {
		e.Add(limit.Set("transaction", "0").Set("day", "0").Set("left", "0"))
		return nil
	}
	for _, one := range []struct {
		name string
		most int64
	}{{"transaction", a.Transaction}, {"day", a.Day}, {"stepup", unit.StepUp}} {
		if one.most > 0 {
			limit.Set(one.name, digits(one.most))
		}
	}
	if a.Day > 0 {
		limit.Set("left", digits(a.left))
	}
	e.Add(limit)
	return nil
}

// element is the key as its owner's devices see it.
func (k *key) element() *xmpp.Element {
	e := element("key", "id", k.id, "kind", k.kind, "name", k.name, "credential", k.credential, "added", intent.FormatTime(time.UnixMicro(k.added)), "ready", intent.FormatTime(time.UnixMicro(k.ready)))
	if k.kind == offlineKey || k.cap > 0 {
		e.Set("offline", "true").Set("cap", digits(k.cap))
	}
	if k.cap > 0 {
		e.Set("unit", k.unit)
	}
	return e
}
