package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// railConfig is a server with payments and a network that is none.
func railConfig(t *testing.T, engine string) Config {
	t.Helper()
	cfg := payConfig(t, engine)
	cfg.Pay.Rail = map[string]adapter.Config{"try": {Sandbox: &sandbox.Config{Units: []string{"MAD", "EUR"}}}}
	return cfg
}

// told waits until somebody is told that a payment is done.
func told(who *palabretest.Person, id string) *xmpp.Element {
	for {
		if p := who.Receive().Child(pay.NS, "notice").Child(pay.NS, "payment"); p != nil && p.Attr("id") == id && p.Attr("state") == pay.Done {
			return p
		}
	}
}

// TestMoneyComesInAndGoesOut by a rail, asked for over XMPP, with the receipt of what left.
func TestMoneyComesInAndGoesOut(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, railConfig(t, engine))
			juliet := r.test.Login(t, "juliet/balcony")
			juliet.Send(`<presence/>`)
			about := request(t, juliet, "get", ask1("about")).String()
			if !strings.Contains(about, "'try'") {
				t.Fatalf("not offered: %s", about)
			}
			in := payer.NewID()
			cashin := ask1("cashin").Set("id", in).Set("rail", "try").Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001")
			got := request(t, juliet, "set", cashin)
			if got.Attr("type") != "result" || got.First().Local != "wait" {
				t.Fatalf("cash-in: %s", got)
			}
			if again := request(t, juliet, "set", cashin); again.Attr("type") != "result" {
				t.Fatalf("asked again: %s", again)
			}
			if lookup := request(t, juliet, "get", ask1("lookup").Set("id", in)); lookup.First().Attr("state") != pay.Done {
				told(juliet, in)
			}
			device, err := payer.New("pay.localhost", "juliet@localhost")
			if err != nil {
				t.Fatal(err)
			}
			if got := request(t, juliet, "set", device.Register()); got.Attr("type") != "result" {
				t.Fatalf("key: %s", got)
			}
			leaves := device.Send("rail:try:+212600000001", 2000, "MAD", "")
			leaves.Kind = intent.Cashout
			signed, err := device.Pay(leaves)
			if err != nil {
				t.Fatal(err)
			}
			if got := request(t, juliet, "set", signed); got.Attr("type") != "result" {
				t.Fatalf("cash-out: %s", got)
			}
			if p := told(juliet, leaves.ID); p.Child(pay.NS, "receipt") == nil {
				t.Errorf("no receipt of what left: %s", p)
			}
			if got := request(t, juliet, "get", ask1("wallet")); got.First().Child(pay.NS, "balance").Attr("amount") != "3000" {
				t.Errorf("juliet has %s", got)
			}
		})
	}
}

func TestWebhooksOfRails(t *testing.T) {
	r := start(t, railConfig(t, storetest.SQLite))
	for path, want := range map[string]int{"/pay/rail/try": http.StatusUnauthorized, "/pay/rail/other": http.StatusNotFound} {
		answer := httptest.NewRecorder()
		r.http.Mux().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("{}")))
		if answer.Code != want {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

func TestRailsOfAConfigurationThatCannotWork(t *testing.T) {
	cfg := railConfig(t, storetest.SQLite)
	cfg.Pay.Rail["bad"] = adapter.Config{}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "pay.rail.bad") {
		t.Errorf("got %v", err)
	}
}
