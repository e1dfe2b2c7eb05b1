package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// leaving is what goes with an account: whatever lets it pay, and what it has set for itself. What was paid stays, as long as the law wants it (docs/payments.md). Keys for
// payments without network stay for a while: whoever was promised something and is offline still is to get it, unless the wallet is frozen; then they are dropped, and it is noted. Those
// that were never allowed anything have promised nothing.
var leaving = []string{
	"update pay_key set dropped = (select w.frozen from pay_wallet w where w.account = pay_key.account) where account = $1 and dropped = 0 and exists (select 1 from pay_wallet w where w.account = pay_key.account and w.frozen > 0)",
	"delete from pay_key where account = $1 and (kind <> 'offline' or unit = '')",
	"delete from pay_limit where account = $1",
	"delete from pay_language where account = $1",
	"delete from pay_wallet where account = $1",
	"delete from pay_payee where account = $1",
	"delete from pay_notice where account = $1",
	"delete from pay_day where account = $1",
	"delete from pay_stepped where account = $1",
	"delete from pay_link where account = $1",
	"update pay_series set next = 0 where next > 0 and id in (select series from pay_request where maker = $1 or payer = $1)",
}

// closing is what somebody who is removed had open with others: its time is over now ($2), and those are told when what is over is looked for. A share that is
// bound stays until its own time: others are even by it. What was proposed about their keys is not for whoever has the name next.
var closing = []string{
	"update pay_request set expires = $2, due = $2 where due > $2 and (payer = $1 or payee = $1) and not bound",
	"update pay_mandate set until = $2, due = $2 where due > $2 and (payer = $1 or payee = $1)",
	"update pay_proposal set state = 'refused', decided = $2 where account = $1 and kind = 'keys' and state = 'open'",
}

// Leave ends the wallet of an account that is removed, in the transaction of ctx. Nobody pays from it or to it from then on, and what was open with others has ended; also when
// somebody else gets the name, who sees nothing of it: that is for the operator to settle. It may run more than once.
func (s *Service) Leave(ctx context.Context, account xmpp.JID) error {
	if !s.ours(account) {
		return nil
	}
	used, err := s.wasUsed(ctx, account)
	if err != nil {
		return err
	}
	if used { // otherwise the name is free
		if _, err = s.db.Exec(ctx, "insert into pay_gone (account, time) values ($1, $2) on conflict do nothing", account.String(), s.db.Next()); err != nil {
			return fmt.Errorf("end a wallet: %w", err)
		}
	}
	for _, sql := range leaving {
		if _, err := s.db.Exec(ctx, sql, account.String()); err != nil {
			return fmt.Errorf("end a wallet: %w", err)
		}
	}
	for _, sql := range closing {
		if _, err := s.db.Exec(ctx, sql, account.String(), s.now().Truncate(time.Second).UnixMicro()); err != nil {
			return fmt.Errorf("end what is open with a wallet: %w", err)
		}
	}
	return s.withdrawAll(ctx, account.String())
}

// withdrawAll withdraws what somebody disputes. What others dispute with them stays the operator's matter.
func (s *Service) withdrawAll(ctx context.Context, who string) error {
	open, err := s.disputes(ctx, "payer = $1 and state in ('open', 'upheld')", who)
	if err != nil {
		return err
	}
	for _, d := range open {
		err := s.changeDispute(ctx, d.id, func(_ context.Context, d *dispute) (said, error) {
			return say("undisputes", called(who), money{d.amount, d.unit, ""}), d.withdraw(who, s.now().UnixMicro())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// traces are where an account is named beside the books.
const traces = `select 1 where exists (select 1 from pay_line where account = $1) or exists (select 1 from pay_request where maker = $1) or exists (select 1 from pay_request where payee = $1)
	or exists (select 1 from pay_request where payer = $1) or exists (select 1 from pay_split where payee = $1) or exists (select 1 from pay_share where account = $1)
	or exists (select 1 from pay_order where account = $1)`

// wasUsed reports whether an account is in the books, or has to do with what others have asked for.
func (s *Service) wasUsed(ctx context.Context, account xmpp.JID) (bool, error) {
	for _, unit := range s.cfg.Units {
		_, err := s.ledger.Account(ctx, WalletAccount(unit.Code, account))
		if err == nil || !errors.Is(err, ledger.NoAccount) {
			return err == nil, err
		}
	}
	one := 0
	err := s.db.QueryRow(ctx, traces, account.String()).Scan(&one)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return false, fmt.Errorf("look for payments: %w", err)
	}
	return err == nil, nil
}

// promisesEnd is how long the keys for payments without network of a removed account stay: a promise is good for seven days.
const promisesEnd = maxAheadOffline + day

// forgetKeys forgets the keys for payments without network of accounts that were removed long ago, and which promises were taken back.
func (s *Service) forgetKeys(ctx context.Context) error {
	for _, table := range []string{"pay_key", "pay_promise"} {
		_, err := s.db.Exec(ctx, "delete from "+table+" where account in (select account from pay_gone where time < $1)", s.now().Add(-promisesEnd).UnixMicro())
		if err != nil {
			return fmt.Errorf("forget keys of removed accounts: %w", err)
		}
	}
	return nil
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
