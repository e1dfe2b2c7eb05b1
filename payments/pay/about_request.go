package pay

import (
	"context"
	"errors"
	"time"

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
	if err := s.payIt(ctx, r, p, s.now()); err != nil {
		return true, err
	}
	p.chat, p.wantedFor = r.chat, &r.about
	p.also = append(p.also, func(ctx context.Context) error { return s.payRequest(ctx, p) })
	return true, nil
}

// payIt has a request paid by a payment, or refuses that.
func (s *Service) payIt(ctx context.Context, r *request, p *payment, now time.Time) error {
	if err := r.pay(p.Payer, p.Payee, p.Unit, p.Amount, now); err != nil {
		return err
	}
	return s.notPaidInto(ctx, r, p.Amount, now)
}

// payRequest notes in the transaction of ctx that a request is paid, or a part of it, and tells how it stands. Only there is it certain how much is left.
func (s *Service) payRequest(ctx context.Context, p *payment) error {
	now := s.now()
	r, err := s.request(ctx, p.Of)
	if err != nil {
		return err
	}
	if err := s.payIt(ctx, r, p, now); err != nil {
		return err
	}
	if err := s.keepRequest(ctx, r); err != nil {
		return err
	}
	words := say("paidFor", called(r.payer), called(r.payee), money{p.Amount, r.unit, r.about})
	if r.left() > 0 {
		words = say("paidPart", called(r.payer), called(r.payee), money{p.Amount, r.unit, r.about}, money{r.left(), r.unit, ""})
	}
	if r.split == "" {
		return s.tellRequest(ctx, r, now, words)
	}
	split, err := s.split(ctx, r.split)
	if err != nil {
		return err
	}
	if err := s.evenWithout(ctx, r, now); err != nil {
		return err
	}
	if split.paid() {
		return s.tellSplit(ctx, split, now, say("allPaid", money{split.total, split.unit, split.about}))
	}
	return s.tellRequest(ctx, r, now, words)
}
