package pay

import (
	"context"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// addStanding says how a payment stands that waits for a rail: as far as the rail knows, and what its owner has to do.
func (s *Service) addStanding(ctx context.Context, p *payment, e *xmpp.Element) error {
	if p.state != Waiting || s.rails == nil {
		return nil
	}
	at, err := s.rails.Standing(ctx, p.ID)
	if err != nil || at.Way == "" {
		return err
	}
	e.Set("way", at.Way)
	if !at.Since.IsZero() {
		e.Set("since", intent.FormatTime(at.Since.Truncate(time.Second)))
	}
	if p.Kind == Cashin && at.Next.Kind != "" {
		e.Add(at.Next.element())
	}
	return nil
}

// element is what somebody has to do, as the protocol writes it.
func (s Step) element() *xmpp.Element {
	switch s.Kind {
	case "go":
		return element("go", "address", s.Value)
	case "show":
		return element("show", "code", s.Value)
	}
	return element("wait")
}
