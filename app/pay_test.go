package app

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"palabre.dev/palabre/component"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// payConfig is a server with payments in dirhams.
func payConfig(t *testing.T, engine string) Config {
	t.Helper()
	cfg := testConfig(t, engine)
	cfg.Pay.Units = []pay.Unit{{Code: "MAD"}}
	cfg.Pay.FirstKey = 0 // wallets are filled before their people have a key
	return cfg
}

// give puts money into a wallet, as an operator issues it.
func give(t *testing.T, book *ledger.Ledger, who string, amount int64) {
	t.Helper()
	wallet := pay.WalletAccount("MAD", xmpp.MustJID(who))
	_, err := book.Post(t.Context(), nil, ledger.Operation{ID: "open-" + payer.NewID(), Kind: ledger.Opening, From: wallet, Unit: "MAD"},
		ledger.Operation{ID: "give-" + payer.NewID(), Kind: ledger.Transfer, From: pay.IssueAccount("MAD"), To: wallet, Amount: amount, Unit: "MAD"})
	if err != nil {
		t.Fatal(err)
	}
}

// request asks the service of payments, and is the answer.
func request(t *testing.T, who *palabretest.Person, kind string, payload *xmpp.Element) *xmpp.Element {
	t.Helper()
	id := payer.NewID()
	who.Send(`<iq type='` + kind + `' id='` + id + `' to='pay.localhost'>` + payload.String() + `</iq>`)
	return who.Answer(id)
}

func ask1(name string) *xmpp.Element { return xmpp.NewElement(pay.NS, name) }

// pays registers a device and pays.
func pays(t *testing.T, who *palabretest.Person, account, to string, amount int64) *xmpp.Element {
	t.Helper()
	device, err := payer.New("pay.localhost", account)
	if err != nil {
		t.Fatal(err)
	}
	if got := request(t, who, "set", device.Register()); got.Attr("type") != "result" {
		t.Fatalf("key: %s", got)
	}
	signed, err := device.Pay(device.Send(to, amount, "MAD", "Sardines"))
	if err != nil {
		t.Fatal(err)
	}
	return request(t, who, "set", signed)
}

func TestWithoutAUnitThereAreNoPayments(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	juliet := r.test.Login(t, "juliet/balcony")
	juliet.Send(`<iq type='get' id='1' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`)
	if items := juliet.Receive(); strings.Contains(items.String(), "pay.") {
		t.Errorf("offered: %s", items)
	}
	if got := request(t, juliet, "get", ask1("about")); got.Attr("type") != "error" {
		t.Errorf("answered: %s", got)
	}
	for table := range tables(t, r.db) {
		if strings.HasPrefix(table, "pay_") || strings.HasPrefix(table, "ledger_") {
			t.Errorf("table %s is there", table)
		}
	}
}

func TestAPaymentThroughTheServer(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, payConfig(t, engine))
			give(t, r.ledger, "juliet@localhost", 50_000)
			juliet, romeo := r.test.Login(t, "juliet/balcony"), r.test.Login(t, "romeo/home")
			romeo.Send(`<presence/>`)
			juliet.Send(`<iq type='get' id='1' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`)
			if items := juliet.Receive(); !strings.Contains(items.String(), "'pay.localhost'") {
				t.Errorf("not offered: %s", items)
			}
			juliet.Send(`<iq type='get' id='2' to='pay.localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
			if info := juliet.Receive(); !strings.Contains(info.String(), "'urn:palabre:pay:0'") {
				t.Errorf("not announced: %s", info)
			}
			receipt := pays(t, juliet, "juliet@localhost", "romeo@localhost", 12_500)
			if receipt.Attr("type") != "result" || receipt.First().Child(pay.NS, "text") == nil {
				t.Fatalf("paid: %s", receipt)
			}
			for {
				message := romeo.Receive()
				notice := message.Child(pay.NS, "notice")
				if notice == nil {
					continue
				}
				if got := notice.Child(pay.NS, "payment"); got.Attr("amount") != "12500" || notice.Attr("chat") != "juliet@localhost" ||
					!strings.Contains(message.ChildText(xmpp.NSClient, "body"), "125.00") {
					t.Errorf("the notice: %s", message)
				}
				break
			}
			if got := request(t, romeo, "get", ask1("wallet")); got.First().Child(pay.NS, "balance").Attr("amount") != "12500" {
				t.Errorf("romeo has %s", got)
			}
			if got := pays(t, romeo, "romeo@localhost", "nobody@localhost", 100); got.Attr("type") != "error" || !strings.Contains(got.String(), "no-payee") {
				t.Errorf("paid to nobody: %s", got)
			}
		})
	}
}

func TestWhoeverGetsANameDoesNotInheritItsWallet(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	give(t, r.ledger, "juliet@localhost", 50_000)
	juliet := r.test.Login(t, "juliet/balcony")
	if got := pays(t, juliet, "juliet@localhost", "romeo@localhost", 100); got.Attr("type") != "result" {
		t.Fatalf("paid: %s", got)
	}
	if err := r.pay.Leave(t.Context(), xmpp.MustJID("juliet@localhost")); err != nil { // as her removal does, after which the name rests
		t.Fatal(err)
	}
	other, romeo := r.test.Login(t, "juliet/street"), r.test.Login(t, "romeo/home")
	if got := request(t, other, "get", ask1("wallet")); got.Attr("type") != "error" || !strings.Contains(got.String(), "<over") {
		t.Errorf("another juliet sees %s", got)
	}
	if got := pays(t, romeo, "romeo@localhost", "juliet@localhost", 10); !strings.Contains(got.String(), "no-payee") {
		t.Errorf("another juliet is paid: %s", got)
	}
	if a, err := r.ledger.Account(t.Context(), pay.WalletAccount("MAD", xmpp.MustJID("juliet@localhost"))); err != nil || a.Balance != 49_900 {
		t.Errorf("the books have %+v, %v", a, err)
	}
}

func TestAnExportHoldsNoMoney(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	give(t, r.ledger, "juliet@localhost", 50_000)
	juliet := r.test.Login(t, "juliet/balcony")
	juliet.Send(`<presence/>`)
	if paid := pays(t, juliet, "juliet@localhost", "romeo@localhost", 12_345); paid.Attr("type") != "result" {
		t.Fatal(paid)
	}
	for juliet.Receive().Child(pay.NS, "notice").Child(pay.NS, "payment") == nil { // until it is in her archive
	}
	var out strings.Builder
	arguments, err := json.Marshal(AccountArgs{Name: "juliet"})
	if err != nil {
		t.Fatal(err)
	}
	if err := export(context.Background(), r.App, arguments, nil, &out); err != nil {
		t.Fatal(err)
	}
	own, told, _ := strings.Cut(out.String(), "<archive") // what she was told of payments is among her messages
	if strings.Contains(own, pay.NS) || !strings.Contains(told, "123.45\u00a0MAD") {
		t.Errorf("exported: %s", out.String())
	}
}

// booked are the tables of payments that keep the address of somebody who has left, and why.
var booked = map[string]string{
	"ledger_account": "the books", "ledger_record": "the books", "ledger_setting": "the books",
	"pay_payment": "what was paid, as it was signed", "pay_line": "whose history that is in", "pay_order": "who was allowed to pay, as it was signed",
	"pay_gone": "that the wallet has ended", "pay_suspicion": "what the operator looks at", "pay_audit": "what operators did",
	"pay_wallet": "those who were paid", "pay_payee": "whom others have paid",
}

func TestOfARemovedAccountTheBooksAreLeft(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, payConfig(t, engine))
			give(t, r.ledger, "juliet@localhost", 50_000)
			juliet := r.test.Login(t, "juliet/balcony")
			pays(t, juliet, "juliet@localhost", "romeo@localhost", 12_345)
			romeo := r.test.Login(t, "romeo/home")
			pays(t, romeo, "romeo@localhost", "juliet@localhost", 45)
			one, err := r.accounts.Lookup(t.Context(), "juliet")
			if err != nil {
				t.Fatal(err)
			}
			names := func() map[string]bool {
				found := map[string]bool{}
				for table, columns := range tables(t, r.db) {
					money := strings.HasPrefix(table, "pay_") || strings.HasPrefix(table, "ledger_") || strings.HasPrefix(table, "rail_")
					if money && rowsWith(t, r.db, table, columns, -1, "juliet@localhost") > 0 {
						found[table] = true
					}
				}
				return found
			}
			if before := names(); !before["pay_key"] || !before["pay_day"] || !before["pay_payment"] {
				t.Fatalf("juliet is in %v", before)
			}
			if err := removeAccount(t.Context(), r.App, one); err != nil {
				t.Fatal(err)
			}
			for table := range names() {
				if booked[table] == "" {
					t.Errorf("%s knows juliet", table)
				}
			}
			if after := names(); !after["ledger_account"] || !after["pay_payment"] || !after["pay_gone"] {
				t.Errorf("juliet is in %v alone", after)
			}
		})
	}
}

func TestABackupHoldsTheMoney(t *testing.T) {
	cfg := payConfig(t, storetest.SQLite)
	cfg.Store = storetest.File(t)
	r := start(t, cfg)
	give(t, r.ledger, "juliet@localhost", 50_000)
	var out bytes.Buffer
	if err := Operate(t.Context(), cfg, "backup", struct{}{}, nil, &out); err != nil {
		t.Fatal(err)
	}
	again := cfg
	again.Data = filepath.Join(t.TempDir(), "again")
	again.Store.URL = "sqlite:" + filepath.Join(again.Data, "palabre.db")
	if _, err := Restore(again, &out); err != nil {
		t.Fatal(err)
	}
	other := serveAgain(t, again)
	a, err := other.ledger.Account(t.Context(), pay.WalletAccount("MAD", xmpp.MustJID("juliet@localhost")))
	if err != nil || a.Balance != 50_000 {
		t.Errorf("after restoring juliet has %+v, %v", a, err)
	}
}

// echo is a component that answers with what it is asked.
type echo struct{}

func (echo) Handle(_ context.Context, st *xmpp.Stanza) (*xmpp.Element, error) { return st.First(), nil }

func TestAComponentOfOthers(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Component.Listen, cfg.Component.Domains = []string{"127.0.0.1:0"}, []string{"echo.localhost=secret"}
	r := start(t, cfg)
	juliet := r.test.Login(t, "juliet/balcony")
	for _, there := range []bool{false, true} {
		if there {
			one := component.DefaultConfig()
			one.Address, one.Domain, one.Secret = r.guests.Addrs()[0].String(), "echo.localhost", "secret"
			c, err := component.New(one, echo{}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx) }()
			defer func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			if err := c.Connected(ctx); err != nil {
				t.Fatal(err)
			}
			message := (&xmpp.Stanza{Kind: xmpp.Message, Type: "chat", ID: "m1", To: xmpp.MustJID("juliet@localhost")}).Add(xmpp.NewText(xmpp.NSClient, "body", "hello"))
			if err := c.Send(ctx, message); err != nil { // it is in her archive then
				t.Errorf("sent: %v", err)
			}
		}
		juliet.Send(`<iq type='get' id='q' to='echo.localhost'><q xmlns='test'/></iq>`)
		got := juliet.Receive()
		if answered := got.Attr("type") == "result" && got.Child("test", "q") != nil; answered != there {
			t.Errorf("with a component: %v, %s", there, got)
		}
	}
	juliet.Send(`<iq type='set' id='a'><query xmlns='urn:xmpp:mam:2'/></iq>`)
	if got := juliet.Receive(); got.Child("urn:xmpp:mam:2", "result") == nil || !strings.Contains(got.String(), "echo.localhost") {
		t.Errorf("her archive has %s", got)
	}
}

// TestABlockHoldsForPayments blocks as people do (XEP-0191), and asks for money as if nobody were there.
func TestABlockHoldsForPayments(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/balcony")
	wanted := func(who string) *xmpp.Element {
		return request(t, romeo, "set", ask1("request").Set("id", payer.NewID()).Set("payer", who).Set("amount", "700").Set("unit", "MAD"))
	}
	if got := wanted("juliet@localhost"); got.Attr("type") != "result" {
		t.Fatalf("before: %s", got)
	}
	for _, step := range []struct{ ask, outcome string }{{"block", "error"}, {"unblock", "result"}} {
		juliet.Send(`<iq type='set' id='` + step.ask + `'><` + step.ask + ` xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></` + step.ask + `></iq>`)
		for juliet.Receive().Attr("id") != step.ask {
		}
		got := wanted("juliet@localhost")
		if got.Attr("type") != step.outcome || step.outcome == "error" && !strings.Contains(got.String(), "no-payee") {
			t.Errorf("after %s: %s", step.ask, got)
		}
	}
	if got := wanted("nobody@localhost"); !strings.Contains(got.String(), "no-payee") {
		t.Errorf("nobody: %s", got)
	}
}

// TestASpoofedAddressPaysNothing writes another account's address into what is sent, with what that account has signed.
func TestASpoofedAddressPaysNothing(t *testing.T) {
	r := start(t, payConfig(t, storetest.SQLite))
	give(t, r.ledger, "juliet@localhost", 50_000)
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/balcony")
	device, err := payer.New("pay.localhost", "juliet@localhost")
	if err != nil {
		t.Fatal(err)
	}
	if got := request(t, juliet, "set", device.Register()); got.Attr("type") != "result" {
		t.Fatalf("key: %s", got)
	}
	signed, err := device.Pay(device.Send("romeo@localhost", 12_500, "MAD", "Sardines"))
	if err != nil {
		t.Fatal(err)
	}
	for kind, payload := range map[string]*xmpp.Element{"get": ask1("wallet"), "set": signed} {
		thief := r.test.Login(t, "romeo/thief-"+kind)
		thief.Send(`<iq type='` + kind + `' id='spoofed' from='juliet@localhost/balcony' to='pay.localhost'>` + payload.String() + `</iq>`)
		if got := thief.Receive(); got.Attr("type") == "result" && strings.Contains(got.String(), "50000") || strings.Contains(got.String(), "receipt") {
			t.Errorf("%s: %s", kind, got)
		}
	}
	if got := request(t, romeo, "get", ask1("wallet")); got.First().Child(pay.NS, "balance").Attr("amount") != "0" {
		t.Errorf("romeo has %s", got)
	}
	if got := request(t, juliet, "set", signed); got.First().Child(pay.NS, "text") == nil { // it is still hers to hand in
		t.Errorf("juliet pays: %s", got)
	}
}
