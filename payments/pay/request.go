package pay

import (
	"time"

	"palabre.dev/palabre/xmpp"
)

// The states of a request.
const (
	requestOpen      = "open"
	requestPart      = "part" // something of it is paid
	requestPaid      = "paid"
	requestDeclined  = "declined"
	requestCancelled = "cancelled"
	requestExpired   = "expired"
)

// Limits of requests.
const (
	maxFor         = 256                  // bytes of what something is for
	maxWhy         = 256                  // bytes of why it was declined
	requestLife    = 30 * 24 * time.Hour  // if nothing else is said
	maxRequestLife = 366 * 24 * time.Hour // from when it was made
	maxTurns       = 120                  // of a recurring request
	maxWaiting     = 1000                 // requests of one account that are not over
	maxReminders   = 5
	remindPause    = 24 * time.Hour // between two reminders
)

// request is money that somebody asks for.
type request struct {
	id           string
	made         int64  // when, in microseconds; its place among all requests
	maker        string // who asked: the payee, or who made the split
	payee, payer string
	amount, paid int64
	unit, about  string
	expires      time.Time
	partial      bool
	state        string // as kept: stateAt knows whether its time is over
	why          string // why it was declined
	chat         string // the group in which it is shown
	split        string // of which it is a share
	series       string // the recurring request of which it is one, and which one: 0 is the first
	turn         int64
	again        recurring // how it comes again, where it is one of a series
	reminders    int64
	reminded     time.Time
	agreed       bool // the payer lets it be set against what others owe them in the group
	bound        bool // it stays set against that until it is over, whoever leaves the group: somebody was paid what the pot owed
	terms             // of a hold or a mandate, where it asks for one
}

// left is what is still to be paid.
func (r *request) left() int64 { return r.amount - r.paid }

// waits says whether it may still be paid at a time.
func (r *request) waits(now time.Time) bool {
	state := r.stateAt(now)
	return state == requestOpen || state == requestPart
}

// stateAt is the state at a time: who looks for those whose time is over may not have come to it yet.
func (r *request) stateAt(now time.Time) string {
	if (r.state == requestOpen || r.state == requestPart) && !now.Before(r.expires) {
		return requestExpired
	}
	return r.state
}

// concerns says whether somebody has anything to do with it.
func (r *request) concerns(who string) bool {
	return who == r.payee || who == r.payer || who == r.maker
}

// pay notes a payment, or refuses it.
func (r *request) pay(payer, payee, unit string, amount int64, now time.Time) error {
	switch {
	case payer != r.payer || payee != r.payee:
		return xmpp.Forbidden.Because("the request is to somebody else")
	case r.kind != "":
		return xmpp.NotAcceptable.Because("the request is for a %s", r.kind)
	case !r.waits(now):
		return isOver("the request is %s", r.stateAt(now))
	case unit != r.unit:
		return xmpp.NotAcceptable.Because("the request is in %s", r.unit)
	case amount > r.left():
		return exceeds(r.left())
	case amount < r.left() && !r.partial:
		return xmpp.NotAcceptable.Because("the request is to be paid as a whole").With(exceeds(r.left()).Detail)
	}
	r.paid += amount
	r.state = requestPart
	if r.left() == 0 {
		r.state = requestPaid
	}
	return nil
}

// decline is the payer's word that it will not be paid.
func (r *request) decline(who, why string, now time.Time) error {
	if who != r.payer {
		return xmpp.Forbidden.Because("only who is asked may decline")
	}
	if r.stateAt(now) == requestDeclined && r.why == why {
		return errSame
	}
	if !r.waits(now) {
		return isOver("the request is %s", r.stateAt(now))
	}
	r.state, r.why = requestDeclined, why
	return nil
}

// cancel is the word of who asked that it is not to be paid any more.
func (r *request) cancel(who string, now time.Time) error {
	if who != r.payee && who != r.maker {
		return xmpp.Forbidden.Because("only who asked may cancel")
	}
	if r.stateAt(now) == requestCancelled {
		return errSame
	}
	if !r.waits(now) {
		return isOver("the request is %s", r.stateAt(now))
	}
	r.state = requestCancelled
	return nil
}

// remind notes that who is asked is told once more, or says until when that has to wait.
func (r *request) remind(who string, now time.Time) error {
	switch {
	case who != r.payee && who != r.maker:
		return xmpp.Forbidden.Because("only who asked may remind")
	case !r.waits(now):
		return isOver("the request is %s", r.stateAt(now))
	case r.reminders >= maxReminders:
		return xmpp.PolicyViolation.Because("who is asked was reminded %d times", r.reminders)
	case r.reminders > 0 && now.Before(r.reminded.Add(remindPause)):
		return waitUntil(r.reminded.Add(remindPause))
	}
	r.reminders++
	r.reminded = now.Truncate(time.Second)
	return nil
}

// expire ends a request of which the time is over, and says whether it did.
func (r *request) expire(now time.Time) bool {
	if r.state == requestExpired || r.stateAt(now) != requestExpired {
		return false
	}
	r.state = requestExpired
	return true
}
