package people

import (
	"context"
	"errors"

	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/xmpp"
)

// running is what runs beside the journey.
type running struct {
	contacts *roster.Feature
	apps     *caps.Feature
}

// Run runs both until ctx ends.
func (r running) Run(ctx context.Context) error {
	ended := make(chan error)
	go func() { ended <- r.apps.Run(ctx) }()
	return errors.Join(r.contacts.Run(ctx), <-ended)
}

func offered(element *xmpp.Element) func(bool) *xmpp.Element {
	return func(authenticated bool) *xmpp.Element {
		if !authenticated {
			return nil
		}
		return element
	}
}
