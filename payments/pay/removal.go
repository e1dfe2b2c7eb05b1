package pay

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// leaving is what goes with an account: whatever lets it pay, and what it has set for itself. What was paid stays, as long as the law wants it (docs/payments.md).
var leaving = []string{
	"delete from pay_key where account = $1",
	"delete from pay_limit where account = $1",
	"delete from pay_wallet where account = $1",
	"delete from pay_payee where account = $1",
	"delete from pay_notice where account = $1",
	"delete from pay_day where account = $1",
	"update pay_mandate set state = 'revoked', due = 0 where (payer = $1 or payee = $1) and state = 'open'",
	"update pay_series set next = 0 where next > 0 and id in (select series from pay_request where maker = $1 or payer = $1)",
}

// Leave ends the wallet of an account that is removed, in the transaction of ctx. Nobody pays from it or to it from then on, also when somebody else gets the name: that is for
// the operator to settle. It may run more than once.
func (s *Service) Leave(ctx context.Context, account xmpp.JID) error {
	if !s.ours(account) {
		return nil
	}
	for _, sql := range leaving {
		if _, err := s.db.Exec(ctx, sql, account.String()); err != nil {
			return fmt.Errorf("end a wallet: %w", err)
		}
	}
	used, err := s.wasUsed(ctx, account)
	if err != nil || !used { // the name is free if it never had anything
		return err
	}
	if _, err = s.db.Exec(ctx, "insert into pay_gone (account, time) values ($1, $2) on conflict do nothing", account.String(), s.db.Next()); err != nil {
		return fmt.Errorf("end a wallet: %w", err)
	}
	return nil
}

// wasUsed reports whether an account is in the books.
func (s *Service) wasUsed(ctx context.Context, account xmpp.JID) (bool, error) {
	for _, unit := range s.cfg.Units {
		_, err := s.ledger.Account(ctx, WalletAccount(unit.Code, account))
		if err == nil || !errors.Is(err, ledger.NoAccount) {
			return err == nil, err
		}
	}
	one := 0
	err := s.db.QueryRow(ctx, "select 1 from pay_line where account = $1 limit 1", account.String()).Scan(&one)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return false, fmt.Errorf("look for payments: %w", err)
	}
	return err == nil, nil
}

// gone reports whether the wallet of an address has ended.
func (s *Service) gone(ctx context.Context, account xmpp.JID) (bool, error) {
	one := 0
	err := s.db.QueryRow(ctx, "select 1 from pay_gone where account = $1", account.String()).Scan(&one)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether a wallet has ended: %w", err)
	}
	return true, nil
}

// unlessGone is a handler that refuses whoever has the name of somebody whose wallet has ended.
func (s *Service) unlessGone(handle handler) handler {
	return func(s *Service, ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
		left, err := s.gone(ctx, account)
		if err != nil {
			return nil, err
		}
		if left {
			return nil, refusal(xmpp.NotAllowed.Because("somebody had this address before, and the wallet was closed; ask the operator"), "over")
		}
		return handle(s, ctx, account, payload)
	}
}
