package pay

import (
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/payments/intent"
)

// TestFeesAreOfWhatIsCharged wants the configuration to take fees of the kinds that are charged and of no other, and to say which those are.
func TestFeesAreOfWhatIsCharged(t *testing.T) {
	known := 0
	for _, kind := range []intent.Kind{intent.Send, intent.Tip, intent.Hold, intent.Mandate, intent.Capture, intent.Void, intent.Revoke, intent.Refund, intent.Reserve, intent.Release,
		intent.Offline, intent.Cashout, "", "captrue", "SEND", "cashin"} {
		r, ok := rules(kind)
		if ok {
			known++
		}
		if r.charged != slices.Contains(feeKinds, string(kind)) {
			t.Errorf("%q: charged is %v, and those that may cost a fee are %v", kind, r.charged, feeKinds)
		}
		c := testConfig()
		c.Units[1].Fees = []Fee{{Kind: string(kind), Fixed: 1}}
		err := c.Validate()
		switch {
		case r.charged && err != nil:
			t.Errorf("a fee of %q is refused: %v", kind, err)
		case !r.charged && (err == nil || !strings.Contains(err.Error(), "send, tip, cashout")):
			t.Errorf("a fee of %q: %v", kind, err)
		}
	}
	if known != 12 {
		t.Errorf("%d kinds are known", known)
	}
}

// TestFeesThatCannotWork are refused, by what is wrong with them.
func TestFeesThatCannotWork(t *testing.T) {
	for want, fees := range map[string][]Fee{
		"twice":      {{Kind: "send"}, {Kind: "send"}},
		"amounts":    {{Kind: "send", Fixed: -1}},
		"and most":   {{Kind: "send", Most: -1}},
		"hundredths": {{Kind: "send", Share: 10_001}},
	} {
		c := testConfig()
		c.Units[1].Fees = fees
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", fees, err)
		}
	}
}
