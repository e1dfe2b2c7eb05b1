package pay

import (
	"context"
	"errors"

	"palabre.dev/palabre/xmpp"
)

// aboutRequest is of a payment for a request, which a share of a split is, too: the request is paid in the transaction that keeps the payment.
func (s *Service) aboutRequest(ctx context.Context, p *payment) (known bool, err error) {
	r, err := s.request(ctx, p.Of)
	if errors.Is(err, xmpp.ItemNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !r.concerns(p.payer.String()) {
		return false, nil // for whom it does not concern there is none
	}
	if err := r.pay(p.Payer, p.Payee, p.Unit, p.Amount, s.now()); err != nil {
		return true, err
	}
	p.chat = r.chat
	p.also = append(p.also, func(ctx context.Context) error { return s.payRequest(ctx, p) })
	return true, nil
}

// payRequest notes in the transaction of ctx that a request is paid, or a part of it, and tells how it stands. Only there is it certain how much is left.
func (s *Service) payRequest(ctx context.Context, p *payment) error {
	now := s.now()
	r, err := s.request(ctx, p.Of)
	if err != nil {
		return err
	}
	if err := r.pay(p.Payer, p.Payee, p.Unit, p.Amount, now); err != nil {
		return err
	}
	if err := s.keepRequest(ctx, r); err != nil {
		return err
	}
	words := called(r.payer) + " has paid " + s.sum(p.Amount, r.unit, r.about) + " to " + called(r.payee)
	if r.left() > 0 {
		words += "; " + s.sum(r.left(), r.unit, "") + " is left"
	}
	if r.split == "" {
		return s.tellRequest(ctx, r, now, words)
	}
	split, err := s.split(ctx, r.split)
	if err != nil {
		return err
	}
	if r.agreed {
		if err := s.closeEven(ctx, split.within, r.unit, now); err != nil {
			return err
		}
	}
	if split.paid() {
		return s.tellSplit(ctx, split, now, "All have paid "+s.sum(split.total, split.unit, split.about))
	}
	return s.tellRequest(ctx, r, now, words)
}
