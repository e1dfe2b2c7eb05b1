package pay

import (
	"errors"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// errSame means that something is as it is asked for already: that is answered, and nobody is told anew.
var errSame = errors.New("it is so already")

// isOver says that what something is about has ended, and how.
func isOver(format string, args ...any) error { return over().Because(format, args...) }

func noMandate(format string, args ...any) error {
	return refusal(xmpp.Forbidden, "no-mandate").Because(format, args...)
}

// waitUntil says until when something has to wait.
func waitUntil(until time.Time) error {
	return refusal(xmpp.PolicyViolation, "wait", "until", intent.FormatTime(until.UTC().Truncate(time.Second)))
}
