package pay

import (
	"time"

	"palabre.dev/palabre/xmpp"
)

// The states of a dispute. It is open or upheld until it has ended in one of the other ways; no state follows upon those.
const (
	disputeOpen      = "open"
	disputeUpheld    = "upheld"    // the operator has decided that it is to be given back, and the payee has not done so yet
	disputeRefunded  = "refunded"  // the money was given back
	disputeRejected  = "rejected"  // the operator has decided that nothing is given back
	disputeWithdrawn = "withdrawn" // by who opened it
)

// Limits of disputes.
const (
	maxText       = 4 << 10              // bytes of a text
	maxLink       = 1024                 // bytes of where a piece of evidence is
	maxFileName   = 200                  // bytes
	maxEvidence   = 20                   // pieces of one side
	disputeWithin = 120 * 24 * time.Hour // after the payment
	maxDisputes   = 50                   // open ones of an account
)

// disputeReasons are what may have gone wrong.
var disputeReasons = []string{"other", "not-received", "not-as-described", "wrong-amount", "twice", "not-me"}

// dispute is a payer's word that a payment was not right.
type dispute struct {
	id         string
	made       int64
	of         string // the payment
	payer      string // who opened it
	payee      string
	amount     int64 // what the payer wants back
	refunded   int64 // what was given back since it was opened
	unit, why  string
	text       string
	state      string
	ended      int64  // when, in microseconds; 0 while it is open
	decidedBy  string // who of the operators has decided, empty if they did not
	decidedWhy string
}

// concerns says whether somebody is a side of it.
func (d *dispute) concerns(who string) bool { return who == d.payer || who == d.payee }

// open refuses what must not be done with a dispute that has ended.
func (d *dispute) open() error {
	if d.state != disputeOpen {
		return isOver("the dispute is %s", d.state)
	}
	return nil
}

// end ends it.
func (d *dispute) end(state string, at int64) { d.state, d.ended = state, at }

// withdraw ends it at the word of who opened it.
func (d *dispute) withdraw(who string, at int64) error {
	if who != d.payer {
		return xmpp.Forbidden.Because("only who opened it may withdraw it")
	}
	if d.state == disputeWithdrawn {
		return errSame
	}
	if d.state != disputeUpheld {
		if err := d.open(); err != nil {
			return err
		}
	}
	d.end(disputeWithdrawn, at)
	return nil
}

// refund notes that something was given back; when all of it is, the dispute has ended.
func (d *dispute) refund(amount int64, at int64) {
	if d.state != disputeOpen && d.state != disputeUpheld {
		return
	}
	d.refunded += amount
	if d.refunded >= d.amount {
		d.end(disputeRefunded, at)
	}
}

// submit refuses evidence that is not taken any more, of somebody who has given so many pieces.
func (d *dispute) submit(pieces int64) error {
	if err := d.open(); err != nil {
		return err
	}
	if pieces >= maxEvidence {
		return xmpp.PolicyViolation.Because("each side gives %d pieces at most", maxEvidence)
	}
	return nil
}
