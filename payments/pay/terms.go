package pay

import (
	"context"
	"errors"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// terms are what a request asks for that is not about money now: a hold, or a mandate. They are zero for one about money.
type terms struct {
	kind   intent.Kind // empty, Hold or Mandate
	total  int64       // of a mandate: at most, in a period
	period string
	until  time.Time // when the hold or the mandate ends
}

// readTerms reads the terms of a request. What asks for a hold or a mandate is given as a whole, once.
func readTerms(a *asked, r *request, now time.Time) (t terms) {
	t.kind = intent.Kind(a.oneOf("kind", "", string(intent.Hold), string(intent.Mandate)))
	if t.kind == "" {
		return t
	}
	if r.partial || r.series != "" {
		a.refuse("kind", "a "+string(t.kind)+" is asked for as a whole and once")
	}
	if a.e.Attr("until") == "" {
		a.refuse("until", "when it ends")
	}
	if t.kind == intent.Hold {
		t.until = a.until("until", now, ledger.MaxHolding, 0)
		return t
	}
	t.total, t.period, t.until = a.amount("total"), a.oneOf("period", once, everyDay, everyWeek, everyMonth), a.until("until", now, maxMandateLife, 0)
	return t
}

// set writes them as they are told.
func (t *terms) set(e *xmpp.Element) {
	if t.kind == "" {
		return
	}
	e.Set("kind", string(t.kind)).Set("until", intent.FormatTime(t.until))
	if t.kind == intent.Mandate {
		e.Set("total", digits(t.total)).Set("period", t.period)
	}
}

// grant notes that the payer has given what a request asks for, or refuses it: a mandate may allow less than was asked and never more, a hold is as it was asked for.
func (r *request) grant(i *intent.Intent, now time.Time) error {
	switch {
	case i.Payer != r.payer || i.Payee != r.payee:
		return xmpp.Forbidden.Because("the request is to somebody else")
	case !r.waits(now):
		return isOver("the request is %s", r.stateAt(now))
	case i.Kind != r.kind || i.Unit != r.unit || i.Period != r.period || i.Kind == intent.Hold && i.Amount != r.amount:
		return xmpp.NotAcceptable.Because("it is not what the request asks for")
	case i.Amount > r.amount || i.Total > r.total:
		return exceeds(r.amount)
	case i.Until.After(r.until):
		return xmpp.NotAcceptable.Because("the request is for a time until %s", intent.FormatTime(r.until))
	}
	r.state = requestPaid
	return nil
}

// aboutAsked is of a hold or a mandate that a request asks for (Of): the request is answered in the transaction that keeps it.
func (s *Service) aboutAsked(ctx context.Context, p *payment) error {
	if p.Of == "" {
		return nil
	}
	r, err := s.request(ctx, p.Of)
	if errors.Is(err, xmpp.ItemNotFound) || err == nil && !r.concerns(p.Payer) { // for whom it does not concern there is none
		return xmpp.ItemNotFound.Because("there is no request %.40s", p.Of)
	}
	if err != nil {
		return err
	}
	if err := r.grant(p.Intent, s.now()); err != nil {
		return err
	}
	p.chat, p.wanted, p.wantedFor = r.chat, true, &r.about
	p.also = append(p.also, func(ctx context.Context) error { return s.grantAsked(ctx, p) })
	return nil
}

// grantAsked notes in the transaction of ctx that a request was answered, and tells it.
func (s *Service) grantAsked(ctx context.Context, p *payment) error {
	now := s.now()
	r, err := s.request(ctx, p.Of)
	if err != nil {
		return err
	}
	if err := r.grant(p.Intent, now); err != nil {
		return err
	}
	if err := s.keepRequest(ctx, r); err != nil {
		return err
	}
	return s.tellRequest(ctx, r, now, say("agreesTerms", called(r.payer), called(r.payee)))
}
