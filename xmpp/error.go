package xmpp

import "fmt"

// Error is a stanza error (RFC 6120 §8.3): what a peer is told. It is also a Go error, so that a feature returns it and the door sends it.
type Error struct {
	Type      string   // auth, cancel, continue, modify or wait
	Condition string   // a condition of RFC 6120 §8.3.3
	Text      string   // for people; optional
	Detail    *Element // an application's own condition; optional
	By        JID      // who found the error; optional
}

func (e *Error) Error() string {
	if e.Text != "" {
		return e.Condition + ": " + e.Text
	}
	return e.Condition
}

// Is makes errors.Is compare type and condition.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Condition == e.Condition && t.Type == e.Type
}

// Because is the error with a text for people.
func (e *Error) Because(format string, args ...any) *Error {
	c := *e
	c.Text = fmt.Sprintf(format, args...)
	return &c
}

// With is the error with an application's own condition.
func (e *Error) With(detail *Element) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// The conditions of RFC 6120 §8.3.3, each with the type it recommends.
var (
	BadRequest            = &Error{Type: "modify", Condition: "bad-request"}
	Conflict              = &Error{Type: "cancel", Condition: "conflict"}
	FeatureNotImplemented = &Error{Type: "cancel", Condition: "feature-not-implemented"}
	Forbidden             = &Error{Type: "auth", Condition: "forbidden"}
	Gone                  = &Error{Type: "cancel", Condition: "gone"}
	InternalServerError   = &Error{Type: "cancel", Condition: "internal-server-error"}
	ItemNotFound          = &Error{Type: "cancel", Condition: "item-not-found"}
	JIDMalformed          = &Error{Type: "modify", Condition: "jid-malformed"}
	NotAcceptable         = &Error{Type: "modify", Condition: "not-acceptable"}
	NotAllowed            = &Error{Type: "cancel", Condition: "not-allowed"}
	NotAuthorized         = &Error{Type: "auth", Condition: "not-authorized"}
	PolicyViolation       = &Error{Type: "modify", Condition: "policy-violation"}
	RecipientUnavailable  = &Error{Type: "wait", Condition: "recipient-unavailable"}
	RegistrationRequired  = &Error{Type: "auth", Condition: "registration-required"}
	RemoteServerNotFound  = &Error{Type: "cancel", Condition: "remote-server-not-found"}
	RemoteServerTimeout   = &Error{Type: "wait", Condition: "remote-server-timeout"}
	ResourceConstraint    = &Error{Type: "wait", Condition: "resource-constraint"}
	ServiceUnavailable    = &Error{Type: "cancel", Condition: "service-unavailable"}
	SubscriptionRequired  = &Error{Type: "auth", Condition: "subscription-required"}
	UndefinedCondition    = &Error{Type: "cancel", Condition: "undefined-condition"}
	UnexpectedRequest     = &Error{Type: "wait", Condition: "unexpected-request"}
)

// codes are the numbers of XEP-0086. Profanity tests the one of item-not-found before it publishes its first OMEMO device list.
var codes = map[string]string{
	"bad-request": "400", "conflict": "409", "feature-not-implemented": "501", "forbidden": "403", "gone": "302",
	"internal-server-error": "500", "item-not-found": "404", "jid-malformed": "400", "not-acceptable": "406", "not-allowed": "405",
	"not-authorized": "401", "recipient-unavailable": "404", "registration-required": "407", "remote-server-not-found": "404",
	"remote-server-timeout": "504", "resource-constraint": "500", "service-unavailable": "503", "subscription-required": "407",
	"undefined-condition": "500", "unexpected-request": "400",
}

// Element is the <error/> of the error answer.
func (e *Error) Element() *Element {
	out := &Element{Space: NSClient, Local: "error"}
	if !e.By.IsZero() {
		out.Set("by", e.By.String())
	}
	if code := codes[e.Condition]; code != "" {
		out.Set("code", code)
	}
	out.Set("type", e.Type)
	out.Add(&Element{Space: NSStanzas, Local: e.Condition})
	if e.Text != "" {
		out.Add(NewText(NSStanzas, "text", e.Text).SetAttr(NSXML, "lang", "en"))
	}
	return out.Add(e.Detail)
}

// ErrorOf reads the <error/> of an error answer; a stanza without one gives UndefinedCondition.
func ErrorOf(s *Stanza) *Error {
	e := s.Child(NSClient, "error")
	if e == nil {
		return UndefinedCondition
	}
	out := &Error{Type: e.Attr("type"), Condition: UndefinedCondition.Condition}
	for child := range e.Children() {
		switch {
		case child.Is(NSStanzas, "text"):
			out.Text = child.Text()
		case child.Space == NSStanzas:
			out.Condition = child.Local
		default:
			out.Detail = child
		}
	}
	return out
}
