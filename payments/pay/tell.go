package pay

import (
	"context"
	"strings"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// tellBoth tells payer and payee that a payment is done, each in the conversation with the other.
func (s *Service) tellBoth(ctx context.Context, p *payment) error {
	for _, one := range []struct{ to, other xmpp.JID }{{p.payer, p.payee}, {p.payee, p.payer}} {
		if !s.ours(one.to) {
			continue
		}
		chat := p.chat
		if chat == "" {
			chat = one.other.String()
		}
		if err := s.notify(ctx, one.to, chat, s.words(p, one.to), p.element()); err != nil {
			return err
		}
	}
	return nil
}

// tellPayer tells the payer alone, in the wallet.
func (s *Service) tellPayer(ctx context.Context, p *payment) error {
	return s.notify(ctx, p.payer, "", s.words(p, p.payer), p.element())
}

// words say what has happened to somebody whose app does not know this protocol.
func (s *Service) words(p *payment, to xmpp.JID) said {
	amount := money{p.Amount, p.Unit, p.For}
	payer, payee := p.payer.Local(), p.payee.Local()
	words := say("got", payer, amount)
	switch {
	case p.Kind == intent.Reserve:
		words = say("reserved", amount)
	case p.Kind == intent.Release:
		words = say("released", amount)
	case p.Kind == intent.Cashout:
		words = say("leaving", amount)
	case takesBack(p.Intent):
		words = say("promiseBack")
	case p.Kind == intent.Hold && p.state == Ended:
		words = say("heldOver", payer, payee, amount)
	case p.Kind == intent.Hold:
		words = say("held", payer, payee, amount)
	case p.Kind == intent.Capture:
		words = say("captured", payee, payer, amount)
	case p.Kind == intent.Void:
		words = say("voided", payee, payer)
	case p.Kind == intent.Refund:
		words = say("refunded", payer, payee, amount)
	case to == p.payer:
		words = say("gave", payee, amount)
	}
	return words.at(linkPayment, p.ID)
}

// Amount writes an amount in minor units for people: 125.00 MAD.
func (s *Service) Amount(amount int64, unit string) string {
	u, _ := s.ledger.Unit(unit)
	text := digits(amount)
	if u.Exponent > 0 {
		text = strings.Repeat("0", max(0, u.Exponent+1-len(text))) + text
		text = text[:len(text)-u.Exponent] + "." + text[len(text)-u.Exponent:]
	}
	return text + " " + unit
}
