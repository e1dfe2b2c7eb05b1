package app

import (
	"testing"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// buyerAndShop are juliet and the nurse with a payment key each.
func buyerAndShop(t *testing.T, r *running) (buyer, shop *palabretest.Person, buys, sells *payer.Device) {
	t.Helper()
	buyer, shop = r.test.Login(t, "juliet/balcony"), r.test.Login(t, "nurse/counter")
	for _, one := range []struct {
		who     *palabretest.Person
		account string
		device  **payer.Device
	}{{buyer, "juliet@localhost", &buys}, {shop, "nurse@localhost", &sells}} {
		device, err := payer.New("pay.localhost", one.account)
		if err != nil {
			t.Fatal(err)
		}
		if got := request(t, one.who, "set", device.Register()); got.Attr("type") != "result" {
			t.Fatalf("key: %s", got)
		}
		one.who.Send(`<presence/>`)
		*one.device = device
	}
	return buyer, shop, buys, sells
}

// signed is an intent as it is handed in.
func signed(t *testing.T, device *payer.Device, i intent.Intent) *xmpp.Element {
	t.Helper()
	e, err := device.Pay(i)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// allowed lets the nurse take from juliet by a hold or a mandate, and is its id.
func allowed(t *testing.T, buyer *palabretest.Person, buys *payer.Device, kind intent.Kind) string {
	t.Helper()
	i := buys.Send("nurse@localhost", 5000, "MAD", "Electricity")
	i.Kind, i.Until = kind, i.Expires.Add(time.Hour)
	if kind == intent.Mandate {
		i.Total, i.Period = 50_000, "day" // the limits would let it be taken again and again
	}
	if got := request(t, buyer, "set", signed(t, buys, i)); got.Attr("type") != "result" {
		t.Fatalf("%s: %s", kind, got)
	}
	return i.ID
}

// capture takes from juliet what a hold or a mandate allows.
func capture(sells *payer.Device, of string, amount int64) intent.Intent {
	i := sells.Send("nurse@localhost", amount, "MAD", "Electricity")
	i.Kind, i.Payer, i.Of = intent.Capture, "juliet@localhost", of
	return i
}

// purses fails unless juliet and the nurse have these amounts.
func purses(t *testing.T, r *running, juliet, nurse int64) {
	t.Helper()
	for who, want := range map[string]int64{"juliet@localhost": juliet, "nurse@localhost": nurse} {
		if a, err := r.ledger.Account(t.Context(), pay.WalletAccount("MAD", xmpp.MustJID(who))); err != nil || a.Balance != want || a.Held != 0 {
			t.Errorf("%s has %+v (%v), not %d", who, a, err, want)
		}
	}
}

// takenAgain hands in a capture at the same moment on two devices and then once more, which moves nothing that it has not moved, and something else under its id, which moves nothing. It is the receipt.
func takenAgain(t *testing.T, r *running, sells *payer.Device, i intent.Intent) string {
	t.Helper()
	devices := []*palabretest.Person{r.test.Login(t, "nurse/counter"), r.test.Login(t, "nurse/till")}
	for _, one := range devices {
		one.Send(`<iq type='set' id='again' to='pay.localhost'>` + signed(t, sells, i).String() + `</iq>`)
	}
	var receipts []*xmpp.Element
	for _, one := range devices {
		receipts = append(receipts, one.Answer("again"))
	}
	receipts = append(receipts, request(t, devices[0], "set", signed(t, sells, i)))
	text := receipts[0].First().String()
	for _, got := range receipts {
		if got.Attr("type") != "result" || got.First().Child(pay.NS, "text") == nil || got.First().String() != text {
			t.Errorf("handed in again: %s", got)
		}
	}
	other := i
	other.Amount--
	for range 2 {
		if got := request(t, devices[1], "set", signed(t, sells, other)); got.Attr("type") != "error" || got.Child(xmpp.NSClient, "error").Child(pay.NS, "id-taken") == nil {
			t.Errorf("something else under the same id: %s", got)
		}
	}
	return text
}

// TestACaptureIsTakenOnce has a shop take from a hold and by a mandate while the server stops: after the ledger has it and before the shop is answered, and at any moment. The shop hands it in again to the
// server that opens the same database.
func TestACaptureIsTakenOnce(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		for _, kind := range []intent.Kind{intent.Hold, intent.Mandate} {
			t.Run(engine+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				cfg := payConfig(t, engine)
				if engine == storetest.SQLite {
					cfg.Store = storetest.File(t)
				}
				r := start(t, cfg)
				give(t, r.ledger, "juliet@localhost", 50_000)
				buyer, shop, buys, sells := buyerAndShop(t, r)
				first, second := capture(sells, allowed(t, buyer, buys, kind), 3000), capture(sells, allowed(t, buyer, buys, kind), 2000)
				shop.Send(`<iq type='set' id='lost' to='pay.localhost'>` + signed(t, sells, first).String() + `</iq>`) // and she never reads the answer
				kept := told(buyer, first.ID).Child(pay.NS, "receipt").String()
				shop.Send(`<iq type='set' id='on its way' to='pay.localhost'>` + signed(t, sells, second).String() + `</iq>`)
				r.stop()
				r = serveAgain(t, cfg)
				if got := takenAgain(t, r, sells, first); got != kept {
					t.Errorf("the receipt was\n%s\nand is\n%s", kept, got)
				}
				takenAgain(t, r, sells, second)
				purses(t, r, 45_000, 5000)
				if _, err := r.ledger.Verify(t.Context(), [32]byte{}, nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
