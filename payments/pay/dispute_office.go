package pay

import (
	"context"

	"palabre.dev/palabre/xmpp"
)

// Uphold decides in an administrator's name, who says why in at most 400 bytes, that what a dispute is about is to be given back. Nothing is moved by that: the payee is told,
// and signs the refund; until then the dispute is upheld, and an administrator may stop the payee's wallet. Errors are *xmpp.Error where somebody can do something about them.
func (s *Service) Uphold(ctx context.Context, by, id, why string) error {
	if why == "" || len(why) > maxReason {
		return xmpp.BadRequest.Because("say why, in at most %d bytes", maxReason)
	}
	err := s.changeDispute(ctx, id, func(ctx context.Context, d *dispute) (said, error) {
		if err := d.open(); err != nil {
			return said{}, err
		}
		d.state, d.decidedBy, d.decidedWhy = disputeUpheld, by, why
		return say("upheld", called(d.payee), called(d.payer), money{d.amount - d.refunded, d.unit, ""}, why),
			s.audit(ctx, by, "uphold", d.payee, d.id+": "+why)
	})
	s.wake()
	return err
}
