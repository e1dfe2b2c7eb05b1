package doctor

import (
	"context"
	"strings"
)

// payments looks whether money that is worth something outside is protected: without limits and a PIN anew for large sums, whoever opens somebody's key once has all
// that is in their wallet.
func (d *Doctor) payments(context.Context) []Finding {
	var findings []Finding
	for _, unit := range d.cfg.Pay.Units {
		if unit.Closed {
			continue
		}
		var missing []string
		if len(unit.Limits) == 0 {
			missing = append(missing, "limits")
		}
		if unit.StepUp == 0 {
			missing = append(missing, "step_up")
		}
		if len(missing) == 0 {
			findings = append(findings, ok("payments in %s have limits and a step-up", unit.Code))
			continue
		}
		findings = append(findings, note("set it in [[pay.units]]: docs/payments.md, Limits and fees; if it is money of this server alone, say closed = true",
			"payments in %s are of real money, without %s", unit.Code, strings.Join(missing, " and ")))
	}
	return findings
}
