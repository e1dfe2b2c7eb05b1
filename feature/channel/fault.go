package channel

import "palabre.dev/palabre/xmpp"

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
	errNotSubscribed   = xmpp.UnexpectedRequest.With(condition("not-subscribed"))
	errInvalidJID      = xmpp.BadRequest.With(condition("invalid-jid"))
	errInvalidOptions  = xmpp.BadRequest.With(condition("invalid-options"))
	errClosedNode      = xmpp.NotAllowed.With(condition("closed-node"))
	errPrecondition    = xmpp.Conflict.With(condition("precondition-not-met"))
)

// unsupported is the refusal of a part of XEP-0060 that is left out.
func unsupported(feature string) error {
	return xmpp.FeatureNotImplemented.With(condition("unsupported").Set("feature", feature))
}
