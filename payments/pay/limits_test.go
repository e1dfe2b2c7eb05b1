package pay

import (
	"testing"

	"palabre.dev/palabre/payments/intent"
)

// TestOneOwnLimitIsEnough sets one of the limits and leaves the other one to the level: that is none, not nothing.
func TestOneOwnLimitIsEnough(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		for _, about := range []string{"MAD transaction=500 day=0", "MAD transaction=0 day=1500", "MAD transaction=0 day=0"} {
			if err := karim.order(intent.SetLimits, about); err != nil {
				t.Fatalf("%s: %v", about, err)
			}
			karim.send("nadia@example", 500)
			if about == "MAD transaction=0 day=0" {
				karim.send("nadia@example", 5000)
				continue
			}
			_, err := karim.pay(karim.intent(intent.Send, "nadia@example", 501))
			b.refused(err, "over-limit")
			if about == "MAD transaction=0 day=1500" {
				karim.send("nadia@example", 500)
			}
		}
	})
}
