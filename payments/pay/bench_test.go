package pay

import (
	"sync/atomic"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// BenchmarkPay is signed payments through the door, by many at once, each durable with its receipt and two notices. Signing is not counted.
func BenchmarkPay(b *testing.B) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		b.Run(engine, func(b *testing.B) {
			cfg := storetest.Config(b, engine)
			if engine == storetest.SQLite {
				cfg = storetest.File(b)
			}
			bench(b, openBank(b, storetest.OpenConfig(b, cfg), unhurried()))
		})
	}
}

const payers = 256

func bench(b *testing.B, bank *bank) {
	devices := make([]*device, payers)
	for n := range devices {
		devices[n] = bank.newDevice("p" + digits(int64(n)))
		bank.fund(devices[n].account, "EUR", 1<<40)
	}
	asked := make([]*xmpp.Element, b.N)
	for n := range asked {
		d := devices[n%payers]
		asked[n] = d.sign(d.intent(intent.Send, "shop@example", 100, func(i *intent.Intent) { i.Unit = "EUR" }))
	}
	var next atomic.Int64
	b.SetParallelism(payers)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := int(next.Add(1)) - 1
			if _, err := bank.ask(devices[n%payers].account, true, asked[n]); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
}
