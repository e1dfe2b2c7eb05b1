package pay

import (
	"testing"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// FuzzAsked reads what anybody may send as a request, a split and a dispute: what is taken keeps its limits, and nothing else happens.
func FuzzAsked(f *testing.F) {
	f.Add("<request xmlns='urn:palabre:pay:0' id='" + requestID + "' payer='karim@example' amount='1000' unit='MAD' for='x' every='week' times='3'/>")
	f.Add(dinner)
	f.Add("<split xmlns='urn:palabre:pay:0' id='" + splitID + "' total='9007199254740992' unit='MAD'><share jid='a@example' amount='9007199254740992'><item name='x' amount='1'/></share></split>")
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := xmpp.Parse(text, xmpp.Scope{Default: NS})
		if err != nil {
			return
		}
		if r, err := readRequest("nadia@example", e, now); err == nil {
			if r.amount < 1 || r.amount > ledger.MaxAmount || r.payer == r.payee || len(r.about) > maxFor || !r.expires.After(now) || r.again.times < 0 || r.again.times > maxTurns {
				t.Errorf("%s is taken as %+v", text, r)
			}
		}
		if p, err := readSplit("nadia@example", e, now); err == nil {
			var sum int64
			for _, one := range p.shares {
				if one.amount < 1 || one.amount > ledger.MaxAmount || len(one.items) > maxItems {
					t.Errorf("%s has the share %+v", text, one)
				}
				sum += one.amount
			}
			if sum != p.total || len(p.shares) > maxShares {
				t.Errorf("the shares of %s are %d together", text, sum)
			}
		}
		if a, b := contentOf("nadia@example", e), contentOf("karim@example", e); string(a) == string(b) {
			t.Errorf("what two people ask for is the same: %s", text)
		}
	})
}
