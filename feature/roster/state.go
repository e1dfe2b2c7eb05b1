package roster

// State is where an account stands with a contact: the subscription in both directions, and what is asked for (RFC 6121 appendix A).
type State uint8

// The parts of a state. Ask is "pending out", Request is "pending in".
const (
	To       State = 1 << iota // the account sees the contact's presence
	From                       // the contact sees the account's presence
	Ask                        // the account has asked to see
	Request                    // the contact has asked to see, and waits
	Approved                   // the account has approved a request before it came (RFC 6121 §3.4)
	Listed                     // the contact is in the roster that devices see
	gone                       // the contact was in the roster and has been removed
)

// shown are the parts that the account's devices know: a request is not among them (RFC 6121 §3.1.3).
const shown = To | From | Ask | Approved | Listed

// Subscription is the value of the attribute of that name (RFC 6121 §2.1.2.5).
func (s State) Subscription() string {
	return [...]string{"none", "to", "from", "both"}[s&(To|From)]
}

// outbound is what becomes of the state when the account sends a subscription stanza, and whether the contact is to get it
// (RFC 6121 appendix A.2).
func outbound(s State, kind string) (next State, route bool) {
	switch kind {
	case "subscribe":
		if s&To == 0 {
			s |= Ask | Listed
		}
		return s, true
	case "unsubscribe":
		return s &^ (To | Ask), true
	case "subscribed":
		switch {
		case s&Request != 0:
			return s&^Request | From | Listed, true
		case s&From == 0:
			return s | Approved | Listed, false
		}
	case "unsubscribed":
		return s &^ (From | Request | Approved), s&(From|Request) != 0
	}
	return s, false
}

// inbound is what becomes of the state when the contact sends a subscription stanza, whether the account's devices are to get it, and
// whether the server says "subscribed" in the account's name (RFC 6121 appendix A.3).
func inbound(s State, kind string) (next State, deliver, answer bool) {
	switch kind {
	case "subscribe":
		switch {
		case s&From != 0:
			return s, false, true
		case s&Approved != 0:
			return s | From | Listed, false, true
		}
		return s | Request, s&Request == 0, false
	case "unsubscribe":
		return s &^ (From | Request), s&(From|Request) != 0, false
	case "subscribed":
		if s&Ask != 0 {
			return s&^Ask | To, true, false
		}
	case "unsubscribed":
		return s &^ (To | Ask), s&(To|Ask) != 0, false
	}
	return s, false, false
}

// aboutSubscription reports whether presence of this type asks for, grants or ends a subscription.
func aboutSubscription(kind string) bool {
	switch kind {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return true
	}
	return false
}
