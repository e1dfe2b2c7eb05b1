package pubsub

import (
	"errors"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const nsErrors = "http://jabber.org/protocol/pubsub#errors"

// condition is one of the conditions that XEP-0060 §16.2 adds to those of stanza errors.
func condition(name string) *xmpp.Element { return xmpp.NewElement(nsErrors, name) }

// What XEP-0060 tells askers.
var (
	errNodeRequired    = xmpp.BadRequest.With(condition("nodeid-required"))
	errItemRequired    = xmpp.BadRequest.With(condition("item-required"))
	errPayloadRequired = xmpp.BadRequest.With(condition("payload-required"))
	errInvalidPayload  = xmpp.BadRequest.With(condition("invalid-payload"))
	errPayloadTooBig   = xmpp.NotAcceptable.With(condition("payload-too-big"))
	errMaxItems        = xmpp.NotAllowed.With(condition("max-items-exceeded"))
	errMaxNodes        = xmpp.Conflict.With(condition("max-nodes-exceeded"))
	errNotSubscribed   = xmpp.UnexpectedRequest.With(condition("not-subscribed"))
	errInvalidJID      = xmpp.BadRequest.With(condition("invalid-jid"))
	errNeedPresence    = xmpp.NotAuthorized.With(condition("presence-subscription-required"))
	errNotInGroup      = xmpp.NotAuthorized.With(condition("not-in-roster-group"))
	errClosedNode      = xmpp.NotAllowed.With(condition("closed-node"))
	errPrecondition    = xmpp.Conflict.With(condition("precondition-not-met"))
	errQuota           = xmpp.ResourceConstraint.Because("the account's space for published items is used up")
)

// unsupported is the refusal of a part of XEP-0060 that is left out.
func unsupported(feature string) error {
	return xmpp.FeatureNotImplemented.With(condition("unsupported").Set("feature", feature))
}

// told gives what the asker can be told of an error of the store.
func told(err error) error {
	if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrBusy) || errors.Is(err, store.ErrClosed) {
		return errors.Join(xmpp.ResourceConstraint.Because("this could not be stored; try again later"), err)
	}
	return err
}
