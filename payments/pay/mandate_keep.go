package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const mandateColumns = "id, made, payer, payee, unit, about, amount, total, period, until, state, asked"

// mandates reads mandates that a condition picks.
func (s *Service) mandates(ctx context.Context, where string, args ...any) ([]*mandate, error) {
	return read(ctx, s.db, "mandates", func(row *store.Rows) (*mandate, error) {
		m := &mandate{}
		var until int64
		err := row.Scan(&m.id, &m.made, &m.payer, &m.payee, &m.unit, &m.about, &m.amount, &m.total, &m.period, &until, &m.state, &m.asked)
		m.begun, m.until = atMicro(m.made), atMicro(until)
		return m, err
	}, "select "+mandateColumns+" from pay_mandate where "+where, args...)
}

// mandate reads a mandate; a refusal if there is none.
func (s *Service) mandate(ctx context.Context, id string) (*mandate, error) {
	found, err := s.mandates(ctx, "id = $1", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, noMandate("there is no hold and no mandate %.40s", id)
	}
	return found[0], nil
}

// prepareMandate lets the payee capture, until a time.
func (s *Service) prepareMandate(ctx context.Context, p *payment) error {
	now := s.now()
	if !p.Until.After(now) || p.Until.Sub(now) > maxMandateLife {
		return badText("until is at most three years ahead")
	}
	if err := s.checkPayee(ctx, p); err != nil {
		return err
	}
	if err := s.aboutAsked(ctx, p); err != nil {
		return err
	}
	if err := s.welcome(ctx, p); err != nil {
		return err
	}
	p.also = append(p.also, func(ctx context.Context) error {
		m := mandateOf(p, s.now())
		return s.db.Append(ctx, insertMandate, m.id, m.made, m.payer, m.payee, m.unit, m.about, m.amount, m.total, m.period, m.until.UnixMicro(), m.state, m.until.UnixMicro(), m.asked)
	})
	return nil
}

var insertMandate = store.NewInsert("pay_mandate", "id", "made", "payer", "payee", "unit", "about", "amount", "total", "period", "until", "state", "due", "asked")

// mandateOf is what an intent allows from a time on.
func mandateOf(p *payment, now time.Time) *mandate {
	return &mandate{id: p.ID, made: now.UnixMicro(), payer: p.Payer, payee: p.Payee, unit: p.Unit, about: p.For, amount: p.Amount, total: p.Total, period: p.Period,
		begun: now, until: p.Until, state: mandateOpen, asked: p.Of}
}

// captureMandate takes what a mandate allows.
func (s *Service) captureMandate(ctx context.Context, p *payment) error {
	m, err := s.mayCapture(ctx, p)
	if err != nil {
		return err
	}
	if err := s.quiet(ctx, p, p.payee, p.payer, m.about); err != nil {
		return err
	}
	p.limited = true // a mandate lets nobody spend more in a day than their level does
	p.also = append(p.also, func(ctx context.Context) error {
		if _, err := s.mayCapture(ctx, p); err != nil {
			return err
		}
		return s.db.Append(ctx, insertTaken, p.ID, p.Of, s.now().UnixMicro(), p.Amount)
	})
	return s.move(ctx, p, WalletAccount(p.Unit, p.payer))
}

var insertTaken = store.NewInsert("pay_taken", "id", "mandate", "taken", "amount")

// mayCapture refuses what the mandate does not allow now, and gives it.
func (s *Service) mayCapture(ctx context.Context, p *payment) (*mandate, error) {
	m, err := s.mandate(ctx, p.Of)
	if err != nil {
		return nil, err
	}
	now := s.now()
	taken, err := s.takenBy(ctx, m, now)
	if err != nil {
		return nil, err
	}
	return m, m.capture(p.Payer, p.Payee, p.Unit, p.Amount, taken, now)
}

// takenBy is what was taken by a mandate since its period began.
func (s *Service) takenBy(ctx context.Context, m *mandate, now time.Time) (taken int64, err error) {
	err = s.db.QueryRow(ctx, "select cast(coalesce(sum(amount), 0) as bigint) from pay_taken where mandate = $1 and taken >= $2", m.id, m.since(now).UnixMicro()).Scan(&taken)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return 0, fmt.Errorf("add up captures: %w", err)
	}
	return taken, nil
}

// prepareRevoke ends a mandate; who gave it signs it.
func (s *Service) prepareRevoke(ctx context.Context, p *payment) error {
	m, err := s.mandate(ctx, p.Of)
	if err != nil {
		return err
	}
	if m.payer != p.Payer || m.payee != p.Payee {
		return noMandate("no mandate of yours for this payee is %.40s", p.Of)
	}
	if err := m.revoke(p.Payer, s.now()); err != nil {
		return err
	}
	if err := s.quiet(ctx, p, p.payer, p.payee, m.about); err != nil {
		return err
	}
	p.state = Ended
	p.also = append(p.also, func(ctx context.Context) error { return s.endMandate(ctx, p.Of, mandateRevoked) })
	return nil
}

// endMandate notes in the transaction of ctx that a mandate has ended, and its payment with it.
func (s *Service) endMandate(ctx context.Context, id, state string) error {
	n, err := s.db.Exec(ctx, "update pay_mandate set state = $1, due = 0 where id = $2 and state = 'open'", state, id)
	if err != nil {
		return fmt.Errorf("end mandate: %w", err)
	}
	if n != 1 {
		return isOver("the mandate has ended")
	}
	if _, err := s.db.Exec(ctx, "update pay_payment set state = 'ended' where id = $1", id); err != nil {
		return fmt.Errorf("end mandate: %w", err)
	}
	return nil
}

// expireMandates ends the mandates of which the time is over.
func (s *Service) expireMandates(ctx context.Context) error {
	now := s.now()
	return s.each(ctx, "select id from pay_mandate where due > 0 and due <= $1 order by due limit $2", now, func(ctx context.Context, id string) error {
		m, err := s.mandate(ctx, id)
		if err != nil || m.state != mandateOpen {
			return err
		}
		if err := s.endMandate(ctx, id, mandateExpired); err != nil {
			return err
		}
		return s.tellMandate(ctx, id, say("mandateOver", called(m.payer), called(m.payee)))
	})
}

// tellMandate tells both how a mandate stands, in the transaction of ctx.
func (s *Service) tellMandate(ctx context.Context, id string, words said) error {
	m, err := s.mandate(ctx, id)
	if err != nil {
		return err
	}
	e, err := s.mandateElement(ctx, m)
	if err != nil {
		return err
	}
	return s.tellPeople(ctx, []string{m.payer, m.payee}, "", words.at(linkPayment, id), e)
}

// mandateElement is a mandate as it is told, with what may be taken now.
func (s *Service) mandateElement(ctx context.Context, m *mandate) (*xmpp.Element, error) {
	now := s.now()
	taken, err := s.takenBy(ctx, m, now)
	if err != nil {
		return nil, err
	}
	left := m.left(taken)
	if m.stateAt(now) != mandateOpen {
		left = 0
	}
	return element("mandate", "id", m.id, "payer", m.payer, "payee", m.payee, "amount", digits(m.amount), "total", digits(m.total), "unit", m.unit, "period", m.period,
		"for", m.about, "until", intent.FormatTime(m.until), "state", m.stateAt(now), "left", digits(left), "taken", digits(taken), "request", m.asked, "time", momentOf(m.made)), nil
}

const maxMandates = 200 // in one answer

// getMandates is <mandates/>: those that somebody has given or was given, the newest first.
func (s *Service) getMandates(ctx context.Context, account xmpp.JID, _ *xmpp.Element) (*xmpp.Element, error) {
	found, err := s.mandates(ctx, "(payer = $1 or payee = $1) order by made desc limit $2", account.String(), int64(maxMandates))
	if err != nil {
		return nil, err
	}
	list := element("mandates")
	for _, m := range found {
		e, err := s.mandateElement(ctx, m)
		if err != nil {
			return nil, err
		}
		list.Add(e)
	}
	return list, nil
}

// tellGiven tells both that a mandate was given; tellRevoked, that it has ended.
func (s *Service) tellGiven(ctx context.Context, p *payment) error {
	words := say("mandate", called(p.Payer), called(p.Payee), money{p.Amount, p.Unit, p.For})
	return s.tellMandate(ctx, p.ID, words)
}

func (s *Service) tellRevoked(ctx context.Context, p *payment) error {
	return s.tellMandate(ctx, p.Of, say("mandateRevoked", called(p.Payer), called(p.Payee)))
}
