package pay

import (
	"context"

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
	return s.move(ctx, p, PocketAccount(p.Unit, p.payer))
}

// suspect notes what the operator should look at, in the transaction that keeps a refusal: a pocket that was promised twice.
func (s *Service) suspect(ctx context.Context, p *payment) error {
	if p.Kind != intent.Offline || p.why != "insufficient" {
		return nil
	}
	return s.note(ctx, p.payer, "double-promise", p.ID, p.Payee)
}
