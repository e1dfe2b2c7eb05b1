package app

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"palabre.dev/palabre/feature/admin"
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

// TestVerdictByTwo: an administrator and the command line say together what became of a transfer that nobody knows of; nobody does alone.
func TestVerdictByTwo(t *testing.T) {
	cfg := railConfig(t, storetest.SQLite)
	cfg.Pay.Rail["try"] = adapter.Config{Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: "http://127.0.0.1:1"}} // nobody answers there
	r := start(t, cfg)
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home")
	id := payer.NewID()
	if got := request(t, juliet, "set", ask1("cashin").Set("id", id).Set("rail", "try").Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001")); got.Attr("type") != "result" {
		t.Fatalf("cash-in: %s", got)
	}
	var view RailView
	ask(t, cfg, "pay/rails", RailArgs{}, &view)
	if len(view.Unknown) != 1 || view.Unknown[0].ID != id {
		t.Fatalf("unknown: %+v", view)
	}
	verdict := deskElement("verdict", "id", id, "state", "settled").AddText("seen in their pages")
	if got := officer(t, juliet, "set", verdict); got.Attr("type") != "error" {
		t.Errorf("anybody may say so: %s", got)
	}
	made := officer(t, romeo, "set", verdict).Child("urn:palabre:admin:0", "verdict")
	if made == nil || made.Attr("by") != "romeo@localhost" {
		t.Fatalf("proposed: %s", made)
	}
	if got := officer(t, romeo, "set", deskElement("agree", "number", made.Attr("number"))); !strings.Contains(got.String(), "not-allowed") {
		t.Errorf("romeo alone: %s", got)
	}
	if got := officer(t, romeo, "get", deskElement("audit")).String(); !strings.Contains(got, "propose-verdict") || !strings.Contains(got, id) {
		t.Errorf("the log: %s", got)
	}
	if got := officer(t, romeo, "get", deskElement("verdicts")).String(); !strings.Contains(got, "seen in their pages") {
		t.Errorf("the list: %s", got)
	}
	var done struct{ State int }
	ask(t, cfg, "pay/agree", RailArgs{Number: view.number(t, made.Attr("number"))}, &done)
	ask(t, cfg, "pay/rails", RailArgs{}, &view)
	if len(view.Unknown) != 0 {
		t.Errorf("still unknown: %+v", view.Unknown)
	}
	var one RailTransfer
	ask(t, cfg, "pay/rail", RailArgs{ID: id}, &one)
	if one.Moved != 5000 || len(one.Steps) < 4 || !strings.Contains(one.Why, "romeo@localhost and command line") {
		t.Errorf("the transfer: %+v", one)
	}
	if got := request(t, juliet, "get", ask1("wallet")); got.First().Child(pay.NS, "balance").Attr("amount") != "5000" {
		t.Errorf("juliet has %s", got)
	}
}

// TestAVerdictIsTakenBack by the administrator who has proposed it, and by somebody else at the command line, and the other way round; it is in the log who it was.
func TestAVerdictIsTakenBack(t *testing.T) {
	cfg := railConfig(t, storetest.SQLite)
	cfg.Pay.Rail["try"] = adapter.Config{Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: "http://127.0.0.1:1"}} // nobody answers there
	r := start(t, cfg)
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home")
	id := payer.NewID()
	if got := request(t, juliet, "set", ask1("cashin").Set("id", id).Set("rail", "try").Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001")); got.Attr("type") != "result" {
		t.Fatalf("cash-in: %s", got)
	}
	propose := func(atShell bool) string {
		t.Helper()
		if atShell {
			var v struct{ Number int64 }
			ask(t, cfg, "pay/verdict", RailArgs{ID: id, State: "settled", Why: "seen in their pages"}, &v)
			return number(v.Number)
		}
		return officer(t, romeo, "set", deskElement("verdict", "id", id, "state", "settled").AddText("seen in their pages")).Child(admin.NSDesk, "verdict").Attr("number")
	}
	for _, one := range []struct {
		atShell, declinedAtShell bool
		by, deed                 string
	}{{false, false, "romeo@localhost", "withdraw-verdict"}, {true, false, "romeo@localhost", "decline-verdict"}, {false, true, shell, "decline-verdict"}, {true, true, shell, "withdraw-verdict"}} {
		which := propose(one.atShell)
		if got := officer(t, juliet, "set", deskElement("disagree", "number", which)); got.Attr("type") != "error" {
			t.Errorf("anybody may: %s", got)
		}
		if one.declinedAtShell {
			var v struct{ Declined bool }
			if ask(t, cfg, "pay/disagree", RailArgs{Number: RailView{}.number(t, which)}, &v); !v.Declined {
				t.Errorf("at the command line: %+v", v)
			}
		} else if got := officer(t, romeo, "set", deskElement("disagree", "number", which)).Child(admin.NSDesk, "verdict"); got == nil || got.Attr("declined") != "true" || got.Attr("approver") != one.by {
			t.Errorf("over the wire: %s", got)
		}
		if got := officer(t, romeo, "set", deskElement("disagree", "number", which)); !strings.Contains(got.String(), "not-acceptable") {
			t.Errorf("once more: %s", got)
		}
		if deed := officer(t, romeo, "get", deskElement("audit")).First().First(); deed.Attr("what") != one.deed || deed.Attr("who") != one.by || !strings.Contains(deed.Attr("about"), id) {
			t.Errorf("the log: %s, want %+v", deed, one)
		}
	}
	if got := officer(t, romeo, "get", deskElement("disagree", "number", "1")); got.Attr("type") != "error" {
		t.Errorf("asked for: %s", got)
	}
	decided := officer(t, romeo, "get", deskElement("verdicts", "decided", "true")).String()
	if strings.Count(decided, "declined='true'") != 4 {
		t.Errorf("the list: %s", decided)
	}
	var view RailView
	if ask(t, cfg, "pay/rails", RailArgs{}, &view); len(view.Unknown) != 1 || len(view.Verdicts) != 0 {
		t.Errorf("it is known: %+v", view)
	}
}

// number reads a number.
func (RailView) number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
