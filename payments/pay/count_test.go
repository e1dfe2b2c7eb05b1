package pay

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/payments/intent"
)

// figures are what the service counts, by their names. What could not be read in time is read again.
func (b *bank) figures() map[string]float64 {
	b.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(b.Collectors()...)
	for {
		families, err := registry.Gather()
		if err != nil || b.Context().Err() != nil {
			b.Fatal(err, b.Context().Err())
		}
		all, whole := map[string]float64{}, true
		for _, one := range families {
			n := one.GetMetric()[0].GetGauge().GetValue()
			all[one.GetName()], whole = n, whole && n >= 0
		}
		if whole {
			return all
		}
	}
}

// TestFigures counts what waits, while the network is away and when it is back.
func TestFigures(t *testing.T) {
	two(t, func(b *bank, karim, nadia *device) {
		b.told(karim.account)
		for name, n := range b.figures() {
			if n != 0 {
				t.Errorf("%s is %v where nothing waits", name, n)
			}
		}
		b.net.mu.Lock()
		b.net.fail = errors.New("away")
		b.net.mu.Unlock()
		begun := time.Now()
		if _, err := nadia.request("karim@example", "bread"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ask(karim.account, true, element("freeze")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.sendDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		written := time.Now()
		b.later(time.Hour)
		got := b.figures()
		for name, want := range map[string]float64{"notices_waiting": 3, "requests_open": 1, "wallets_frozen": 1, "payments_waiting": 0} {
			if n := got["palabre_pay_"+name]; n != want {
				t.Errorf("%s is %v, want %v", name, n, want)
			}
		}
		// What is written has the time of the machine, what is counted that of the test.
		most, least := b.now().Sub(begun).Seconds(), b.now().Sub(written).Seconds()
		if age := got["palabre_pay_notices_oldest_age_seconds"]; age < least-1 || age > most+1 {
			t.Errorf("the oldest is %v s old, not %v to %v", age, least, most)
		}
		b.net.mu.Lock()
		b.net.fail = nil
		b.net.mu.Unlock()
		b.told(nadia.account)
		karim.right()
		if err := karim.order(intent.Unfreeze, ""); err != nil {
			t.Fatal(err)
		}
		karim.pays(t, nadia)
		b.told(karim.account)
		for name, n := range b.figures() {
			if n != 0 {
				t.Errorf("%s is %v in the end", name, n)
			}
		}
	})
}

// pays lets somebody pay what is asked of them.
func (d *device) pays(t *testing.T, payee *device) {
	t.Helper()
	list, err := d.ask(d.account, false, element("requests", "state", "waiting"))
	if err != nil {
		t.Fatal(err)
	}
	for one := range list.Children() {
		if _, err := d.pay(d.intent(intent.Send, payee.account.String(), 500, func(i *intent.Intent) { i.Of = one.Attr("id") })); err != nil {
			t.Fatal(err)
		}
	}
}
