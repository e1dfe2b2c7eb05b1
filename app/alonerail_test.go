package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/payer"
)

// slowly lets a network take a transfer when the test says so.
func slowly(next http.Handler, taken <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-taken
		}
		next.ServeHTTP(w, r)
	})
}

// beside is a server whose payments are `palabre pay`, a component of it with a database of its own, and a rail to a network.
func beside(t *testing.T, network string) (server, payments *running, alone Config) {
	t.Helper()
	cfg := testConfig(t, storetest.SQLite)
	cfg.Component.Listen, cfg.Component.Domains = []string{"127.0.0.1:0"}, []string{"pay.localhost=a secret of both"}
	server = start(t, cfg)
	alone = railConfig(t, storetest.SQLite)
	alone.Pay.Rail = map[string]adapter.Config{"try": {Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: network, Secret: "secret"}}}
	alone.Pay.Server.Address, alone.Pay.Server.Secret = server.guests.Addrs()[0].String(), "a secret of both"
	return server, openAlone(t, alone).serving(t), alone
}

// TestRailsWherePaymentsAreAlone brings money in and out there and sends some back, by the command line of two people, with the network's webhooks, its list and the figures. While a network thinks, whoever
// waits for it can ask for other things.
func TestRailsWherePaymentsAreAlone(t *testing.T) {
	there, taken := sandbox.NewNetwork([]byte("secret"), sandbox.Plan{}), make(chan struct{})
	door := httptest.NewServer(slowly(there, taken))
	t.Cleanup(door.Close)
	server, payments, cfg := beside(t, door.URL)
	web, base := payments.browser()
	there.Client, there.Callback = web, base+"/pay/rail/try"
	juliet := server.test.Login(t, "juliet/balcony")
	juliet.Send(`<presence/>`)
	for request(t, juliet, "get", ask1("wallet")).Attr("type") != "result" { // until the component is there
	}
	in := payer.NewID()
	juliet.Send(`<iq type='set' id='slow' to='pay.localhost'>` + ask1("cashin").Set("id", in).Set("rail", "try").Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001").String() + `</iq>`)
	juliet.Send(`<iq type='get' id='quick' to='pay.localhost'>` + ask1("wallet").String() + `</iq>`)
	if got := juliet.Answer("slow", "quick"); got.Attr("id") != "quick" {
		t.Fatalf("the network is waited for before anything else is answered: %s", got)
	}
	close(taken)
	if got := juliet.Answer("slow"); got.Attr("type") != "result" {
		t.Fatalf("cash-in: %s", got)
	}
	there.Advance(t.Context())
	state(juliet, in, pay.Done)
	var heard int
	if err := payments.db.QueryRow(t.Context(), "select count(*) from rail_event").Scan(&heard); err != nil || heard == 0 {
		t.Errorf("%d webhooks were heard (%v)", heard, err)
	}
	var made []Proposal
	ask(t, cfg, "pay/propose", ProposalArgs{Kind: "refund", Of: in, Amount: 2000, Why: "paid twice", As: "nadia"}, &made)
	ask(t, cfg, "pay/approve", ProposalArgs{ID: made[0].ID, As: "omar"}, &made)
	state(juliet, "office-"+number(made[0].ID), pay.Done)
	var one RailTransfer
	ask(t, cfg, "pay/rail", RailArgs{ID: "office-" + number(made[0].ID)}, &one)
	if one.State != rail.Settled || one.Of != in || one.Moved != 2000 {
		t.Errorf("%+v", one)
	}
	ask(t, cfg, "pay/ask", RailArgs{ID: in}, &struct{}{})
	if report, err := payments.rails.Reconcile(t.Context(), "try", time.Now().Add(-time.Hour), time.Now().Add(time.Minute)); err != nil || report.Lines != 2 || report.Differences != 0 {
		t.Errorf("%+v (%v)", report, err)
	}
	var view RailView
	ask(t, cfg, "pay/rails", RailArgs{}, &view)
	if len(view.Reports) == 0 || len(view.Figures) != 1 || view.Figures[0].Count != 2 || len(view.Waiting) != 0 {
		t.Errorf("%+v", view)
	}
	if there.Balance("MAD") != 3000 {
		t.Errorf("the network has %d", there.Balance("MAD"))
	}
	answer, err := http.Get("http://" + payments.http.Addresses()[1].String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), `palabre_rail_transfers{rail="try",state="settled"} 2`) {
		t.Errorf("the figures: %.200s (%v)", text, err)
	}
}

// TestASessionGoesOnWhileANetworkThinks: the same within a server.
func TestASessionGoesOnWhileANetworkThinks(t *testing.T) {
	taken := make(chan struct{})
	door := httptest.NewServer(slowly(sandbox.NewNetwork([]byte("secret"), sandbox.Plan{}), taken))
	t.Cleanup(door.Close)
	cfg := railConfig(t, storetest.SQLite)
	cfg.Pay.Rail = map[string]adapter.Config{"try": {Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: door.URL, Secret: "secret"}}}
	juliet := start(t, cfg).test.Login(t, "juliet/balcony")
	juliet.Send(`<presence/>`)
	cashin := ask1("cashin").Set("id", payer.NewID()).Set("rail", "try").Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001")
	juliet.Send(`<iq type='set' id='slow' to='pay.localhost'>` + cashin.String() + `</iq>`)
	juliet.Send(`<iq type='get' id='quick' to='pay.localhost'>` + ask1("wallet").String() + `</iq>`)
	if got := juliet.Answer("slow", "quick"); got.Attr("id") != "quick" {
		t.Errorf("the network is waited for before anything else is answered: %s", got)
	}
	close(taken)
	if got := juliet.Answer("slow"); got.Attr("type") != "result" {
		t.Errorf("cash-in: %s", got)
	}
	juliet.Send(`<iq type='set' id='bad' to='pay.localhost'>` + ask1("cashin").Set("id", "short").String() + `</iq>`)
	if got := juliet.Answer("bad"); got.Attr("type") != "error" {
		t.Errorf("a cash-in of nothing: %s", got)
	}
}
