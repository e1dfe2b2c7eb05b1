// Package fault has what a publish-subscribe service tells who asks for what cannot be (XEP-0060 §16.2): a condition of its own beside that of the stanza
// error. It is for those who serve nodes; what an asker makes of such an answer is not here.
package fault

import "palabre.dev/palabre/xmpp"

const ns = "http://jabber.org/protocol/pubsub#errors"

// The conditions, each with the stanza error that XEP-0060 gives it. Because says more than they do.
var (
	NodeRequired    = xmpp.BadRequest.With(condition("nodeid-required"))
	NoInstantNode   = xmpp.NotAcceptable.With(condition("nodeid-required")) // a node is made with a name here (XEP-0060 §8.1.2)
	ItemRequired    = xmpp.BadRequest.With(condition("item-required"))
	PayloadRequired = xmpp.BadRequest.With(condition("payload-required"))
	InvalidPayload  = xmpp.BadRequest.With(condition("invalid-payload"))
	PayloadTooBig   = xmpp.NotAcceptable.With(condition("payload-too-big"))
	MaxItems        = xmpp.NotAllowed.With(condition("max-items-exceeded"))
	MaxNodes        = xmpp.Conflict.With(condition("max-nodes-exceeded"))
	NotSubscribed   = xmpp.UnexpectedRequest.With(condition("not-subscribed"))
	InvalidJID      = xmpp.BadRequest.With(condition("invalid-jid"))
	InvalidOptions  = xmpp.BadRequest.With(condition("invalid-options"))
	NeedPresence    = xmpp.NotAuthorized.With(condition("presence-subscription-required"))
	NotInGroup      = xmpp.NotAuthorized.With(condition("not-in-roster-group"))
	ClosedNode      = xmpp.NotAllowed.With(condition("closed-node"))
	AccessModel     = xmpp.NotAcceptable.With(condition("unsupported-access-model"))
	Precondition    = xmpp.Conflict.With(condition("precondition-not-met"))
)

func condition(name string) *xmpp.Element { return xmpp.NewElement(ns, name) }

// Unsupported is the refusal of a part of XEP-0060 that is left out, by the name that its features have there.
func Unsupported(feature string) error {
	return xmpp.FeatureNotImplemented.With(condition("unsupported").Set("feature", feature))
}
