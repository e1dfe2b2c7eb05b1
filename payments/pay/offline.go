package pay

import (
	"context"
	"fmt"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
)

// prepareReserve moves an amount from the wallet into the pocket, up to what a pocket holds.
func (s *Service) prepareReserve(ctx context.Context, p *payment) error {
	wallet, pocket := WalletAccount(p.Unit, p.payer), PocketAccount(p.Unit, p.payer)
	full := func(then int64) error {
		if most := s.cfg.unit(p.Unit).Offline; then > most {
			return overLimit("offline", max(most-then+p.Amount, 0))
		}
		return nil
	}
	a, err := s.stands(ctx, pocket)
	if err != nil {
		return err
	}
	if err := full(a.Balance + p.Amount); err != nil {
		return err
	}
	p.also = append(p.also, func(context.Context) error { return full(p.paid) }) // others of the same batch are not to be read yet
	p.operations = []ledger.Operation{p.transfer(wallet, pocket)}
	return s.open(ctx, p.Unit, wallet, pocket)
}

// prepareRelease moves an amount from the pocket back.
func (s *Service) prepareRelease(ctx context.Context, p *payment) error {
	wallet, pocket := WalletAccount(p.Unit, p.payer), PocketAccount(p.Unit, p.payer)
	p.operations = []ledger.Operation{p.transfer(pocket, wallet)}
	return s.open(ctx, p.Unit, wallet, pocket)
}

// prepareOffline pays from the pocket, which was filled while there was network.
func (s *Service) prepareOffline(ctx context.Context, p *payment) error {
	if err := s.look(ctx, p); err != nil {
		return err
	}
	if err := s.welcome(ctx, p); err != nil {
		return err
	}
	p.also = append(p.also, func(ctx context.Context) error { return s.settlePromise(ctx, p, p.ID, false) })
	return s.move(ctx, p, PocketAccount(p.Unit, p.payer))
}

// takesBack says whether an intent takes back a promise of its payer, and ends no mandate.
func takesBack(i *intent.Intent) bool { return i.Kind == intent.Revoke && i.Payer == i.Payee }

// prepareEnd ends a mandate, or takes back a promise.
func (s *Service) prepareEnd(ctx context.Context, p *payment) error {
	if takesBack(p.Intent) {
		return s.prepareTakeBack(ctx, p)
	}
	return s.prepareRevoke(ctx, p)
}

// tellEnd tells it: both of a mandate, the payer of a promise, since nobody else need have heard of that.
func (s *Service) tellEnd(ctx context.Context, p *payment) error {
	if takesBack(p.Intent) {
		return s.tellPayer(ctx, p)
	}
	return s.tellRevoked(ctx, p)
}

// prepareTakeBack takes back what its payer has promised without network, if it was not handed in. Nobody needs to have seen the promise here.
func (s *Service) prepareTakeBack(ctx context.Context, p *payment) error {
	unused := func(ctx context.Context) error {
		was, err := s.payment(ctx, p.Of)
		if err == nil && was != nil {
			return isOver("it was handed in, or is no promise")
		}
		return err
	}
	if err := unused(ctx); err != nil {
		return err
	}
	p.state = Ended
	p.also = append(p.also, unused, func(ctx context.Context) error { return s.settlePromise(ctx, p, p.Of, true) })
	return nil
}

// settlePromise notes in the transaction of ctx what has become of a promise: it is paid, or taken back, once and one of the two. Who comes second waits for the end of who was first.
func (s *Service) settlePromise(ctx context.Context, p *payment, id string, back bool) error {
	n, err := s.db.Exec(ctx, "insert into pay_promise (account, id, back, time) values ($1, $2, $3, $4) on conflict do nothing", p.Payer, id, back, s.db.Next())
	if err != nil {
		return fmt.Errorf("settle a promise: %w", err)
	}
	if n == 1 {
		return nil
	}
	if back {
		return isOver("it was handed in, or taken back before")
	}
	var taken bool
	if err := s.db.QueryRow(ctx, "select back from pay_promise where account = $1 and id = $2", p.Payer, id).Scan(&taken); err != nil {
		return fmt.Errorf("read a promise: %w", err)
	}
	if taken {
		return takenBack()
	}
	return errTaken
}
