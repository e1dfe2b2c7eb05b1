package pay

import (
	"strings"

	"palabre.dev/palabre/payments/ledger"
)

// warrant is what allows a debit. What of is not empty for may be booked in several records, which together are at most most.
type warrant struct {
	of   string
	most int64
}

// sums are what was taken by warrants of several records, without what came back: a number for each cash-out (two with a fee) and each captured hold of the book, about 80 bytes of
// memory (1 GB for twelve million), by a command that ends. None is left out because all of it was taken: a record after that would be taken for the first.
type sums map[string]int64

// allow adds a debit to what its warrant has allowed already, or says that it is more than that. What is set aside is not taken yet.
func (s sums) allow(w warrant, e *ledger.Entry) bool {
	if w.of == "" || e.Kind == ledger.Hold {
		return true
	}
	if e.Amount > w.most-s[w.of] { // both are at most ledger.MaxAmount
		return false
	}
	s[strings.Clone(w.of)] += e.Amount // it is a part of the whole intent, which is not to stay
	return true
}

// giveBack notes what came back into a wallet of what was taken by a warrant: that may be taken again.
func (s sums) giveBack(e *ledger.Entry) {
	id := e.Of
	if id == "" {
		id = e.ID
	}
	of, _, part := strings.Cut(id, ":")
	if !part || e.Refused != nil || ledger.Class(e.To) != "wallet" {
		return
	}
	if ledger.Class(e.From) == "fees" {
		of += feeSuffix
	}
	if taken := s[of]; taken > e.Amount {
		s[strings.Clone(of)] = taken - e.Amount
	} else {
		delete(s, of)
	}
}
