package app

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// closedBeside is a server whose payments are `palabre pay`, in a closed unit with two levels; juliet has 500.00 of it.
func closedBeside(t *testing.T, engine string) (server, payments *running, alone Config) {
	t.Helper()
	cfg := testConfig(t, engine)
	cfg.Component.Listen, cfg.Component.Domains = []string{"127.0.0.1:0"}, []string{"pay.localhost=a secret of both"}
	server = start(t, cfg)
	alone = payConfig(t, engine)
	alone.Pay.Levels = []string{"basic", "seen"}
	alone.Pay.Units = []pay.Unit{{Code: "MAD", Closed: true, Limits: []pay.Limit{{Level: "basic", Transaction: 6000, Day: 10_000}, {Level: "seen", Transaction: 600_000}}}}
	alone.Pay.Server.Address, alone.Pay.Server.Secret = server.guests.Addrs()[0].String(), "a secret of both"
	payments = openAlone(t, alone).serving(t)
	for request(t, server.test.Login(t, "juliet/first"), "get", ask1("wallet")).Attr("type") != "result" { // until the component is there
	}
	issuedByTwo(t, alone, 50_000)
	return server, payments, alone
}

// refusedAtShell fails unless the command line is refused with such words.
func refusedAtShell(t *testing.T, cfg Config, name string, args any, words string) {
	t.Helper()
	if err := Operate(t.Context(), cfg, name, args, nil, io.Discard); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%s %+v: %v", name, args, err)
	}
}

// disputeAs waits until somebody is told that a dispute stands so.
func disputeAs(who *palabretest.Person, id, state string) (dispute *xmpp.Element, body string) {
	for {
		message := who.Receive()
		if d := message.Child(pay.NS, "notice").Child(pay.NS, "dispute"); d != nil && d.Attr("id") == id && d.Attr("state") == state {
			return d, message.ChildText(xmpp.NSClient, "body")
		}
	}
}

// handsIn pays, and is the id of the payment.
func handsIn(t *testing.T, who *palabretest.Person, device *payer.Device, i intent.Intent) string {
	t.Helper()
	if got := request(t, who, "set", signed(t, device, i)); got.Attr("type") != "result" {
		t.Fatalf("%s: %s", i.Kind, got)
	}
	return i.ID
}

// issuedByTwo has nadia propose and omar approve money for juliet.
func issuedByTwo(t *testing.T, cfg Config, amount int64) {
	t.Helper()
	var made []Proposal
	ask(t, cfg, "pay/propose", ProposalArgs{Kind: "issue", Account: "juliet@localhost", Amount: amount, Unit: "MAD", Why: "the fair", As: "nadia"}, &made)
	refusedAtShell(t, cfg, "pay/approve", ProposalArgs{ID: made[0].ID, As: " nadia\n"}, "another administrator")
	ask(t, cfg, "pay/approve", ProposalArgs{ID: made[0].ID, As: "omar"}, &made)
}

// TestADisputeWherePaymentsAreAlone: a buyer disputes what she has paid and shows why; one of the operator's people stops the seller's wallet, another one decides, the seller gives the money back, and both are
// told of each step.
func TestADisputeWherePaymentsAreAlone(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			server, payments, cfg := closedBeside(t, engine)
			buyer, shop, buys, sells := buyerAndShop(t, server)
			paid, id := handsIn(t, buyer, buys, buys.Send("nurse@localhost", 5000, "MAD", "Two fish")), payer.NewID()
			dispute := ask1("dispute").Set("id", id).Set("of", paid).Set("why", "wrong-amount").Set("amount", "2500").AddText("It was one fish.")
			if got := request(t, buyer, "set", dispute); got.Attr("type") != "result" {
				t.Fatalf("disputed: %s", got)
			}
			photo := ask1("evidence").Set("dispute", id).Set("hash", strings.Repeat("0a", 32)).Set("address", "https://files.example/bill.jpg").Set("name", "bill.jpg").Set("size", "1200").AddText("The bill")
			if got := request(t, buyer, "set", photo); got.Attr("type") != "result" {
				t.Fatalf("shown: %s", got)
			}
			var open []Dispute
			ask(t, cfg, "pay/disputes", DisputeArgs{}, &open)
			if len(open) != 1 || open[0].ID != id || open[0].Sum != "25.00 MAD" || open[0].Text != "It was one fish." || len(open[0].Evidence) != 1 || open[0].Evidence[0].Name != "bill.jpg" {
				t.Fatalf("open disputes: %+v", open)
			}
			ask(t, cfg, "pay/wallet", PurseArgs{Account: "nurse@localhost", Do: "stop", Why: "until it is decided", As: "nadia"}, &Purse{})
			if got := request(t, shop, "set", signed(t, sells, sells.Send("juliet@localhost", 1, "MAD", ""))); got.Attr("type") != "error" {
				t.Errorf("a wallet that is stopped has paid: %s", got)
			}
			decided(t, cfg, id)
			for _, who := range []*palabretest.Person{buyer, shop} {
				if told, body := disputeAs(who, id, "upheld"); told.Attr("decided") != "One fish was sold" || !strings.Contains(body, "One fish was sold") {
					t.Errorf("told: %s %q", told, body)
				}
			}
			ask(t, cfg, "pay/wallet", PurseArgs{Account: "nurse@localhost", Do: "go-on", Why: "gives it back", As: "nadia"}, &Purse{})
			back := sells.Send("juliet@localhost", 2500, "MAD", "")
			back.Kind, back.Of = intent.Refund, paid
			handsIn(t, shop, sells, back)
			told(buyer, back.ID)
			purses(t, payments, 47_500, 2500)
			ask(t, cfg, "pay/disputes", DisputeArgs{}, &open)
			var ended []Dispute
			ask(t, cfg, "pay/disputes", DisputeArgs{Decided: true}, &ended)
			if len(open) != 0 || len(ended) != 1 || ended[0].State != "refunded" || ended[0].GivenSum != "25.00 MAD" {
				t.Errorf("open: %+v, ended: %+v", open, ended)
			}
			wroteDown(t, cfg, "command line (nadia) go-on nurse@localhost", "command line (omar) uphold nurse@localhost", "command line (nadia) stop nurse@localhost",
				"command line (omar) approve-issue juliet@localhost", "command line (nadia) propose-issue juliet@localhost")
		})
	}
}

// decided has omar uphold a dispute, once and with a reason.
func decided(t *testing.T, cfg Config, id string) {
	t.Helper()
	refusedAtShell(t, cfg, "pay/uphold", DisputeArgs{ID: id, Why: " ", As: "omar"}, "say why")
	refusedAtShell(t, cfg, "pay/dismiss", DisputeArgs{ID: "there-is-none-of-it", Why: "no", As: "omar"}, "no such dispute")
	refusedAtShell(t, cfg, "pay/dispute", DisputeArgs{ID: "there-is-none-of-it"}, "no such dispute")
	var one Dispute
	ask(t, cfg, "pay/uphold", DisputeArgs{ID: id, Why: "One fish was sold", As: "omar"}, &one)
	if one.State != "upheld" || one.Decided != "One fish was sold" || len(one.Evidence) != 1 {
		t.Errorf("upheld: %+v", one)
	}
	refusedAtShell(t, cfg, "pay/dismiss", DisputeArgs{ID: id, Why: "Two fish", As: "nadia"}, "upheld")
}

// wroteDown fails unless the audit log has these deeds, the newest first.
func wroteDown(t *testing.T, cfg Config, want ...string) {
	t.Helper()
	var deeds []pay.Deed
	ask(t, cfg, "pay/audit", AuditArgs{}, &deeds)
	for i, d := range deeds {
		if got := d.Who + " " + d.What + " " + d.Account; i >= len(want) || got != want[i] {
			t.Errorf("deed %d is %q", i, got)
		}
	}
	if len(deeds) != len(want) {
		t.Errorf("%d deeds", len(deeds))
	}
}

// TestWalletsWherePaymentsAreAlone sets a level, opens a wallet that no key opens and no other one, and reads what there is.
func TestWalletsWherePaymentsAreAlone(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			server, _, cfg := closedBeside(t, engine)
			buyer, shop, buys, _ := buyerAndShop(t, server)
			much := buys.Send("nurse@localhost", 20_000, "MAD", "A boat")
			if got := request(t, buyer, "set", signed(t, buys, much)); got.Attr("type") != "error" {
				t.Errorf("above the level: %s", got)
			}
			refusedAtShell(t, cfg, "pay/wallet", PurseArgs{Account: "juliet@localhost", Do: "level", Level: "known", Why: "passport", As: "omar"}, "no such account or level")
			refusedAtShell(t, cfg, "pay/wallet", PurseArgs{Account: "juliet@elsewhere", Do: "stop", Why: "passport", As: "omar"}, "no such account")
			refusedAtShell(t, cfg, "pay/wallet", PurseArgs{Account: "localhost", Do: "stop", Why: strings.Repeat("x", 401), As: "omar"}, "at most 400")
			var p Purse
			ask(t, cfg, "pay/wallet", PurseArgs{Account: "juliet@localhost", Do: "level", Level: "seen", Why: "passport", As: "omar"}, &p)
			if m := p.Money[0]; p.Level != "seen" || m.Transaction.Text != "6000.00 MAD" || m.Balance.Text != "500.00 MAD" {
				t.Errorf("a level higher: %+v", p)
			}
			handsIn(t, buyer, buys, buys.Send("nurse@localhost", 20_000, "MAD", "A boat"))
			freezes := func(who *palabretest.Person) {
				if got := request(t, who, "set", ask1("freeze")); got.Attr("type") != "result" {
					t.Fatalf("frozen: %s", got)
				}
			}
			opens := PurseArgs{Account: "juliet@localhost", Do: "open", Why: "passport", As: "omar"}
			refusedAtShell(t, cfg, "pay/wallet", opens, "not frozen")
			freezes(buyer)
			refusedAtShell(t, cfg, "pay/wallet", opens, "a key of its owner opens it")
			mercutio := server.test.Login(t, "mercutio/square") // he has no key
			freezes(mercutio)
			opens.Account = "mercutio@localhost"
			ask(t, cfg, "pay/wallet", PurseArgs{Account: opens.Account, Do: "stop", Why: "a court", As: "omar"}, &Purse{})
			refusedAtShell(t, cfg, "pay/wallet", opens, "pay go-on ends both")
			var both Purse
			if ask(t, cfg, "pay/wallet", PurseArgs{Account: opens.Account}, &both); !both.Shut || !both.Stopped {
				t.Errorf("shut and stopped: %+v", both)
			}
			var free Purse
			if ask(t, cfg, "pay/wallet", PurseArgs{Account: opens.Account, Do: "go-on", Why: "seen him", As: "omar"}, &free); free.Shut || free.Stopped || !free.Frozen.IsZero() {
				t.Errorf("goes on: %+v", free)
			}
			freezes(mercutio)
			var opened Purse
			if ask(t, cfg, "pay/wallet", opens, &opened); opened.Shut || !opened.Frozen.IsZero() {
				t.Errorf("opened: %+v", opened)
			}
			var all []UnitSums
			ask(t, cfg, "pay/circulation", struct{}{}, &all)
			if len(all) != 1 || all[0].Issued.Text != "500.00 MAD" || all[0].Wallets != all[0].Issued || all[0].WalletAccounts != 3 {
				t.Errorf("circulation: %+v", all)
			}
			watched(t, cfg, shop)
			wroteDown(t, cfg, "command line (omar) go-on mercutio@localhost", "command line (omar) go-on mercutio@localhost", "command line (omar) stop mercutio@localhost",
				"command line (omar) level juliet@localhost", "command line (omar) approve-issue juliet@localhost", "command line (nadia) propose-issue juliet@localhost")
		})
	}
}

// watched has the nurse mistake her PIN, which somebody should look at.
func watched(t *testing.T, cfg Config, shop *palabretest.Person) {
	t.Helper()
	device, err := payer.New("pay.localhost", "nurse@localhost")
	if err != nil {
		t.Fatal(err)
	}
	if got := request(t, shop, "set", device.Register()); got.Attr("type") != "result" {
		t.Fatalf("key: %s", got)
	}
	wrong := device.Unlock().Set("verifier", strings.Repeat("A", 43))
	for range 3 {
		if got := request(t, shop, "set", wrong); got.Attr("type") != "error" {
			t.Errorf("a wrong PIN: %s", got)
		}
	}
	var all []pay.Suspicion
	if ask(t, cfg, "pay/suspicions", struct{}{}, &all); len(all) != 1 || all[0].Kind != "wrong-pins" || all[0].Account != "nurse@localhost" {
		written, _ := json.Marshal(all) // for people
		t.Errorf("suspicions: %s", written)
	}
}
