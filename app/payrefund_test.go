package app

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// state is how a payment stands, as it comes in notices.
func state(who *palabretest.Person, id, want string) *xmpp.Element {
	for {
		if p := who.Receive().Child(pay.NS, "notice").Child(pay.NS, "payment"); p != nil && p.Attr("id") == id && p.Attr("state") == want {
			return p
		}
	}
}

// TestCashInGoesBackByTheRail in full and in part, by two administrators: the network takes it, loses the answer, or refuses it; in the end the books and the network agree.
func TestCashInGoesBackByTheRail(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			there := sandbox.NewNetwork([]byte("secret"), sandbox.Plan{})
			door := httptest.NewServer(there)
			t.Cleanup(door.Close)
			cfg := railConfig(t, engine)
			cfg.Pay.Rail = map[string]adapter.Config{"try": {Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: door.URL, Secret: "secret"}}}
			r := start(t, cfg)
			ask(t, cfg, "account/admin", AccountArgs{Name: "juliet"}, &AccountResult{})
			romeo, juliet, nurse := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home"), r.test.Login(t, "nurse/home")
			nurse.Send(`<presence/>`)
			in := payer.NewID()
			if got := request(t, nurse, "set", ask1("cashin").Set("id", in).Set("rail", "try").Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001")); got.Attr("type") != "result" {
				t.Fatalf("cash-in: %s", got)
			}
			state(nurse, in, pay.Done)
			propose := func(amount string) *xmpp.Element {
				proposed := officer(t, romeo, "set", deskElement("propose", "kind", "refund", "of", in, "amount", amount).AddText("paid with a stolen card"))
				made := proposed.Child(admin.NSDesk, "proposal")
				if made == nil || made.Attr("account") != "nurse@localhost" {
					t.Fatalf("proposed: %s", proposed)
				}
				return deskElement("approve", "id", made.Attr("id"))
			}
			approve := func(one *xmpp.Element) string {
				if got := officer(t, romeo, "set", one); got.Attr("type") != "error" {
					t.Errorf("romeo alone: %s", got)
				}
				if got := officer(t, juliet, "set", one).Child(admin.NSDesk, "proposal"); got == nil || got.Attr("state") != "done" {
					t.Fatalf("approved: %s", got)
				}
				return "office-" + one.Attr("id")
			}
			lost := propose("1000")
			there.Plan("office-"+lost.Attr("id"), sandbox.Plan{Mute: 1, MuteAsks: 1})
			state(nurse, approve(lost), pay.Done)

			refused := propose("1500")
			there.Plan("office-"+refused.Attr("id"), sandbox.Plan{Reject: true})
			state(nurse, approve(refused), pay.Refused)

			if got := officer(t, romeo, "set", deskElement("purse", "account", "nurse@localhost", "do", "stop").AddText("the police have asked")); got.Attr("type") != "result" {
				t.Fatalf("stopped: %s", got)
			}
			all := approve(propose("")) // what is left, from a wallet that pays nothing else
			state(nurse, all, pay.Done)
			if got := officer(t, romeo, "set", deskElement("propose", "kind", "refund", "of", in).AddText("once more")); got.Attr("type") != "error" {
				t.Errorf("more than there was: %s", got)
			}
			if got := request(t, nurse, "get", ask1("lookup").Set("id", in)); got.First().Attr("refunded") != "5000" {
				t.Errorf("the cash-in: %s", got)
			}
			if got := request(t, nurse, "get", ask1("wallet")).First().Child(pay.NS, "balance"); got.Attr("amount") != "0" || got.Attr("held") != "0" {
				t.Errorf("the wallet: %s", got)
			}
			outside, err := r.ledger.Account(t.Context(), rail.Account("try", "MAD"))
			if err != nil || outside.Balance != 0 || there.Balance("MAD") != 0 {
				t.Errorf("the books say %d, the network %d (%v)", outside.Balance, there.Balance("MAD"), err)
			}
			if m, ok := there.Look(all); !ok || m.Kind != "refund" || m.Amount != 4000 || m.Address != "+212600000001" {
				t.Errorf("the network was asked for %+v", m)
			}
			report, err := r.rails.Reconcile(t.Context(), "try", time.Now().Add(-time.Hour), time.Now().Add(time.Minute))
			if err != nil || report.Differences != 0 || report.Lines != 3 {
				t.Errorf("%+v (%v)", report, err)
			}
			authority, err := pay.CheckAuthority(t.Context(), r.ledger)
			if err != nil || authority.Others != 0 {
				t.Errorf("%+v (%v)", authority, err)
			}
			if purse := officer(t, romeo, "get", deskElement("purse", "account", "nurse@localhost")).String(); !strings.Contains(purse, "stopped='true'") {
				t.Errorf("the wallet is open: %s", purse)
			}
		})
	}
}
