package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
)

// prepareHold sets an amount aside for a payee until a time.
func (s *Service) prepareHold(ctx context.Context, p *payment) error {
	now := s.now()
	if !p.Until.After(now) || p.Until.Sub(now) > ledger.MaxHolding {
		return badText("until is at most 62 days ahead")
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
	from, to := WalletAccount(p.Unit, p.payer), WalletAccount(p.Unit, p.payee)
	hold := p.transfer(from, to)
	hold.Kind, hold.Expires = ledger.Hold, p.Until
	p.state, p.operations = Held, []ledger.Operation{hold}
	return s.open(ctx, p.Unit, from, to)
}

// prepareCapture takes what a hold or a mandate of the payer allows.
func (s *Service) prepareCapture(ctx context.Context, p *payment) error {
	hold, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	if hold == nil || hold.Kind != intent.Hold {
		return s.captureMandate(ctx, p)
	}
	if hold.payer != p.payer || hold.payee != p.payee || hold.Unit != p.Unit || hold.state == Refused {
		return noMandate("no hold of this payer for this payee in this unit is %.40s", p.Of)
	}
	if p.Amount > hold.Amount {
		return exceeds(hold.Amount)
	}
	if err := s.quiet(ctx, p, p.payee, p.payer, hold.For); err != nil {
		return err
	}
	p.operations = []ledger.Operation{{ID: p.ID, Kind: ledger.Capture, Of: hold.ID, Amount: p.Amount, About: p.about(), Data: p.data()}}
	return s.endHold(p, hold, p.Amount)
}

// prepareVoid ends a hold; who would have been paid signs it.
func (s *Service) prepareVoid(ctx context.Context, p *payment) error {
	hold, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	if hold == nil || hold.Kind != intent.Hold || hold.payer != p.payer || hold.payee != p.payee || hold.state == Refused {
		return noMandate("no hold of this payer for this payee is %.40s", p.Of)
	}
	if err := s.quiet(ctx, p, p.payee, p.payer, hold.For); err != nil {
		return err
	}
	p.state = Ended
	p.operations = []ledger.Operation{{ID: p.ID, Kind: ledger.Void, Of: hold.ID, About: p.about(), Data: p.data()}}
	return s.endHold(p, hold, 0)
}

// endHold refuses to end a hold that has ended, and adds that it ends with p, which takes so much of it.
func (s *Service) endHold(p, hold *payment, taken int64) error {
	if hold.state != Held || !s.now().Before(hold.Until) {
		return isOver("the hold has ended")
	}
	p.chat = hold.chat
	p.also = append(p.also, func(ctx context.Context) error { return s.holdEnded(ctx, hold.ID, taken) })
	return nil
}

// holdEnded notes in the transaction of ctx that a hold has ended, of which so much was taken, and tells it. What was not taken counts for no limit of the day any more. A hold that
// has ended before is over.
func (s *Service) holdEnded(ctx context.Context, id string, taken int64) error {
	n, err := s.db.Exec(ctx, "update pay_payment set state = 'ended' where id = $1 and state = 'held'", id)
	if err != nil {
		return fmt.Errorf("end hold: %w", err)
	}
	if n != 1 {
		return isOver("the hold has ended")
	}
	hold, err := s.payment(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "update pay_day set spent = spent - $1 where account = $2 and unit = $3 and day = $4 and spent >= $1", hold.Amount-taken, hold.Payer, hold.Unit, dayOf(hold.at))
	if err != nil {
		return fmt.Errorf("count what is free again: %w", err)
	}
	return s.tellBoth(ctx, hold)
}

// expireHolds ends the holds of which the time is over. The ledger does so by itself, perhaps before us: then it is noted here alone.
func (s *Service) expireHolds(ctx context.Context) (failed error) {
	now := s.now()
	for {
		due, err := s.payments(ctx, "where p.state = 'held' and p.until > 0 and p.until <= $1 order by p.time limit $2", now.UnixMicro(), int64(dueAtOnce))
		if err != nil {
			return err
		}
		for _, hold := range due {
			if err := s.expireHold(ctx, hold); err != nil {
				failed = errors.Join(failed, fmt.Errorf("end hold %s: %w", hold.ID, err))
			}
		}
		if len(due) < dueAtOnce || failed != nil {
			return failed
		}
	}
}

func (s *Service) expireHold(ctx context.Context, hold *payment) error {
	also := func(ctx context.Context, _ []ledger.Record) error {
		err := s.holdEnded(ctx, hold.ID, 0)
		if errors.Is(err, over()) {
			return nil // it was captured or voided meanwhile
		}
		return err
	}
	_, err := s.ledger.Post(ctx, also, ledger.Operation{ID: "over:" + hold.ID, Kind: ledger.Void, Of: hold.ID, About: "its time is over"})
	var refused *ledger.Refused
	if err == nil || !errors.As(err, &refused) {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error { return also(ctx, nil) })
}

// sweepPause is how often it is looked for what has come to its time.
const sweepPause = time.Second

// watchTime makes what has come to its time, until ctx ends.
func (s *Service) watchTime(ctx context.Context) {
	tick := time.NewTicker(sweepPause)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("what has come to its time could not be done; it is tried again", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep makes everything that has come to its time by now.
func (s *Service) sweep(ctx context.Context) error {
	err := errors.Join(s.makeTurns(ctx), s.expireRequests(ctx), s.expireHolds(ctx), s.expireMandates(ctx))
	s.wake()
	return err
}
