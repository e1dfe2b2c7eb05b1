package pay

import (
	"errors"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// What is answered to those who ask for what is not done (docs/protocol/payments.md).

func badText(format string, args ...any) *xmpp.Error {
	return refusal(xmpp.BadRequest, "bad-text").Because(format, args...)
}

func badSignature() *xmpp.Error { return refusal(xmpp.Forbidden, "bad-signature") }
func noKey() *xmpp.Error        { return refusal(xmpp.NotAuthorized, "no-key") }
func frozen() *xmpp.Error       { return refusal(xmpp.Forbidden, "frozen") }
func stepUp() *xmpp.Error       { return refusal(xmpp.NotAuthorized, "step-up") }
func expired() *xmpp.Error      { return refusal(xmpp.NotAcceptable, "expired") }
func idTaken() *xmpp.Error      { return refusal(xmpp.Conflict, "id-taken") }
func noPayee() *xmpp.Error      { return refusal(xmpp.NotAllowed, "no-payee") }
func insufficient() *xmpp.Error { return refusal(xmpp.NotAcceptable, "insufficient") }
func over() *xmpp.Error         { return refusal(xmpp.NotAllowed, "over") }
func debtsChanged() *xmpp.Error { return refusal(xmpp.Conflict, "debts-changed") }
func takenBack() *xmpp.Error    { return refusal(xmpp.NotAllowed, "taken-back") }

func notReady(until time.Time) *xmpp.Error {
	return refusal(xmpp.NotAuthorized, "not-ready", "until", intent.FormatTime(until))
}

func feeChanged(fee int64) *xmpp.Error {
	return refusal(xmpp.NotAcceptable, "fee-changed", "fee", digits(fee))
}

func overLimit(kind string, left int64) *xmpp.Error {
	return refusal(xmpp.PolicyViolation, "over-limit", "kind", kind, "left", digits(left))
}

func exceeds(left int64) *xmpp.Error {
	return refusal(xmpp.NotAcceptable, "exceeds", "left", digits(left))
}

// ofLedger is what a refusal of the ledger means to who pays.
func ofLedger(reason ledger.Reason) *xmpp.Error {
	switch reason {
	case ledger.Insufficient:
		return insufficient()
	case ledger.IsFrozen:
		return frozen()
	case ledger.NoTarget, ledger.Ended, ledger.Expired:
		return over()
	case ledger.Exceeds:
		return exceeds(0)
	case ledger.NoAccount, ledger.IsClosed, ledger.Overflow, ledger.OtherUnit:
		return noPayee().Because("%s", reason.Error())
	}
	return badText("%s", reason.Error())
}

// lasting says whether an error is a refusal that stays one under its id. What is to be tried again is none.
func lasting(err error) (*xmpp.Error, bool) {
	var wire *xmpp.Error
	if errors.As(err, &wire) {
		return wire, wire.Type != "wait"
	}
	var refused *ledger.Refused
	if errors.As(err, &refused) {
		return ofLedger(refused.Reason), true
	}
	return nil, false
}

// whyOf is a refusal in one word.
func whyOf(err *xmpp.Error) string {
	if err.Detail != nil {
		return err.Detail.Local
	}
	return err.Condition
}

// readRefusal reads an error as it was kept.
func readRefusal(text string) *xmpp.Error {
	e, err := xmpp.Parse(text, xmpp.Scope{})
	if err != nil {
		return xmpp.NotAllowed
	}
	return xmpp.ErrorOf(&xmpp.Stanza{Nodes: []xmpp.Node{{Element: e}}})
}
