package pay

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// The kinds of a warning.
const (
	warnLookAlike = "look-alike" // the payee is taken for somebody whom the account knows
	warnNewPayee  = "new-payee"  // the account has never paid it
	warnUnusual   = "unusual"    // it is far more than the account has ever paid
	warnLate      = "late"       // it is an hour at which the account never pays
)

const (
	maxKnown     = 500 // payees with whom a new one is compared
	unusualTimes = 3   // from that many payments on it is known what is usual
	unusualMore  = 3   // times the largest
	lateTimes    = 20  // from that many payments on it is known when an account pays
	lateLooked   = 200
	lateHours    = 2 // before and after
)

// quote says what a payment would cost, and what one should think of before it is signed. It promises nothing.
func (s *Service) quote(ctx context.Context, account xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	kind, code := intent.Kind(payload.Attr("kind")), payload.Attr("unit")
	r, known := rules(kind)
	unit := s.cfg.unit(code)
	amount, err := strconv.ParseInt(payload.Attr("amount"), 10, 64)
	if err != nil || !known || unit == nil || amount < 1 || amount > ledger.MaxAmount {
		return nil, badText("kind, unit and amount")
	}
	p := &payment{Intent: &intent.Intent{Kind: kind, Payer: account.String(), Payee: payload.Attr("payee"), Amount: amount, Unit: code, Of: payload.Attr("of")}, payer: account}
	e := element("quote").Set("fee", digits(s.feeOf(unit, r, p)))
	steps, err := s.quotesStepUp(ctx, account, p.Intent)
	if err != nil {
		return nil, err
	}
	if steps {
		e.Set("stepup", "true")
	}
	if err := s.isShort(ctx, e, p, r, s.feeOf(unit, r, p)); err != nil {
		return nil, err
	}
	if kind == intent.Cashout || kind == intent.Reserve || kind == intent.Release {
		return e, nil
	}
	if err := p.parties(); err != nil {
		return nil, err
	}
	if err := s.payable(ctx, p.payer, p.payee); err != nil {
		return nil, err
	}
	if err := s.maySend(ctx, p); err != nil {
		return nil, err
	}
	name, _, err := s.person(ctx, p.payee)
	if err != nil {
		return nil, err
	}
	if name != "" {
		e.Set("name", name)
	}
	return e, s.warn(ctx, e, p, name)
}

// isShort says in a quote if there is not enough in the wallet.
func (s *Service) isShort(ctx context.Context, e *xmpp.Element, p *payment, r rule, fee int64) error {
	if !r.limited {
		return nil
	}
	a, err := s.stands(ctx, WalletAccount(p.Unit, p.payer))
	if err == nil && a.Balance-a.Held < p.Amount+fee {
		e.Set("short", "true")
	}
	return err
}

// warn adds warnings to a quote.
func (s *Service) warn(ctx context.Context, e *xmpp.Element, p *payment, name string) error {
	rows, err := s.db.Query(ctx, "select payee, unit, times, largest from pay_payee where account = $1 order by newest desc limit $2", p.Payer, maxKnown)
	if err != nil {
		return fmt.Errorf("read payees: %w", err)
	}
	var times, largest int64
	paid := map[string]bool{}
	for rows.Next() {
		var payee, unit string
		var n, most int64
		if err := rows.Scan(&payee, &unit, &n, &most); err != nil {
			return fmt.Errorf("read payees: %w", err)
		}
		paid[payee] = true
		if unit == p.Unit {
			times, largest = times+n, max(largest, most)
		}
	}
	if !paid[p.Payee] {
		e.Add(element("warning", "kind", warnNewPayee))
		of, err := s.lookAlike(ctx, p, name, paid)
		if err != nil {
			return err
		}
		if of != "" {
			e.Add(element("warning", "kind", warnLookAlike, "of", of))
		}
	}
	if times >= unusualTimes && p.Amount/unusualMore > largest {
		e.Add(element("warning", "kind", warnUnusual))
	}
	return s.warnLate(ctx, e, p)
}

// lookAlike finds whom a payee is taken for: one whom the account has paid or has in its roster, with an address or a name that looks like its. The payee itself, where
// it is in the roster, is who it is.
func (s *Service) lookAlike(ctx context.Context, p *payment, name string, paid map[string]bool) (of string, err error) {
	var contacts []Contact
	if s.directory != nil {
		if contacts, err = s.directory.Contacts(ctx, p.payer); err != nil {
			return "", fmt.Errorf("read contacts: %w", err)
		}
	}
	looks := []string{lookOf(p.payee.Local())}
	if name != "" {
		looks = append(looks, lookOf(name))
	}
	for _, contact := range contacts {
		if contact.Account == p.payee {
			return "", nil
		}
		for _, look := range looks {
			if looksLike(look, lookOf(contact.Account.Local())) || contact.Name != "" && looksLike(look, lookOf(contact.Name)) {
				of = contact.Account.String()
			}
		}
	}
	for payee := range paid {
		other, err := bare(payee)
		if err == nil && looksLike(looks[0], lookOf(other.Local())) {
			of = payee
		}
	}
	return of, nil
}

// warnLate warns of an hour of the day at which the account has never paid. Nobody has to know where it is.
func (s *Service) warnLate(ctx context.Context, e *xmpp.Element, p *payment) error {
	rows, err := s.db.Query(ctx, `select l.time from pay_line l join pay_payment p on p.id = l.id where l.account = $1 and p.payer = $1 and p.state = 'done'
		order by l.time desc limit $2`, p.Payer, lateLooked)
	if err != nil {
		return fmt.Errorf("read times: %w", err)
	}
	now := s.now().UTC().Hour()
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return fmt.Errorf("read times: %w", err)
		}
		apart := (time.UnixMicro(at).UTC().Hour() - now + 24) % 24
		if min(apart, 24-apart) <= lateHours {
			return nil
		}
	}
	if rows.Len() >= lateTimes {
		e.Add(element("warning", "kind", warnLate))
	}
	return nil
}
