package pay

import (
	"context"
	"crypto/sha256"
	"fmt"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// A cash-in goes back to where it came from when two administrators say so. No user asks for that here: what is in a wallet leaves it by a payment or a cash-out that its owner signs; that a network gives
// back what its payer had not meant to pay is between the network, its contract and the operator.

// CashRefund is the kind of a payment by which what a rail has brought in goes back by it. Nobody signs one: its text is that of the proposal, with both names.
const CashRefund intent.Kind = "cashrefund"

// completeRefund refuses what cannot go back, and fills in what follows from the cash-in.
func (s *Service) completeRefund(ctx context.Context, p *Proposal, of *payment) error {
	left, err := s.leftOfCashin(ctx, of)
	if err != nil {
		return err
	}
	rail, _ := railOf(of.Payer)
	switch {
	case of.Kind != Cashin || rail == Operator:
		return xmpp.NotAllowed.Because("only what a rail has brought in goes back by it")
	case !s.railed(rail, of.Unit, func(o Offer) bool { return o.Refunds }):
		return xmpp.NotAllowed.Because("%s gives nothing back, or is not here any more", rail)
	case p.Unit != "" && p.Unit != of.Unit: // the amount was written with the digits of another unit
		return xmpp.BadRequest.Because("the payment is in %s", of.Unit)
	}
	if p.Amount == 0 {
		p.Amount = left
	}
	if p.Amount < 1 || p.Amount > left {
		return exceeds(left)
	}
	p.Account, p.Unit = of.Payee, of.Unit
	return nil
}

// leftOfCashin is what of a cash-in neither went back nor is proposed to, at least 0.
func (s *Service) leftOfCashin(ctx context.Context, of *payment) (int64, error) {
	proposed, err := s.proposedBack(ctx, of.ID)
	return max(of.Amount-of.refunded-proposed, 0), err
}

// stillLeft refuses, in the transaction of ctx, what another administrator has proposed meanwhile.
func (s *Service) stillLeft(ctx context.Context, p *Proposal) error {
	of, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	if of == nil {
		return xmpp.ItemNotFound
	}
	left, err := s.leftOfCashin(ctx, of)
	if err == nil && p.Amount > left {
		err = exceeds(left)
	}
	return err
}

// sendBack does what was proposed: the money is held in the wallet, and the network is asked. Whoever was slower than another administrator is told that it was decided on.
func (s *Service) sendBack(ctx context.Context, p *Proposal, account xmpp.JID) error {
	if s.rails == nil {
		return xmpp.NotAllowed.Because("there is no rail")
	}
	t := RailTransfer{ID: p.payment(), Of: p.Of, Amount: p.Amount, Unit: p.Unit, About: p.about(), Data: []byte(p.text())}
	err := s.rails.Refund(ctx, t, func(ctx context.Context, records []ledger.Record) error {
		return s.approved(ctx, p, account, records[0])
	})
	if err != nil {
		return err
	}
	if now, err := s.openProposal(ctx, p.ID); now.Approver != p.Approver {
		return err
	}
	return nil
}

// sentBack writes into the history of an account that a cash-in goes back, and notes it at that.
func (s *Service) sentBack(ctx context.Context, p *Proposal, account xmpp.JID, record ledger.Record) error {
	of, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	if of == nil || p.Amount > of.Amount-of.refunded {
		return exceeds(0)
	}
	rail, _ := railOf(of.Payer)
	one := &payment{Intent: &intent.Intent{ID: p.payment(), Kind: CashRefund, Payer: p.Account, Payee: "rail:" + rail, Amount: p.Amount, Unit: p.Unit, Of: p.Of, For: p.Why},
		payer: account, state: Waiting, text: p.text(), number: record.Number, at: record.Time()}
	one.hash = sha256.Sum256([]byte(one.text))
	if err := s.insert(ctx, one, account); err != nil {
		return err
	}
	if err := s.noteRefund(ctx, p.Of, p.Amount); err != nil {
		return err
	}
	return s.tellOwner(ctx, account, say("goesBack", money{p.Amount, p.Unit, p.Why}, rail).at(linkPayment, one.ID), one)
}

// noteRefund notes at a cash-in that so much more of it (or less) goes back, or went.
func (s *Service) noteRefund(ctx context.Context, cashin string, more int64) error {
	if more == 0 {
		return nil
	}
	if _, err := s.db.Exec(ctx, "update pay_payment set refunded = refunded + $1 where id = $2", more, cashin); err != nil {
		return fmt.Errorf("note what goes back: %w", err)
	}
	return nil
}

// goesBack is what a refund of a cash-in takes of it, as it stands.
func (p *payment) goesBack() int64 {
	if p.Kind != CashRefund || p.state == Refused {
		return 0
	}
	return p.Amount - p.refunded
}

// sentBackOf is how much of a cash-in goes back, or went, because the operator wanted that.
func (s *Service) sentBackOf(ctx context.Context, cashin string) (sum int64, err error) {
	err = s.db.QueryRow(ctx, "select cast(coalesce(sum(amount - refunded), 0) as bigint) from pay_payment where target = $1 and kind = 'cashrefund' and state <> 'refused'", cashin).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("read what went back: %w", err)
	}
	return sum, nil
}

// tellOwner tells the owner of a wallet about a payment by a rail, if they are there still: whoever has their name next is told nothing.
func (s *Service) tellOwner(ctx context.Context, owner xmpp.JID, words said, p *payment) error {
	if left, err := s.gone(ctx, owner); err != nil || left {
		return err
	}
	return s.notify(ctx, owner, "", words, p.element())
}
