package pay

import (
	"context"
	"errors"
	"slices"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// What becomes of a promise (an Offline) that is not paid when it is handed in. Its payer can do much that keeps it from being paid: that never voids it for good behind the back of
// who was promised it where the cause may go away, and the operator is shown each one that its payee hands in in vain.

// passing are refusals of a promise of which the cause may go away before it expires. Whoever was promised it asks again.
var passing = []string{"frozen", "over-limit", "insufficient", "not-ready"}

// ending are refusals that its payer, too, is told for good: nobody else gets another answer.
var ending = []string{"expired", "taken-back", "no-key"}

// slack is how much further ahead than it may be a promise expires that is not refused for that: a clock was wrong, and it can be paid a little later.
const slack = day

// own says whether who hands in a promise is who has made it.
func (p *payment) own() bool { return p.Kind == intent.Offline && p.from == p.payer }

// shown says whether who hands in a promise is whom it was shown to.
func (p *payment) shown() bool { return p.Kind == intent.Offline && !p.own() }

// passes says whether a refusal of a promise decides nothing. The book keeps none of a promise either, as it would refuse it for ever.
func (p *payment) passes(wire *xmpp.Error) bool {
	if p.own() {
		return !slices.Contains(ending, whyOf(wire))
	}
	return p.shown() && slices.Contains(passing, whyOf(wire))
}

// notNow answers that a promise is not paid now, which decides nothing.
func (s *Service) notNow(ctx context.Context, p *payment, wire *xmpp.Error) (*xmpp.Element, error) {
	if err := s.suspect(ctx, p, whyOf(wire)); err != nil {
		return nil, err
	}
	return nil, again(wire)
}

// again is an error that decides nothing.
func again(wire *xmpp.Error) *xmpp.Error {
	a := *wire
	a.Type = "wait"
	return &a
}

// tooFar refuses a text that expires too far ahead.
func tooFar(p *payment, ahead, most time.Duration) error {
	err := badText("it expires too far ahead")
	if p.Kind == intent.Offline && ahead <= most+slack {
		return again(err)
	}
	return err
}

// unproved answers for what no key has signed that may: a promise of a key that was dropped since is refused for good, as nobody can say when it was signed, and it is noted.
func (s *Service) unproved(ctx context.Context, p *payment, err error) (*xmpp.Element, error) {
	var wire *xmpp.Error
	if !p.shown() || !errors.As(err, &wire) || whyOf(wire) != "no-key" || !s.now().Before(p.Expires) {
		return nil, err
	}
	signed, readErr := s.hasSigned(ctx, p)
	if readErr != nil {
		return nil, readErr
	}
	if !signed {
		return nil, err
	}
	return s.keepRefusal(ctx, p, wire)
}

// hasSigned says whether a key of the payer has signed a promise, also one that was dropped since.
func (s *Service) hasSigned(ctx context.Context, p *payment) (bool, error) {
	was, err := s.keys(ctx, p.payer, "and k.id = $2", p.Key)
	if err != nil || len(was) == 0 || s.verify(was[0], p.text, p.signature) != nil {
		return false, err
	}
	p.key, p.public = was[0], was[0].public
	return true, nil
}

// crossed answers that an id was used for something else. Where it is that of a promise that was shown to somebody, its payer has told it, or used it: that is noted.
func (s *Service) crossed(ctx context.Context, p *payment) error {
	if !p.shown() || !s.now().Before(p.Expires) {
		return idTaken()
	}
	signed, err := s.hasSigned(ctx, p)
	if err != nil {
		return err
	}
	if signed {
		if err := s.suspect(ctx, p, "id-taken"); err != nil {
			return err
		}
	}
	return idTaken()
}

// suspect notes, once, what the operator should look at: a promise that whoever it was shown to has handed in before it expired, and was not paid for.
func (s *Service) suspect(ctx context.Context, p *payment, why string) error {
	switch {
	case !p.shown() || why == "expired":
		return nil
	case why == "insufficient":
		return s.noteOnce(ctx, p.payer, doublePromise, p.ID, p.Payee)
	}
	return s.noteOnce(ctx, p.payer, voidPromise, p.ID, why+" "+p.Payee)
}
