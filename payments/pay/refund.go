package pay

import (
	"context"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// prepareRefund gives back what was paid, all or a part: who was paid signs it, and the ledger reverses it.
func (s *Service) prepareRefund(ctx context.Context, p *payment) error {
	was, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	if was == nil || !moves(was.Kind) || was.state != Done || was.payee != p.payer {
		return xmpp.ItemNotFound.Because("no payment to you is %.40s", p.Of)
	}
	if was.payer != p.payee || was.Unit != p.Unit {
		return noPayee().Because("it goes back to who has paid it, in the same unit")
	}
	if left := was.Amount - was.refunded; p.Amount > left {
		return exceeds(left)
	}
	if err := s.quiet(ctx, p, p.payer, p.payee, was.For); err != nil {
		return err
	}
	p.chat = was.chat
	p.operations = []ledger.Operation{{ID: p.ID, Kind: ledger.Reversal, Of: was.ID, Amount: p.Amount, About: p.about(), Data: p.data()}}
	p.also = append(p.also, func(ctx context.Context) error { return s.giveBack(ctx, p.Of, p.Amount) })
	return nil
}

// giveBack notes in the transaction of ctx that so much of a payment was given back, never more than is left, and settles a dispute about it.
func (s *Service) giveBack(ctx context.Context, payment string, amount int64) error {
	n, err := s.db.Exec(ctx, "update pay_payment set refunded = refunded + $1 where id = $2 and refunded + $1 <= amount", amount, payment)
	if err != nil {
		return err
	}
	was, err := s.payment(ctx, payment)
	if err != nil {
		return err
	}
	if was == nil {
		return xmpp.ItemNotFound
	}
	if n != 1 {
		return exceeds(was.Amount - was.refunded)
	}
	if err := s.tellBoth(ctx, was); err != nil {
		return err
	}
	d, err := s.disputeOf(ctx, payment)
	if err != nil || d == nil {
		return err
	}
	d.refund(amount, s.now().UnixMicro())
	if err := s.keepDispute(ctx, d); err != nil {
		return err
	}
	return s.tellDispute(ctx, d, say("refunded", called(d.payee), called(d.payer), money{amount, d.unit, ""}))
}
