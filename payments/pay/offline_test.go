package pay

import (
	"sync"
	"sync/atomic"
	"testing"

	"palabre.dev/palabre/payments/intent"
)

// TestAPocketIsNotOverfilledAtOnce asks for many reserves at the same time, which the ledger decides in one batch.
func TestAPocketIsNotOverfilledAtOnce(t *testing.T) {
	two(t, func(b *bank, karim, _ *device) {
		var all sync.WaitGroup
		var done atomic.Int64
		start := make(chan struct{})
		for range 16 {
			asked := karim.sign(karim.intent(intent.Reserve, "karim@example", 5_000))
			all.Go(func() {
				<-start
				if _, err := b.ask(karim.account, true, asked); err == nil {
					done.Add(1)
				} else {
					b.refused(err, "over-limit")
				}
			})
		}
		close(start)
		all.Wait()
		if done.Load() != 4 {
			t.Errorf("%d reserves of 5000 in a pocket for 20000", done.Load())
		}
		b.has(karim.account, "MAD", 80_000, 20_000)
	})
}
