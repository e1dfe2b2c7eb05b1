package pubsub

import (
	"errors"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// errQuota is what somebody is told who publishes more than fits.
var errQuota = xmpp.ResourceConstraint.Because("the account's space for published items is used up")

// told gives what the asker can be told of an error of the store.
func told(err error) error {
	if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrBusy) || errors.Is(err, store.ErrClosed) {
		return errors.Join(xmpp.ResourceConstraint.Because("this could not be stored; try again later"), err)
	}
	return err
}
