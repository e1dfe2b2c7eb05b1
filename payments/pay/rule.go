package pay

import (
	"context"
	"fmt"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// rule is what a kind of intent does, beside what all do: signature, key, limits, fee.
type rule struct {
	// limited says that it counts for the limits of its payer.
	limited bool
	// charged says that it may cost a fee. The fee of other kinds is 0.
	charged bool
	// steps says that a large one needs the PIN or the user's verification anew, as limited ones do.
	steps bool
	// ahead says that it may be signed seven days ahead; otherwise it is minutes.
	ahead bool
	// prepare looks at what it is about, outside of a transaction. It says what is asked of the ledger (p.operations), adds what is to be written with it (p.also) and
	// may set the state it comes to (p.state, otherwise Done) and the conversation (p.chat). It may refuse (*xmpp.Error).
	prepare func(s *Service, ctx context.Context, p *payment) error
	// tell writes notices in the transaction that keeps the payment, when its receipt is there; without one, both are told.
	tell func(s *Service, ctx context.Context, p *payment) error
}

// step is something that is done in the transaction that keeps a payment. It looks again at what may have changed since, writes, and may refuse (*xmpp.Error); then
// nothing is kept. It may run more than once. The payment's receipt is not there yet; its number is.
type step func(ctx context.Context) error

// rules are what the kinds do. Each kind has one line.
func rules(kind intent.Kind) (rule, bool) {
	switch kind {
	case intent.Send, intent.Tip:
		return rule{limited: true, charged: true, prepare: (*Service).prepareSend}, true
	case intent.Reserve:
		return rule{limited: true, prepare: (*Service).prepareReserve, tell: (*Service).tellPayer}, true
	case intent.Release:
		return rule{prepare: (*Service).prepareRelease, tell: (*Service).tellPayer}, true
	case intent.Offline:
		return rule{ahead: true, prepare: (*Service).prepareOffline}, true
	case intent.Cashout:
		return rule{limited: true, charged: true, prepare: (*Service).prepareCashout, tell: (*Service).tellPayer}, true
	case intent.Hold:
		return rule{limited: true, prepare: (*Service).prepareHold}, true
	case intent.Mandate:
		return rule{steps: true, prepare: (*Service).prepareMandate, tell: (*Service).tellGiven}, true
	case intent.Capture:
		return rule{prepare: (*Service).prepareCapture}, true
	case intent.Void:
		return rule{prepare: (*Service).prepareVoid}, true
	case intent.Revoke:
		return rule{ahead: true, prepare: (*Service).prepareEnd, tell: (*Service).tellEnd}, true
	case intent.Refund:
		return rule{steps: true, prepare: (*Service).prepareRefund}, true
	}
	return rule{}, false
}

// part is something that a Send, a Tip or an Offline can be about (Of): a request, a share. It answers false for an id that it does not know. It adds to p.also what
// is to be done with the payment, and may refuse.
type part func(s *Service, ctx context.Context, p *payment) (known bool, err error)

// parts are asked one after the other: what the service has given an id first, and what anybody may give one last, so that nobody puts a payment of theirs in the way.
func parts() []part {
	return []part{(*Service).aboutDebt, (*Service).aboutRequest, (*Service).aboutPayment}
}

// look finds what a payment is about. What nobody knows is refused.
func (s *Service) look(ctx context.Context, p *payment) error {
	if p.Of == "" {
		return nil
	}
	p.wanted = true
	for _, ask := range parts() {
		if known, err := ask(s, ctx, p); known || err != nil {
			return err
		}
	}
	return xmpp.ItemNotFound.Because("there is no %.40s", p.Of)
}

// aboutPayment is of a tip: the payment must have been one to the same payee.
func (s *Service) aboutPayment(ctx context.Context, p *payment) (known bool, err error) {
	was, err := s.payment(ctx, p.Of)
	if err != nil || was == nil || !was.has(p.payer) {
		return false, err
	}
	if was.payee != p.payee || was.state == Refused {
		return true, over()
	}
	p.chat, p.wanted = was.chat, false
	return true, nil
}

// transfer is the operation that moves the amount, with the intent beside it. Its id is that of the intent.
func (p *payment) transfer(from, to string) ledger.Operation {
	return ledger.Operation{ID: p.ID, Kind: ledger.Transfer, From: from, To: to, Amount: p.Amount, Unit: p.Unit, About: p.about(), Data: p.data()}
}

// about is what the ledger says about it.
func (p *payment) about() string {
	if p.For == "" {
		return string(p.Kind)
	}
	return string(p.Kind) + ": " + p.For
}

// feeOperation moves the fee, from where the payment comes; none if there is no fee.
func (p *payment) feeOperation(from string) []ledger.Operation {
	if p.Fee == 0 {
		return nil
	}
	return []ledger.Operation{{ID: feeID(p.ID), Kind: ledger.Transfer, From: from, To: FeesAccount(p.Unit), Amount: p.Fee, Unit: p.Unit, About: "fee"}}
}

// feeID is the id of a fee's operation in the ledger.
func feeID(id string) string { return id + feeSuffix }

const feeSuffix = ":fee"

// prepareSend moves the amount from wallet to wallet.
func (s *Service) prepareSend(ctx context.Context, p *payment) error {
	if err := s.look(ctx, p); err != nil {
		return err
	}
	if err := s.welcome(ctx, p); err != nil {
		return err
	}
	return s.move(ctx, p, WalletAccount(p.Unit, p.payer))
}

// move moves the amount to the payee's wallet, and the fee.
func (s *Service) move(ctx context.Context, p *payment, from string) error {
	if err := s.checkPayee(ctx, p); err != nil {
		return err
	}
	to := WalletAccount(p.Unit, p.payee)
	p.operations = append([]ledger.Operation{p.transfer(from, to)}, p.feeOperation(from)...)
	return s.open(ctx, p.Unit, from, to)
}

// checkPayee refuses a payee that has no wallet here, also one that was removed until the payment is kept.
func (s *Service) checkPayee(ctx context.Context, p *payment) error {
	p.also = append(p.also, func(ctx context.Context) error {
		left, err := s.gone(ctx, p.payee)
		if err == nil && left {
			return noPayee()
		}
		return err
	})
	return s.payable(ctx, p.payer, p.payee)
}

// payable refuses a payee that has no wallet here.
func (s *Service) payable(ctx context.Context, payer, payee xmpp.JID) error {
	if !s.ours(payee) || payee == payer {
		return noPayee()
	}
	_, exists, err := s.person(ctx, payee)
	if err == nil && !exists {
		return noPayee()
	}
	return err
}

// person is what an account calls itself, and whether it is there.
func (s *Service) person(ctx context.Context, account xmpp.JID) (name string, exists bool, err error) {
	if left, err := s.gone(ctx, account); err != nil || left {
		return "", false, err
	}
	if s.directory == nil {
		return "", true, nil
	}
	if name, exists, err = s.directory.Person(ctx, account); err != nil {
		return "", false, fmt.Errorf("look up %s: %w", account, err)
	}
	return name, exists, nil
}
