package pay

import (
	"time"

	"palabre.dev/palabre/xmpp"
)

// The states of a mandate.
const (
	mandateOpen    = "open"
	mandateRevoked = "revoked"
	mandateExpired = "expired"
)

const (
	once           = "once"                   // the period of a mandate that is used once
	maxMandateLife = 3 * 366 * 24 * time.Hour // of a mandate
)

// mandate lets a payee take money from a payer without asking each time.
type mandate struct {
	id           string
	made         int64
	payer, payee string
	unit, about  string
	amount       int64 // at most, each time
	total        int64 // at most, in each period
	period       string
	begun, until time.Time
	state        string // as kept
	asked        string // the request that it answers, empty for none
}

// stateAt is the state at a time.
func (m *mandate) stateAt(now time.Time) string {
	if m.state == mandateOpen && !now.Before(m.until) {
		return mandateExpired
	}
	return m.state
}

// since is when the period began in which a time is: periods are counted from when the mandate was given.
func (m *mandate) since(now time.Time) time.Time {
	if m.period == once {
		return m.begun
	}
	return turn(m.begun, m.period, turnAt(m.begun, m.period, now))
}

// left is how much may be taken now, of which so much was taken in this period already.
func (m *mandate) left(taken int64) int64 {
	if m.period == once && taken > 0 {
		return 0
	}
	return max(0, min(m.amount, m.total-taken))
}

// capture refuses what the mandate does not allow. taken is what was taken since the period began.
func (m *mandate) capture(payer, payee, unit string, amount, taken int64, now time.Time) error {
	switch {
	case payer != m.payer || payee != m.payee || unit != m.unit:
		return noMandate("no mandate of this payer for this payee in this unit")
	case m.stateAt(now) != mandateOpen:
		return noMandate("the mandate is %s", m.stateAt(now))
	case amount > m.left(taken):
		return exceeds(m.left(taken))
	}
	return nil
}

// revoke ends it at the payer's word.
func (m *mandate) revoke(who string, now time.Time) error {
	if who != m.payer {
		return xmpp.Forbidden.Because("only who gave a mandate may revoke it")
	}
	if m.stateAt(now) != mandateOpen {
		return isOver("the mandate is %s", m.stateAt(now))
	}
	m.state = mandateRevoked
	return nil
}
