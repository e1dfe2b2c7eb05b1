package pay

import (
	"context"
	"fmt"
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
func (s *Service) words(p *payment, to xmpp.JID) string {
	amount := s.Amount(p.Amount, p.Unit)
	mine := to == p.payer
	text := fmt.Sprintf("%s has paid you %s", p.payer.Local(), amount)
	switch {
	case p.Kind == intent.Reserve:
		text = fmt.Sprintf("You have set %s aside for payments without network", amount)
	case p.Kind == intent.Release:
		text = fmt.Sprintf("%s is back in your wallet", amount)
	case p.Kind == intent.Cashout:
		text = fmt.Sprintf("You are moving %s out of your wallet", amount)
	case s.wordsOfOthers(p) != "":
		text = s.wordsOfOthers(p)
	case mine:
		text = fmt.Sprintf("You have paid %s %s", p.payee.Local(), amount)
	}
	if p.For != "" {
		text += " (" + p.For + ")"
	}
	return text + "." + s.link(p.ID)
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
