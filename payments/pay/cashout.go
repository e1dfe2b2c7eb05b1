package pay

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// prepareCashout finds the rail by which money leaves. The money is held until the network outside has answered; so long it waits.
func (s *Service) prepareCashout(ctx context.Context, p *payment) error {
	rail, address := railOf(p.Payee)
	if s.cfg.unit(p.Unit).Closed || address == "" || !s.railed(rail, p.Unit, func(o Offer) bool { return o.Out }) {
		return noPayee()
	}
	p.state = Waiting
	return s.open(ctx, p.Unit, WalletAccount(p.Unit, p.payer))
}

// railed says whether a rail does something with a unit.
func (s *Service) railed(rail, unit string, can func(o Offer) bool) bool {
	if s.rails == nil {
		return false
	}
	for _, offer := range s.rails.Offers() {
		if offer.Name == rail && offer.Unit == unit && can(offer) {
			return true
		}
	}
	return false
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

// cashin begins to bring money into a wallet, and answers what its owner has to do next.
func (s *Service) cashin(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	t, err := s.readCashin(account, payload)
	if err != nil {
		return nil, err
	}
	p := cashinOf(account, t)
	if was, err := s.payment(ctx, p.ID); err != nil || was != nil && was.hash != p.hash {
		if err == nil {
			err = idTaken()
		}
		return nil, err
	}
	if err := s.open(ctx, t.Unit, t.Wallet); err != nil {
		return nil, err
	}
	next, err := s.rails.CashIn(ctx, t, func(ctx context.Context, _ []ledger.Record) error {
		p.number = s.db.Next()
		p.at = atMicro(p.number)
		return s.insert(ctx, p, p.payee)
	})
	if errors.Is(err, errTaken) {
		return nil, idTaken()
	}
	if err != nil {
		return nil, err
	}
	return next.element(), nil
}

func (s *Service) readCashin(account xmpp.JID, payload *xmpp.Element) (t RailTransfer, err error) {
	t = RailTransfer{ID: payload.Attr("id"), Rail: payload.Attr("rail"), Unit: payload.Attr("unit"), Address: payload.Attr("address")}
	t.Amount, err = strconv.ParseInt(payload.Attr("amount"), 10, 64)
	const maxAddress = 256
	if err != nil || !intent.ValidID(t.ID) || t.Amount < 1 || t.Amount > ledger.MaxAmount || len(t.Address) > maxAddress || s.cfg.unit(t.Unit) == nil {
		return t, badText("id, amount, unit and address")
	}
	if !s.railed(t.Rail, t.Unit, func(o Offer) bool { return o.In }) {
		return t, noPayee()
	}
	t.Wallet = WalletAccount(t.Unit, account)
	return t, nil
}

// cashinOf is the payment of a cash-in, while it is not known what the network outside does.
func cashinOf(account xmpp.JID, t RailTransfer) *payment {
	p := &payment{Intent: &intent.Intent{ID: t.ID, Kind: Cashin, Payer: "rail:" + t.Rail, Payee: account.String(), Amount: t.Amount, Unit: t.Unit}, payee: account, state: Waiting}
	p.text = strings.Join([]string{string(Cashin), t.ID, p.Payer, p.Payee, digits(t.Amount), t.Unit, t.Address}, "\n")
	p.hash = sha256.Sum256([]byte(p.text))
	return p
}

// Railed keeps what has become of a transfer of a rail, in the transaction that ctx carries, with the ledger's records of it; rails call it for each change. What was
// said before is no error, and neither is a transfer that nobody has asked for here.
func (s *Service) Railed(ctx context.Context, change RailChange, records []ledger.Record) error {
	p, err := s.payment(ctx, change.ID)
	if err != nil || p == nil {
		return err
	}
	if p.Kind != intent.Cashout && p.Kind != Cashin && p.Kind != CashRefund {
		return fmt.Errorf("a rail tells of %s, which is no payment by a rail", change.ID)
	}
	before, went := *p, p.goesBack()
	switch change.State {
	case Refused:
		p.state, p.why, p.refusal = Refused, "rail", refusal(xmpp.NotAllowed, "rail").Element().String()
	case Done:
		p.state, p.why, p.refusal, p.refunded = Done, "", "", change.Returned
		if p.Kind != intent.Cashout && change.Moved > 0 { // some networks let people pay another amount
			p.Amount = change.Moved
		}
		if p.Kind == Cashin {
			back, err := s.sentBackOf(ctx, p.ID)
			if err != nil {
				return err
			}
			p.refunded += back
		}
	default:
		return nil
	}
	if p.state == before.state && p.refunded == before.refunded {
		return nil
	}
	if err := s.settleRail(ctx, p, before.state, records); err != nil {
		return err
	}
	if err := s.noteRefund(ctx, p.Of, p.goesBack()-went); err != nil {
		return err
	}
	to := p.payer
	if p.Kind == Cashin {
		to = p.payee
	}
	words, err := s.railWords(ctx, p)
	if err != nil {
		return err
	}
	return s.tellOwner(ctx, to, words, p)
}

// settleRail writes a payment by a rail as it is now, in the transaction of ctx. A cash-out that is done has its receipt from now on; one that was refused does not count
// for the day.
func (s *Service) settleRail(ctx context.Context, p *payment, before string, records []ledger.Record) error {
	if p.state == Done && before != Done && p.Kind == intent.Cashout {
		var record *ledger.Record
		if len(records) > 0 {
			record = &records[0]
			p.number = record.Number
		}
		if err := s.sign(p, record); err != nil {
			return err
		}
	}
	if p.state == Refused && p.Kind == intent.Cashout {
		_, err := s.db.Exec(ctx, "update pay_day set spent = spent - $1 where account = $2 and unit = $3 and day = $4 and spent >= $1", p.Amount+p.Fee, p.Payer, p.Unit, dayOf(p.at))
		if err != nil {
			return fmt.Errorf("count what is spent: %w", err)
		}
	}
	_, err := s.db.Exec(ctx, "update pay_payment set state = $1, why = $2, error = $3, refunded = $4, number = $5, receipt = $6, receipt_signature = $7, amount = $8 where id = $9",
		p.state, p.why, p.refusal, p.refunded, p.number, p.receipt.text, bytesOrNone(p.receipt.signature), p.Amount, p.ID)
	if err != nil {
		return fmt.Errorf("keep payment: %w", err)
	}
	return nil
}

// railWords say what has become of money that goes out or comes in.
func (s *Service) railWords(ctx context.Context, p *payment) (said, error) {
	way, _ := railOf(p.Payee)
	not, moved := "notOut", "wentOut"
	switch p.Kind {
	case Cashin:
		way, _ = railOf(p.Payer)
		not, moved = "notIn", "cameIn"
	case CashRefund:
		not, moved = "notBack", "wentBack"
		held, _, err := s.ledger.Look(ctx, p.ID)
		if err != nil {
			return said{}, err
		}
		if held.From != WalletAccount(p.Unit, p.payer) { // the rail kept it for a wallet that took nothing
			not = "notBackKept"
		}
	}
	amount := money{p.Amount, p.Unit, ""}
	switch {
	case p.state == Refused:
		return say(not, amount, way).at(linkPayment, p.ID), nil
	case p.refunded > 0:
		return say("returned", amount, way, money{p.refunded, p.Unit, ""}).at(linkPayment, p.ID), nil
	}
	return say(moved, amount, way).at(linkPayment, p.ID), nil
}
